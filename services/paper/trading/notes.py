"""What a day costs in the end: its contract note, line by line, told by segment. Pure.

While the day runs, every order is charged by itself, as the estimate says (`charges`). When it is over it is known what
was delivered and what was closed the same day, under whatever product it was traded, and the note replaces the
estimates: brokerage for each executed order, the depository charge for each share and day on which some leave the demat
account, everything summed exactly and rounded once, STT and stamp duty to the rupee, the rest to the paisa, and GST of
the lines as they are printed. Commodities have a note of their own. The lines of a note are handed back to its trades,
and so to its segments, such that they add up.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date
from functools import lru_cache

from services.domain.orders import Product
from services.paper.trading.charges import (
    GST_PERCENT,
    RATE_UNITS,
    Kind,
    Rates,
    brokerage_rule,
    depository_plan,
    kind_of,
    rates_of,
)
from services.paper.trading.instruments import unlisted
from services.paper.trading.lots import Leg, pairs_of_day
from services.paper.trading.order_values import Fill
from services.paper.trading.values import PRICE_UNITS

SEGMENTS: Mapping[str, str] = {
    "NSE_EQ": "EQ", "BSE_EQ": "EQ", "NSE_FO": "FO", "BSE_FO": "FO",
    "NCD_FO": "CD", "BCD_FO": "CD", "MCX_FO": "COM", "NSE_COM": "COM",
}  # fmt: skip
"""What reports call a segment."""
ASSISTED_PAISE = 5_000
"""For each order that the broker sends to close an intraday position, before GST."""
_NOTES: tuple[tuple[str, ...], ...] = (("EQ", "FO", "CD"), ("COM",))
"""Segments that stand on one note."""
_EXACT = PRICE_UNITS * RATE_UNITS // 100
"""Of a paisa: the unit in which a value times a rate is a whole number."""
_RUPEE = 100
_INTRADAY = frozenset({Product.INTRADAY.value, Product.COVER.value})


@dataclass(frozen=True, slots=True)
class DayCharges:
    """One segment's part of the note of a day. Paise."""

    day: str
    segment: str
    brokerage: int = 0
    stt: int = 0
    transaction: int = 0
    ipft: int = 0
    sebi_turnover: int = 0
    stamp_duty: int = 0
    clearing: int = 0
    depository: int = 0
    others: int = 0
    """For orders that the broker sent himself."""
    gst: int = 0

    @property
    def total(self) -> int:
        return sum(getattr(self, line) for line in LINES)


LINES = tuple(one.name for one in fields(DayCharges))[2:]
_TAXED = ("brokerage", "transaction", "ipft", "sebi_turnover", "clearing", "depository", "others")
_TO_THE_RUPEE = frozenset({"stt", "stamp_duty"})


@dataclass(frozen=True, slots=True)
class Noted:
    """A fill as the note needs it: with its row of the instrument file, as far as it is still known, and whether the
    broker himself sent the order."""

    fill: Fill
    row: Mapping[str, object]
    by_broker: bool = False


def leg_of(number: int, fill: Fill) -> Leg:
    """`fill` as the matching sees it."""
    share = fill.segment.endswith("_EQ")
    scrip = fill.isin or fill.key if share else fill.key
    return Leg(number, scrip, share, share and fill.product in _INTRADAY, fill.buys, fill.quantity)


def row_of(fill: Fill) -> Mapping[str, object]:
    """What is left of the instrument's row when nobody lists it any more."""
    return unlisted(fill).listing.row


def notes_of(day: str, fills: Sequence[Noted]) -> list[DayCharges]:
    """The notes of `day` by segment, of all its fills in the order of time. Nothing where nothing was traded."""
    parts = _parts_of(date.fromisoformat(day), [one for one in fills if one.fill.amount])
    found: list[DayCharges] = []
    for segments in _NOTES:
        mine = [part for part in parts if part.segment in segments]
        if mine:
            printed = _printed(mine)
            found += [
                DayCharges(day, segment, *(_of(segment, mine, printed[line]) for line in LINES))
                for segment in segments
                if any(part.segment == segment for part in mine)
            ]
    return found


@dataclass(slots=True)
class _Part:
    """A fill, or the part of it that is of one kind. Lines in 1/`_EXACT` paisa."""

    segment: str
    kind: Kind
    quantity: int
    value: int
    lines: dict[str, int] = field(default_factory=lambda: dict.fromkeys(LINES, 0))


def _parts_of(on: date, fills: Sequence[Noted]) -> list[_Part]:
    """What each trade costs, order by order."""
    within = _within_the_day(fills)
    orders: dict[str, list[_Part]] = {}
    leaving: dict[str, list[_Part]] = {}
    for number, noted in enumerate(fills):
        fill = noted.fill
        order = orders.setdefault(fill.order_id, [])
        for kind, quantity in _kinds(noted, within.get(number, 0)):
            value = quantity * fill.price * fill.multiplier
            part = _Part(SEGMENTS[fill.segment], kind, quantity, value)
            rates = _rates(_facts(noted.row), kind, fill.buys, on)
            for line in ("stt", "transaction", "ipft", "sebi_turnover", "stamp_duty"):
                part.lines[line] = value * getattr(rates, line)
            order.append(part)
            if kind is Kind.DELIVERY and not fill.buys:
                leaving.setdefault(leg_of(number, fill).scrip, []).append(part)
        if noted.by_broker and fill.product in _INTRADAY:
            order[0].lines["others"] = ASSISTED_PAISE * _EXACT  # once, however it is filled
    for order in orders.values():
        _share_out("brokerage", _brokerage(order, on), order)
    for sales in leaving.values():
        _share_out("depository", depository_plan(on)[1] * _EXACT, sales)
    return [part for order_id in sorted(orders) for part in orders[order_id]]


def _share_out(line: str, fee: int, parts: Sequence[_Part]) -> None:
    """What is taken of several trades together, by their quantities."""
    quantity, seen, gone = sum(part.quantity for part in parts), 0, 0
    for part in parts:
        seen += part.quantity
        part.lines[line] = fee * seen // quantity - gone
        gone += part.lines[line]


def _within_the_day(fills: Sequence[Noted]) -> dict[int, int]:
    """How much of each fill was bought and sold the same day."""
    within: dict[int, int] = {}
    for pair in pairs_of_day([leg_of(number, noted.fill) for number, noted in enumerate(fills)]):
        for number in (pair.buy, pair.sell):
            within[number] = within.get(number, 0) + pair.quantity
    return within


def _kinds(noted: Noted, within: int) -> list[tuple[Kind, int]]:
    """What an intraday product leaves unpaired was converted: it is delivered."""
    fill = noted.fill
    if not fill.segment.endswith("_EQ"):
        return [(kind_of(noted.row, fill.product), fill.quantity)]
    split = ((Kind.INTRADAY, within), (Kind.DELIVERY, fill.quantity - within))
    return [(kind, quantity) for kind, quantity in split if quantity]


def _brokerage(order: Sequence[_Part], on: date) -> int:
    """Of one executed order. One of which a part is delivered is an order for delivery."""
    kinds = {part.kind for part in order}
    rate, most = brokerage_rule(Kind.DELIVERY if Kind.DELIVERY in kinds else order[0].kind, on)
    value = sum(part.value for part in order)
    return most * _EXACT if rate is None else min(most * _EXACT, value * rate)


def _printed(parts: Sequence[_Part]) -> dict[str, list[int]]:
    """The lines of one note as it prints them, handed back to its trades."""
    printed: dict[str, list[int]] = {}
    for line in LINES[:-1]:
        exact = [part.lines[line] for part in parts]
        step = _RUPEE if line in _TO_THE_RUPEE else 1
        printed[line] = _handed_back(_half_up(sum(exact), _EXACT * step) * step, exact)
    taxed = [sum(part.lines[line] for line in _TAXED) * GST_PERCENT // 100 for part in parts]
    whole = _half_up(sum(sum(printed[line]) for line in _TAXED) * GST_PERCENT, 100)
    return printed | {"gst": _handed_back(whole, taxed)}


def _of(segment: str, parts: Sequence[_Part], paise: Sequence[int]) -> int:
    return sum(share for part, share in zip(parts, paise, strict=True) if part.segment == segment)


def _handed_back(whole: int, exact: Sequence[int]) -> list[int]:
    """`whole` paise in parts: each as much as the sum up to it, rounded, has grown by; what the rounding of the whole
    left over goes to the largest."""
    parts: list[int] = []
    upto = gone = 0
    for amount in exact:
        upto += amount
        parts.append(_half_up(upto, _EXACT) - gone)
        gone += parts[-1]
    parts[max(range(len(exact)), key=exact.__getitem__)] += whole - gone
    return parts


def _half_up(amount: int, unit: int) -> int:
    return (2 * amount + unit) // (2 * unit)


_FACTS = ("segment", "exchange", "instrument_type", "isin", "name", "trading_symbol", "underlying_symbol")


def _facts(row: Mapping[str, object]) -> tuple[str, ...]:
    """All of a row that rates depend on."""
    return tuple(str(row.get(name, "")) for name in _FACTS)


@lru_cache(maxsize=4096)
def _rates(facts: tuple[str, ...], kind: Kind, buys: bool, on: date) -> Rates:
    return rates_of(dict(zip(_FACTS, facts, strict=True)), kind, buys=buys, on=on)


def total_of(notes: Iterable[DayCharges]) -> int:
    """Paise."""
    return sum(note.total for note in notes)


assert _EXACT * 100 == PRICE_UNITS * RATE_UNITS
assert LINES[-1] == "gst"  # it is taken of the others
