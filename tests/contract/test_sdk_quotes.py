"""The official SDK reads every quote operation from the paper broker and gets the values that the market holds."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from services.paper.model import Market
from tests.contract.conftest import INFY, NIFTY, RELIANCE, upstox_client

KEYS = (RELIANCE, INFY, NIFTY)


@pytest.fixture
def held(market: Market, instant: datetime) -> dict[str, Any]:
    return {snap.listing.key: snap for snap in market.snapshots(KEYS, instant)}


def by_token(data: dict[str, Any]) -> dict[str, Any]:
    return {row.instrument_token: row for row in data.values()}


def test_full_quotes_v2_hold_the_markets_values(sdk: Any, held: dict[str, Any]) -> None:
    answer = upstox_client.MarketQuoteApi(sdk).get_full_market_quote(",".join(KEYS), "2.0")

    assert answer.status == "success"
    assert set(answer.data) == {"NSE_EQ:RELIANCE", "NSE_EQ:INFY", "NSE_INDEX:Nifty 50"}
    rows = by_token(answer.data)
    for key, snap in held.items():
        row = rows[key]
        assert row.last_price == snap.ltp
        assert row.net_change == pytest.approx(snap.ltp - snap.prev_close, abs=0.0051)
        assert (row.ohlc.open, row.ohlc.high, row.ohlc.low) == (snap.open, snap.high, snap.low)
        assert row.ohlc.close == snap.ltp, "the full quote's close is the running close"
        assert row.last_trade_time == str(snap.last_trade_ms)
    share, snap = rows[RELIANCE], held[RELIANCE]
    assert share.volume == snap.volume
    assert share.lower_circuit_limit == snap.lower_circuit
    assert share.upper_circuit_limit == snap.upper_circuit
    assert [(level.price, level.quantity, level.orders) for level in share.depth.buy] == [
        (level.price, level.quantity, level.orders) for level in snap.bids
    ]
    assert [level.price for level in share.depth.sell] == [level.price for level in snap.asks]
    assert len(rows[NIFTY].depth.buy) == 5
    assert all(level.price == 0 for level in rows[NIFTY].depth.buy)


def test_full_quotes_v3_add_previous_close_and_the_years_range(sdk: Any, held: dict[str, Any]) -> None:
    answer = upstox_client.MarketQuoteV3Api(sdk).get_full_market_quote_v3(instrument_key=",".join(KEYS))

    rows = by_token(answer.data)
    for key, snap in held.items():
        assert rows[key].last_price == snap.ltp
        assert rows[key].prev_close_price == snap.prev_close
        assert (rows[key].year_high, rows[key].year_low) == (snap.year_high, snap.year_low)
    assert rows[RELIANCE].ohlc.volume == held[RELIANCE].volume
    assert rows[RELIANCE].ohlc.ts == held[RELIANCE].day_start_ms
    assert rows[RELIANCE].cas_eligible is True


def test_ltp_v2_and_v3(sdk: Any, held: dict[str, Any]) -> None:
    old = by_token(upstox_client.MarketQuoteApi(sdk).ltp(",".join(KEYS), "2.0").data)
    new = by_token(upstox_client.MarketQuoteV3Api(sdk).get_ltp(instrument_key=",".join(KEYS)).data)

    for key, snap in held.items():
        assert old[key].last_price == new[key].last_price == snap.ltp
        assert new[key].cp == snap.prev_close
        assert new[key].volume == (snap.volume or 0)


def test_ohlc_v2_and_v3(sdk: Any, held: dict[str, Any]) -> None:
    old = by_token(upstox_client.MarketQuoteApi(sdk).get_market_quote_ohlc(RELIANCE, "1d", "2.0").data)
    day = by_token(upstox_client.MarketQuoteV3Api(sdk).get_market_quote_ohlc("1d", instrument_key=RELIANCE).data)
    minute = by_token(upstox_client.MarketQuoteV3Api(sdk).get_market_quote_ohlc("I1", instrument_key=RELIANCE).data)

    snap = held[RELIANCE]
    assert (old[RELIANCE].ohlc.open, old[RELIANCE].ohlc.high) == (snap.open, snap.high)
    assert day[RELIANCE].prev_ohlc is None
    assert (day[RELIANCE].live_ohlc.open, day[RELIANCE].live_ohlc.close) == (snap.open, snap.ltp)
    assert minute[RELIANCE].live_ohlc.ts == snap.minute.start_ms
    assert minute[RELIANCE].live_ohlc.volume == snap.minute.volume
    assert snap.last_minute is not None
    assert minute[RELIANCE].prev_ohlc.close == snap.last_minute.close


def test_greeks_contracts_and_chain_agree_with_each_other(sdk: Any, market: Market, instant: datetime) -> None:
    options = upstox_client.OptionsApi(sdk)
    contracts = options.get_option_contracts(NIFTY).data
    expiry = min(contract.expiry for contract in contracts)
    expiry_text = f"{expiry:%Y-%m-%d}" if hasattr(expiry, "strftime") else str(expiry)[:10]

    chain = options.get_put_call_option_chain(NIFTY, expiry_text).data

    listed = {c.instrument_key for c in contracts if str(c.expiry)[:10] == expiry_text}
    assert listed == {side.instrument_key for row in chain for side in (row.call_options, row.put_options)}
    near = min(chain, key=lambda row: abs(row.strike_price - row.underlying_spot_price))
    call = near.call_options.instrument_key
    greeks = by_token(upstox_client.MarketQuoteV3Api(sdk).get_market_quote_option_greek(instrument_key=call).data)
    [snap] = market.snapshots([call], instant)
    assert snap.greeks is not None
    assert greeks[call].last_price == near.call_options.market_data.ltp == snap.ltp
    assert greeks[call].delta == pytest.approx(snap.greeks.delta, abs=1e-4)
    assert greeks[call].iv == pytest.approx(snap.greeks.iv, abs=1e-4)
    assert near.call_options.option_greeks.iv == pytest.approx(snap.greeks.iv * 100, abs=1e-2)
    lots = {c.lot_size for c in contracts}
    assert lots == {65}
    assert {c.freeze_quantity for c in contracts} == {1755}


def test_todays_bars_come_newest_first_with_indian_stamps(sdk: Any, market: Market, instant: datetime) -> None:
    answer = upstox_client.HistoryV3Api(sdk).get_intra_day_candle_data(RELIANCE, "minutes", "1")

    bars = market.minute_bars(RELIANCE, instant)
    assert len(answer.data.candles) == len(bars) == 121
    newest, oldest = answer.data.candles[0], answer.data.candles[-1]
    assert oldest[0] == "2026-11-20T09:15:00+05:30"
    assert newest[0] == "2026-11-20T11:15:00+05:30"
    assert oldest[1:5] == [bars[0].open, bars[0].high, bars[0].low, bars[0].close]
    assert newest[5] == bars[-1].volume


def test_one_bad_key_fails_the_whole_batch(sdk: Any) -> None:
    with pytest.raises(upstox_client.rest.ApiException) as caught:
        upstox_client.MarketQuoteV3Api(sdk).get_ltp(instrument_key=f"{RELIANCE},NSE_EQ|XXXX")

    assert caught.value.status == 400
    assert b"UDAPI1087" in caught.value.body
    assert b"NSE_EQ|XXXX" in caught.value.body


def test_more_keys_than_the_limit_are_refused(sdk: Any) -> None:
    keys = ",".join([RELIANCE, *(f"NSE_EQ|INE{n:06d}011" for n in range(500))])

    with pytest.raises(upstox_client.rest.ApiException) as caught:
        upstox_client.MarketQuoteV3Api(sdk).get_ltp(instrument_key=keys)

    assert b"UDAPI100043" in caught.value.body
