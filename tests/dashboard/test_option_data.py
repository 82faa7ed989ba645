"""What an option chain shows: the broker's chain, newer quotes over it, the feed's greeks over that."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from dashboard.option_columns import CHOICE, CHOOSABLE, DEFAULT, columns
from dashboard.option_data import Chain, LiveGreeks, centre_of, chain_data, of_contracts
from dashboard.push.fields import FIELDS
from services.domain.clock import epoch_ms
from services.domain.errors import NotSent
from services.domain.instruments import Underlying
from services.domain.quote_row import QuoteRow
from services.domain.quotes import FROM_FEED
from tests.support.option_chains import EXPIRY, NIFTY_OPTIONS, chain_row, contract, side
from tests.support.readings import NIFTY, NOW, reading, row

COLUMNS = columns(["bid_ask", "iv", "delta", "volume", "oi_change", "oi"])
PLACE = {column.id: place for place, column in enumerate(COLUMNS)}
ROWS = (
    chain_row(24_000, call=side("C24", ltp=520.0, oi=40, volume=100), put=side("P24", ltp=10.0, oi=10, volume=400)),
    chain_row(24_500, call=side("C245", ltp=120.0, oi=20, volume=300), put=side("P245", ltp=110.0, oi=30, volume=50)),
    chain_row(25_000, call=side("C25", ltp=8.0, oi=5, volume=100), put=None),
)
CHAIN = Chain(NIFTY_OPTIONS, EXPIRY, ROWS, NOW - timedelta(seconds=10))


def data(chain=CHAIN, look=None, greeks=None, strikes=None, shown=COLUMNS):
    return chain_data(chain, shown, strikes or chain.strikes, look or reading(row(NIFTY, 24_512.0)), greeks or {})


def one(told, strike, name):
    return next(row[name] for row in told["rows"] if row["s"] == strike)


def test_without_quotes_the_chain_tells_all_with_its_own_age():
    call = one(data(), 24_000, "c")

    assert call["k"] == "NSE_FO|C24"
    assert (call["a"], call["feed"], call["o"]) == (10.0, False, False)
    assert call["v"][PLACE["ltp"]] == [520.0, 4.0]
    assert call["v"][PLACE["bid_ask"]] == [519.5, 520.5]
    assert call["v"][PLACE["iv"]] == [14.2]
    assert call["v"][PLACE["oi_change"]] == [30.0]


def test_a_newer_quote_takes_the_place_of_the_chain_and_what_it_does_not_tell_stays():
    told = data(look=reading(row(NIFTY, 24_512.0), row("NSE_FO|C24", 530.0, 500.0, age=2.0)))
    call = one(told, 24_000, "c")

    assert call["v"][PLACE["ltp"]] == [530.0, 6.0]
    assert call["a"] == 2.0
    assert call["v"][PLACE["oi"]] == [40]


def test_an_older_quote_does_not():
    told = data(look=reading(row(NIFTY, 24_512.0), row("NSE_FO|C24", 530.0, 500.0, age=60.0)))

    assert one(told, 24_000, "c")["v"][PLACE["ltp"]] == [520.0, 4.0]


def test_the_last_word_of_a_living_feed_is_kept_however_old_it_is():
    old = QuoteRow({**row("NSE_FO|C24", 530.0, 500.0, age=60.0), "api_version": FROM_FEED})
    look = replace(reading(row(NIFTY, 24_512.0), old), feed={"live": True, "state": "connected", "why": ""})
    call = one(data(look=look), 24_000, "c")

    assert (call["v"][PLACE["ltp"]], call["feed"], call["a"]) == ([530.0, 6.0], True, 60.0)


def test_a_contract_whose_market_is_closed_tells_when_its_price_was_made():
    quote = row("NSE_FO|C24", 530.0, 500.0)
    closed, opened = (one(data(look=reading(quote, in_session=now)), 24_000, "c") for now in (False, True))

    assert (closed["p"], "p" in opened) == (epoch_ms(NOW), False)
    assert "p" not in one(data(look=reading(quote, in_session=False)), 24_500, "c")  # the chain does not tell it


def test_greeks_of_the_feed_go_before_those_of_the_chain_and_it_is_told_whose_they_are():
    told = data(greeks={"NSE_FO|C24": LiveGreeks(15.5, 0.91, -9.0, 0.0004, 6.1, 0.5)})
    call, put = one(told, 24_000, "c"), one(told, 24_000, "p")

    assert (call["v"][PLACE["iv"]], call["v"][PLACE["delta"]]) == ([15.5], [0.91])
    assert put["v"][PLACE["iv"]] == [14.2]
    assert told["greeks"] == {"feed": 1, "feed_age": 0.5, "chain": 4, "chain_age": 10.0}


def test_figures_are_of_the_whole_expiry_whatever_is_shown():
    told = data(strikes=[24_500.0])

    assert [row["s"] for row in told["rows"]] == [24_500]
    figures = told["figures"]
    assert (figures["count"], figures["atm"], figures["pain"]) == (3, 24_500, 24_000)
    assert figures["pcr_oi"] == pytest.approx(40 / 65)
    assert figures["pcr_volume"] == pytest.approx(450 / 500)
    assert figures["calls"] == {"oi": 65, "oi_change": 35.0, "volume": 500}


def test_a_side_that_the_broker_does_not_list_is_nothing():
    assert one(data(), 25_000, "p") is None


def test_the_underlying_is_told_by_its_quote_and_else_by_the_chain():
    by_quote, by_chain = data()["spot"], data(look=reading())["spot"]

    assert (by_quote["n"], by_quote["ltp"], by_quote["a"]) == ("Nifty 50", 24_512.0, 2.0)
    assert (by_chain["ltp"], by_chain["a"], by_chain["pc"]) == (24_480.0, 10.0, None)


def test_with_the_broker_down_every_contract_keeps_its_figures_and_is_marked():
    told = data(look=reading(problem=NotSent("refused"), in_session=True))

    sides = [row[name] for row in told["rows"] for name in "cp" if row[name]]
    assert all(side["o"] and side["v"][PLACE["ltp"]][0] > 0 for side in sides)


def test_a_chain_of_the_instrument_list_has_every_contract_and_no_figure_of_its_own():
    contracts = [contract("C1", "CE", 100), contract("P1", "PE", 100), contract("C2", "CE", 110.5)]
    chain = of_contracts(Underlying("X", "MCX_FO", "MCX", "X", "MCX_COM|1"), EXPIRY, contracts)
    told = data(chain, look=reading())

    assert chain.strikes == [100.0, 110.5]
    assert chain.spot_key is None
    assert one(told, 110.5, "p") is None
    assert one(told, 100, "c")["v"][PLACE["ltp"]] == [None, None]
    assert (told["sd"], told["figures"]["pcr_oi"], told["figures"]["atm"], told["spot"]["ltp"]) == (2, None, None, None)


def test_without_a_price_of_the_underlying_the_options_tell_where_the_money_is():
    contracts = [
        contract("C1", "CE", 100),
        contract("P1", "PE", 100),
        contract("C2", "CE", 110),
        contract("P2", "PE", 110),
    ]
    chain = of_contracts(Underlying("X", "MCX_FO", "MCX", "X", None), EXPIRY, contracts)
    quotes = [row(f"NSE_FO|{name}", price) for name, price in (("C1", 12.0), ("P1", 2.0), ("C2", 5.0), ("P2", 5.5))]

    assert centre_of(chain, reading(*quotes)) == 110


def test_two_hundred_contracts_with_every_column_are_compact_json():
    rows = tuple(
        chain_row(
            20_000 + 50 * n, call=side(f"C{n}", ltp=123.45, oi=1234567), put=side(f"P{n}", ltp=123.45, oi=1234567)
        )
        for n in range(100)
    )
    text = json.dumps(data(Chain(NIFTY_OPTIONS, EXPIRY, rows, NOW), shown=columns(CHOOSABLE)))

    assert len(text) < 60_000


def test_every_member_is_told_by_the_push_channel_or_is_a_greek():
    members = {name for column in CHOICE for name in column.members}

    assert members - set(FIELDS) == {"iv_percent", "delta", "theta", "gamma", "vega"}


def test_the_price_is_always_a_column_and_the_order_is_always_the_same():
    assert [column.id for column in columns(["oi", "bid_ask", "nonsense"])] == ["ltp", "bid_ask", "oi"]
    assert set(DEFAULT) <= set(CHOOSABLE)


def test_a_strike_of_another_expiry_is_no_part_of_it():
    assert CHAIN.keys([24_000.0, 99_999.0]) == ("NSE_FO|C24", "NSE_FO|P24")
