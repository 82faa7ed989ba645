"""The broker's report of realised gains and its charges, as it told them: each row once, however often it is told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import date, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any

import orjson
import sqlalchemy as sa

from services.domain.clock import Clock
from services.domain.errors import InvalidRequest, MalformedPayload
from services.domain.pnl_reports import BrokerCharges, ReportPeriod, ReportRow, StoredReport
from services.ledger.engine import Ledger
from services.ledger.money import settled
from services.ledger.plain_values import decimal_text
from services.ledger.pnl_tables import AMOUNTS_OF_BROKER, pnl_report_periods, pnl_reports

Cells = dict[str, Any]  # Any: cells of several kinds
_AMOUNTS = ("quantity", "buy_average", "sell_average", "buy_amount", "sell_amount")
assert tuple(one.name for one in fields(BrokerCharges)) == AMOUNTS_OF_BROKER


class PnlReports:
    """All reports of one ledger. Amounts are kept to the four decimals that the ledger has."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock

    def keep(self, period: ReportPeriod, rows: Sequence[ReportRow], trades_count: int) -> int:
        """Keep what the broker told of `period`, all pages together; how many rows were new.

        What it told of the same days before and does not tell any more goes. Nothing changes if it tells the same.
        `InvalidRequest` for a period that ends before it begins, `MalformedPayload` for an amount beyond all amounts.
        """
        _check(period)
        now = self._clock.now()
        told = _named(period, rows, now)
        mine, table = _of(pnl_reports, period), pnl_reports
        within = sa.and_(*mine, table.c.closed_on.between(period.first, period.last))
        with self._ledger.write() as connection:
            names = sa.select(table.c.row_name, within.label("within")).where(*mine)
            known = {row.row_name: row.within for row in connection.execute(names)}
            whole = len(told) >= trades_count  # else rows are missing from what was told, not from the report
            gone = [name for name, in_period in known.items() if whole and in_period and name not in told]
            if gone:
                connection.execute(
                    sa.delete(table).where(*mine, table.c.row_name == sa.bindparam("gone")),
                    [{"gone": name} for name in gone],
                )
            new = [cells for name, cells in told.items() if name not in known]
            if new:
                connection.execute(sa.insert(table), new)
            self._put(connection, period, {"trades_count": trades_count, "told_at": now})
        return len(new)

    def keep_charges(self, period: ReportPeriod, charges: BrokerCharges) -> None:
        """Keep the broker's charges of `period`, in the place of what it told of the same days before."""
        _check(period)
        cells: Cells = {name: _amount(getattr(charges, name)) for name in AMOUNTS_OF_BROKER}
        with self._ledger.write() as connection:
            self._put(connection, period, cells | {"charges_at": self._clock.now()})

    def report(self, period: ReportPeriod) -> StoredReport | None:
        """What was told of exactly this period, and when; `None`: its rows were never told."""
        query = sa.select(pnl_report_periods).where(*_exactly(period))
        with self._ledger.read() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None or row.told_at is None else _report(row)

    def reports(self, account: str | None = None) -> list[StoredReport]:
        """All periods of which rows were told, of one account or of all, the oldest first."""
        table = pnl_report_periods
        query = sa.select(table).where(table.c.told_at.is_not(None)).order_by(table.c.first_day, table.c.segment)
        if account is not None:
            query = query.where(table.c.account == account)
        with self._ledger.read() as connection:
            return [_report(row) for row in connection.execute(query)]

    def rows(self, period: ReportPeriod) -> list[ReportRow]:
        """The rows of `period` that were told, by whichever question, in the order of closing."""
        table = pnl_reports
        query = (
            sa.select(table)
            .where(*_of(table, period), table.c.closed_on.between(period.first, period.last))
            .order_by(table.c.closed_on, table.c.scrip_name, table.c.row_name)
        )
        with self._ledger.read() as connection:
            return [_row(row) for row in connection.execute(query)]

    def _put(self, connection: sa.Connection, period: ReportPeriod, cells: Cells) -> None:
        table, mine = pnl_report_periods, _exactly(period)
        if connection.execute(sa.select(table.c.account).where(*mine)).one_or_none() is None:
            which = {
                "account": period.account, "segment": period.segment, "financial_year": period.year,
                "first_day": period.first, "last_day": period.last,
            }  # fmt: skip
            connection.execute(sa.insert(table).values(**which, **cells))
        else:
            connection.execute(sa.update(table).where(*mine).values(**cells))


def _named(period: ReportPeriod, rows: Iterable[ReportRow], now: datetime) -> dict[str, Cells]:
    """The rows by name. They have none of their own: it is made of what they say, and equal ones are counted, so that
    the same rows get the same names whichever period was asked for."""
    seen = Counter[str]()
    named: dict[str, Cells] = {}
    for row in rows:
        cells: Cells = {
            "closed_on": row.closed or period.last, "quantity": _amount(row.quantity), "isin": row.isin,
            "scrip_name": row.name, "trade_type": row.trade_type, "buy_date": row.bought,
            "buy_average": _amount(row.buy_average), "sell_date": row.sold, "sell_average": _amount(row.sell_average),
            "buy_amount": _amount(row.buy_amount), "sell_amount": _amount(row.sell_amount),
        }  # fmt: skip
        name = sha256(orjson.dumps([_plain(cells[name]) for name in sorted(cells)])).hexdigest()[:32]
        seen[name] += 1
        name = f"{name}-{seen[name]}"
        which = {"account": period.account, "segment": period.segment, "financial_year": period.year}
        named[name] = {**which, "row_name": name, **cells, "told_at": now}
    return named


def _plain(cell: Any) -> str:  # Any: cells of several kinds
    return decimal_text(cell) if isinstance(cell, Decimal) else str(cell)


def _amount(amount: Decimal | None) -> Decimal | None:
    if amount is None:
        return None
    if not amount.is_finite() or abs(amount) > _LARGEST:
        raise MalformedPayload(f"{str(amount)[:40]} in the broker's report is no amount")
    return settled(amount)


_LARGEST = Decimal(10) ** 14


def _check(period: ReportPeriod) -> None:
    if period.last < period.first:
        raise InvalidRequest("a period ends after it begins")


def _of(table: sa.Table, period: ReportPeriod) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        table.c.account == period.account,
        table.c.segment == period.segment,
        table.c.financial_year == period.year,
    )


def _exactly(period: ReportPeriod) -> tuple[sa.ColumnElement[bool], ...]:
    table = pnl_report_periods
    return (*_of(table, period), table.c.first_day == period.first, table.c.last_day == period.last)


def _report(row: sa.Row[Any]) -> StoredReport:  # Any: cells of several kinds
    first: date = row.first_day
    period = ReportPeriod(row.account, row.segment, row.financial_year, first, row.last_day)
    charges = None if row.charges_at is None else _charges(row)
    return StoredReport(period, row.trades_count, row.told_at, charges, row.charges_at)


def _charges(row: sa.Row[Any]) -> BrokerCharges:  # Any: cells of several kinds
    return BrokerCharges(*(getattr(row, name) for name in AMOUNTS_OF_BROKER))


def _row(row: sa.Row[Any]) -> ReportRow:  # Any: cells of several kinds
    return ReportRow(
        quantity=row.quantity,
        isin=row.isin,
        name=row.scrip_name,
        trade_type=row.trade_type,
        bought=row.buy_date,
        buy_average=row.buy_average,
        sold=row.sell_date,
        sell_average=row.sell_average,
        buy_amount=row.buy_amount,
        sell_amount=row.sell_amount,
    )
