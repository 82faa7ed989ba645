"""Candles read beside the page: what is stored at once, the rest with progress, a failure in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from threading import Event

import pytest

from dashboard.candle_loading import AFTER_FAILURE, AGAIN_SECONDS, MOST, CandleLoader
from services.candles.audit import AuditReport
from services.domain.candles import MINUTE
from services.domain.errors import NotSent
from tests.support.candles_page import OPENS, RELIANCE, minutes

END = OPENS + timedelta(days=1)


class FakeBook:
    """Stored bars at once; a reading waits for `go`."""

    def __init__(self):
        self.go = Event()
        self.go.set()
        self.reached = Event()
        self.error = None
        self.reads = 0
        self.kept = minutes(2)

    def stored(self, key, interval, start, end):
        return self.kept

    def read(self, key, interval, start, end, *, progress=None):
        self.reads += 1
        progress(0.5, "3 of 6 requests")
        self.reached.set()
        assert self.go.wait(30)
        if self.error is not None:
            raise self.error
        return minutes(5)

    def audit(self, key, interval, start, end):
        return AuditReport(key, interval, start, end, 5, 5, ())


class Time:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def book():
    return FakeBook()


@pytest.fixture
def time():
    return Time()


@pytest.fixture
def loader(book, time):
    loader = CandleLoader(lambda: book, monotonic=time)
    yield loader
    book.go.set()
    loader.close()


def look(loader, *, patience=10.0, key=RELIANCE, now=False):
    return loader.look(key, MINUTE, OPENS, END, patience=patience, now=now)


def test_a_first_look_waits_for_what_takes_a_moment(loader):
    found = look(loader)

    assert len(found.series) == 5
    assert found.audit is not None
    assert (found.running, found.first, found.error) == (False, False, None)


def test_what_takes_long_is_shown_from_the_store_with_its_progress(loader, book):
    book.go.clear()
    look(loader, patience=0)
    assert book.reached.wait(30)

    found = look(loader, patience=0)

    assert len(found.series) == 2
    assert (found.running, found.share, found.words) == (True, 0.5, "3 of 6 requests")
    assert book.reads == 1


def test_a_series_is_read_again_when_that_is_due_or_asked_for(loader, book, time):
    look(loader)
    look(loader)
    assert book.reads == 1
    for ways in ({"now": True}, {}):
        book.reached.clear()
        time.now += AGAIN_SECONDS * (not ways)
        while not book.reached.is_set():  # the last reading may not have been put away yet
            look(loader, **ways)
            book.reached.wait(0.01)
    assert book.reads == 3


def test_a_failure_keeps_what_is_stored_and_is_not_repeated_at_once(loader, book, time):
    book.error = NotSent("nothing listens")
    found = look(loader)

    assert isinstance(found.error, NotSent)
    assert len(found.series) == 2
    assert found.first is False
    time.now += AFTER_FAILURE / 2
    look(loader)
    assert book.reads == 1


def test_an_error_that_nobody_foresaw_is_told_too(loader, book):
    book.error = ZeroDivisionError("oops")

    found = look(loader)

    assert "unexpected" in str(found.error)
    assert found.running is False


def test_only_so_many_series_are_remembered(loader, book):
    for number in range(MOST + 5):
        look(loader, key=f"NSE_EQ|INE{number:06d}018")

    look(loader, key="NSE_EQ|INE000000018")
    assert book.reads == MOST + 6


def test_after_its_end_it_says_that_the_desk_closes(loader):
    loader.close()

    found = look(loader)

    assert "closing" in str(found.error)
    assert found.running is False


def test_series_are_told_apart_by_where_they_begin(loader, book):
    look(loader)
    loader.look(RELIANCE, MINUTE, datetime(2026, 1, 1, tzinfo=UTC), END, patience=10)

    assert book.reads == 2
