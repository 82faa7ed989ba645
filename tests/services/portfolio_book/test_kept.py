"""One answer of the broker, kept with its age."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from services.domain.errors import BrokerFault, MalformedPayload, NoAnswer, NotSent
from services.portfolio_book.kept import AGAIN_SECONDS, GAP_SECONDS, LONGEST_PAUSE, WATCHED_SECONDS, Kept
from tests.support.clocks import FakeClock, FakeMonotonic
from tests.support.portfolio import NOW, HandWorkers

EVERY = 6.0
FAULT = BrokerFault("broken", status=500, code="UDAPI100500")


class Desk:
    """A kept answer with hands on everything around it."""

    def __init__(self) -> None:
        self.answers: list[object] = []
        self.asked = 0
        self.user = "AB1234"
        self.workers = HandWorkers()
        self.clock = FakeClock(NOW)
        self.monotonic = FakeMonotonic()
        self.kept = Kept(
            self.ask, name="positions", every_seconds=EVERY, workers=self.workers, clock=self.clock,
            who=lambda: self.user, monotonic=self.monotonic,
        )  # fmt: skip

    def ask(self) -> object:
        self.asked += 1
        answer = self.answers.pop(0) if self.answers else f"answer {self.asked}"
        if isinstance(answer, Exception):
            raise answer
        return answer

    def later(self, seconds: float) -> None:
        self.monotonic.now += seconds
        self.clock.move(seconds=seconds)

    def known(self):
        """Look, let the question that this may begin be answered, look again."""
        self.kept.look()
        self.workers.run()
        return self.kept.look()


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_before_the_first_answer_nothing_is_known(desk):
    known = desk.kept.look()

    assert (known.value, known.as_of, known.error) == (None, None, None)


def test_an_answer_carries_the_instant_at_which_it_was_asked_for(desk):
    desk.kept.look()
    desk.later(2)
    desk.workers.run()

    assert desk.kept.look().as_of == desk.clock.now()


def test_however_many_look_there_is_one_question_at_a_time(desk):
    for _ in range(20):
        desk.kept.look()

    assert len(desk.workers.waiting) == 1


def test_a_fresh_answer_is_not_asked_for_again_and_an_old_one_is(desk):
    assert desk.known().value == "answer 1"
    desk.later(EVERY - 0.1)
    desk.kept.look()
    assert desk.workers.waiting == []

    desk.later(0.2)
    assert desk.kept.look().value == "answer 1"
    desk.workers.run()
    assert desk.kept.look().value == "answer 2"


def test_a_failure_keeps_the_last_answer_with_its_age(desk):
    first = desk.known()
    desk.answers = [FAULT]
    desk.later(EVERY + 1)
    known = desk.known()

    assert (known.value, known.as_of) == (first.value, first.as_of)
    assert known.error is FAULT


def test_a_failure_at_first_is_no_answer(desk):
    desk.answers = [FAULT]
    known = desk.known()

    assert (known.value, known.as_of, known.error) == (None, None, FAULT)


def test_a_broker_that_fails_is_asked_less_and_less_often(desk):
    desk.answers = [FAULT] * 20
    pauses, last = [], desk.monotonic.now
    desk.known()
    while len(pauses) < 6:
        desk.later(0.5)
        desk.kept.look()
        if desk.workers.run():
            pauses.append(desk.monotonic.now - last)
            last = desk.monotonic.now

    assert pauses[0] == AGAIN_SECONDS
    assert pauses == sorted(pauses)
    assert pauses[-1] == LONGEST_PAUSE


def test_an_answer_after_a_failure_ends_the_trouble(desk):
    desk.answers = [FAULT]
    desk.known()
    desk.later(AGAIN_SECONDS)

    assert desk.known().error is None


def test_a_change_is_asked_about_at_once_while_somebody_looks(desk):
    desk.known()
    desk.later(GAP_SECONDS)
    desk.kept.changed()

    assert desk.workers.run() == 1
    assert desk.kept.look().value == "answer 2"


def test_a_change_is_asked_about_when_somebody_looks_again(desk):
    desk.known()
    desk.later(WATCHED_SECONDS + 1)
    desk.kept.changed()
    assert desk.workers.waiting == []

    desk.kept.look()
    assert desk.workers.run() == 1


def test_many_changes_in_a_moment_make_few_questions(desk):
    desk.known()
    for _ in range(150):
        desk.later(GAP_SECONDS / 100)
        desk.kept.changed()
        desk.kept.look()
        desk.workers.run()

    assert desk.asked == 2


def test_a_change_while_a_question_is_under_way_is_asked_about_once_more(desk):
    desk.kept.look()
    desk.kept.changed()  # the answer may have been on its way already
    desk.workers.run()
    desk.later(GAP_SECONDS)

    assert desk.known().value == "answer 2"


def test_what_one_person_has_is_never_shown_to_another(desk):
    desk.known()
    desk.user = "XY9876"
    known = desk.kept.look()

    assert (known.value, known.as_of) == (None, None)
    desk.workers.run()
    assert desk.kept.look().value == "answer 2"


def test_an_answer_that_comes_after_another_person_has_logged_in_is_thrown_away(desk):
    desk.kept.look()
    desk.user = "XY9876"
    desk.kept.look()
    desk.workers.run()

    assert desk.kept.look().value is None
    desk.workers.run()
    assert desk.kept.look().value == "answer 2"


def test_nobody_logged_in_sees_what_was_known_last(desk):
    desk.known()
    desk.user = ""
    desk.answers = [NotSent("no login")]
    desk.later(EVERY + 1)

    assert desk.known().value == "answer 1"


def test_a_login_is_followed_by_a_question_however_long_the_pause_was_to_be(desk):
    desk.user = ""
    desk.answers = [FAULT] * 5
    for _ in range(5):
        desk.known()
        desk.later(LONGEST_PAUSE)
    desk.known()
    desk.answers = []
    desk.user = "AB1234"

    assert desk.known().value is not None


def test_an_error_that_nobody_expected_is_told_as_trouble_and_asked_about_again(desk, caplog):
    desk.answers = [KeyError("quantity")]

    assert isinstance(desk.known().error, MalformedPayload)
    assert "asking for positions failed" in caplog.text
    desk.later(AGAIN_SECONDS)
    assert desk.known().error is None


def test_after_the_end_a_look_says_so_and_keeps_what_is_known(desk):
    desk.known()
    desk.workers.shutdown()
    desk.later(EVERY + 1)
    known = desk.kept.look()

    assert known.value == "answer 1"
    assert isinstance(known.error, NotSent)


def threaded(ask):
    workers = ThreadPoolExecutor(1, thread_name_prefix="test-kept")
    return workers, Kept(ask, name="positions", every_seconds=EVERY, workers=workers, clock=FakeClock(NOW))


def test_a_first_look_waits_for_the_answer():
    workers, kept = threaded(lambda: "held")
    with workers:
        assert kept.look(wait=10).value == "held"


def test_a_renewal_asks_anew_and_raises_what_it_met():
    answers = iter(["old", "new", FAULT])

    def ask():
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    workers, kept = threaded(ask)
    with workers:
        assert kept.look(wait=10).value == "old"
        assert kept.renewed(wait=10).value == "new"
        with pytest.raises(BrokerFault):
            kept.renewed(wait=10)


def test_a_renewal_does_not_take_the_answer_of_an_earlier_question():
    begun, go = Event(), Event()
    asked = []

    def ask():
        asked.append(None)
        if len(asked) == 1:
            begun.set()
            go.wait(30)
        return len(asked)

    workers, kept = threaded(ask)
    with workers, ThreadPoolExecutor(1) as other:
        kept.look()
        begun.wait(30)
        renewal = other.submit(kept.renewed, wait=10)
        go.set()
        assert renewal.result(10).value == 2


def test_a_renewal_that_takes_too_long_is_no_answer():
    go = Event()
    workers, kept = threaded(lambda: go.wait(30))
    with workers:
        with pytest.raises(NoAnswer):
            kept.renewed(wait=0.01)
        go.set()
