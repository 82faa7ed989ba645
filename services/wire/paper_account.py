"""What a paper broker tells of its account at `/_paper/account` and `/_paper/archive`."""

from __future__ import annotations

from datetime import datetime

from services.domain.paper_accounts import AccountMark, ArchivedAccount, ArchivedBook, PaperAccount
from services.wire.fields import Row, as_list, as_map, decimal, ist_stamp_or_none, malformed, text
from services.wire.orders import parse_orders, whole
from services.wire.trades import parse_trades


def parse_account(data: object) -> PaperAccount:
    """The running account and those before it."""
    row = as_map(data, "data")
    archives = as_list(row.get("archives"), "data.archives")
    return PaperAccount(
        user_id=text(row, "user_id", "data"),
        mark=AccountMark(whole(row, "number", "data"), _text(row, "after_order")),
        opened=_instant(row, "opened", "data"),
        opening=decimal(row, "opening", "data"),
        balance=decimal(row, "balance", "data"),
        available=decimal(row, "available", "data"),
        orders_today=whole(row, "orders_today", "data"),
        trades_today=whole(row, "trades_today", "data"),
        archives=tuple(_archive(as_map(one, "data.archives[]")) for one in archives),
    )


def parse_archive(data: object) -> ArchivedBook:
    """The last day's orders and fills of an account that was put away."""
    row = as_map(data, "data")
    orders, trades = parse_orders(row.get("orders")), parse_trades(row.get("trades"))
    return ArchivedBook(whole(row, "number", "data"), tuple(orders), tuple(trades))


def _archive(row: Row) -> ArchivedAccount:
    where = "data.archives[]"
    return ArchivedAccount(
        number=whole(row, "number", where),
        opened=_instant(row, "opened", where),
        closed=_instant(row, "closed", where),
        opening=decimal(row, "opening", where),
        balance=decimal(row, "balance", where),
        orders=whole(row, "orders", where),
        trades=whole(row, "trades", where),
    )


def _text(row: Row, name: str) -> str:
    value = row.get(name)
    if not isinstance(value, str):
        malformed(f"data.{name}", "a text", value)
    return value


def _instant(row: Row, name: str, where: str) -> datetime:
    value = ist_stamp_or_none(row, name, where)
    if value is None:
        malformed(f"{where}.{name}", "a time", None)
    return value
