"""What each trade cost, as it was computed last. Everything here can be computed anew."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import sqlalchemy as sa

from services.domain.clock import Clock
from services.ledger.engine import Ledger
from services.ledger.imported_rows import insert_plain
from services.ledger.pnl_tables import LINES_OF_CHARGES, trade_charges
from services.portfolio.charges.lines import PaiseLines
from services.portfolio.records import TradeCharge

PORTION = 5_000
FEW = 100
"""So many trades are looked up by their numbers; of more all rows of their accounts are read."""


class TradeCharges:
    """The charges of all trades of one ledger."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock

    def keep(self, charges: Sequence[TradeCharge]) -> int:
        """Keep them in the place of what was computed of the same trades before; how many of them are new, or other
        than before: no more is written. In portions: nobody waits for a hundred thousand of them."""
        known = self._known(charges)
        fresh = [one for one in charges if known.get(one.identity) != replace(one, computed_at=None)]
        at = self._clock.now().replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")
        for number in range(0, len(fresh), PORTION):
            rows = [_cells(one, at) for one in fresh[number : number + PORTION]]
            with self._ledger.write() as connection:
                insert_plain(connection, trade_charges, rows, over=True)
        return len(fresh)

    def all(self, account: str | None = None) -> list[TradeCharge]:
        """All of them, of one account or of all, by account and day."""
        return self._read([], account)

    def _known(self, charges: Sequence[TradeCharge]) -> dict[tuple[Any, ...], TradeCharge]:  # Any: parts of a key
        accounts = {one.identity[0] for one in charges}
        trades = {one.identity[3] for one in charges}
        conditions = [trade_charges.c.account.in_(accounts)]
        if len(trades) <= FEW:
            conditions.append(trade_charges.c.trade_id.in_(trades))
        return {one.identity: replace(one, computed_at=None) for one in self._read(conditions, None)}

    def _read(self, conditions: Iterable[sa.ColumnElement[bool]], account: str | None) -> list[TradeCharge]:
        table = trade_charges
        query = sa.select(table).where(*conditions).order_by(table.c.account, table.c.day, table.c.trade_id)
        if account is not None:
            query = query.where(table.c.account == account)
        with self._ledger.read() as connection:
            return [_charge(row) for row in connection.execute(query)]


def _cells(one: TradeCharge, at: str) -> tuple[Any, ...]:  # Any: cells of several kinds
    account, exchange, day, trade_id, instrument, side = one.identity
    lines: list[int | None] = [None] * len(LINES_OF_CHARGES)
    total = None
    if one.lines is not None:
        lines, total = [getattr(one.lines, name) for name in LINES_OF_CHARGES], one.lines.total
    return (
        account, exchange, day.isoformat(), trade_id, instrument, side, one.symbol, one.order_id, one.status, *lines,
        total, one.settings, at,
    )  # fmt: skip


def _charge(row: sa.Row[Any]) -> TradeCharge:  # Any: cells of several kinds
    day: date = row.day
    identity = (row.account, row.market, day, row.trade_id, row.instrument, row.side)
    lines = None if row.total is None else PaiseLines(*(getattr(row, name) for name in LINES_OF_CHARGES))
    return TradeCharge(identity, row.symbol, row.order_id, row.status, lines, row.settings, row.computed_at)
