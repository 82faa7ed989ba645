"""A financial year as the income tax sees it: gains by head, what may be deducted, and turnover."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from services.portfolio.charges.kinds import Line
from services.portfolio.closed import Sums, closing_day, total_of
from services.portfolio.costs import Costs
from services.portfolio.lots.book import Book
from services.portfolio.lots.fills import Flags, day_number
from services.portfolio.lots.terms import BUCKETS, Bucket

CHANGED = date(2024, 7, 23)
"""Gains of shares sold from this day on are taxed at other rates (short term 20% for 15%, long term 12.5% for 10%)."""


@dataclass(frozen=True, slots=True)
class TaxRow:
    """One head of income. Paise but for those of `sums`."""

    bucket: Bucket
    sums: Sums
    capital_gains: bool
    """Else business income (speculative for intraday)."""

    @property
    def deductible(self) -> int:
        """All charges from business income; from capital gains all but STT."""
        lines = self.sums.charges
        return lines.total - lines.of(Line.STT) if self.capital_gains else lines.total

    @property
    def taxable(self) -> int:
        """Gain less what may be deducted, below 0: a loss. No set-off, no exemption and no rate is applied."""
        return self.sums.gross - self.deductible

    @property
    def turnover(self) -> int:
        """For the limit of a tax audit, in paise: absolute gains of the single trades; of delivery the value sold."""
        return (self.sums.turnover + 50) // 100


@dataclass(frozen=True, slots=True)
class TaxYear:
    """Everything closed from 1 April to 31 March."""

    year: str
    """`2024-25`."""
    first: date
    last: date
    rows: tuple[TaxRow, ...]
    """One for each bucket, in the order of `BUCKETS`, also where nothing was closed."""
    before_change: tuple[TaxRow, ...]
    """Of 2024-25 only: short and long term sold before 23 July 2024, which other rates hold for."""
    doubtful: int
    """Closed lots of instruments of which a part of the history is missing: their gains may change."""

    def row(self, bucket: Bucket) -> TaxRow:
        return self.rows[BUCKETS.index(bucket)]

    @property
    def business_turnover(self) -> int:
        """Of all business, trade by trade: intraday, F&O, commodity, currency; paise."""
        return sum(row.turnover for row in self.rows if not row.capital_gains)


def year_of(text: str) -> tuple[date, date]:
    """The first and the last day of `2024-25`."""
    first = int(text[:4])
    return date(first, 4, 1), date(first + 1, 3, 31)


def tax_year(book: Book, costs: Costs, year: str, only: Flags | None = None) -> TaxYear:
    """The tax figures of one year, of the matches in `only` or of all."""
    first, last = year_of(year)
    day = closing_day(book)
    own = (day >= day_number(first)) & (day <= day_number(last))
    if only is not None:
        own &= only
    changed = first < CHANGED <= last
    early = own & (day < day_number(CHANGED))
    series = np.array(sorted(book.doubtful()), np.int64)
    return TaxYear(
        year, first, last,
        tuple(_row(book, costs, bucket, own) for bucket in BUCKETS),
        tuple(_row(book, costs, bucket, early) for bucket in (Bucket.SHORT_TERM, Bucket.LONG_TERM)) if changed else (),
        int((own & np.isin(book.matched.matches.series, series)).sum()),
    )  # fmt: skip


def _row(book: Book, costs: Costs, bucket: Bucket, own: Flags) -> TaxRow:
    chosen = own & (book.bucket == BUCKETS.index(bucket))
    return TaxRow(bucket, total_of(book, costs, chosen), bucket in {Bucket.SHORT_TERM, Bucket.LONG_TERM})
