"""A view of the book of profit and loss through a filter: every figure that the page shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property

import numpy as np

from services.domain.clock import ist_date
from services.pnl.kept import KeptBook
from services.pnl.values import ALL_ACCOUNTS, EVERYTHING, Amount, Curve, Filter, Held, MarkRow, PriceTold, SourceLine
from services.portfolio.charges.kinds import Line
from services.portfolio.charges.lines import PaiseLines
from services.portfolio.closed import SEGMENTS, By, Sums
from services.portfolio.closed_columns import LotRow, TradeColumns
from services.portfolio.day_notes import DayNote, notes_of
from services.portfolio.lots.book import Flag, base_symbol
from services.portfolio.lots.fills import Asset, Fill, Flags, Ints
from services.portfolio.marks import marks_of
from services.portfolio.money import paise_of_units
from services.portfolio.records import JournalNote
from services.portfolio.statistics import Statistics
from services.portfolio.tax import TaxYear, tax_year


class PnlView:
    """The book through a filter. Never changes; figures are worked out when they are first asked for. One thread, or
    several: the worst is that a figure is worked out twice."""

    def __init__(
        self,
        kept: KeptBook,
        only: Filter = EVERYTHING,
        *,
        account: str = "",
        version: int = 0,
        now: datetime,
        as_of: datetime | None = None,
        sources: Sequence[SourceLine] = (),
        missing: Sequence[str] = (),
        building: bool = False,
        past_asked: bool = False,
        old: bool = False,
        prices: Mapping[str, PriceTold] | None = None,
        held: Sequence[Held] | None = None,
        held_at: datetime | None = None,
        notes: Mapping[str, JournalNote] | None = None,
        capital: Decimal | None = None,
        trading_days: Callable[[date, date], Sequence[date] | None] | None = None,
        keys: Mapping[str, str] | None = None,
        settings: str = "",
    ) -> None:
        """`account`: the running one. `old`: the trades could not be renewed; without it what is `missing` are gaps in
        figures of now. `past_asked`: the trades of days before are being asked for, and not there yet. `prices` by
        instrument (as `lots.fills.Fill.instrument`). `held`: what the broker says is held in the running account, told
        at `held_at`; `None`: not known. `capital`: rupees at the start, for percentages. `trading_days` tells those of
        a span, for the Sharpe ratio. `keys`: instrument keys by instrument, as they were traded last. `settings`: the
        version of the rates and the plan behind the charges."""
        self.only, self.account, self.version = only, account, version
        self.now, self.as_of = now, as_of
        self.sources, self.missing = tuple(sources), tuple(missing)
        self.building, self.past_asked, self.old = building, past_asked, old
        self.capital, self.settings = capital, settings
        self.journal_notes: Mapping[str, JournalNote] = notes or {}
        self.held_at = held_at
        self.kept = self._kept = kept
        self.keys: Mapping[str, str] = keys or {}
        self._cut = kept.cut(
            self.wanted_account, only.first, only.last, only.segment, only.symbol, only.product, only.bucket
        )
        self._prices = prices or {}
        self._held = held
        self._trading_days = trading_days

    # -- what is looked at ---------------------------------------------------------------------------------------

    @property
    def wanted_account(self) -> str | None:
        """The account that is looked at; `None`: all."""
        if self.only.account == ALL_ACCOUNTS:
            return None
        return self.only.account or self.account

    @property
    def accounts(self) -> tuple[str, ...]:
        """All accounts that the book has trades of."""
        return self._kept.accounts

    @cached_property
    def instruments(self) -> Mapping[str, str]:
        """Every instrument of the whole book, whatever the filter, and its latest symbol."""
        book = self._kept.book
        return {
            name.instrument: base_symbol(symbol) for name, symbol in zip(book.matched.names, book.symbols, strict=True)
        }

    @cached_property
    def symbols(self) -> tuple[str, ...]:
        """Of all closed trades, whatever the filter: what the filter may be set to."""
        return tuple(self._kept.codes(By.SYMBOL)[0])

    @cached_property
    def products(self) -> tuple[str, ...]:
        """As `symbols`; "" is left out."""
        return tuple(one for one in self._kept.codes(By.PRODUCT)[0] if one not in {"", "?"})

    @cached_property
    def years(self) -> tuple[str, ...]:
        """Financial years in which anything was closed, the newest first: `2026-27`."""
        return tuple(reversed(self._kept.codes(By.YEAR)[0]))

    @property
    def chosen(self) -> Flags:
        """Which matches of the book pass the filter."""
        return self._cut.chosen

    @property
    def empty(self) -> bool:
        """Nothing was closed."""
        return not bool(self.chosen.any())

    # -- what was closed -----------------------------------------------------------------------------------------

    @property
    def total(self) -> Sums:
        """`gross`, `charges` by line, `net`; `unpriced` matches of which charges are not known in full."""
        return self._cut.total

    def by(self, by: By) -> list[Sums]:
        """The same in groups that add up to it, in the order of their labels."""
        return self._cut.by(by)

    @property
    def trades(self) -> TradeColumns:
        """Closed trades, the newest first."""
        return self._cut.trades

    @property
    def trade_lines(self) -> Mapping[Line, Ints]:
        """Charges by line of each row of `trades`, in paise: they add up to `trades.charges`."""
        return self._cut.trade_lines

    def fills(self) -> Sequence[Fill]:
        """What was traded from `first` to `last` in the account, segment and symbol that are looked at, the oldest
        first: our own tradebook (`readers.tradebooks.write_ours`). Settlements of expired contracts are left out."""
        one, account = self.only, self.wanted_account
        return [
            fill
            for fill in self._kept.book.fills.rows
            if not fill.settled
            and (one.first is None or fill.day >= one.first)
            and (one.last is None or fill.day <= one.last)
            and account in {None, fill.account}
            and one.segment in {"", SEGMENTS[fill.asset]}
            and one.symbol in {"", base_symbol(fill.symbol)}
        ]

    def trade(self, trade_id: str) -> int | None:
        """The row of `trades` that has this id."""
        found = np.flatnonzero(self.trades.id == trade_id)
        return int(found[0]) if len(found) else None

    def lots(self, trade_id: str) -> tuple[LotRow, ...]:
        """What a trade closed, lot by lot; `()` for an unknown id."""
        return self._kept.table.lots(trade_id)

    def charges(self, trade_id: str) -> PaiseLines | None:
        """What a trade cost, both sides; `None` for an unknown id."""
        return self._kept.table.charges(trade_id)

    @cached_property
    def statistics(self) -> Statistics:
        """Net of charges, in rupees. What has no meaning says why."""
        days = self._cut.curve[0]
        trading_days = None
        if self._trading_days is not None and self.capital is not None and len(days):
            first, last = self.only.first or days[0].item(), self.only.last or days[-1].item()
            trading_days = self._trading_days(first, min(last, ist_date(self.now)))
        return self._cut.statistics(self.capital, trading_days)

    @cached_property
    def curve(self) -> Curve:
        """Day by day: also the bars and the calendar."""
        return Curve(*self._cut.curve)

    # -- notes, tax, doubts --------------------------------------------------------------------------------------

    def notes(self, first: date | None = None, last: date | None = None) -> list[DayNote]:
        """Contract notes, the newest first, of the account that is looked at; the other filters do not hold, since a
        note is of all that was traded."""
        return notes_of(self._kept.book, self._kept.costs, first, last, self.wanted_account)

    @cached_property
    def today(self) -> tuple[DayNote, ...]:
        """The running day's notes (commodities have their own); `()`: nothing was traded yet."""
        day = ist_date(self.now)
        return tuple(self.notes(day, day))

    def tax(self, year: str) -> TaxYear:
        """`2024-25`, of the account that is looked at; the other filters do not hold."""
        return tax_year(self._kept.book, self._kept.costs, year, self._kept.table.chosen(account=self.wanted_account))

    @cached_property
    def flags(self) -> tuple[Flag, ...]:
        """What is not known, of the account and the symbol that are looked at."""
        account, symbol = self.wanted_account, self.only.symbol
        return tuple(
            flag
            for flag in self._kept.book.flags
            if account in {None, flag.account} and symbol in {"", base_symbol(flag.symbol)}
        )

    # -- what is open --------------------------------------------------------------------------------------------

    @cached_property
    def unrealised(self) -> tuple[MarkRow, ...]:
        """Everything that is open, of the account, segment and symbol that are looked at, by symbol. Holdings of which
        the book knows no purchase are among them, with the broker's average (`from_broker`)."""
        return tuple(self._marks())

    @cached_property
    def unrealised_total(self) -> Amount:
        """Of all rows; not known when one of them is not."""
        return _sum_of([(row.symbol, row.unrealised, row.why_not) for row in self.unrealised])

    def _marks(self) -> list[MarkRow]:
        book, only, account = self._kept.book, self.only, self.wanted_account
        held = {one.instrument: one for one in self._held or ()}
        doubtful = {(flag.account, flag.instrument) for flag in book.flags if flag.cause.doubtful}
        prices = {instrument: told.price for instrument, told in self._prices.items()}
        closes = {instrument: told.close for instrument, told in self._prices.items() if told.close is not None}
        multipliers = {(name.account, name.instrument): name.multiplier for name in book.matched.names}
        rows: list[MarkRow] = []
        known: set[str] = set()
        for mark in marks_of(book, prices, closes, today=ist_date(self.now)):
            if mark.quantity == 0 or account not in {None, mark.account}:
                continue
            running = mark.account == self.account
            if running:
                known.add(mark.instrument)
            told, doubt = self._prices.get(mark.instrument), ""
            if running and self._held is not None:
                beside = held.get(mark.instrument)
                if not (beside or _nothing_held(mark.instrument)).agrees(mark.quantity):
                    has = 0 if beside is None else beside.quantity
                    doubt = f"the broker holds {has}, the book {mark.quantity}"
            if not doubt and (mark.account, mark.instrument) in doubtful:
                doubt = "a part of its history is missing"
            rows.append(
                MarkRow(
                    mark.account, mark.instrument, base_symbol(mark.symbol), SEGMENTS[mark.asset], mark.quantity,
                    multipliers[mark.account, mark.instrument], mark.average, mark.cost,
                    None if told is None else told.price, "" if told is None else told.told_by,
                    None if told is None else told.at, _paise(mark.unrealised), _paise(mark.day_change),
                    "" if told is not None else "no price is known", False, doubt, "" if told is None else told.key,
                )
            )  # fmt: skip
        if account in {None, self.account}:
            rows += [self._of_broker(one) for one in held.values() if one.quantity and one.instrument not in known]
        rows = [row for row in rows if only.segment in {"", row.segment} and only.symbol in {"", row.symbol}]
        return sorted(rows, key=lambda row: (row.symbol, row.account, row.instrument))

    def _of_broker(self, one: Held) -> MarkRow:
        told = self._prices.get(one.instrument)
        units = one.quantity * one.multiplier
        cost = 0 if one.average is None else one.average * units
        unrealised = None if told is None or one.average is None else told.price * units - cost
        change = None if told is None or told.close is None else (told.price - told.close) * units
        why = "" if unrealised is not None else "no price is known" if told is None else "the broker tells no average"
        return MarkRow(
            self.account, one.instrument, base_symbol(one.symbol), SEGMENTS[one.asset], one.quantity, one.multiplier,
            one.average, cost, None if told is None else told.price, "" if told is None else told.told_by,
            None if told is None else told.at, _paise(unrealised), _paise(change), why, True,
            "the book knows no purchase of it; the average is the broker's", one.key,
        )  # fmt: skip


def _nothing_held(instrument: str) -> Held:
    return Held(instrument, "", Asset.SHARE, 0, None)


def _paise(units: int | None) -> int | None:
    return None if units is None else paise_of_units(units)


def _sum_of(rows: Sequence[tuple[str, int | None, str]]) -> Amount:
    unknown = [(symbol, why) for symbol, amount, why in rows if amount is None]
    if unknown:
        symbol, why = unknown[0]
        rest = f" and {len(unknown) - 1} more" if len(unknown) > 1 else ""
        return Amount(None, f"{symbol}{rest}: {why}")
    return Amount(sum(amount for _, amount, _ in rows if amount is not None))
