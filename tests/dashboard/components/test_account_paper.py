"""What the card of the paper account says of its beginning."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from dashboard.components.account_paper import opened_words
from services.domain.paper_accounts import AccountMark, ArchivedAccount, PaperAccount

BEGUN = datetime(2026, 11, 20, 8, 10, tzinfo=UTC)
FIRST = ArchivedAccount(1, BEGUN, BEGUN, Decimal(1_000_000), Decimal(1_000_000), 0, 0)


def account(opened: datetime, *archives: ArchivedAccount) -> PaperAccount:
    return PaperAccount(
        user_id="PAPER1", mark=AccountMark(2), opened=opened, opening=Decimal(1_000_000),
        balance=Decimal(1_000_000), available=Decimal(1_000_000),
        orders_today=0, trades_today=0, archives=archives,
    )  # fmt: skip


def test_an_account_tells_when_it_was_opened() -> None:
    assert opened_words(account(BEGUN)) == opened_words(account(BEGUN, FIRST)) == "opened 20 Nov 2026, 13:40 IST"


def test_an_account_with_a_past_was_not_opened_before_the_one_that_it_followed() -> None:
    told = opened_words(account(datetime(2026, 7, 13, 3, 30, tzinfo=UTC), FIRST))

    assert told == "begun 20 Nov 2026, 13:40 IST, with a past from 13 Jul 2026, 09:00 IST on"
