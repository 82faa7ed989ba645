"""The charges engine over columns: hundreds of thousands of trades at once, equal to `engine.charge` in every digit.

Same rules and same order of sharing out; numpy's 64-bit integers, two to an amount (`limbs`).
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date

import numpy as np
import numpy.typing as npt

from services.domain.errors import InvalidRequest
from services.domain.orders import Side
from services.portfolio.charges.engine import NoteKey, Part
from services.portfolio.charges.kinds import LINES, RATED, Group, Kind, Line
from services.portfolio.charges.limbs import (
    HIGH_OF_VALUE,
    LIMB,
    Ints,
    Limbs,
    at_most,
    carried,
    nothing,
    paise_with_percent,
    percent_paise,
    portions,
    product,
    summed,
)
from services.portfolio.charges.lines import PaiseLines
from services.portfolio.charges.plan import STANDARD_PLAN, Plan
from services.portfolio.charges.table import STANDARD, RateTable

Flags = npt.NDArray[np.bool_]

KINDS = tuple(Kind)
GROUPS = tuple(Group)
_EPOCH = date(1970, 1, 1).toordinal()
_NO_RATE = 2**60
"""Above any flat brokerage whatever the value: a rule without a percentage."""


@dataclass(frozen=True, slots=True)
class Trades:
    """Trades as columns of one length. `day` counts days since 1970-01-01; `kind`, `group` number `KINDS`, `GROUPS`;
    `exchange` numbers `exchanges`. `order` is equal for the fills of one order of one account and day, `scrip` for what
    the depository counts as one, `note` for one contract note. `rank` orders the fills of an order among themselves."""

    day: Ints
    exchange: Ints
    exchanges: tuple[str, ...]
    kind: Ints
    group: Ints
    sells: Flags
    quantity: Ints
    price: Ints
    """Ten-thousandths of a rupee."""
    multiplier: Ints
    order: Ints
    scrip: Ints
    note: Ints
    rank: Ints
    assisted: Flags

    def __len__(self) -> int:
        return len(self.day)

    @property
    def value(self) -> Ints:
        """In ten-thousandths of a rupee."""
        return self.price * self.quantity * self.multiplier

    def take(self, rows: Ints | Flags) -> Trades:
        """Some of them. The numbers of orders, scrips and notes stay as they are."""
        return Trades(
            *(of if one.name == "exchanges" else of[rows] for one in fields(self) for of in (getattr(self, one.name),))
        )


@dataclass(frozen=True, slots=True)
class Columns:
    """What each trade costs, exactly, line by line."""

    trades: Trades
    plan: Plan
    lines: Mapping[Line, Limbs]
    """All but GST, which is a percentage of some of them."""
    taxed: Limbs
    """What GST is taken of."""

    def paise(self) -> dict[Line, Ints]:
        """Each line of each trade to the paisa, halves up. Their sums are not the note's: see `booked`."""
        gst = percent_paise(self.taxed, int(self.plan.gst_percent))
        return {line: gst if line is Line.GST else self.lines[line].paise() for line in LINES}

    def exact_by(self, codes: Ints, groups: int) -> Columns:
        """Exact sums by `codes`, as rows of their own (`trades` stay those of this table)."""
        lines = {line: amounts.summed(codes, groups) for line, amounts in self.lines.items()}
        return Columns(self.trades, self.plan, lines, self.taxed.summed(codes, groups))

    def total_paise(self) -> Ints:
        """The exact total of each row, to the paisa, halves up."""
        total = nothing(len(self.taxed))
        for amounts in self.lines.values():
            total = total + amounts
        return paise_with_percent(total, self.taxed, int(self.plan.gst_percent))

    def notes(self) -> list[PaiseLines]:
        """The lines of each contract note as it prints them, by the number in `trades.note`."""
        count = int(self.trades.note.max()) + 1 if len(self.trades) else 0
        printed = _as_printed(self.exact_by(self.trades.note, count))
        return [PaiseLines(*(int(printed[line][place]) for line in LINES)) for place in range(count)]

    def booked(self) -> dict[Line, Ints]:
        """Each line of each trade in paise, such that the trades of a note add up to the note, to the paisa.

        Within a note every trade gets what the exact sum up to it, rounded, has grown by; the rounding to the rupee
        goes to the trade whose line is the largest. So a trade's line is at most a paisa from its own rounding, but
        for that one.
        """
        trades = self.trades
        if len(trades) == 0:
            return {line: np.zeros(0, np.int64) for line in LINES}
        order = np.lexsort((trades.rank, trades.order, trades.note))
        note = trades.note[order]
        starts = np.flatnonzero(np.r_[True, note[1:] != note[:-1]])
        ends = np.r_[starts[1:], len(note)] - 1
        lengths = ends - starts + 1
        printed = _as_printed(self.exact_by(trades.note, int(trades.note.max()) + 1))
        percent = int(self.plan.gst_percent)
        booked: dict[Line, Ints] = {}
        for line in LINES:
            exact = self.taxed if line is Line.GST else self.lines[line]
            high, low = exact.high[order], exact.low[order]
            running = carried(_running(high, starts, lengths), _running(low, starts, lengths))
            upto = percent_paise(running, percent) if line is Line.GST else running.paise()
            own = np.diff(upto, prepend=0)
            own[starts] = upto[starts]
            missing = printed[line][note[ends]] - upto[ends]
            largest = np.lexsort((np.arange(len(note)), -high, note))[starts]
            own[largest] += missing
            booked[line] = np.empty_like(own)
            booked[line][order] = own
        return booked


def charge_columns(trades: Trades, *, rates: RateTable = STANDARD, plan: Plan = STANDARD_PLAN) -> Columns:
    """What `trades` cost. All fills of an order's day, and of a scrip's day, must be among them. `NotPublished` where a
    rate is not known."""
    if len(trades) == 0:
        empty = nothing(0)
        return Columns(trades, plan, {line: empty for line in LINES if line is not Line.GST}, empty)
    value = trades.value
    era = np.searchsorted(_days({*rates.changes, *plan.changes}), trades.day, side="right")
    lines = {line: product(value, rate) for line, rate in _rates(trades, era, rates).items()}
    lines[Line.BROKERAGE] = _brokerage(trades, value, era, plan)
    lines[Line.DP] = _depository(trades, plan)
    taxed = lines[Line.BROKERAGE] + lines[Line.EXCHANGE] + lines[Line.IPFT] + lines[Line.CLEARING]
    if plan.gst_on_sebi:
        taxed = taxed + lines[Line.SEBI]
    if plan.gst_on_dp:
        taxed = taxed + lines[Line.DP]
    return Columns(trades, plan, {line: lines[line] for line in LINES if line is not Line.GST}, taxed)


def columns_of(parts: Sequence[Part]) -> Trades:
    """The columns of `parts`, in their order."""
    exchanges = tuple(sorted({part.exchange for part in parts}))
    kinds = {kind: place for place, kind in enumerate(KINDS)}
    groups = {group: place for place, group in enumerate(GROUPS)}
    ranked = sorted(range(len(parts)), key=lambda place: _rank(parts[place]))
    rank = np.empty(len(parts), np.int64)
    rank[ranked] = np.arange(len(parts))
    return Trades(
        day=_whole([part.day.toordinal() - _EPOCH for part in parts]),
        exchange=_whole([exchanges.index(part.exchange) for part in parts]),
        exchanges=exchanges,
        kind=_whole([kinds[part.kind] for part in parts]),
        group=_whole([groups[part.group] for part in parts]),
        sells=np.array([part.side is Side.SELL for part in parts], bool),
        quantity=_whole([part.quantity for part in parts]),
        price=_whole([part.price for part in parts]),
        multiplier=_whole([part.multiplier for part in parts]),
        order=_numbered([(part.account, part.day, part.order_id) for part in parts]),
        scrip=_numbered([(part.account, part.day, part.scrip) for part in parts]),
        note=_notes([part.note for part in parts]),
        rank=rank,
        assisted=np.array([part.assisted for part in parts], bool),
    )


def _rank(part: Part) -> tuple[str, str, str, int, int]:
    return (part.trade_id, part.kind, part.side, part.price, part.quantity)


def _whole(values: list[int]) -> Ints:
    try:
        return np.array(values, np.int64)
    except OverflowError as error:
        raise InvalidRequest("an amount is too large to be a trade's") from error


def _numbered(names: Sequence[Hashable]) -> Ints:
    numbers: dict[Hashable, int] = {}
    return _whole([numbers.setdefault(name, len(numbers)) for name in names])


def _notes(keys: Sequence[NoteKey]) -> Ints:
    ordered = {key: place for place, key in enumerate(sorted(set(keys)))}
    return _whole([ordered[key] for key in keys])


def _days(days: set[date]) -> Ints:
    return _whole([day.toordinal() - _EPOCH for day in sorted(days)])


def _a_day(trades: Trades, place: int) -> date:
    return date.fromordinal(int(trades.day[place]) + _EPOCH)


def _distinct(*codes: Ints) -> tuple[Ints, Ints]:
    """The place of a first row of each combination, and for each row the number of its combination."""
    joined = codes[0].astype(np.int64)
    for code in codes[1:]:
        joined = joined * (int(code.max()) + 1) + code
    _, first, number = np.unique(joined, return_index=True, return_inverse=True)
    return np.asarray(first), np.asarray(number)


def _rates(trades: Trades, era: Ints, rates: RateTable) -> dict[Line, Ints]:
    """A column of rates for each rated line: looked up once for each combination of kind, exchange, side and era."""
    first, number = _distinct(trades.kind, trades.exchange, trades.group, trades.sells.astype(np.int64), era)
    table = np.array(
        [
            rates.units(
                KINDS[trades.kind[place]],
                trades.exchanges[trades.exchange[place]],
                Side.SELL if trades.sells[place] else Side.BUY,
                _a_day(trades, place),
                GROUPS[trades.group[place]],
            )
            for place in first.tolist()
        ],
        np.int64,
    )
    return {line: table[number, column] for column, line in enumerate(RATED)}


_PRECEDENCE = np.empty(len(KINDS), np.int64)
_PRECEDENCE[sorted(range(len(KINDS)), key=lambda place: (not KINDS[place].delivered, KINDS[place]))] = np.arange(
    len(KINDS)
)
_BY_PRECEDENCE = np.argsort(_PRECEDENCE)
_DELIVERED = np.array([kind.delivered for kind in KINDS])


def _brokerage(trades: Trades, value: Ints, era: Ints, plan: Plan) -> Limbs:
    """One for each order, shared out by quantity in the order of `rank`."""
    orders = int(trades.order.max()) + 1
    kind = np.full(orders, len(KINDS), np.int64)
    np.minimum.at(kind, trades.order, _PRECEDENCE[trades.kind])
    member = np.zeros(orders, np.int64)
    member[trades.order] = np.arange(len(trades))
    kind = _BY_PRECEDENCE[np.minimum(kind, len(KINDS) - 1)]
    first, number = _distinct(kind, era[member])
    rules = [plan.brokerage_of(KINDS[kind[place]], _a_day(trades, int(member[place]))) for place in first.tolist()]
    flat = _whole([rule.flat_units for rule in rules])[number] * HIGH_OF_VALUE
    rate = _whole([0 if rule.rate is None else rule.rate for rule in rules])[number]
    by_value = product(summed(value, trades.order, orders), rate)
    without = np.array([rule.rate is None for rule in rules], bool)[number]
    amount = at_most(Limbs(np.where(without, _NO_RATE, by_value.high), by_value.low), flat)
    assisted = np.zeros(orders, bool)
    assisted[trades.order[trades.assisted]] = True
    if assisted.any():
        fees = np.zeros(orders, np.int64)
        for place in np.flatnonzero(assisted).tolist():
            fees[place] = plan.assisted_of(_a_day(trades, int(member[place]))).units * HIGH_OF_VALUE
        amount = Limbs(amount.high + fees, amount.low)
    return _shared_out(trades, trades.order, amount, np.arange(len(trades)))


def _depository(trades: Trades, plan: Plan) -> Limbs:
    """One for each scrip and day on which shares leave."""
    leaving = np.flatnonzero(_DELIVERED[trades.kind] & trades.sells)
    if len(leaving) == 0:
        return nothing(len(trades))
    days, number = np.unique(trades.day[leaving], return_inverse=True)
    fees = _whole([plan.depository_of(date.fromordinal(int(day) + _EPOCH)).units for day in days])
    high = np.zeros(int(trades.scrip.max()) + 1, np.int64)
    high[trades.scrip[leaving]] = fees[number] * HIGH_OF_VALUE
    return _shared_out(trades, trades.scrip, Limbs(high, np.zeros_like(high)), leaving)


def _shared_out(trades: Trades, codes: Ints, amounts: Limbs, members: Ints) -> Limbs:
    """`amounts[code]`, shared among the `members` of each code by quantity; the last one takes what is left over."""
    places = members[np.lexsort((trades.rank[members], codes[members]))]
    code, quantity = codes[places], trades.quantity[places]
    starts = np.flatnonzero(np.r_[True, code[1:] != code[:-1]])
    lengths = np.diff(np.r_[starts, len(code)])
    seen = _running(quantity, starts, lengths)
    ends = starts + lengths - 1
    upto = portions(amounts.high[code], seen, np.repeat(seen[ends], lengths))
    own = np.diff(upto, prepend=0)
    own[starts] = upto[starts]
    shared = nothing(len(trades))
    shared.high[places] = own
    shared.low[places[ends]] = amounts.low[code[ends]]
    return shared


def _running(values: Ints, starts: Ints, lengths: Ints) -> Ints:
    """Running sums that begin anew at each of `starts`."""
    sums = np.cumsum(values)
    before = sums[starts] - values[starts]
    return np.asarray(sums - np.repeat(before, lengths))


def _as_printed(sums: Columns) -> dict[Line, Ints]:
    """The lines of notes, one row a note, as `Lines.on_a_note` prints them."""
    plan = sums.plan
    printed = {line: amounts.paise() for line, amounts in sums.lines.items()}
    taxed = printed[Line.BROKERAGE] + printed[Line.EXCHANGE] + printed[Line.IPFT] + printed[Line.CLEARING]
    taxed = taxed + (printed[Line.SEBI] if plan.gst_on_sebi else 0) + (printed[Line.DP] if plan.gst_on_dp else 0)
    for line in (Line.STT, Line.STAMP):
        printed[line] = sums.lines[line].paise(100)
    printed[Line.GST] = (taxed * int(plan.gst_percent) + 50) // 100
    return printed


assert LIMB * HIGH_OF_VALUE == 10**9  # the fine parts of a value times a rate
