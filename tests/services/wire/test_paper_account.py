"""What a paper broker tells of its account, read strictly."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from services.domain.errors import MalformedPayload
from services.domain.paper_accounts import AccountMark
from services.wire.paper_account import parse_account, parse_archive

ARCHIVE = {
    "number": 1, "opened": "2026-11-20 09:15:00", "closed": "2026-11-20 11:15:04", "opening": 1000000,
    "balance": 999750.88, "orders": 6, "trades": 4,
}  # fmt: skip
ACCOUNT: dict[str, Any] = {
    "user_id": "PAPER1", "number": 2, "opened": "2026-11-20 11:15:04", "after_order": "261120000000006",
    "opening": 250000, "balance": 250000, "available": 249000.5, "orders_today": 0, "trades_today": 0,
    "archives": [ARCHIVE],
}  # fmt: skip


def test_an_account_is_read_with_those_before_it() -> None:
    account = parse_account(ACCOUNT)

    assert account.mark == AccountMark(2, "261120000000006")
    assert account.opened == datetime(2026, 11, 20, 5, 45, 4, tzinfo=UTC)
    assert account.available == Decimal("249000.5")
    assert [one.balance for one in account.archives] == [Decimal("999750.88")]


def test_the_first_account_has_no_order_before_it() -> None:
    assert parse_account(ACCOUNT | {"number": 1, "after_order": "", "archives": []}).mark == AccountMark()


@pytest.mark.parametrize("name", sorted(ACCOUNT))
def test_nothing_of_it_may_be_missing(name: str) -> None:
    with pytest.raises(MalformedPayload):
        parse_account({member: value for member, value in ACCOUNT.items() if member != name})


@pytest.mark.parametrize("name", sorted(ARCHIVE))
def test_nothing_of_an_account_before_it_may_be_missing(name: str) -> None:
    broken = {member: value for member, value in ARCHIVE.items() if member != name}

    with pytest.raises(MalformedPayload):
        parse_account(ACCOUNT | {"archives": [broken]})


@pytest.mark.parametrize("told", [None, [], "x", {}, {"number": 1}, {"number": 1, "orders": [], "trades": None}])
def test_an_archive_that_is_not_whole_is_no_archive(told: object) -> None:
    with pytest.raises(MalformedPayload):
        parse_archive(told)


def test_an_archive_without_orders_is_one() -> None:
    archive = parse_archive({"number": 3, "orders": [], "trades": []})

    assert (archive.number, archive.orders, archive.trades) == (3, (), ())
