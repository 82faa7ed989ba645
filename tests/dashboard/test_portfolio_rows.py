"""Positions and holdings as their tables draw them."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from dashboard.portfolio_columns import HOLDING_COLUMNS, POSITION_COLUMNS, columns_of
from dashboard.portfolio_rows import holding_row, may_convert, position_row, table_data
from services.domain.errors import BadInstrumentKey, NotSent
from services.domain.quotes import FROM_FEED
from services.portfolio_book.marks import mark_holding, mark_position
from tests.support import readings
from tests.support.portfolio import CALL, INFY, RELIANCE, bought_today, carried, closed_today, held, quote, sold_short
from tests.support.readings import NOW, reading

NOTHING = reading(keys=(RELIANCE, INFY, CALL))


def value(row, columns, id):
    """What the browser is told for one column."""
    return row["v"][[column.id for column in columns].index(id)]


def position(one, ltp=None, at=NOTHING, **more):
    row = None if ltp is None else quote(one.key, ltp, at=NOW) | more
    return position_row(mark_position(one, row, NOW), at)


def test_money_travels_as_a_line_in_the_price():
    row = position(bought_today(), 1480.0)

    at_zero, slope = value(row, POSITION_COLUMNS, "pnl")
    assert at_zero + slope * 1480.0 == pytest.approx(100.5)
    assert row["l"] == 1480.0


def test_the_difference_from_the_broker_brings_what_the_price_does_not_explain():
    moved = value(position(bought_today(), 1480.0), POSITION_COLUMNS, "gap")
    odd = value(position(bought_today(pnl=Decimal("20.5")), 1480.0), POSITION_COLUMNS, "gap")
    blind = value(position(bought_today(last_price=None), 1480.0), POSITION_COLUMNS, "gap")

    assert moved[2] == 0
    assert odd[2] == 5
    assert len(blind) == 2


def test_what_is_not_known_is_none_and_never_zero():
    row = position(bought_today(pnl=None, close_price=None, overnight_quantity=10, last_price=None))

    assert row["l"] is None
    assert row["a"] is None
    assert [value(row, POSITION_COLUMNS, id) for id in ("today", "broker", "gap")] == [None, None, None]


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (bought_today(), "Delivery · long, of today"),
        (closed_today(), "Intraday · closed"),
        (carried(), "Carry forward · long, carried +65"),
        (replace(carried(), quantity=130, day_buy_quantity=65), "Carry forward · long, carried +65, today +65"),
        (sold_short(), "Intraday · short, of today"),
    ],
)
def test_a_row_says_which_part_is_of_today_and_which_was_carried(one, words):
    assert position(one)["n"] == words


@pytest.mark.parametrize(
    ("one", "actions"),
    [
        (bought_today(), "exit exit_part ticket convert"),
        (bought_today(product="MTF"), "exit exit_part ticket"),
        (bought_today(product="CO"), ""),
        (closed_today(), ""),
    ],
)
def test_only_what_can_be_done_is_offered(one, actions):
    assert position(one)["can"] == actions


def test_what_is_closed_is_not_converted():
    assert not may_convert(mark_position(closed_today(), None, NOW))


def test_who_told_the_price_is_known_to_the_browser():
    broker, quoted = position(bought_today()), position(bought_today(), 1480.0)
    fed = position(bought_today(), 1480.0, api_version=FROM_FEED)

    assert broker["b"] is True
    assert "t" not in broker
    assert "b" not in quoted
    assert "feed" not in quoted
    assert fed["feed"] is True


def test_trouble_with_one_instrument_stands_in_its_row():
    error = BadInstrumentKey("unknown", status=400, code="UDAPI1087")
    row = position(bought_today(), 1480.0, at=reading(keys=(RELIANCE,), problems={RELIANCE: error}))

    assert row["o"] is True
    assert row["x"] == "The broker does not know an instrument"


def test_trouble_with_all_prices_makes_every_row_doubtful():
    assert position(bought_today(), 1480.0, at=reading(keys=(RELIANCE,), problem=NotSent("gone")))["o"] is True


def test_an_instrument_that_the_master_knows_is_named_by_it():
    assert position(bought_today(symbol="REL-EQ"))["s"] == "RELIANCE"
    assert position(bought_today("NSE_EQ|INE000A01001", symbol=""))["s"] == "INE000A01001"


def test_prices_of_currencies_have_four_decimals():
    assert position(bought_today(readings.USDINR, symbol="USDINR"))["d"] == 4


def test_a_holding_tells_sellable_t1_and_pledged_apart():
    one = held(quantity=40, t1_quantity=5, cnc_used_quantity=10, collateral_quantity=3)
    row = holding_row(mark_holding(one, None, NOW), NOTHING)

    assert [value(row, HOLDING_COLUMNS, id) for id in ("quantity", "sellable", "t1", "pledged")] == [40, 30, 5, 3]
    assert row["can"] == "sell sell_part ticket"


def test_a_holding_of_which_all_is_blocked_cannot_be_sold():
    one = held(quantity=25, cnc_used_quantity=25)

    assert holding_row(mark_holding(one, None, NOW), NOTHING)["can"] == ""


def test_a_holding_without_a_known_cost_has_no_percent():
    row = holding_row(mark_holding(held(average_price=None), None, NOW), NOTHING)

    assert [value(row, HOLDING_COLUMNS, id) for id in ("average", "pnl", "percent", "invested")] == [None] * 4


def test_every_column_has_a_value_in_every_row():
    rows = [position(bought_today()), position(carried())]
    data = table_data(rows, POSITION_COLUMNS, NOTHING)

    assert all(len(row["v"]) == len(data["columns"]) for row in data["rows"])
    assert len({column["id"] for column in data["columns"]}) == len(data["columns"])


def test_what_was_told_last_on_a_day_that_is_over_is_called_by_that_day():
    columns = {one.id: one for one in columns_of("Thu 19 Nov")}
    mark = mark_position(carried(), None, NOW)

    assert (columns["today"].label, columns["today"].sum) == ("Thu 19 Nov", "P&L on Thu 19 Nov")
    assert columns["bought"].help == "Units bought on Thu 19 Nov"
    assert "today" not in "".join(f"{one.label}{one.sum}{one.help}".lower() for one in columns.values())
    assert [one.id for one in columns_of("x")] == [one.id for one in POSITION_COLUMNS]
    assert position_row(mark_position(bought_today(), None, NOW), NOTHING, day="Thu 19 Nov")["n"].endswith(
        "of Thu 19 Nov"
    )
    assert "today" not in position_row(mark, NOTHING, day="Thu 19 Nov")["n"]
