"""What the desk tells of profit and loss: a view of the book through a filter, and how it stands beside the broker.

Amounts are whole paise, prices and values whole ten-thousandths of a rupee; what cannot be told says why and is never
zero.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import cached_property

import numpy as np

from services.domain.clock import ist_date
from services.domain.errors import UpstoxError
from services.pnl.kept import KeptBook
from services.portfolio.charges.kinds import Line
from services.portfolio.charges.lines import PaiseLines
from services.portfolio.closed import SEGMENTS, By, Sums
from services.portfolio.closed_columns import Days, LotRow, TradeColumns
from services.portfolio.day_notes import DayNote, notes_of
from services.portfolio.lots.book import Flag, base_symbol
from services.portfolio.lots.fills import Asset, Fill, Flags, Ints
from services.portfolio.marks import marks_of
from services.portfolio.money import paise_of_units
from services.portfolio.reconcile import Difference
from services.portfolio.records import JournalNote
from services.portfolio.statistics import Statistics
from services.portfolio.tax import TaxYear, tax_year

RUNNING_ACCOUNT, ALL_ACCOUNTS = "", "*"


@dataclass(frozen=True, slots=True)
class Filter:
    """What of the book is looked at. Days are those of the closing in India, both included; "" = all."""

    first: date | None = None
    last: date | None = None
    segment: str = ""
    """`EQ`, `FO`, `COM`, `CD`."""
    account: str = RUNNING_ACCOUNT
    symbol: str = ""
    """Without the exchange's series: `HSCL`, not `HSCL-BE`."""
    product: str = ""
    bucket: str = ""
    """A value of `lots.terms.Bucket`."""


EVERYTHING = Filter()
"""Of the running account."""


class Origin(StrEnum):
    """Where trades come from."""

    DESK = "trades of this desk"
    HISTORY = "the broker's trade history"
    FILE = "imported file"


@dataclass(frozen=True, slots=True)
class SourceLine:
    """One source of the book's trades."""

    origin: Origin
    name: str
    """Of an imported file; else ""."""
    account: str
    trades: int
    first: date | None
    last: date | None
    told_at: datetime | None
    """When the broker told them, or when the file was imported (aware, UTC)."""
    unread: int = 0
    """Trades that could not be counted in, because their instrument or price is not understood."""
    why: str = ""
    """The first reason for that."""


@dataclass(frozen=True, slots=True)
class Amount:
    """Paise, or why they are not known."""

    paise: int | None
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class PriceTold:
    """A price of now, in ten-thousandths of a rupee."""

    price: int
    told_by: str
    """`feed`, `quote`, `broker`."""
    at: datetime | None
    close: int | None = None
    """Of the day before."""
    key: str = ""
    """The instrument key that it was asked with."""


@dataclass(frozen=True, slots=True)
class Held:
    """What the broker says is held of an instrument, holdings and positions together."""

    instrument: str
    symbol: str
    asset: Asset
    quantity: int
    """Below 0: short."""
    average: int | None
    multiplier: int = 1
    pending: int = 0
    """Bought the day before and not yet delivered: whether `quantity` counts them in is not documented."""
    key: str = ""

    def agrees(self, quantity: int) -> bool:
        return quantity in {self.quantity, self.quantity + self.pending}


@dataclass(frozen=True, slots=True)
class MarkRow:
    """One instrument that is open, at the price of now."""

    account: str
    instrument: str
    symbol: str
    segment: str
    quantity: int
    """Below 0: short."""
    multiplier: int
    average: int | None
    """Cost of a unit, ten-thousandths of a rupee."""
    cost: int
    """Ten-thousandths of a rupee; below 0: what a short brought in."""
    price: int | None
    told_by: str
    at: datetime | None
    """When that price came (aware, UTC)."""
    unrealised: int | None
    """Paise, charges apart; `None`: `why_not`."""
    day_change: int | None
    """Paise since the close of the day before; `None`: a close is not known."""
    why_not: str = ""
    from_broker: bool = False
    """The book knows no purchase of it: quantity and cost are the broker's holdings."""
    doubt: str = ""
    """What does not fit: the broker holds another quantity, or a part of the history is missing."""
    key: str = ""


@dataclass(frozen=True, slots=True)
class Curve:
    """Net results by closing day, in paise: columns of one length, the oldest first."""

    days: Days
    net: Ints
    cumulative: Ints
    below: Ints
    """The drawdown: how far below the highest point so far (at most 0)."""
    trades: Ints
    """How many trades were closed that day."""

    def __len__(self) -> int:
        return len(self.days)


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
        prices: Mapping[str, PriceTold] | None = None,
        held: Sequence[Held] | None = None,
        held_at: datetime | None = None,
        notes: Mapping[str, JournalNote] | None = None,
        capital: Decimal | None = None,
        trading_days: Callable[[date, date], Sequence[date] | None] | None = None,
        keys: Mapping[str, str] | None = None,
        settings: str = "",
    ) -> None:
        """`account`: the running one. `prices` by instrument (as `lots.fills.Fill.instrument`). `held`: what the broker
        says is held in the running account, told at `held_at`; `None`: not known. `capital`: rupees at the start, for
        percentages. `trading_days` tells those of a span, for the Sharpe ratio. `keys`: instrument keys by instrument,
        as they were traded last. `settings`: the version of the rates and the plan behind the charges."""
        self.only, self.account, self.version = only, account, version
        self.now, self.as_of = now, as_of
        self.sources, self.missing, self.building = tuple(sources), tuple(missing), building
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

    @cached_property
    def day_change_total(self) -> Amount:
        """Since the close of the day before, of all that is open now."""
        no_close = "the close of the day before is not known"
        return _sum_of([(row.symbol, row.day_change, row.why_not or no_close) for row in self.unrealised])

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


def view_of(kept: KeptBook, only: Filter = EVERYTHING, *, now: datetime, account: str = "") -> PnlView:
    """A view of a book that is at hand, without a desk around it."""
    return PnlView(kept, only, now=now, account=account, as_of=now)


# -- how the book is kept ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PnlState:
    """How the book stands."""

    version: int
    account: str
    """The running one; "" while nobody is logged in and none was known before."""
    as_of: datetime | None
    trades: int
    building: bool
    asking: bool
    error: UpstoxError | None
    """What kept the last question to the broker from being answered."""


# -- beside the broker -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BrokerSpan:
    """What the broker's report says of one segment in one financial year. Paise."""

    segment: str
    year: str
    first: date
    last: date
    rows: int | None
    """Matched trades; `None`: not told."""
    gross: int | None
    charges: Mapping[Line, int | None]
    """A line that it does not name is `None`; empty: not told."""
    charges_total: int | None
    told_at: datetime | None
    error: str = ""
    """Why the report is missing. Never to be read as zero."""
    others: int = 0
    """Charges under "others", which no line of ours is."""
    stale: str | None = None
    """Why what was told before could not be renewed now."""
    count: int | None = None
    """Rows that its metadata announced: more than `rows` means that some never came."""

    @property
    def told(self) -> bool:
        return not self.error


@dataclass(frozen=True, slots=True)
class SpanCheck:
    """Ours beside the broker's, of one segment and financial year."""

    segment: str
    year: str
    first: date
    last: date
    matches: int
    gross: int
    charges: PaiseLines
    """Of what was closed in the span, with what was paid for it whenever; the broker may count by trade date."""
    charges_traded: PaiseLines
    """Of everything traded in the span: what `differences` compares."""
    broker: BrokerSpan
    differences: tuple[Difference, ...]
    """Charges line by line with the likely cause; `()` where the broker's are missing."""
    gross_cause: str = ""
    """Why `gross` differs, in words; "" where it agrees or the broker's is missing."""

    @property
    def gross_off_by(self) -> int | None:
        return None if self.broker.gross is None else self.gross - self.broker.gross


@dataclass(frozen=True, slots=True)
class NoteCheck:
    """An imported contract note beside ours of the same day."""

    name: str
    day: date | None
    segment: str
    told: Mapping[Line, int | None]
    ours: PaiseLines | None
    differences: tuple[Difference, ...]
    off_by: int | None = None
    """By how much the note's own figures miss each other; `None`: it does not tell all of them."""
    why_not: str = ""
    """Why there is nothing of ours beside it."""
    note_id: int = 0


@dataclass(frozen=True, slots=True)
class PositionCheck:
    """One instrument that is open or was traded today: from our trades, and from the broker's positions and holdings.
    Paise."""

    instrument: str
    symbol: str
    quantity: int
    """Open by the book."""
    broker_quantity: int | None
    """Holdings and positions together; `None`: the broker has not told them."""
    result: int | None
    """Today's, closed and open together at `price`, charges apart, from trades; `None`: there is no position to
    compare with, or no price."""
    broker_result: int | None
    """The same from the broker's positions."""
    price: int | None = None
    """Ten-thousandths of a rupee."""
    words: str = ""
    """The likely cause, where they differ; "" where they agree."""

    @property
    def agrees(self) -> bool:
        return not self.words

    @property
    def off_by(self) -> int | None:
        return None if self.result is None or self.broker_result is None else self.result - self.broker_result


@dataclass(frozen=True, slots=True)
class ReconcileView:
    """Ours beside the broker's."""

    account: str
    first: date
    last: date
    spans: tuple[SpanCheck, ...]
    notes: tuple[NoteCheck, ...]
    positions: tuple[PositionCheck, ...]
    positions_at: datetime | None
    positions_error: str
    unknown: tuple[str, ...]
    """What cannot be known, in words: purchases before the book begins, missing corporate actions, …"""

    @property
    def missing(self) -> tuple[SpanCheck, ...]:
        """Spans that the broker did not tell."""
        return tuple(span for span in self.spans if not span.broker.told)


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
