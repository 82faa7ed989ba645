"""The practice market behind its seam: same seed and instant, same answer; prices that hang together."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from services.paper.market import PracticeMarket
from services.paper.model import Snapshot
from tests.support.paper_market import MAHINDRA, NIFTY, RELIANCE, TCS, VIX, ist, key_of, practice_market

AT = ist("2026-11-20 11:15:04")
MARKET = practice_market()


def ticks(snapshot: Snapshot, price: float) -> float:
    tick = float(str(snapshot.listing.row.get("tick_size", 5.0))) / 100
    return price / tick


def is_whole(steps: float) -> bool:
    return abs(steps - round(steps)) < 1e-3


def test_everything_listed_has_a_sane_snapshot() -> None:
    for snapshot in MARKET.snapshots(MARKET.listings(AT), AT):
        assert 0 < snapshot.low <= snapshot.ltp <= snapshot.high
        assert snapshot.low <= snapshot.open <= snapshot.high
        assert snapshot.year_low <= snapshot.low <= snapshot.high <= snapshot.year_high
        assert snapshot.minute.low <= snapshot.ltp <= snapshot.minute.high
        assert snapshot.minute.close == snapshot.ltp
        assert snapshot.last_trade_ms <= snapshot.at_ms
        if snapshot.listing.segment.endswith("_INDEX"):
            assert (snapshot.volume, snapshot.upper_circuit, snapshot.bids) == (None, None, ())
            continue
        prices = [snapshot.ltp, snapshot.open, snapshot.high, snapshot.low]
        prices += [level.price for level in (*snapshot.bids, *snapshot.asks)]
        assert all(is_whole(ticks(snapshot, price)) for price in prices)
        assert snapshot.lower_circuit is not None
        assert snapshot.upper_circuit is not None
        assert snapshot.lower_circuit <= snapshot.low
        assert snapshot.high <= snapshot.upper_circuit
        assert snapshot.volume is not None
        assert snapshot.average_price is not None
        assert snapshot.volume == 0 or snapshot.low <= snapshot.average_price <= snapshot.high


def test_the_book_stands_around_the_last_price() -> None:
    for snapshot in MARKET.snapshots(MARKET.listings(AT), AT):
        bids, asks = snapshot.bids, snapshot.asks
        if not (bids and asks):
            continue
        assert bids[0].price < asks[0].price
        assert snapshot.ltp in {bids[0].price, asks[0].price}
        assert [level.price for level in bids] == sorted({level.price for level in bids}, reverse=True)
        assert [level.price for level in asks] == sorted({level.price for level in asks})
        assert all(level.quantity > 0 and 0 < level.orders <= level.quantity for level in (*bids, *asks))
        assert (snapshot.total_buy_quantity or 0) >= sum(level.quantity for level in bids)


def test_derivatives_trade_in_whole_lots() -> None:
    for snapshot in MARKET.snapshots(MARKET.listings(AT), AT):
        row = snapshot.listing.row
        if snapshot.listing.segment in {"NSE_FO", "BSE_FO"}:
            lot = int(str(row["lot_size"]))
            quantities = [
                snapshot.volume,
                snapshot.oi,
                snapshot.previous_oi,
                *(level.quantity for level in snapshot.bids),
            ]
            assert all(quantity is not None and quantity % lot == 0 for quantity in quantities)


def test_asking_in_another_order_or_later_gives_the_same_answers() -> None:
    keys = list(MARKET.listings(AT))[::37]
    asked_before = practice_market()
    asked_before.snapshots(keys[::-1], AT - timedelta(hours=1))
    asked_before.minute_bars(keys[3], AT)
    asked_before.snapshots(keys[5:], AT + timedelta(days=3))

    assert asked_before.snapshots(keys, AT) == practice_market().snapshots(keys, AT) == MARKET.snapshots(keys, AT)


def test_another_process_lives_the_same_day_and_another_seed_another_one() -> None:
    keys = [RELIANCE, NIFTY, VIX, key_of(MARKET, AT, "NIFTY26NOV24500CE")]
    program = (
        "from tests.support.paper_market import practice_market, ist\n"
        f"print([s.ltp for s in practice_market().snapshots({keys!r}, ist('2026-11-20 11:15:04'))])"
    )

    told = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).resolve().parents[3],
    )

    assert told.stdout.strip() == str([snapshot.ltp for snapshot in MARKET.snapshots(keys, AT)])
    other = practice_market(seed=8).snapshots(keys, AT)
    assert all(a.ltp != b.ltp for a, b in zip(other, MARKET.snapshots(keys, AT), strict=True))


def test_the_dated_closes_are_the_real_ones() -> None:
    market = practice_market("2026-08-24T09:15:00+05:30")

    snapshots = market.snapshots([NIFTY, RELIANCE, MAHINDRA, TCS], ist("2026-08-24 09:15:00"))

    assert [snapshot.prev_close for snapshot in snapshots] == [24252.0, 1316.0, 3412.2, 2302.0]


@pytest.mark.parametrize("clock", ["always", "exchange"])
def test_a_day_ends_where_the_next_one_starts(clock: str) -> None:
    market = practice_market(clock)
    keys = [
        NIFTY,
        RELIANCE,
        "BSE_EQ|INE002A01018",
        key_of(market, AT, "NIFTY26DECFUT"),
        key_of(market, AT, "GOLD26DECFUT"),
    ]
    evening = ist("2026-11-21 03:29:59")
    morning = ist("2026-11-21 03:30:00") if clock == "always" else ist("2026-11-23 09:15:00")

    before, after = market.snapshots(keys, evening), market.snapshots(keys, morning)

    assert [snapshot.ltp for snapshot in before] == [snapshot.prev_close for snapshot in after]
    assert all(snapshot.previous_oi == old.oi for snapshot, old in zip(after, before, strict=True))


def test_outside_its_hours_the_last_values_stand() -> None:
    market = practice_market("exchange")
    at_the_close, at_night, on_sunday = (
        market.snapshots([RELIANCE], ist(text))[0]
        for text in ("2026-11-20 15:30:00", "2026-11-20 23:00:00", "2026-11-22 12:00:00")
    )

    for later in (at_night, on_sunday):
        assert (later.ltp, later.volume, later.prev_close, later.bids) == (
            at_the_close.ltp,
            at_the_close.volume,
            at_the_close.prev_close,
            at_the_close.bids,
        )
    assert len(market.minute_bars(RELIANCE, ist("2026-11-22 12:00:00"))) == 375


def test_in_the_practice_market_everything_moves_at_midnight() -> None:
    market = practice_market("always")
    midnight = ist("2026-11-22 00:00:00")
    keys = [NIFTY, RELIANCE, key_of(market, midnight, "USDINR26NOVFUT"), key_of(market, midnight, "CRUDEOIL26DECFUT")]

    seen = [tuple(s.ltp for s in market.snapshots(keys, midnight + timedelta(seconds=n))) for n in range(0, 120, 4)]

    assert all(len(set(prices)) >= 3 for prices in zip(*seen, strict=True))


def test_within_a_day_volume_and_the_range_only_grow() -> None:
    keys = [*list(MARKET.listings(AT))[::50], RELIANCE]
    before = MARKET.snapshots(keys, AT)
    for seconds in (1, 7, 55, 56, 57, 130, 1800, 15_000, 90_000):
        now = MARKET.snapshots(keys, AT + timedelta(seconds=seconds)) if seconds < 16_000 else before
        for old, new in zip(before, now, strict=True):
            assert (new.volume or 0) >= (old.volume or 0)
            assert new.high >= old.high
            assert new.low <= old.low
            assert new.open == old.open
        before = now


def test_snapshots_agree_with_the_bars_of_the_day() -> None:
    future = key_of(MARKET, AT, "BANKNIFTY26NOVFUT")
    for key in (RELIANCE, NIFTY, future, key_of(MARKET, AT, "NIFTY26NOV24500PE")):
        (snapshot,) = MARKET.snapshots([key], AT)
        bars = MARKET.minute_bars(key, AT)

        assert len(bars) == 121
        assert (bars[0].open, bars[-1].close) == (snapshot.open, snapshot.ltp)
        assert max(bar.high for bar in bars) == snapshot.high
        assert min(bar.low for bar in bars) == snapshot.low
        assert sum(bar.volume for bar in bars) == (snapshot.volume or 0)
        assert (bars[-1], bars[-2]) == (snapshot.minute, snapshot.last_minute)


def test_every_second_lies_in_its_minutes_bar() -> None:
    start = ist("2026-11-20 13:20:00")
    seconds = [MARKET.snapshots([RELIANCE], start + timedelta(seconds=n))[0].ltp for n in range(60)]
    (bar,) = [
        bar
        for bar in MARKET.minute_bars(RELIANCE, start + timedelta(minutes=1))
        if bar.start_ms == start.timestamp() * 1000
    ]

    assert (bar.open, bar.close) == (seconds[0], seconds[-1])
    assert (bar.high, bar.low) == (max(seconds), min(seconds))
    assert len(set(seconds)) > 5


def test_futures_stand_above_spot_and_puts_and_calls_agree() -> None:
    future, call, put, spot, vix = MARKET.snapshots(
        [
            key_of(MARKET, AT, "NIFTY26DECFUT"),
            key_of(MARKET, AT, "NIFTY26DEC24500CE"),
            key_of(MARKET, AT, "NIFTY26DEC24500PE"),
            NIFTY,
            VIX,
        ],
        AT,
    )

    assert spot.ltp * 1.002 < future.ltp < spot.ltp * 1.01
    assert call.ltp - put.ltp == pytest.approx(future.ltp - 24500, rel=0.05, abs=2)
    assert call.greeks is not None
    assert put.greeks is not None
    assert 0 < call.greeks.delta < 1
    assert call.greeks.delta - put.greeks.delta == pytest.approx(1, abs=0.02)
    assert call.greeks.iv == pytest.approx(vix.ltp / 100, rel=0.3)
    assert call.greeks.theta < 0 < call.greeks.vega


def test_unlisted_keys_are_a_key_error() -> None:
    with pytest.raises(KeyError):
        MARKET.snapshots([RELIANCE, "NSE_EQ|INE000000000"], AT)
    with pytest.raises(KeyError):
        MARKET.minute_bars("nonsense", AT)


@pytest.mark.parametrize("text", ["2016-06-15 11:00:00", "2021-03-10 14:00:00", "2030-10-08 10:00:00"])
def test_any_day_of_fifteen_years_has_a_market(text: str) -> None:
    market = practice_market("2026-11-20T11:15:04+05:30")

    snapshots = market.snapshots(market.listings(ist(text)), ist(text))

    assert len(snapshots) > 500
    nifty = next(snapshot for snapshot in snapshots if snapshot.listing.key == NIFTY)
    assert 9_000 < nifty.ltp < 60_000


def correlations(market: PracticeMarket, text: str) -> tuple[list[float], list[float], list[int]]:
    end = ist(text)
    index = np.diff(np.log([bar.close for bar in market.minute_bars(NIFTY, end)]))
    volatility, together, still = [], [], []
    for key in [key for key in market.listings(end) if key.startswith("NSE_EQ|")]:
        steps = np.diff(np.log([bar.close for bar in market.minute_bars(key, end)]))
        volatility.append(float(steps.std() * np.sqrt(steps.size * 252)))
        together.append(float(np.corrcoef(steps, index)[0, 1]))
        moved = np.flatnonzero(np.append(steps != 0, True))
        still.append(int(np.diff(moved, prepend=-1).max()) - 1)
    return volatility, together, still


@pytest.mark.parametrize(("clock", "end"), [("exchange", "2026-11-20 15:14:59"), ("always", "2026-11-21 03:29:59")])
def test_a_day_looks_like_a_day(clock: str, end: str) -> None:
    volatility, together, still = correlations(practice_market(clock), end)

    assert np.percentile(volatility, [2, 98]).tolist() == pytest.approx([0.28, 0.28], abs=0.2)
    assert 0.35 < float(np.median(together)) < 0.65
    assert np.percentile(together, 5) > 0.25
    assert np.percentile(together, 99) < 0.85
    assert np.median(still) <= 2
    assert max(still) <= 12


def test_volume_and_movement_are_higher_at_the_open_and_the_close() -> None:
    end = ist("2026-11-20 15:30:00")
    hours = np.zeros(6)
    for key in [key for key in MARKET.listings(end) if key.startswith("NSE_EQ|")][:60]:
        volume = np.array([bar.volume for bar in MARKET.minute_bars(key, end)], dtype=float)
        hours += [part.sum() / volume.sum() for part in np.array_split(volume, 6)]

    assert hours[0] > 1.5 * hours[2]
    assert hours[5] > 1.15 * hours[2]


RELIANCE_BSE, ABBOTT = "BSE_EQ|INE002A01018", "NSE_EQ|INE358A01014"


@pytest.mark.parametrize(
    ("day", "first", "end"), [("2026-08-03", 360, 375), ("2026-11-20", 360, 375), ("2026-12-08", 375, 385)]
)
@pytest.mark.parametrize("key", [RELIANCE, RELIANCE_BSE, NIFTY, "BSE_INDEX|SENSEX"])
def test_in_the_closing_auction_a_price_stands_and_jumps_once(key: str, day: str, first: int, end: int) -> None:
    market = practice_market(f"{day}T11:15:00+05:30")
    bars = market.minute_bars(key, ist(f"{day} 15:59:00"))

    assert len(bars) == end
    auction = bars[first:]
    standing = bars[first - 1].close
    (printed,) = [n for n, bar in enumerate(auction) if bar.open != bar.close]
    assert len(auction) - printed in {1, 2}, "within the last two minutes"
    jump = auction[printed]
    assert (jump.open, {jump.high, jump.low}) == (standing, {standing, jump.close})
    for bar in (*auction[:printed], *auction[printed + 1 :]):
        price = standing if bar.start_ms < jump.start_ms else jump.close
        assert (bar.open, bar.high, bar.low, bar.close, bar.volume) == (price, price, price, price, 0)
    assert (jump.volume > 0) is key.startswith(("NSE_EQ", "BSE_EQ"))


def test_the_auction_second_by_second() -> None:
    before = MARKET.snapshots([RELIANCE], ist("2026-11-20 15:14:59"))[0]
    seen = [MARKET.snapshots([RELIANCE], ist("2026-11-20 15:15:00") + timedelta(seconds=n))[0] for n in range(900)]

    prices = [snapshot.ltp for snapshot in seen]
    (jump,) = np.flatnonzero(np.diff(prices)) + 1
    assert 13 * 60 < jump < 15 * 60
    assert prices[0] == before.ltp
    assert {(s.volume, s.last_trade_ms, s.ltp) for s in seen[:jump]} == {
        (before.volume, before.last_trade_ms, before.ltp)
    }
    assert before.last_trade_ms == before.at_ms
    assert seen[jump].last_trade_ms == seen[jump].at_ms, "the result is a trade"
    assert (seen[jump].volume or 0) > (before.volume or 0)
    assert len({(s.volume, s.last_trade_ms, s.ltp, s.average_price) for s in seen[jump:]}) == 1
    assert MARKET.snapshots([RELIANCE], ist("2026-11-23 09:15:00"))[0].prev_close == seen[-1].ltp


def test_meanwhile_everything_else_trades_on() -> None:
    at = ist("2026-11-20 15:15:00")
    future, option = key_of(MARKET, at, "NIFTY26DECFUT"), key_of(MARKET, at, "NIFTY26NOV23600CE")

    for key, last in ((ABBOTT, 375), (VIX, 375), (future, 385), (option, 385)):
        bars = MARKET.minute_bars(key, ist("2026-11-20 15:59:00"))
        assert len(bars) == last
        assert len({bar.close for bar in bars[360:]}) > 5


def test_there_is_no_auction_before_august_and_none_in_practice() -> None:
    for clock, text, count in (("exchange", "2026-07-31 15:59:00", 375), ("always", "2026-11-21 03:29:59", 1440)):
        bars = practice_market(clock).minute_bars(RELIANCE, ist(text))

        assert len(bars) == count
        changes = np.diff([bar.close for bar in bars])
        assert np.diff(np.flatnonzero(np.append(changes, 1.0) != 0)).max() < 12


def test_a_day_in_two_parts_rests_between_them() -> None:
    market = practice_market("2024-03-02T11:00:00+05:30")
    noon = market.snapshots([RELIANCE, NIFTY], ist("2024-03-02 11:00:00"))
    later = market.snapshots([RELIANCE, NIFTY], ist("2024-03-02 11:29:59"))

    bars = market.minute_bars(RELIANCE, ist("2024-03-02 12:29:59"))

    assert [(s.ltp, s.volume, s.last_trade_ms) for s in noon] == [(s.ltp, s.volume, s.last_trade_ms) for s in later]
    assert noon[0].last_trade_ms == ist("2024-03-02 09:59:59").timestamp() * 1000
    assert {bar.close for bar in bars[45:135]} == {bars[44].close}
    assert sum(bar.volume for bar in bars[45:135]) == 0
    assert len({bar.close for bar in bars[135:]}) > 10


def test_an_evening_session_is_a_day_of_its_own() -> None:
    market = practice_market("2025-10-21T14:00:00+05:30")

    (snapshot,) = market.snapshots([RELIANCE], ist("2025-10-21 14:44:59"))

    assert len(market.minute_bars(RELIANCE, ist("2025-10-21 23:00:00"))) == 60
    assert market.snapshots([RELIANCE], ist("2025-10-23 09:15:00"))[0].prev_close == snapshot.ltp


def test_spreads_of_liquid_shares_are_one_to_three_ticks() -> None:
    keys = [RELIANCE, MAHINDRA, TCS]
    wide = [
        round(ticks(s, s.asks[0].price - s.bids[0].price))
        for n in range(0, 900, 9)
        for s in MARKET.snapshots(keys, AT + timedelta(seconds=n))
    ]

    assert set(wide) <= {1, 2, 3}
    assert np.mean(wide) < 1.6
