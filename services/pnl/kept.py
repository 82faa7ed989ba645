"""The book as it is kept between questions: matched and charged once, cut as often as somebody asks."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import cached_property
from threading import RLock

from services.portfolio.charges.kinds import Line
from services.portfolio.charges.plan import STANDARD_PLAN, Plan
from services.portfolio.charges.table import STANDARD, RateTable
from services.portfolio.closed import By, Sums, codes_by, sums_of, total_of
from services.portfolio.closed_columns import Days, TradeColumns, TradeTable
from services.portfolio.costs import Costs, costs_of
from services.portfolio.lots.actions import Action
from services.portfolio.lots.book import Book, build_book
from services.portfolio.lots.fills import Fill, Flags, Ints
from services.portfolio.statistics import Statistics
from services.portfolio.statistics_columns import curve_of, statistics_of_columns

CUTS = 12
"""So many are kept of one book: the filters that people are looking through now."""

CutKey = tuple[str | None, date | None, date | None, str, str, str, str]


class Cut:
    """The matches of a book that a filter lets through, and their sums. What is asked for is worked out once; any
    thread, the worst is that two work it out at the same time."""

    def __init__(self, kept: KeptBook, chosen: Flags) -> None:
        self.chosen = chosen
        self._kept = kept
        self._by: dict[By, list[Sums]] = {}
        self._statistics: tuple[tuple[Decimal | None, tuple[date, ...] | None], Statistics] | None = None

    @cached_property
    def total(self) -> Sums:
        return total_of(self._kept.book, self._kept.costs, self.chosen)

    def by(self, by: By) -> list[Sums]:
        if by not in self._by:
            labels, codes = self._kept.codes(by)
            self._by[by] = sums_of(self._kept.book, labels, codes, self._kept.costs, self.chosen)
        return list(self._by[by])

    @cached_property
    def trades(self) -> TradeColumns:
        return self._kept.table.columns(self.chosen)

    @cached_property
    def trade_lines(self) -> Mapping[Line, Ints]:
        return self._kept.table.lines(self.chosen)

    def statistics(self, capital: Decimal | None, trading_days: Sequence[date] | None) -> Statistics:
        """Kept for the capital that was asked for last: a page has one."""
        asked = (capital, None if trading_days is None else tuple(trading_days))
        known = self._statistics
        if known is None or known[0] != asked:
            found = statistics_of_columns(self.trades, capital=capital, trading_days=trading_days)
            self._statistics = known = (asked, found)
        return known[1]

    @cached_property
    def curve(self) -> tuple[Days, Ints, Ints, Ints, Ints]:
        return curve_of(self.trades)


class KeptBook:
    """Fills of all accounts, matched and charged. Never changes; what is asked for is worked out once. Any thread."""

    def __init__(self, book: Book, *, rates: RateTable = STANDARD, plan: Plan = STANDARD_PLAN) -> None:
        self.book = book
        self.rates, self.plan = rates, plan
        self.costs: Costs = costs_of(book, rates=rates, plan=plan)
        self._codes: dict[By, tuple[list[str], Ints]] = {}
        self._cuts: OrderedDict[CutKey, Cut] = OrderedDict()
        self._lock = RLock()

    @classmethod
    def of(
        cls,
        fills: Iterable[Fill],
        actions: Iterable[Action] = (),
        *,
        settlements: Mapping[str, int] | None = None,
        as_of: date | None = None,
        rates: RateTable = STANDARD,
        plan: Plan = STANDARD_PLAN,
    ) -> KeptBook:
        """The book of `fills`, in whatever order and however often they are told (`lots.book.build_book`)."""
        return cls(build_book(fills, actions, settlements=settlements, as_of=as_of), rates=rates, plan=plan)

    @cached_property
    def table(self) -> TradeTable:
        """Its closed trades."""
        with self._lock:
            return self.__dict__.get("table") or TradeTable(self.book, self.costs)  # somebody else may have been first

    @cached_property
    def accounts(self) -> tuple[str, ...]:
        return tuple(sorted({name.account for name in self.book.matched.names}))

    def prepare(self) -> None:
        """Work out what every filter begins with."""
        self.table  # noqa: B018  # built once, when it is first asked for
        for by in By:
            self.codes(by)

    def codes(self, by: By) -> tuple[list[str], Ints]:
        """Labels of a grouping and each match's number among them."""
        with self._lock:
            if by not in self._codes:
                self._codes[by] = codes_by(self.book, by)
            return self._codes[by]

    def cut(
        self,
        account: str | None,
        first: date | None = None,
        last: date | None = None,
        segment: str = "",
        symbol: str = "",
        product: str = "",
        bucket: str = "",
    ) -> Cut:
        """What was closed from `first` to `last` and is all the rest; `account=None`: of all accounts."""
        key = (account, first, last, segment, symbol, product, bucket)
        with self._lock:
            found = self._cuts.get(key)
            if found is None:
                chosen = self.table.chosen(
                    first=first, last=last, account=account, segment=segment, symbol=symbol, product=product,
                    bucket=bucket,
                )  # fmt: skip
                found = self._cuts[key] = Cut(self, chosen)
                if len(self._cuts) > CUTS:
                    self._cuts.popitem(last=False)
            self._cuts.move_to_end(key)
            return found
