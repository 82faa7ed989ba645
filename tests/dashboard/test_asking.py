"""Why prices are old, learned without making a page wait."""

from __future__ import annotations

from concurrent.futures import Future
from types import SimpleNamespace

import pytest

from dashboard.asking import KEPT, PAUSE, Asker, of_one_instrument
from services.domain.errors import BadInstrumentKey, BrokerFault, InvalidRequest, LoginRequired, NoData, NotSent

A, B = "NSE_EQ|INE002A01018", "NSE_EQ|INE009A01021"


class Inline:
    """Runs what is submitted when the test says so."""

    def __init__(self) -> None:
        self.waiting = []

    def submit(self, job, *arguments):
        self.waiting.append((job, arguments))
        return Future()

    def run(self) -> None:
        while self.waiting:
            job, arguments = self.waiting.pop(0)
            job(*arguments)


@pytest.fixture
def told():
    return {}


@pytest.fixture
def desk(told):
    now = [100.0]
    asked = []

    def ask(keys):
        asked.append(keys)
        if isinstance(told.get("raise"), Exception):
            raise told["raise"]
        return SimpleNamespace(problems={key: error for key, error in told.items() if key in keys})

    asker = Asker(ask, monotonic=lambda: now[0])
    worker = asker._worker = Inline()
    return SimpleNamespace(asker=asker, worker=worker, now=now, asked=asked)


def test_asking_never_waits_and_the_answer_is_there_later(desk, told):
    told[A] = NotSent("refused")

    assert desk.asker.why([A]) == {}
    desk.worker.run()
    assert desk.asker.why([A]) == {A: told[A]}


def test_one_question_at_a_time_with_a_pause_between(desk):
    desk.asker.why([A])
    desk.asker.why([A])
    assert len(desk.worker.waiting) == 1

    desk.worker.run()
    desk.asker.why([A])
    assert not desk.worker.waiting

    desk.now[0] += PAUSE
    desk.asker.why([A])
    assert len(desk.worker.waiting) == 1


def test_a_reason_that_is_gone_is_forgotten(desk, told):
    told[A] = NotSent("refused")
    desk.asker.why([A])
    desk.worker.run()
    del told[A]
    desk.now[0] += PAUSE
    desk.asker.why([A])
    desk.worker.run()

    assert desk.asker.why([A]) == {}


def test_a_reason_is_not_believed_for_ever(desk, told):
    told[A] = NotSent("refused")
    desk.asker.why([A])
    desk.worker.run()
    desk.now[0] += KEPT

    assert desk.asker.why([A]) == {}


def test_reasons_are_told_only_to_those_who_ask_for_that_instrument(desk, told):
    told[A] = NotSent("refused")
    desk.asker.why([A, B])
    desk.worker.run()

    assert desk.asker.why([B]) == {}


def test_an_error_of_the_whole_question_is_the_reason_for_each(desk, told):
    told["raise"] = LoginRequired("log in")
    desk.asker.why([A, B])
    desk.worker.run()

    assert desk.asker.why([A, B]) == {A: told["raise"], B: told["raise"]}


def test_a_bug_below_does_not_end_the_asking(desk, told, caplog):
    told["raise"] = ZeroDivisionError("oh")
    desk.asker.why([A])
    desk.worker.run()
    desk.now[0] += PAUSE

    assert desk.asker.why([A]) == {}
    assert len(desk.worker.waiting) == 1
    assert "asking why 1 prices are old failed" in caplog.text


def test_nothing_is_asked_when_all_is_current(desk):
    assert desk.asker.why([]) == {}
    assert not desk.worker.waiting


def test_after_close_a_page_still_gets_an_answer():
    asker = Asker(lambda keys: SimpleNamespace(problems={}))
    asker.close()
    asker.why([A])

    assert isinstance(asker.why([A])[A], NotSent)


@pytest.mark.parametrize(
    ("error", "single"),
    [
        (BadInstrumentKey("x", status=400), True),
        (InvalidRequest("x"), True),
        (NoData("x"), True),
        (NotSent("x"), False),
        (BrokerFault("x", status=500), False),
        (LoginRequired("x"), False),
    ],
)
def test_trouble_of_one_instrument_is_told_from_trouble_of_all(error, single):
    assert of_one_instrument(error) is single


def test_what_keeps_every_instrument_from_being_renewed_is_told_of_those_too_that_nobody_asked_for_yet(desk, told):
    told[A] = NotSent("refused")
    desk.asker.why([A])
    desk.worker.run()

    assert desk.asker.why([B]) == {B: told[A]}

    del told[A]
    desk.now[0] += PAUSE
    desk.asker.why([A])
    desk.worker.run()
    assert desk.asker.why([B]) == {}


def test_the_trouble_of_one_instrument_is_not_that_of_others(desk, told):
    told[A] = NoData("never traded")
    desk.asker.why([A])
    desk.worker.run()

    assert desk.asker.why([A, B]) == {A: told[A]}
