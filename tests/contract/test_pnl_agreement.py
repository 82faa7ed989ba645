"""Two hands that know nothing of each other, the desk's portfolio room and the paper broker, come to the same gains and
charges for whatever is traded."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from services.domain.orders import Side
from services.paper.trading.gains import gains_of
from services.paper.trading.notes import DayCharges, Noted, notes_of, row_of
from services.paper.trading.order_values import Fill
from services.portfolio.charges.kinds import LINES, Group, Line
from services.portfolio.closed import SEGMENTS
from services.portfolio.costs import Costs, costs_of
from services.portfolio.lots.book import Book, build_book
from services.portfolio.lots.fills import Asset, day_number, day_of
from services.portfolio.lots.fills import Fill as OurFill

FIRST = date(2026, 3, 30)  # rates change two days later, and the financial year
THINGS = (
    ("NSE_EQ|INE002A01018", "NSE_EQ", "INE002A01018", "", 1, Asset.SHARE, Group.NONE),
    ("BSE_EQ|INE002A01018", "BSE_EQ", "INE002A01018", "", 1, Asset.SHARE, Group.NONE),
    ("NSE_EQ|INE009A01021", "NSE_EQ", "INE009A01021", "", 1, Asset.SHARE, Group.NONE),
    ("NSE_FO|1", "NSE_FO", "", "", 1, Asset.FUTURE, Group.NONE),
    ("NSE_FO|2", "NSE_FO", "", "CE", 1, Asset.OPTION, Group.NONE),
    ("NCD_FO|3", "NCD_FO", "", "", 1000, Asset.CURRENCY_FUTURE, Group.NONE),
    ("MCX_FO|4", "MCX_FO", "", "", 100, Asset.COMMODITY_FUTURE, Group.NONE),
)
_THEIR_LINES = {
    Line.BROKERAGE: "brokerage", Line.STT: "stt", Line.EXCHANGE: "transaction", Line.IPFT: "ipft",
    Line.SEBI: "sebi_turnover", Line.STAMP: "stamp_duty", Line.CLEARING: "clearing", Line.DP: "depository",
    Line.GST: "gst",
}  # fmt: skip


@st.composite
def histories(draw: st.DrawFn) -> list[Fill]:
    """Orders of one to three fills over some days; shares are only sold as far as they are there, and what is traded
    for the day is closed within it."""
    fills: list[Fill] = []
    held: dict[str, int] = {}
    for number in range(draw(st.integers(1, 14))):
        key, segment, isin, option, multiplier, _, _ = draw(st.sampled_from(THINGS))
        day = FIRST + timedelta(days=number // 4)
        scrip = isin or key
        product = draw(st.sampled_from(["D", "D", "I"])) if isin else "D"
        buys = draw(st.booleans())
        quantities = draw(st.lists(st.integers(1, 400), min_size=1, max_size=3))
        price = draw(st.integers(1, 60_000)) * 500
        if isin and product == "D" and not buys:
            quantities = [max(1, held.get(scrip, 0))] if held.get(scrip, 0) else []
        sides = [(buys, "a"), (not buys, "b")] if product == "I" else [(buys, "a")]
        for side, order in sides:
            for quantity in quantities:
                held[scrip] = held.get(scrip, 0) + (quantity if side else -quantity)
                fills.append(
                    Fill(
                        f"{10_000 + len(fills)}", len(fills), f"O{number:03d}{order}", "", key, segment, segment, "X",
                        side, quantity, price + 500 * len(fills), product, "LIMIT", "", 0, 0, day.isoformat(),
                        multiplier, name="NIFTY" if not isin else "SOME LTD", isin=isin, option_type=option,
                        strike=0, expiry="" if isin else "2026-12-29",
                    )
                )  # fmt: skip
    return fills


def ours_of(fill: Fill) -> OurFill:
    asset, group = next((asset, group) for key, *_, asset, group in THINGS if key == fill.key)
    return OurFill(
        "A", fill.isin or fill.key, fill.symbol, asset, {"N": "NSE", "B": "BSE", "M": "MCX"}[fill.segment[0]],
        Side.BUY if fill.buys else Side.SELL, fill.quantity, fill.price, date.fromisoformat(fill.day), fill.trade_id,
        fill.order_id, None, fill.product, fill.multiplier, group,
    )  # fmt: skip


@settings(max_examples=50, deadline=None)
@given(histories())
def test_gains_and_charges_are_the_same(fills: list[Fill]) -> None:
    book = build_book([ours_of(fill) for fill in fills])

    assert _their_gains(fills) == _our_gains(book)
    costs = costs_of(book)
    for day in sorted({fill.day for fill in fills}):
        notes = notes_of(day, [Noted(fill, row_of(fill)) for fill in fills if fill.day == day])
        assert {note.segment: _lines(note) for note in notes} == _our_charges(book, costs, date.fromisoformat(day))


def _their_gains(fills: list[Fill]) -> dict[tuple[str, str, str], tuple[int, int]]:
    return {
        (row.isin or row.name + row.segment + row.trade_type, row.bought, row.sold): (row.buy_amount, row.sell_amount)
        for row in gains_of(fills).rows
    }


def _our_gains(book: Book) -> dict[tuple[str, str, str], tuple[int, int]]:
    closed = book.matched.matches
    found: dict[tuple[str, str, str], tuple[int, int]] = {}
    for place in range(len(closed)):
        name = book.matched.names[int(closed.series[place])]
        scrip = name.instrument
        if "|" in scrip:
            kind = "OPT" if name.asset is Asset.OPTION else "FUT"
            scrip = f"NIFTY {'0 CE' if kind == 'OPT' else 'FUT'} 29 DEC 26{SEGMENTS[name.asset]}{kind}"
        bought_on, sold_on = (day_of(int(day[place])).isoformat() for day in (closed.buy_day, closed.sell_day))
        bought, sold = found.get((scrip, bought_on, sold_on), (0, 0))
        found[scrip, bought_on, sold_on] = (
            bought + int(closed.buy_value[place]), sold + int(closed.sell_value[place]),
        )  # fmt: skip
    return found


def _our_charges(book: Book, costs: Costs, day: date) -> dict[str, dict[Line, int]]:
    fills = book.fills
    segments = np.array([SEGMENTS[name.asset] for name in book.matched.names])[fills.series]
    today = fills.day == day_number(day)
    return {
        segment: {line: int(costs.fills[line][today & (segments == segment)].sum()) for line in LINES}
        for segment in sorted(set(segments[today].tolist()))
    }


def _lines(note: DayCharges) -> dict[Line, int]:
    return {line: getattr(note, name) for line, name in _THEIR_LINES.items()}
