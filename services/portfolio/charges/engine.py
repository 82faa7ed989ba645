"""What trades cost, exactly: for each trade, each order and the note of a day, so that the first add up to the last.

Three charges belong to no single fill: brokerage (one for each executed order), the depository charge (one for each
scrip and day) and the fee for assisted orders. They are shared out by quantity, in the order of the trade ids, and the
last part takes what is left over; so it does not matter in which order trades come in.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from services.domain.errors import InvalidRequest
from services.domain.orders import Side
from services.portfolio.charges.kinds import RATED, Group, Kind, Line
from services.portfolio.charges.lines import NO_LINES, Lines, PaiseLines, total_of
from services.portfolio.charges.plan import STANDARD_PLAN, Plan
from services.portfolio.charges.table import STANDARD, RateTable
from services.portfolio.money import FINE_OF_PRODUCT, FINE_OF_VALUE, GST_STEP, RATE_UNITS

SHARE_UNIT = 10**7
"""Fine units: shares of a brokerage are whole multiples of a hundred-millionth of a rupee, but for the last one."""


class NoteOf(StrEnum):
    """Commodities come on a note of their own."""

    SECURITIES = "securities"
    COMMODITIES = "commodities"


@dataclass(frozen=True, slots=True)
class Part:
    """A fill, or the part of it that is of one kind (a purchase of 10 of which 4 are sold the same day: two parts).

    `price` in ten-thousandths of a rupee, `quantity` in units (MCX and currency: lots, with their `multiplier`).
    """

    trade_id: str
    order_id: str
    day: date
    exchange: str
    """`NSE`, `BSE`, `MCX`."""
    kind: Kind
    side: Side
    quantity: int
    price: int
    multiplier: int = 1
    scrip: str = ""
    """What the depository counts by: the ISIN."""
    group: Group = Group.NONE
    assisted: bool = False
    """Placed by the broker's people or its risk system."""
    account: str = ""

    def __post_init__(self) -> None:
        if self.quantity < 1 or self.multiplier < 1 or self.price < 0:
            raise InvalidRequest(f"trade {self.trade_id}: quantity and multiplier are at least 1, a price at least 0")

    @property
    def value(self) -> int:
        """In ten-thousandths of a rupee."""
        return self.price * self.quantity * self.multiplier

    @property
    def note(self) -> NoteKey:
        kept = NoteOf.COMMODITIES if self.kind.of_commodities else NoteOf.SECURITIES
        return NoteKey(self.account, self.day, kept)


@dataclass(frozen=True, slots=True, order=True)
class NoteKey:
    """One contract note."""

    account: str
    day: date
    of: NoteOf


@dataclass(frozen=True, slots=True)
class Note:
    """The charges of a day as its contract note prints them."""

    key: NoteKey
    lines: Lines
    """Exact."""
    printed: PaiseLines
    bought: int
    """Value, in ten-thousandths of a rupee."""
    sold: int

    @property
    def net_obligation(self) -> int:
        """What is paid in (below 0) or out, in paise, charges apart. Whole paise of value are what trades have."""
        return (self.sold - self.bought) // 100

    @property
    def net(self) -> int:
        """What is paid in (below 0) or out, in paise."""
        return self.net_obligation - self.printed.total


@dataclass(frozen=True, slots=True)
class Charged:
    """The result: `parts[i]` cost `lines[i]`."""

    parts: tuple[Part, ...]
    lines: tuple[Lines, ...]
    plan: Plan

    @property
    def total(self) -> Lines:
        return total_of(self.lines)

    def notes(self) -> tuple[Note, ...]:
        """The notes of all days, in order."""
        values: dict[NoteKey, list[int]] = {}
        costs: dict[NoteKey, list[Lines]] = {}
        for part, lines in zip(self.parts, self.lines, strict=True):
            sums = values.setdefault(part.note, [0, 0])
            sums[part.side is Side.SELL] += 0 if part.kind.exercised else part.value
            costs.setdefault(part.note, []).append(lines)
        totals = {key: total_of(costs[key]) for key in sorted(costs)}
        return tuple(Note(key, lines, lines.on_a_note(self.plan), *values[key]) for key, lines in totals.items())


def charge(parts: Iterable[Part], *, rates: RateTable = STANDARD, plan: Plan = STANDARD_PLAN) -> Charged:
    """What `parts` cost. All parts of an order's day, and of a scrip's day, must be among them: some charges are theirs
    together. `NotPublished` where a rate is not known."""
    taken = tuple(parts)
    shared = [[0, 0] for _ in taken]  # brokerage and depository charge
    for members in _grouped(taken, lambda part: (part.account, part.day, part.order_id)):
        _share_out(members, taken, shared, 0, _brokerage([taken[place] for place in members], plan))
    leaving = [place for place, part in enumerate(taken) if part.kind.delivered and part.side is Side.SELL]
    for members in _grouped(taken, lambda part: (part.account, part.day, part.scrip), leaving):
        _share_out(members, taken, shared, 1, plan.depository_of(taken[members[0]].day).units * FINE_OF_VALUE)
    lines = tuple(_lines(part, brokerage, dp, rates, plan) for part, (brokerage, dp) in zip(taken, shared, strict=True))
    return Charged(taken, lines, plan)


def charges_of_order(parts: Sequence[Part], *, rates: RateTable = STANDARD, plan: Plan = STANDARD_PLAN) -> Lines:
    """What one order costs, with a depository charge where shares leave: the estimate of an order ticket."""
    return charge(parts, rates=rates, plan=plan).total if parts else NO_LINES


def _brokerage(parts: Sequence[Part], plan: Plan) -> int:
    """Of one order, in fine units. An order of which a part is delivered is an order for delivery."""
    first = min(parts, key=lambda part: (not part.kind.delivered, part.kind))
    rule = plan.brokerage_of(first.kind, first.day)
    fine = rule.flat_units * FINE_OF_VALUE
    if rule.rate is not None:
        fine = min(fine, sum(part.value for part in parts) * rule.rate * FINE_OF_PRODUCT)
    if any(part.assisted for part in parts):
        fine += plan.assisted_of(first.day).units * FINE_OF_VALUE
    return fine


def _share_out(members: list[int], parts: Sequence[Part], shared: list[list[int]], column: int, fine: int) -> None:
    members.sort(key=lambda place: _rank(parts[place]))
    quantity = sum(parts[place].quantity for place in members)
    whole, rest = divmod(fine, SHARE_UNIT)
    gone = seen = 0
    for place in members:
        seen += parts[place].quantity
        upto = whole * seen // quantity
        shared[place][column] = (upto - gone) * SHARE_UNIT
        gone = upto
    shared[members[-1]][column] += rest


def _rank(part: Part) -> tuple[str, str, str, int, int]:
    return (part.trade_id, part.kind, part.side, part.price, part.quantity)


def _lines(part: Part, brokerage: int, dp: int, rates: RateTable, plan: Plan) -> Lines:
    units = rates.units(part.kind, part.exchange, part.side, part.day, part.group)
    rated = {line: part.value * rate * FINE_OF_PRODUCT for line, rate in zip(RATED, units, strict=True)}
    taxed = brokerage + rated[Line.EXCHANGE] + rated[Line.IPFT] + rated[Line.CLEARING]
    taxed += (rated[Line.SEBI] if plan.gst_on_sebi else 0) + (dp if plan.gst_on_dp else 0)
    gst, rest = divmod(taxed * int(plan.gst_percent), GST_STEP)
    assert rest == 0  # all that is taxed comes in steps that a percentage divides
    return Lines(brokerage=brokerage, dp=dp, gst=gst, **{line.value: amount for line, amount in rated.items()})


def _grouped(
    parts: Sequence[Part], key: Callable[[Part], Hashable], places: Iterable[int] | None = None
) -> Iterable[list[int]]:
    groups: dict[Hashable, list[int]] = {}
    for place in range(len(parts)) if places is None else places:
        groups.setdefault(key(parts[place]), []).append(place)
    return groups.values()


assert RATE_UNITS * FINE_OF_PRODUCT == FINE_OF_VALUE
