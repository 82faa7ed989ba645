"""The vectorised engine against the exact one, and the exact one against plain decimals."""

from __future__ import annotations

from datetime import date
from decimal import ROUND_HALF_UP, Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.domain.errors import NotPublished
from services.domain.orders import Side
from services.portfolio.charges.columns import charge_columns, columns_of
from services.portfolio.charges.engine import Part, charge
from services.portfolio.charges.kinds import LINES, Group, Kind, Line
from services.portfolio.charges.plan import STANDARD_PLAN, Brokerage
from services.portfolio.charges.rates import EARLIEST
from services.portfolio.charges.table import STANDARD
from tests.support.charges import by_order, part

DAYS = [
    date(2024, 9, 30),
    date(2024, 10, 1),
    date(2025, 3, 31),
    date(2026, 2, 28),
    date(2026, 3, 1),
    date(2026, 3, 31),
    date(2026, 4, 1),
]
_COMMODITIES = [Kind.COMMODITY_FUTURE, Kind.COMMODITY_OPTION, Kind.COMMODITY_EXERCISE]


@st.composite
def trades(draw: st.DrawFn) -> list[Part]:
    """Fills in a few orders of a few days; the fills of an order share its day, kind, exchange and side."""
    parts: list[Part] = []
    for order in range(draw(st.integers(1, 6))):
        kind = draw(st.sampled_from(list(Kind)))
        exchange = "MCX" if kind in _COMMODITIES else draw(st.sampled_from(["NSE", "BSE"]))
        day = draw(st.sampled_from(DAYS))
        side = draw(st.sampled_from(list(Side)))
        group = draw(st.sampled_from(list(Group)))
        assisted = draw(st.booleans())
        for fill in range(draw(st.integers(1, 4))):
            one = Part(
                trade_id=f"T{order}-{fill}",
                order_id=f"O{order}",
                day=day,
                exchange=exchange,
                kind=kind,
                side=side,
                quantity=draw(st.integers(1, 20_000)),
                price=draw(st.integers(0, 10**9)),
                multiplier=draw(st.sampled_from([1, 100, 1000])),
                scrip=draw(st.sampled_from(["INE002A01018", "INE009A01021"])) if kind.of_shares else "",
                group=group,
                assisted=assisted,
                account=draw(st.sampled_from(["A", "B"])),
            )
            parts.append(one)
    return draw(st.permutations(parts))


@given(trades())
@settings(max_examples=150, deadline=None)
def test_columns_equal_the_exact_engine_in_every_digit(parts: list[Part]) -> None:
    exact = charge(parts)

    columns = charge_columns(columns_of(parts))

    for line in LINES[:-1]:
        assert columns.lines[line].fine() == [one.of(line) for one in exact.lines]
    paise = columns.paise()
    each = [one.in_paise() for one in exact.lines]
    for line in LINES:
        assert paise[line].tolist() == [one.of(line) for one in each]
    assert columns.total_paise().tolist() == [(one.fine + 5 * 10**12) // 10**13 for one in exact.lines]


@given(trades())
@settings(max_examples=100, deadline=None)
def test_notes_are_those_of_the_exact_engine_and_booked_paise_add_up_to_them(parts: list[Part]) -> None:
    exact = charge(parts)
    table = columns_of(parts)

    columns = charge_columns(table)

    notes = columns.notes()
    assert notes == [note.printed for note in exact.notes()]
    booked = columns.booked()
    for line in LINES:
        sums = np.zeros(len(notes), np.int64)
        np.add.at(sums, table.note, booked[line])
        assert sums.tolist() == [note.of(line) for note in notes]


@given(trades())
@settings(max_examples=60, deadline=None)
def test_the_exact_engine_equals_plain_decimals(parts: list[Part]) -> None:
    charged = charge(parts)

    for one, lines in zip(parts, charged.lines, strict=True):
        value = Decimal(one.price) / 10000 * one.quantity * one.multiplier
        taxed = lines.rupees(Line.BROKERAGE) + lines.rupees(Line.DP)
        for line in (Line.STT, Line.EXCHANGE, Line.IPFT, Line.SEBI, Line.STAMP, Line.CLEARING):
            percent = STANDARD.rate(line, one.kind, one.exchange, one.side, one.day, one.group).percent
            plain = value * percent / 100
            assert lines.rupees(line) == plain
            assert lines.in_paise().by_line()[line] == plain.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)
            taxed += plain if line not in {Line.STT, Line.STAMP} else 0
        assert lines.rupees(Line.GST) == taxed * 18 / 100
    for order in {(one.account, one.day, one.order_id) for one in parts}:
        fills = [one for one in parts if (one.account, one.day, one.order_id) == order]
        rule = STANDARD_PLAN.brokerage_of(fills[0].kind, fills[0].day)
        value = sum((Decimal(one.value) / 10000 for one in fills), Decimal(0))
        wanted = rule.flat if rule.percent is None else min(rule.flat, value * rule.percent / 100)
        wanted += 50 if fills[0].assisted else 0
        assert by_order(charged)[order].rupees(Line.BROKERAGE) == wanted


@given(trades(), st.integers(0, 10**6))
@settings(max_examples=60, deadline=None)
def test_splitting_a_fill_in_two_never_changes_what_its_order_costs(parts: list[Part], where: int) -> None:
    place = where % len(parts)
    one = parts[place]
    if one.quantity == 1:
        return
    first = 1 + where % (one.quantity - 1)
    halves = [_with(one, one.trade_id + "a", first), _with(one, one.trade_id + "b", one.quantity - first)]

    whole, split = charge(parts), charge([*parts[:place], *halves, *parts[place + 1 :]])

    assert by_order(whole) == by_order(split)
    assert whole.notes() == split.notes()


def test_a_plan_with_amounts_longer_than_64_bits_is_shared_out_exactly() -> None:
    plan = STANDARD_PLAN.with_brokerage([Kind.FUTURE], Brokerage(EARLIEST, Decimal(10**8), Decimal("1"), "a test"))
    fills = [part(Kind.FUTURE, "BUY", 1_000_003 * number, "99999.95", number=number, order="O") for number in (1, 2, 3)]

    exact, columns = charge(fills, plan=plan), charge_columns(columns_of(fills), plan=plan)

    assert columns.lines[Line.BROKERAGE].fine() == [lines.brokerage for lines in exact.lines]


def test_no_trades_cost_nothing_and_an_unknown_day_is_unknown() -> None:
    empty = charge_columns(columns_of([]))

    assert empty.notes() == []
    assert len(empty.booked()[Line.STT]) == 0
    with pytest.raises(NotPublished):
        charge_columns(columns_of([part(Kind.OPTION, "BUY", 1, "1", day=date(2020, 1, 1))]))


def _with(one: Part, trade_id: str, quantity: int) -> Part:
    return Part(trade_id, one.order_id, one.day, one.exchange, one.kind, one.side, quantity, one.price, one.multiplier,
                one.scrip, one.group, one.assisted, one.account)  # fmt: skip
