"""Where the broker is and what time it is there: asked once for each broker, sought without holding anybody up."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from services.broker_link import ASK_AGAIN_SECONDS, BrokerLink, BrokerTime, Told, _read_source, _read_told
from services.domain.errors import MalformedPayload, NotSent
from services.domain.quotes import PriceSource
from services.paper.finding import claim
from services.settings import load_settings

NOON = datetime(2026, 11, 20, 6, 30, tzinfo=UTC)
MORNING = datetime(2026, 11, 20, 3, 45, tzinfo=UTC)
TODAY = (date(2026, 11, 20), date(2026, 11, 20))


class Still:
    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at


def told(instance: str, at: datetime = NOON, source: str = "simulated") -> Told:
    return Told(Still(at), PriceSource("simulated", source), instance, TODAY)


class Asked:
    """A broker's answers, and how often it was asked."""

    def __init__(self, *answers: Told | None) -> None:
        self.answers = list(answers)
        self.times = 0
        self.monotonic = 100.0

    def __call__(self) -> Told:
        self.times += 1
        answer = self.answers.pop(0)
        if answer is None:
            raise NotSent("refused")
        return answer


@pytest.fixture
def link(tmp_path: Path) -> Iterator[BrokerLink]:
    made = BrokerLink(load_settings(data_dir=tmp_path, mode="paper"), tmp_path)
    yield made
    made.close()


def test_a_broker_that_stays_the_same_is_asked_once() -> None:
    asked = Asked()
    time = BrokerTime(told("a"), asked, monotonic=lambda: asked.monotonic)

    for _ in range(3):
        time.settle()
        assert time.current_source().label == "simulated"

    assert asked.times == 0


def test_the_clock_goes_over_to_another_broker_and_whoever_holds_it_sees_that() -> None:
    asked = Asked(told("b", MORNING))
    time = BrokerTime(told("a"), asked, monotonic=lambda: asked.monotonic)
    held = time.clock

    time.doubt()
    time.settle()

    assert held.now() == MORNING


def test_a_doubt_about_the_same_broker_leaves_its_clock_alone() -> None:
    asked = Asked(told("a", MORNING))
    time = BrokerTime(told("a"), asked, monotonic=lambda: asked.monotonic)

    time.doubt()
    time.settle()
    time.settle()

    assert time.clock.now() == NOON
    assert asked.times == 1


def test_a_doubt_outlives_a_broker_that_does_not_answer_and_asks_seldom() -> None:
    asked = Asked(None, told("b", MORNING))
    time = BrokerTime(told("a"), asked, monotonic=lambda: asked.monotonic)

    time.doubt()
    time.settle()
    time.settle()
    assert asked.times == 1
    asked.monotonic += ASK_AGAIN_SECONDS
    time.settle()

    assert time.clock.now() == MORNING


def test_the_source_is_asked_for_anew_when_another_day_has_begun() -> None:
    clock, asked = Still(NOON), Asked(told("a", source="replay of tomorrow"))
    time = BrokerTime(
        Told(clock, PriceSource("replay", "replay of today"), "a", TODAY), asked, monotonic=lambda: asked.monotonic
    )

    assert time.current_source().label == "replay of today"
    clock.at = datetime(2026, 11, 21, 3, 45, tzinfo=UTC)

    assert time.current_source().label == "replay of tomorrow"


@pytest.mark.parametrize(
    ("source", "kind", "label"),
    [
        ("simulated", "simulated", "simulated"),
        ("replay:2026-08-21", "replay", "replay of 2026-08-21"),
        ("mixed:2026-08-21", "replay", "replay of 2026-08-21, others simulated"),
    ],
)
def test_the_label_tells_mixtures_apart(source: str, kind: str, label: str) -> None:
    assert _read_source(source, practice=True) == PriceSource(kind, label, practice=True)


def test_a_clock_that_cannot_be_read_is_a_malformed_payload() -> None:
    with pytest.raises(MalformedPayload, match="clock"):
        _read_told(b'{"now": "noon"}', 0.0)


def test_a_broker_of_our_own_that_has_ended_is_replaced_on_its_port(link: BrokerLink) -> None:
    before = link.address().api
    assert link._found is not None
    own = link._found.now().server
    assert own is not None
    own.stop()

    assert link.seek()

    after = link._found.now().server
    assert after is not None
    assert after is not own
    assert after.is_alive
    assert link.address().api == before


def test_seeking_waits_no_longer_than_it_may(link: BrokerLink, tmp_path: Path) -> None:
    lock = claim(tmp_path)
    assert lock is not None

    with pytest.raises(NotSent, match="does not answer"):
        link.seek(seconds=0.05)

    lock.release()


def test_closing_ends_the_wait_of_who_seeks(link: BrokerLink, tmp_path: Path) -> None:
    lock = claim(tmp_path)
    assert lock is not None
    errors: list[Exception] = []

    def seek() -> None:
        try:
            link.seek(seconds=60)
        except NotSent as error:
            errors.append(error)

    thread = threading.Thread(target=seek)
    thread.start()
    link.begin_close()
    thread.join(30)

    assert not thread.is_alive()
    assert "closing" in str(errors[0])
    lock.release()
