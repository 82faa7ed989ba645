"""Trades and contract notes of imported files as rows. A file has a hundred thousand of them: the rows go past
SQLAlchemy's types, as plain values that SQLite and PostgreSQL both take."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from services.domain.orders import Side
from services.ledger.pnl_tables import LINES_OF_CHARGES, imported_fills, imported_notes
from services.portfolio.charges.kinds import LINES, Group
from services.portfolio.lots.fills import Asset, Fill
from services.portfolio.readers.contract_notes import NoteTotals

Values = tuple[Any, ...]  # Any: cells of several kinds

FILL_COLUMNS = tuple(column.name for column in imported_fills.c)
NOTE_COLUMNS = tuple(column.name for column in imported_notes.c)
_SIDES = {side.value: side for side in Side}
_ASSETS = {asset.value: asset for asset in Asset}
_GROUPS = {group.value: group for group in Group}
assert tuple(line.value for line in LINES) == LINES_OF_CHARGES  # one order for all


def insert_plain(connection: sa.Connection, table: sa.Table, rows: list[Values], *, over: bool = False) -> None:
    """Insert tuples of all columns of `table` in their order; `over`: in the place of rows with the same key."""
    if connection.dialect.name == "postgresql" and not over:
        from services.ledger.pouring import pour  # here: a desk with a file never loads the driver

        pour(connection, table, rows)
        return
    quote, mark = (
        connection.dialect.identifier_preparer.quote,
        "?" if connection.dialect.paramstyle == "qmark" else "%s",
    )
    names = [quote(column.name) for column in table.c]
    told = f"INSERT INTO {quote(table.name)} ({', '.join(names)}) VALUES ({', '.join([mark] * len(names))})"  # noqa: S608
    if over:
        key = [quote(column.name) for column in table.primary_key]
        others = ", ".join(f"{name} = excluded.{name}" for name in names if name not in key)
        told += f" ON CONFLICT ({', '.join(key)}) DO UPDATE SET {others}"
    connection.exec_driver_sql(told, rows)


def fill_row(file_id: int, number: int, fill: Fill) -> Values:
    """In the order of `FILL_COLUMNS`."""
    return (
        file_id, number, fill.account, fill.instrument, fill.symbol, fill.asset.value, fill.exchange, fill.side.value,
        fill.quantity, fill.price, fill.day.isoformat(), fill.trade_id, fill.order_id, fill.at_ms, fill.product,
        fill.multiplier, fill.group.value, None if fill.expiry is None else fill.expiry.isoformat(), fill.settled,
    )  # fmt: skip


def fills_of(rows: Iterable[Values]) -> Iterator[Fill]:
    """The fills of rows in the order of `FILL_COLUMNS` without the first two."""
    day_of = lru_cache(maxsize=8192)(date.fromisoformat)
    for account, instrument, symbol, asset, exchange, side, quantity, price, day, *others in rows:
        trade_id, order_id, at_ms, product, multiplier, group, expiry, settled = others
        yield Fill(
            account, instrument, symbol, _ASSETS[asset], exchange, _SIDES[side], quantity, price, day_of(day), trade_id,
            order_id, at_ms, product, multiplier, _GROUPS[group], day_of(expiry) if expiry else None, bool(settled),
        )  # fmt: skip


def note_row(file_id: int, number: int, account: str, note: NoteTotals) -> Values:
    """In the order of `NOTE_COLUMNS`."""
    day = None if note.day is None else note.day.isoformat()
    lines = (note.lines.get(line) for line in LINES)
    return (file_id, number, account, note.name, day, note.segment, *lines, note.obligation, note.net)


def note_of(row: Values) -> tuple[int, str, NoteTotals]:
    """File, account and totals of a row in the order of `NOTE_COLUMNS`."""
    file_id, _, account, name, day, segment, *amounts = row
    *lines, obligation, net = amounts
    told = NoteTotals(
        name, None if day is None else date.fromisoformat(day), segment, dict(zip(LINES, lines, strict=True)),
        obligation, net,
    )  # fmt: skip
    return file_id, account, told
