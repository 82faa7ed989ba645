"""What the browser components are given: the live table, the strip, the ladder, search results."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from dashboard.columns import DEFAULT, Layout
from dashboard.components.depth import day_facts, depth_data, fact_rows
from dashboard.components.heat_map import heat_data
from dashboard.components.index_strip import strip_data
from dashboard.components.movers import breadth, breadth_words, busiest, movers
from dashboard.components.quote_table import table_data
from dashboard.components.search import MOST, describe, results_data
from dashboard.components.sparks import POINTS, spark, thinned
from services.domain.clock import epoch_ms
from services.domain.errors import BadInstrumentKey, NotSent
from services.domain.instruments import Instrument
from services.domain.quote_row import QuoteRow
from tests.support.readings import FUTURE, INFY, INSTRUMENTS, NIFTY, NOW, RELIANCE, USDINR, reading, row


def no_track(key: str) -> tuple[float, ...]:
    return ()


def table(look, layout=None):
    return table_data(look, layout or Layout(), no_track)


def test_a_row_tells_who_it_is_how_old_and_every_chosen_figure():
    data = table(reading(row(RELIANCE)), Layout(("ltp", "change", "volume")))

    assert [head["id"] for head in data["columns"]] == ["symbol", "ltp", "change", "volume"]
    assert data["rows"] == [
        {
            "k": RELIANCE, "s": "RELIANCE", "n": "RELIANCE INDUSTRIES LTD", "g": "NSE", "d": 2, "a": 2.0, "m": True,
            "t": epoch_ms(NOW) - 2000, "feed": False, "i": False, "o": False, "x": None,
            "v": [None, 1500.0, 10.0, 1234567],
        }
    ]  # fmt: skip


def test_an_instrument_without_a_quote_keeps_its_row_with_nothing_in_it():
    record = table(reading(keys=(RELIANCE,)))["rows"][0]

    assert record["s"] == "RELIANCE"
    assert record["a"] is None
    assert set(record["v"]) == {None}


def test_an_instrument_that_the_master_does_not_know_is_named_by_its_quote_or_key():
    odd = "NSE_EQ|INE000000000"
    look = replace(reading(row(odd), keys=(odd, "BSE_EQ|INE111A01018")), instruments={})

    assert [(r["s"], r["g"]) for r in table(look)["rows"]] == [("INE000000000", "NSE"), ("INE111A01018", "BSE")]


def test_with_the_broker_down_all_rows_are_old_and_still_there():
    look = reading(row(RELIANCE), row(INFY), problem=NotSent("refused"))

    assert [(r["o"], r["v"][1]) for r in table(look)["rows"]] == [(True, 1500.0), (True, 1500.0)]


def test_each_row_each_card_and_the_ladder_follow_their_own_market():
    look = replace(reading(row(RELIANCE), row(NIFTY)), moving=frozenset({NIFTY}))

    assert [r["m"] for r in table(look)["rows"]] == [False, True]
    assert [card["m"] for card in strip_data(look, no_track)["cards"]] == [False, True]
    assert depth_data(look, RELIANCE)["in_session"] is False
    assert depth_data(look, NIFTY)["in_session"] is True


def test_a_row_whose_market_is_closed_tells_when_its_price_was_made():
    look = replace(reading(row(RELIANCE), row(NIFTY), keys=(RELIANCE, NIFTY, INFY)), moving=frozenset({NIFTY}))

    assert [r.get("p") for r in table(look)["rows"]] == [epoch_ms(NOW), None, None]
    assert [depth_data(look, key)["made"] for key in (RELIANCE, NIFTY, INFY)] == [epoch_ms(NOW), None, None]
    assert [tile.get("p") for tile in heat_data(look, by_value=False)["tiles"]] == [epoch_ms(NOW), None]
    assert [card.get("p") for card in strip_data(look, no_track)["cards"]] == [epoch_ms(NOW), None, None]


def test_a_bad_key_is_told_in_its_own_row_only():
    look = reading(row(RELIANCE), keys=(RELIANCE, INFY), problems={INFY: BadInstrumentKey("x", status=400)})

    good, bad = table(look)["rows"]
    assert (good["o"], good["x"]) == (False, None)
    assert (bad["o"], bad["x"]) == (True, "The broker does not know an instrument")


def test_currency_prices_get_four_decimals():
    assert table(reading(row(USDINR)))["rows"][0]["d"] == 4


def test_five_hundred_rows_are_compact_json():
    keys = tuple(f"NSE_EQ|INE{n:09d}" for n in range(500))
    look = reading(*(row(key) for key in keys))
    track = tuple(1500.0 + n % 7 for n in range(300))

    text = json.dumps(table_data(look, Layout(DEFAULT), lambda key: track))

    assert len(text) < 320_000


def test_the_path_of_the_day_is_scaled_between_its_extremes_and_the_previous_close():
    assert spark((100.0, 110.0, 105.0), 90.0) == {"p": [50, 100, 75], "b": 0, "dir": 1}
    assert spark((100.0, 90.0), None) == {"p": [100, 0], "b": None, "dir": -1}
    assert spark((5.0, 5.0), 5.0) == {"p": [0, 0], "b": 0, "dir": 0}
    assert spark((5.0,), 4.0) is None


def test_a_long_path_is_thinned_without_losing_its_ends():
    points = thinned(list(range(1000)), POINTS)

    assert len(points) == POINTS
    assert (points[0], points[-1]) == (0, 999)
    assert points == sorted(points)


def test_the_strip_shows_known_indices_with_or_without_a_value():
    look = reading(row(NIFTY), keys=(NIFTY, "NSE_INDEX|Nobody"))
    cards = strip_data(look, no_track)["cards"]
    assert [(card["n"], card["ltp"]) for card in cards] == [("Nifty 50", 1500.0)]

    waiting = strip_data(reading(keys=(NIFTY,)), no_track)["cards"]
    assert [(card["n"], card["ltp"]) for card in waiting] == [("Nifty 50", None)]


def test_the_ladder_has_levels_best_first_and_totals_of_the_whole_book():
    data = depth_data(reading(row(RELIANCE)), RELIANCE)

    assert (data["ltp"], data["change"]) == (1500.0, 10.0)
    assert data["bids"][0] == [1499.9, 100, 1]
    assert data["asks"][4] == [1500.5, 1000, 5]
    assert (data["buy"], data["sell"], data["note"]) == (300_000, 100_000, None)


@pytest.mark.parametrize(
    ("look", "key", "word"),
    [
        (reading(row(NIFTY, depth=False)), NIFTY, "index"),
        (reading(row(RELIANCE, depth=False)), RELIANCE, "Nobody"),
        (reading(keys=(RELIANCE,)), RELIANCE, "No quote"),
    ],
)
def test_an_empty_ladder_says_why(look, key, word):
    data = depth_data(look, key)

    assert data["bids"] == data["asks"] == []
    assert word in data["note"]


def test_facts_leave_out_what_an_instrument_does_not_have():
    facts = day_facts(reading(row(RELIANCE)), RELIANCE)

    assert facts["Circuits"] == "1,341.00 to 1,639.00"
    assert facts["Instrument key"] == RELIANCE
    assert "Open interest" not in facts
    assert day_facts(reading(keys=("X|Y",)), "X|Y") == {"Instrument key": "X|Y"}


def test_facts_of_an_old_quote_are_grey_and_those_of_the_instrument_are_not():
    assert {one["tone"] for one in fact_rows(reading(row(RELIANCE)), RELIANCE)} == {""}

    rows = fact_rows(reading(row(RELIANCE), problem=NotSent("refused")), RELIANCE)
    assert [one["name"] for one in rows if not one["tone"]] == [
        "Tick / lot", "Freeze quantity", "ISIN", "Instrument key",
    ]  # fmt: skip
    assert {one["name"] for one in rows if one["tone"] == "muted"} >= {"Day range", "Circuits", "Last trade"}


def test_movers_are_ranked_and_what_stood_still_is_neither():
    look = reading(row("A", 110, 100), row("B", 90, 100), row("C", 100, 100), row("D", 105, 100), row("E", 100, None))

    assert movers(look) == (["A", "D"], ["B"])
    assert movers(look, most=1) == (["A"], ["B"])
    assert breadth(look) == (2, 1, 1)
    assert movers(reading()) == ([], [])
    assert breadth_words(look, "Mine") == "Mine: 2 up ▲, 1 down ▼, 1 unchanged, 1 not known"
    assert breadth_words(reading(keys=("A",)), "Mine") == "Mine"


def test_the_busiest_are_ranked_by_units_and_what_has_no_volume_is_none_of_them():
    many = QuoteRow({**row("A"), "volume": 500})
    few = QuoteRow({**row("B"), "volume": 20})
    none = QuoteRow({**row("C"), "volume": None})

    assert busiest(reading(few, none, many)) == ["A", "B"]
    assert busiest(reading(few, none, many), most=1) == ["A"]


def test_a_tile_tells_change_price_and_what_was_traded_in_rupees():
    data = heat_data(reading(row(RELIANCE), keys=(RELIANCE, INFY)), by_value=True)

    assert [(tile["s"], tile["pc"], tile["ltp"], tile["w"]) for tile in data["tiles"]] == [
        ("RELIANCE", 0.6711, 1500.0, 1.8e9)
    ]
    assert (data["sized"], data["unsized"], data["missing"]) == (True, False, 1)


def test_tiles_are_equal_where_nothing_tells_what_was_traded():
    index = QuoteRow({**row(NIFTY), "volume": None})

    data = heat_data(reading(index), by_value=True)
    assert (data["sized"], data["unsized"]) == (False, True)
    assert heat_data(reading(row(RELIANCE)), by_value=False)["sized"] is False


def test_tiles_of_a_broker_that_is_down_stay_and_are_marked():
    assert heat_data(reading(row(RELIANCE), problem=NotSent("refused")), by_value=False)["tiles"][0]["o"] is True


def test_search_results_tell_what_each_is_and_whether_the_list_has_it():
    data = results_data("nif", [INSTRUMENTS[NIFTY], INSTRUMENTS[FUTURE]], {NIFTY})

    assert [(item["s"], item["g"], item["had"]) for item in data["items"]] == [
        ("NIFTY", "NSE index", True),
        ("NIFTY FUT 24 NOV 26", "NSE 24 Nov 2026", False),
    ]
    assert data["note"] == ""


def test_an_empty_search_says_so_and_a_long_one_says_that_there_is_more():
    assert results_data("zzz", [], set())["note"] == "Nothing is called “zzz”."
    assert "type more" in results_data("a", [INSTRUMENTS[NIFTY]] * MOST, set())["note"]


def test_an_option_is_described_by_side_strike_and_lot():
    from datetime import date
    from decimal import Decimal

    call = Instrument(
        "NSE_FO|1", "NSE_FO", "NSE", "NIFTY 25000 CE", "NIFTY", "CE",
        lot_size=65, expiry=date(2026, 11, 24), strike=Decimal("25000.0"),
    )  # fmt: skip

    assert describe(call) == "NIFTY · call 25,000 · lot 65"
    assert describe(INSTRUMENTS[RELIANCE]) == "RELIANCE INDUSTRIES LTD · share, series EQ"
