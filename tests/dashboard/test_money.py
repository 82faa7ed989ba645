"""Funds stay on screen while the broker cannot be asked, and come back soon after."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from dashboard.money import ASK_AGAIN_SECONDS, ASK_SECONDS, Money, MoneyKeeper
from services.domain.accounts import Funds, Profile
from services.domain.errors import NotSent
from tests.support.clocks import FakeMonotonic

MONEY = Money(
    Funds(Decimal(1_000_000), Decimal(0), "v3"),
    Profile("P1", "PAPER TRADER", "", "UPSTOX", (), (), (), True),
    datetime(2026, 11, 20, 8, 0, tzinfo=UTC),
)


class Account:
    def __init__(self) -> None:
        self.asked = 0
        self.failure: NotSent | None = None

    def __call__(self) -> Money:
        self.asked += 1
        if self.failure is not None:
            raise self.failure
        return MONEY


def test_the_broker_is_asked_every_half_minute_however_many_look() -> None:
    account, monotonic = Account(), FakeMonotonic()
    keeper = MoneyKeeper(account, monotonic=monotonic)

    for _ in range(10):
        assert keeper.look("P1").money == MONEY
    monotonic.now += ASK_SECONDS
    keeper.look("P1")

    assert account.asked == 2


def test_what_was_known_stays_with_the_reason_and_is_renewed_soon_after() -> None:
    account, monotonic = Account(), FakeMonotonic()
    keeper = MoneyKeeper(account, monotonic=monotonic)
    keeper.look("P1")
    account.failure = NotSent("gone")
    monotonic.now += ASK_SECONDS

    failed = keeper.look("P1")
    account.failure = None
    monotonic.now += ASK_AGAIN_SECONDS
    mended = keeper.look("P1")

    assert failed.money == MONEY
    assert str(failed.problem) == "gone"
    assert mended.problem is None


def test_where_nothing_is_known_yet_the_reason_is_all_there_is() -> None:
    account = Account()
    account.failure = NotSent("gone")

    look = MoneyKeeper(account, monotonic=FakeMonotonic()).look("P1")

    assert look.money is None
    assert str(look.problem) == "gone"


def test_another_login_is_asked_about_at_once_and_never_sees_the_first_ones_money() -> None:
    account = Account()
    keeper = MoneyKeeper(account, monotonic=FakeMonotonic())
    keeper.look("P1")
    account.failure = NotSent("gone")

    look = keeper.look("P2")

    assert account.asked == 2
    assert look.money is None


def test_after_a_sign_out_the_last_funds_stay_and_are_not_called_current() -> None:
    account = Account()
    keeper = MoneyKeeper(account, monotonic=FakeMonotonic())
    keeper.look("P1")
    account.failure = NotSent("no login")

    look = keeper.look("")

    assert look.money == MONEY
    assert look.problem is not None
