"""What was told last stays on screen while the broker cannot be asked, and is renewed soon after."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from dashboard.kept import ASK_AGAIN_SECONDS, Keeper
from services.domain.errors import NotSent
from tests.support.clocks import FakeMonotonic

NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
SECONDS = 30.0


class Broker:
    def __init__(self) -> None:
        self.asked = 0
        self.failure: NotSent | None = None

    def __call__(self) -> str:
        self.asked += 1
        if self.failure is not None:
            raise self.failure
        return "PAPER TRADER"


@pytest.fixture
def broker() -> Broker:
    return Broker()


@pytest.fixture
def monotonic() -> FakeMonotonic:
    return FakeMonotonic()


@pytest.fixture
def keeper(broker: Broker, monotonic: FakeMonotonic) -> Keeper[str]:
    return Keeper(broker, now=lambda: NOW, seconds=SECONDS, monotonic=monotonic)


def test_the_broker_is_asked_now_and_then_however_many_look(
    keeper: Keeper[str], broker: Broker, monotonic: FakeMonotonic
) -> None:
    for _ in range(10):
        assert keeper.look("P1").value == "PAPER TRADER"
    monotonic.now += SECONDS
    keeper.look("P1")

    assert broker.asked == 2


def test_what_was_known_stays_with_its_time_and_the_reason(
    keeper: Keeper[str], broker: Broker, monotonic: FakeMonotonic
) -> None:
    keeper.look("P1")
    broker.failure = NotSent("gone")
    monotonic.now += SECONDS

    failed = keeper.look("P1")
    broker.failure = None
    monotonic.now += ASK_AGAIN_SECONDS
    mended = keeper.look("P1")

    assert (failed.value, failed.at, str(failed.problem)) == ("PAPER TRADER", NOW, "gone")
    assert mended.problem is None


def test_where_nothing_is_known_yet_the_reason_is_all_there_is(keeper: Keeper[str], broker: Broker) -> None:
    broker.failure = NotSent("gone")

    look = keeper.look("P1")

    assert (look.value, look.at, str(look.problem)) == (None, None, "gone")


def test_another_login_is_asked_about_at_once_and_never_sees_what_was_the_first_one_s(
    keeper: Keeper[str], broker: Broker
) -> None:
    keeper.look("P1")
    broker.failure = NotSent("gone")

    look = keeper.look("P2")

    assert (broker.asked, look.value) == (2, None)


def test_after_a_sign_out_the_last_answer_stays_and_is_not_called_current(keeper: Keeper[str], broker: Broker) -> None:
    keeper.look("P1")
    broker.failure = NotSent("no login")

    look = keeper.look("")

    assert look.value == "PAPER TRADER"
    assert look.problem is not None


def test_what_has_changed_is_asked_for_with_the_next_look(keeper: Keeper[str], broker: Broker) -> None:
    keeper.look("P1")
    keeper.doubt()
    keeper.look("P1")

    assert broker.asked == 2
