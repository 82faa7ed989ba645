"""The keeper of option chains: asks seldom, waits for nobody twice, keeps what was known."""

from __future__ import annotations

import threading
from datetime import date

import pytest

from dashboard.option_chains import ASK_AGAIN_SECONDS, ASK_SECONDS, KEPT, ChainKeeper
from services.domain.errors import NotSent
from tests.support.option_chains import EXPIRY, chain_row, side
from tests.support.readings import NIFTY, NOW

ROW = chain_row(24_000, call=side("C", ltp=1.0), put=None)
LONG = 30.0
"""Longer than any answer of these tests takes."""


class Broker:
    """Answers with `rows`, or with `error`, when it is allowed to."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, date]] = []
        self.rows = [ROW]
        self.error: Exception | None = None
        self.may = threading.Event()
        self.may.set()
        self.done = threading.Semaphore(0)

    def __call__(self, key, expiry):
        self.asked.append((key, expiry))
        assert self.may.wait(LONG)
        try:
            if self.error:
                raise self.error
            return self.rows
        finally:
            self.done.release()


@pytest.fixture
def broker():
    return Broker()


@pytest.fixture
def time():
    return [0.0]


@pytest.fixture
def keeper(broker, time):
    keeper = ChainKeeper(broker, lambda: NOW, monotonic=lambda: time[0])
    yield keeper
    broker.may.set()
    keeper.close()


def settled(keeper, name=(NIFTY, EXPIRY)):
    """What is known once nothing is under way."""
    while (asking := keeper._under_way.get(name)) is not None:
        asking.result(LONG)
    return keeper.look(*name)


def test_the_first_look_may_wait_for_an_answer(keeper):
    look = keeper.look(NIFTY, EXPIRY, wait=LONG)

    assert (look.rows, look.at, look.problem) == ((ROW,), NOW, None)


def test_a_look_that_does_not_wait_gets_nothing_at_first(keeper, broker):
    broker.may.clear()

    assert keeper.look(NIFTY, EXPIRY).rows is None
    broker.may.set()
    assert settled(keeper).rows == (ROW,)


def test_many_looks_ask_once_in_a_while(keeper, broker, time):
    keeper.look(NIFTY, EXPIRY, wait=LONG)
    for _ in range(20):
        keeper.look(NIFTY, EXPIRY)
    assert len(broker.asked) == 1

    time[0] = ASK_SECONDS
    keeper.look(NIFTY, EXPIRY)
    settled(keeper)
    assert len(broker.asked) == 2


def test_a_renewal_is_not_waited_for(keeper, broker, time):
    keeper.look(NIFTY, EXPIRY, wait=LONG)
    broker.may.clear()
    time[0] = ASK_SECONDS

    assert keeper.look(NIFTY, EXPIRY, wait=LONG).rows == (ROW,)


def test_a_failure_keeps_what_was_known_and_tells_why_and_is_asked_again_soon(keeper, broker, time):
    keeper.look(NIFTY, EXPIRY, wait=LONG)
    broker.error = NotSent("refused")
    time[0] = ASK_SECONDS
    keeper.look(NIFTY, EXPIRY)
    look = settled(keeper)
    assert (look.rows, look.at, str(look.problem)) == ((ROW,), NOW, "refused")

    broker.error = None
    time[0] += ASK_AGAIN_SECONDS
    keeper.look(NIFTY, EXPIRY)
    assert settled(keeper).problem is None


def test_a_stumble_of_our_own_does_not_end_the_asking(keeper, broker, time, caplog):
    broker.error = ZeroDivisionError()
    assert keeper.look(NIFTY, EXPIRY, wait=LONG).problem is not None

    broker.error = None
    time[0] = ASK_AGAIN_SECONDS
    keeper.look(NIFTY, EXPIRY)
    assert settled(keeper).rows == (ROW,)


def test_no_rows_are_an_answer(keeper, broker):
    broker.rows = []

    assert keeper.look(NIFTY, EXPIRY, wait=LONG).rows == ()


def test_only_so_many_chains_are_remembered(keeper, broker):
    keys = [f"NSE_INDEX|{number}" for number in range(KEPT + 5)]
    for key in keys:
        keeper.look(key, EXPIRY, wait=LONG)

    assert len(keeper._known) == len(keeper._next) == KEPT
    assert keeper.look(keys[-1], EXPIRY).rows == (ROW,)


def test_a_closed_keeper_tells_what_it_knows(keeper, time):
    keeper.look(NIFTY, EXPIRY, wait=LONG)
    keeper.close()
    time[0] = ASK_SECONDS

    assert keeper.look(NIFTY, EXPIRY, wait=LONG).rows == (ROW,)
