"""The broker's own report of realised gains and its charges: asked for by segment and financial year, kept, and told
with its age. What it does not tell is missing, never zero."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Protocol

from services.domain.clock import Clock
from services.domain.errors import UpstoxError
from services.domain.pnl_reports import BrokerCharges, ReportPeriod, ReportRow, StoredReport
from services.ledger.pnl_reports import PnlReports
from services.pnl.asking import year_code, years_of
from services.pnl.comparisons import BrokerSpan
from services.portfolio.charges.kinds import Line
from services.portfolio.closed import financial_year
from services.portfolio.money import to_paise

SEGMENTS = ("EQ", "FO", "COM", "CD")


class ReportSource(Protocol):
    """The broker."""

    def report(self, period: ReportPeriod) -> tuple[int, list[ReportRow]]: ...

    def charges(self, period: ReportPeriod) -> BrokerCharges: ...


class BrokerReports:
    """Any thread."""

    def __init__(self, *, source: ReportSource, store: PnlReports, clock: Clock) -> None:
        self._source = source
        self._store = store
        self._clock = clock

    def periods(self, account: str, first: date, last: date, segments: Iterable[str] = SEGMENTS) -> list[ReportPeriod]:
        """One for each segment and financial year that `first` to `last` touches."""
        return [
            ReportPeriod(account, segment, year_code(begins), begins, ends)
            for begins, ends in years_of(first, last)
            for segment in segments
        ]

    def ask(self, period: ReportPeriod, *, charges: bool = True) -> None:
        """Ask for one period and keep what comes; asked again, the same is the same. Raises what the broker raises."""
        count, rows = self._source.report(period)
        self._store.keep(period, rows, count)
        if charges:
            self._store.keep_charges(period, self._source.charges(period))

    def ask_all(self, periods: Sequence[ReportPeriod]) -> dict[ReportPeriod, UpstoxError]:
        """Ask for each of them, whatever becomes of the others; those that failed, and why."""
        failed: dict[ReportPeriod, UpstoxError] = {}
        for period in periods:
            try:
                self.ask(period)
            except UpstoxError as error:
                failed[period] = error
        return failed

    def beside(self, account: str, spans: Iterable[tuple[str, str]]) -> list[StoredReport]:
        """The charges that the broker told last, of each segment and financial year (in its code): of the longest time
        that it was asked about."""
        found: dict[tuple[str, str], StoredReport] = {}
        wanted = set(spans)
        for report in self._store.reports(account):
            key = (report.period.segment, report.period.year)
            before = found.get(key)
            if key in wanted and report.charges is not None and (before is None or _days(report) >= _days(before)):
                found[key] = report
        return [found[key] for key in sorted(found)]

    def rows(self, period: ReportPeriod) -> list[ReportRow]:
        """What is kept of it."""
        return self._store.rows(period)

    def span(self, period: ReportPeriod, error: UpstoxError | None = None) -> BrokerSpan:
        """What is kept of it, or why it is missing. An `error` of now does not take away what was told before; without
        either, it was never asked for."""
        stored = self._store.report(period)
        year = financial_year(period.first)
        if stored is None:
            why = "not asked for yet" if error is None else str(error)
            return BrokerSpan(period.segment, year, period.first, period.last, None, None, {}, None, None, why)
        rows = self._store.rows(period)
        charges = stored.charges
        return BrokerSpan(
            segment=period.segment,
            year=year,
            first=period.first,
            last=period.last,
            rows=len(rows),
            gross=to_paise(sum((row.gain for row in rows), Decimal(0))),
            charges={} if charges is None else lines_of(charges),
            charges_total=None if charges is None else to_paise(charges.total),
            told_at=stored.told_at,
            others=0 if charges is None else to_paise(charges.others),
            stale=None if error is None else str(error),
            count=stored.trades_count,
        )


def _days(report: StoredReport) -> int:
    return (report.period.last - report.period.first).days


def lines_of(charges: BrokerCharges) -> dict[Line, int | None]:
    """The broker's charges in our lines, in paise; what it calls "others" is in none of them."""
    return {
        Line.BROKERAGE: to_paise(charges.brokerage),
        Line.STT: to_paise(charges.stt),
        Line.EXCHANGE: to_paise(charges.transaction),
        Line.IPFT: None if charges.ipft is None else to_paise(charges.ipft),
        Line.SEBI: to_paise(charges.sebi_turnover),
        Line.STAMP: to_paise(charges.stamp_duty),
        Line.CLEARING: to_paise(charges.clearing),
        Line.DP: to_paise(charges.demat_transaction),
        Line.GST: to_paise(charges.gst),
    }
