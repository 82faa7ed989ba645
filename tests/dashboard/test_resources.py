"""Opening the desk beside the server, and what a newcomer finds in it."""

from __future__ import annotations

from threading import Event
from types import SimpleNamespace

import pytest

from dashboard.first_start import FIRST_KEYS, FIRST_NAME, make_first_watchlist
from dashboard.resources import Opening
from services.domain.errors import BrokerNotAnswering, DataFolderTooNew, NotSent
from services.domain.instruments import is_instrument_key


class Lists:
    def __init__(self, *lists):
        self.lists = list(lists)

    def all(self):
        return self.lists

    def create(self, name, keys):
        self.lists.append((name, keys))


class Master:
    def __init__(self):
        self.rows = 0
        self.error = None
        self.refreshed = Event()

    def state(self):
        return SimpleNamespace(rows=self.rows)

    def refresh_if_due(self):
        self.refreshed.set()
        if self.error:
            raise self.error
        self.rows = 100


class Started:
    """A part that begins when it is told to."""

    def __init__(self):
        self.started = 0

    def start(self):
        self.started += 1


class Feed:
    def __init__(self):
        self.waits = []

    def connect(self, *, timeout):
        self.waits.append(timeout)


def a_desk():
    feed = Feed()
    return SimpleNamespace(
        clock=1, watchlists=Lists(), alerts=1, login=1, quotes=1, tracks=1, instruments=Master(),
        calendar=Started(), housekeeping=Started(), orders=Started(), pnl=Started(), alert_desk=Started(),
        measures=Started(), feed=feed, feed_in=lambda: feed, shared=None,
    )  # fmt: skip


@pytest.fixture
def opened():
    begun = []

    def start(make):
        begun.append(Opening(make).start())
        return begun[-1]

    yield start
    for opening in begun:
        opening.stop()


def test_the_desk_opens_beside_the_server_and_loads_the_master(opened):
    desk = a_desk()
    opening = opened(lambda: desk)

    assert opening.wait(30)
    assert opening.master_ready.wait(30)
    assert opening.problem is None
    assert desk.watchlists.lists == [(FIRST_NAME, FIRST_KEYS)]
    assert (desk.calendar.started, desk.housekeeping.started, desk.orders.started) == (1, 1, 1)
    assert desk.feed.waits == [0], "asked for, not waited for"


def test_a_wrong_set_up_is_a_problem_that_stays(opened):
    def make():
        raise DataFolderTooNew("made by a newer desk")

    opening = opened(make)

    assert not opening.wait(30)
    assert isinstance(opening.problem, DataFolderTooNew)


@pytest.mark.parametrize("error", [NotSent("refused"), BrokerNotAnswering("process 7 holds it")])
def test_a_broker_that_cannot_be_reached_is_told_and_tried_again(opened, monkeypatch, error):
    monkeypatch.setattr("dashboard.resources.RETRY_SECONDS", 0.01)
    there = Event()
    desk = a_desk()

    def make():
        if not there.is_set():
            raise error
        return desk

    opening = opened(make)
    assert not opening.wait(30)
    assert opening.problem is error

    there.set()
    assert opening.ready.wait(30)
    assert opening.problem is None


def test_a_bug_while_opening_is_told_without_its_details(opened, caplog):
    def make():
        raise ZeroDivisionError("internal detail")

    opening = opened(make)
    opening.wait(30)

    assert "internal detail" not in str(opening.problem)
    assert "internal detail" in caplog.text


def test_a_master_that_cannot_be_loaded_leaves_the_desk_open(opened):
    desk = a_desk()
    desk.instruments.error = NotSent("refused")
    opening = opened(lambda: desk)

    assert opening.wait(30)
    assert desk.instruments.refreshed.wait(30)
    opening.stop()
    assert isinstance(opening.master_problem, NotSent)
    assert not opening.master_ready.is_set()


def test_yesterdays_master_serves_while_todays_cannot_be_had(opened):
    desk = a_desk()
    desk.instruments.rows, desk.instruments.error = 50, NotSent("refused")

    assert opened(lambda: desk).master_ready.wait(30)


def test_stopping_does_not_wait_for_an_opening_that_is_stuck():
    stuck = Event()
    opening = Opening(stuck.wait).start()

    opening.stop(seconds=0.05)
    assert opening.wait(30) is False
    stuck.set()


def test_the_first_watchlist_is_made_once():
    desk = SimpleNamespace(watchlists=Lists())
    make_first_watchlist(desk)
    make_first_watchlist(desk)

    assert len(desk.watchlists.lists) == 1
    assert all(is_instrument_key(key) for key in FIRST_KEYS)
    assert len(set(FIRST_KEYS)) == len(FIRST_KEYS)
