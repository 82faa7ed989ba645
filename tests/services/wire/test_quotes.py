from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.domain.errors import MalformedPayload
from services.domain.quotes import DepthLevel, Ltp, Quote
from services.wire.quotes import parse_full_quotes, parse_ltp, parse_ohlc
from tests.support.payloads import data
from tests.support.shared_data import shared

TCS, BANK, OPTION = "NSE_EQ|INE467B01029", "NSE_INDEX|Nifty Bank", "NSE_FO|71234"
ROW = "NSE_EQ:TCS"


def one(**changes: Any) -> dict[str, Any]:
    rows = data("quotes_v3")
    return {ROW: rows[ROW] | changes}


def test_quotes_are_keyed_by_instrument_key() -> None:
    assert set(parse_full_quotes(data("quotes_v3"))) == {TCS, BANK, OPTION}


def test_a_v3_quote_has_every_value() -> None:
    quote = parse_full_quotes(data("quotes_v3"))[TCS]

    assert quote == Quote(
        key=TCS, symbol="TCS", ltp=2844.6, open=2810.0, high=2851.4, low=2802.25, prev_close=2802.75, volume=1520331,
        average_price=2831.17, oi=None, oi_day_high=None, oi_day_low=None, previous_oi=None, lower_circuit=2522.5,
        upper_circuit=3083.0, year_high=3710.0, year_low=2401.1, total_buy_quantity=210040, total_sell_quantity=187551,
        bids=(DepthLevel(2844.5, 120, 4), DepthLevel(2844.3, 75, 2), DepthLevel(2844.0, 900, 11)),
        asks=(DepthLevel(2844.7, 33, 1), DepthLevel(2845.0, 410, 9)),
        last_trade_time=datetime(2026, 11, 20, 4, 32, 10, 845000, UTC),
        exchange_time=datetime(2026, 11, 20, 4, 32, 11, 250000, UTC),
    )  # fmt: skip
    assert quote.change == 41.85
    assert type(quote) is Quote
    assert all(type(level) is DepthLevel for level in (*quote.bids, *quote.asks))


def test_fast_made_objects_are_as_frozen_as_ordinary_ones() -> None:
    quote = parse_full_quotes(data("quotes_v3"))[TCS]

    with pytest.raises(AttributeError):
        quote.ltp = 1.0  # type: ignore[misc]
    with pytest.raises(AttributeError):
        quote.bids[0].price = 1.0  # type: ignore[misc]
    assert hash(quote) == hash(parse_full_quotes(data("quotes_v3"))[TCS])


def test_v2_gives_the_same_quote_but_for_what_it_does_not_know() -> None:
    v3 = parse_full_quotes(data("quotes_v3"))[TCS]
    v2 = parse_full_quotes(data("quotes_v2"))[TCS]

    assert v2.prev_close == 2802.75  # last price less net change, without float noise
    assert (v2.year_high, v2.year_low) == (None, None)
    assert (v2.ltp, v2.bids, v2.volume, v2.upper_circuit, v2.exchange_time) == (
        v3.ltp, v3.bids, v3.volume, v3.upper_circuit, v3.exchange_time,
    )  # fmt: skip


@pytest.mark.parametrize("version", ["quotes_v2", "quotes_v3"])
def test_nulls_and_zeros_of_an_index_are_not_available(version: str) -> None:
    index = parse_full_quotes(data(version))[BANK]

    assert (index.volume, index.average_price, index.lower_circuit, index.upper_circuit) == (None, None, None, None)
    assert (index.oi, index.total_buy_quantity, index.total_sell_quantity) == (None, None, None)
    assert (index.bids, index.asks) == ((), ())
    assert index.prev_close == 58134.75


def test_an_option_that_has_not_traded_today_has_real_zeros_and_missing_prices() -> None:
    option = parse_full_quotes(data("quotes_v3"))[OPTION]

    assert (option.volume, option.total_sell_quantity, option.previous_oi) == (0, 0, 0)
    assert (option.open, option.high, option.low, option.average_price) == (None, None, None, None)
    assert option.oi == 18450
    assert option.last_trade_time is None
    assert option.bids == (DepthLevel(12.05, 1300, 2),)


def test_an_instrument_without_a_price_is_left_out_like_a_silent_one() -> None:
    assert parse_full_quotes(one(last_price=None)) == {}
    assert parse_full_quotes({}) == {}


@pytest.mark.parametrize("absent", ["depth", "timestamp", "last_trade_time", "symbol", "volume", "net_change"])
def test_optional_members_may_be_null_or_absent(absent: str) -> None:
    rows = one(**{absent: None})
    assert set(parse_full_quotes(rows)) == {TCS}

    del rows[ROW][absent]
    assert set(parse_full_quotes(rows)) == {TCS}


def test_prices_printed_as_whole_numbers_are_taken() -> None:
    rows = one(last_price=2844, depth={"buy": [{"price": 2844, "quantity": 12.0, "orders": 1.0}], "sell": []})

    assert parse_full_quotes(rows)[TCS].bids == (DepthLevel(2844.0, 12, 1),)


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("last_price", "2844.6"), ("last_price", True), ("last_price", {}), ("instrument_token", None),
        ("instrument_token", ""), ("instrument_token", 5), ("symbol", 5), ("volume", "many"), ("volume", []),
        ("oi", "0"),
        ("net_change", "1"), ("prev_close_price", "x"), ("year_high", []), ("upper_circuit_limit", {}),
        ("total_buy_quantity", "1"), ("ohlc", []), ("ohlc", "no"), ("depth", []), ("depth", "x"),
        ("timestamp", "yesterday"), ("timestamp", "2026-11-20T10:02:11"), ("timestamp", 5), ("last_trade_time", "soon"),
        ("last_trade_time", [1]),
    ],
)  # fmt: skip
def test_a_member_of_a_wrong_type_is_named(member: str, value: object) -> None:
    with pytest.raises(MalformedPayload) as caught:
        parse_full_quotes(one(**{member: value}))

    assert caught.value.field.startswith(f"data[{ROW}].{member}")


@pytest.mark.parametrize("member", ["last_price", "instrument_token", "ohlc"])
def test_a_missing_member_that_every_quote_has_is_named(member: str) -> None:
    rows = one()
    del rows[ROW][member]

    with pytest.raises(MalformedPayload) as caught:
        parse_full_quotes(rows)

    assert caught.value.field == f"data[{ROW}].{member}"


@pytest.mark.parametrize(
    ("depth", "field"),
    [
        ({"buy": [{"price": "1", "quantity": 1, "orders": 1}], "sell": []}, "depth.buy[0].price"),
        ({"buy": [], "sell": [{"price": 1.0, "quantity": "x", "orders": 1}]}, "depth.sell[0].quantity"),
        ({"buy": [], "sell": [{"price": 1.0, "quantity": 1, "orders": "x"}]}, "depth.sell[0].orders"),
        ({"buy": [{"price": 1.0, "quantity": 1}], "sell": []}, "depth.buy[0].orders"),
        ({"buy": [7], "sell": []}, "depth.buy[0]"),
        ({"sell": []}, "depth.buy"),
        ({"buy": 3, "sell": []}, "depth.buy"),
    ],
)
def test_a_wrong_depth_is_named_by_level(depth: object, field: str) -> None:
    with pytest.raises(MalformedPayload) as caught:
        parse_full_quotes(one(depth=depth))

    assert caught.value.field == f"data[{ROW}].{field}"


@pytest.mark.parametrize("raw", [None, [], "x", 5, {"a": None}, {"a": []}, {"a": 1}, {"a": {}}])
@pytest.mark.parametrize("parse", [parse_full_quotes, parse_ltp, parse_ohlc])
def test_another_shape_altogether_is_malformed(parse: Any, raw: object) -> None:
    with pytest.raises(MalformedPayload):
        parse(raw)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=300, deadline=None)
@given(member=st.sampled_from(sorted(data("quotes_v3")[ROW])), value=json_values)
def test_whatever_one_member_holds_the_answer_is_a_quote_or_a_malformed_payload(member: str, value: object) -> None:
    rows = one(**{member: value})

    for parse in (parse_full_quotes, parse_ltp):
        with suppress(MalformedPayload):
            assert all(isinstance(quote, (Quote, Ltp)) for quote in parse(rows).values())


def test_ltp_of_v3_and_v2() -> None:
    v3, v2 = parse_ltp(data("ltp_v3")), parse_ltp(data("ltp_v2"))

    assert v3[TCS] == Ltp(TCS, 2844.6, 7, 1520331, 2802.75)
    assert v3[BANK] == Ltp(BANK, 58120.55, None, None, 58134.75)
    assert v2[TCS] == Ltp(TCS, 2844.6, None, None, None)
    assert parse_ltp({"a": {"instrument_token": TCS, "last_price": None}}) == {}


@pytest.mark.parametrize("member", ["last_price", "ltq", "volume", "cp"])
def test_a_wrong_member_of_a_light_quote_is_named(member: str) -> None:
    rows = data("ltp_v3")
    rows[ROW][member] = "12"

    with pytest.raises(MalformedPayload) as caught:
        parse_ltp(rows)

    assert caught.value.field == f"data[{ROW}].{member}"


def test_ohlc_of_a_day_has_no_previous_bar() -> None:
    quote = parse_ohlc(data("ohlc_v3_day"))[TCS]

    assert quote.previous is None
    assert quote.live is not None
    assert quote.live.start == datetime(2026, 11, 19, 18, 30, tzinfo=UTC)
    assert (quote.live.open, quote.live.close, quote.live.volume) == (2810.0, 2844.6, 1520331)


def test_ohlc_of_a_minute_has_the_last_finished_one() -> None:
    quote = parse_ohlc(data("ohlc_v3_minute"))[TCS]

    assert quote.previous is not None
    assert quote.live is not None
    assert quote.live.start - quote.previous.start == timedelta(minutes=1)


def test_neither_start_nor_volume_of_a_v2_bar_is_made_up() -> None:
    quote = parse_ohlc(data("ohlc_v2"))[TCS]

    assert quote.live is not None
    assert (quote.live.start, quote.live.volume) == (None, None)
    assert (quote.ltp, quote.live.high, quote.previous) == (2844.6, 2851.4, None)


def test_a_volume_of_zero_is_kept_for_a_share_and_unknown_for_an_index() -> None:
    rows = data("ohlc_v3_day")
    rows[ROW]["live_ohlc"]["volume"] = 0
    share = parse_ohlc(rows)[TCS]
    rows[ROW]["instrument_token"] = "NSE_INDEX|Nifty 50"
    index = parse_ohlc(rows)["NSE_INDEX|Nifty 50"]

    assert share.live is not None
    assert index.live is not None
    assert (share.live.volume, index.live.volume) == (0, None)


def test_a_bar_of_zeros_is_no_bar() -> None:
    rows = data("ohlc_v3_day")
    rows[ROW]["live_ohlc"] |= {"open": 0.0, "high": 0.0, "low": 0.0}

    assert parse_ohlc(rows)[TCS].live is None


@pytest.mark.parametrize(
    ("sample", "key", "ltp"),
    [
        ("get-full-market-quote.json", "NSE_EQ|INE848E01016", 52.04999923706055),
    ],
)
def test_the_documented_full_quote_is_read(sample: str, key: str, ltp: float) -> None:
    rows = orjson.loads(shared(f"data/upstox_api_samples/{sample}").read_bytes())["data"]

    quote = parse_full_quotes(rows)[key]

    assert quote.ltp == ltp
    assert quote.bids == (DepthLevel(52.05, 6917, 20),)
    assert quote.asks == ()
    assert quote.total_sell_quantity == 0
    assert quote.prev_close == pytest.approx(53.1)


def test_the_documented_light_quotes_are_read() -> None:
    folder = shared("data/upstox_api_samples")

    ltp = parse_ltp(orjson.loads((folder / "ltp-v3.json").read_bytes())["data"])
    ohlc = parse_ohlc(orjson.loads((folder / "get-market-quote-ohlc-v3.json").read_bytes())["data"])

    assert ltp["NSE_FO|51834"] == Ltp("NSE_FO|51834", 303.9, 75, 170325, 29.0)
    assert ohlc["NSE_FO|51834"].live is not None


@pytest.mark.parametrize("name", ["quote_full_v2", "quote_full_v3"])
def test_the_fact_sheets_examples_are_read(name: str) -> None:
    rows = orjson.loads(shared(f"upstox/examples/{name}.json").read_bytes())["data"]

    quotes = parse_full_quotes(rows)

    assert quotes["NSE_EQ|INE002A01018"].prev_close == 1465.2
    assert len(quotes["NSE_EQ|INE002A01018"].asks) == 5
