"""Candles of finished days: they agree with each other, with the quotes of their day, and with the files."""

from __future__ import annotations

import csv
import gc
import tracemalloc
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from services.domain.clock import IST
from services.paper.bars import MINUTE_MS, daily, grouped, midnights, ordinals
from services.paper.candles import CandleDay, CandleStore, DailyRow, read_candles
from services.paper.market import PracticeMarket
from services.paper.model import Bars
from tests.support.paper_market import NIFTY, RELIANCE, TCS, VIX, ist, key_of, practice_market
from tests.support.shared_data import shared

AT = ist("2026-11-20 11:15:04")
MARKET = practice_market()
RELIANCE_BSE, JIOFIN = "BSE_EQ|INE002A01018", "NSE_EQ|INE758E01017"


def day(text: str) -> date:
    return date.fromisoformat(text)


def rows(bars: Bars) -> list[tuple[float, ...]]:
    """Start, prices, volume and interest of each bar."""
    return [
        (start, *prices, volume, interest)
        for start, prices, volume, interest in zip(
            bars.start_ms.tolist(), bars.prices.tolist(), bars.volume.tolist(), bars.interest.tolist(), strict=True
        )
    ]


def clock_times(bars: Bars) -> list[str]:
    return [f"{datetime.fromtimestamp(start / 1000, IST):%H:%M}" for start in bars.start_ms.tolist()]


def contracts() -> list[str]:
    names = ("NIFTY26NOVFUT", "NIFTY26NOV24500CE", "GOLD26DECFUT", "USDINR26NOVFUT", "RELIANCE26DECFUT")
    return [key_of(MARKET, AT, name) for name in names]


@pytest.mark.parametrize("clock", ["exchange", "always"])
def test_minutes_make_the_days_and_each_day_starts_from_the_one_before(clock: str) -> None:
    market = practice_market(clock)
    for key in (RELIANCE, RELIANCE_BSE, NIFTY, VIX, "NSE_EQ|INE358A01014", *contracts()):
        first, last = day("2026-10-26"), day("2026-11-19")

        minutes, days = market.minutes(key, first, last, AT), market.days(key, first, last, AT)

        session = minutes.opening_ms - (0 if clock == "exchange" else 210 * MINUTE_MS)
        made = daily(minutes, (session - midnights(np.array([0]))[0]) // 86_400_000)
        assert rows(made) == rows(days), key
        assert len(days) >= 17 or key == contracts()[1], "the option is younger"
        (snapshot,) = market.snapshots([key], AT)
        assert days.prices[-1, 3] == snapshot.prev_close


def test_history_is_what_the_quotes_showed_on_that_day() -> None:
    for key in (RELIANCE, RELIANCE_BSE, NIFTY, VIX, *contracts()):
        yesterday = MARKET.days(key, day("2026-11-19"), day("2026-11-19"), AT)
        (then,) = MARKET.snapshots([key], ist("2026-11-19 23:58:00"))

        told = [yesterday.prices[0].tolist(), int(yesterday.volume[0]), int(yesterday.interest[0])]
        assert told == [[then.open, then.high, then.low, then.ltp], then.volume or 0, int(then.oi or 0)]


def test_the_years_range_of_a_quote_is_that_of_its_days() -> None:
    for key in (RELIANCE, NIFTY):
        days = MARKET.days(key, AT.date() - timedelta(days=365), AT.date(), AT)
        (snapshot,) = MARKET.snapshots([key], AT)

        assert snapshot.year_high == max(days.prices[:, 1].max(), snapshot.high)
        assert snapshot.year_low == min(days.prices[:, 2].min(), snapshot.low)


def test_today_makes_the_quote_and_is_not_in_the_history() -> None:
    for key in (RELIANCE, NIFTY, *contracts()):
        today = MARKET.today(key, AT)
        (snapshot,) = MARKET.snapshots([key], AT)
        whole = daily(today, np.zeros(len(today), dtype=np.int64))

        assert whole.prices[0].tolist() == [snapshot.open, snapshot.high, snapshot.low, snapshot.ltp]
        assert whole.volume[0] == (snapshot.volume or 0)
        assert today.start_ms[-1] == ist("2026-11-20 11:15:00").timestamp() * 1000
        history = MARKET.minutes(key, day("2026-11-19"), day("2026-11-30"), AT)
        assert set(ordinals(history).tolist()) == {day("2026-11-19").toordinal()}


def test_what_was_told_during_a_day_is_set_right_a_little_by_the_next() -> None:
    for key in (RELIANCE, NIFTY, contracts()[0]):
        during = MARKET.today(key, ist("2026-11-19 15:59:59"))
        after = MARKET.minutes(key, day("2026-11-19"), day("2026-11-19"), AT)
        fives = [grouped(bars, 5 * MINUTE_MS) for bars in (during, after)]

        assert during.start_ms.tolist() == after.start_ms.tolist()
        differ = (fives[0].prices != fives[1].prices).any(axis=1) | (fives[0].volume != fives[1].volume)
        assert 0.05 < differ.mean() < 0.5
        assert (during.prices[:, :3] == after.prices[:, :3]).all()
        assert np.abs(during.prices[:, 3] - after.prices[:, 3]).max() <= 0.25
        assert (during.prices[-1, 3], during.volume.sum()) == (after.prices[-1, 3], after.volume.sum())
        assert (after.volume >= 0).all()
        assert rows(after) == rows(practice_market().minutes(key, day("2026-11-19"), day("2026-11-19"), AT))


def test_every_bar_is_sound() -> None:
    for key in (RELIANCE, NIFTY, VIX, *contracts()):
        for bars in (
            MARKET.days(key, day("2016-11-20"), AT.date(), AT),
            MARKET.minutes(key, day("2026-08-20"), AT.date(), AT),
        ):
            opened, high, low, close = bars.prices.T
            assert (low > 0).all()
            assert (low <= np.minimum(opened, close)).all()
            assert (high >= np.maximum(opened, close)).all()
            assert (bars.volume >= 0).all()
            assert (np.diff(bars.start_ms) > 0).all()
            assert bool(bars.interest.any()) is (key in contracts())
            assert bool(bars.volume.any()) is not key.startswith("NSE_INDEX")


def test_ten_years_of_days_are_the_trading_days() -> None:
    days = MARKET.days(NIFTY, day("2016-11-20"), day("2026-11-19"), AT)
    of = {date.fromordinal(ordinal) for ordinal in ordinals(days).tolist()}

    assert 2460 < len(of) < 2520
    assert {day("2024-11-01"), day("2025-10-21"), day("2024-03-02"), day("2026-02-01")} <= of
    assert not {day("2026-01-26"), day("2026-11-15"), day("2024-11-02")} & of
    steps = np.diff(np.log(days.prices[:, 3]))
    assert 0.10 < steps.std() * np.sqrt(250) < 0.22


def test_a_year_of_minutes_is_worked_out_when_asked_for_and_not_kept() -> None:
    first, last = day("2025-11-20"), day("2026-11-19")
    MARKET.minutes(TCS, first, last, AT)
    gc.collect()
    tracemalloc.start()
    try:
        years = [MARKET.minutes(key, first, last, AT) for key in (RELIANCE, NIFTY)]
        held = tracemalloc.get_traced_memory()[0]
        sessions = [len(np.unique(ordinals(year))) for year in years]
        one = MARKET.minutes(RELIANCE, day("2026-03-24"), day("2026-03-24"), AT)
        again = years[0].take(ordinals(years[0]) == day("2026-03-24").toordinal())
        counts = [len(year) for year in years]
        del years
        gc.collect()
        kept = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()

    assert sessions[0] == sessions[1] == len(MARKET.days(RELIANCE, first, last, AT)) > 240
    assert min(counts) > 240 * 375
    assert rows(one) == rows(again)
    assert kept < held / 4  # a little cache of days


@pytest.mark.parametrize(
    ("key", "on", "hours"),
    [
        (RELIANCE, "2025-10-21", ("13:45", "14:44", 60)),
        (RELIANCE, "2024-11-01", ("18:00", "18:59", 60)),
        (RELIANCE, "2026-02-01", ("09:15", "15:29", 375)),
        (RELIANCE, "2024-03-02", ("09:15", "12:29", 105)),
        (NIFTY, "2026-08-03", ("09:15", "15:29", 375)),
        (NIFTY, "2026-11-08", ("18:15", "19:14", 60)),
        (RELIANCE, "2026-01-26", None),
        (RELIANCE, "2026-11-21", None),
    ],
)
def test_special_sessions_have_their_hours(key: str, on: str, hours: tuple[str, str, int] | None) -> None:
    at = ist("2026-11-30 12:00:00")
    minutes = practice_market("2026-11-30T12:00:00+05:30").minutes(key, day(on), day(on), at)

    found = clock_times(minutes)
    assert hours == ((found[0], found[-1], len(found)) if found else None)


def test_a_pause_has_no_bars_today_either() -> None:
    market = practice_market("2024-03-02T12:00:00+05:30")

    found = clock_times(market.today(RELIANCE, ist("2024-03-02 12:00:30")))

    assert found[44:46] == ["09:59", "11:30"]
    assert len(found) == 76


def test_commodities_have_their_evening() -> None:
    gold = key_of(MARKET, AT, "GOLD26DECFUT")

    found = clock_times(MARKET.minutes(gold, day("2026-11-19"), day("2026-11-19"), AT))

    assert (found[0], found[-1]) == ("09:00", "23:54")


def test_there_is_nothing_before_the_session_nor_on_a_day_without_one() -> None:
    market = practice_market("exchange")

    for text in ("2026-11-20 09:14:59", "2026-11-21 12:00:00", "2026-11-24 12:00:00"):
        assert len(market.today(RELIANCE, ist(text))) == 0
    assert len(market.today(RELIANCE, ist("2026-11-20 23:00:00"))) == 375
    assert len(market.today(RELIANCE, ist("2026-11-20 09:15:00"))) == 1


def test_contracts_and_shares_start_when_they_were_listed() -> None:
    future = key_of(MARKET, AT, "NIFTY26DECFUT")
    option = key_of(MARKET, AT, "NIFTY26D0124500CE")
    fresh = MARKET.days(JIOFIN, day("2020-01-01"), AT.date(), AT)
    months = MARKET.days(future, day("2020-01-01"), AT.date(), AT)
    weeks = MARKET.days(option, day("2020-01-01"), AT.date(), AT)

    assert ordinals(fresh)[0] == day("2023-08-21").toordinal()
    assert day("2026-09-29").toordinal() < ordinals(months)[0] < day("2026-10-05").toordinal()
    assert 1 <= len(weeks) <= 20
    assert len(MARKET.minutes(future, day("2026-08-01"), day("2026-08-31"), AT)) == 0


def test_asking_in_another_order_gives_the_same_candles() -> None:
    other = practice_market()
    other.snapshots(list(other.listings(AT))[::40], AT)
    for key in (*contracts(), VIX, RELIANCE, NIFTY)[::-1]:
        other.days(key, day("2019-01-01"), AT.date(), AT)

    for key in (NIFTY, contracts()[1]):
        period = day("2026-11-02"), day("2026-11-19")
        assert rows(other.minutes(key, *period, AT)) == rows(MARKET.minutes(key, *period, AT))
        assert rows(other.days(key, *period, AT)) == rows(MARKET.days(key, *period, AT))


def test_unlisted_keys_are_a_key_error() -> None:
    for ask in (MARKET.minutes, MARKET.days):
        with pytest.raises(KeyError):
            ask("NSE_EQ|INE000000000", day("2026-11-01"), day("2026-11-02"), AT)
    with pytest.raises(KeyError):
        MARKET.today("nonsense", AT)


# -- files -----------------------------------------------------------------------------------------------------


def lines(name: str) -> list[dict[str, str]]:
    with shared(f"data/{name}").open(encoding="utf-8") as text:
        return [{key.lower(): value.strip() for key, value in row.items()} for row in csv.DictReader(text)]


def stamped(row: dict[str, str]) -> tuple[float, ...]:
    moment = datetime.fromisoformat(row["datetime"])
    moment = moment if moment.tzinfo else moment.replace(tzinfo=IST)
    prices = (round(float(row[name]), 2) for name in ("open", "high", "low", "close"))
    return (int(moment.timestamp() * 1000), *prices, int(float(row["volume"])), 0)


def minutes_of(market: PracticeMarket, key: str, first: str, last: str) -> list[tuple[float, ...]]:
    return rows(market.minutes(key, day(first), day(last), ist("2026-11-20 11:15:04")))


@pytest.mark.parametrize("clock", ["2026-11-20T11:15:04+05:30", "always"])
@pytest.mark.parametrize(
    ("name", "key", "first", "last"),
    [
        ("TCS_1m_20250101_20250115", TCS, "2025-01-01", "2025-01-15"),
        ("NIFTY50_1m_20260728_20260821", NIFTY, "2026-07-28", "2026-08-21"),
        ("NIFTY50_1m_20250904_20250910_utc", NIFTY, "2025-09-04", "2025-09-10"),
        ("RELIANCE_1m_20260324", RELIANCE, "2026-03-24", "2026-03-24"),
    ],
)
def test_minutes_of_a_file_are_told_as_they_are(name: str, key: str, first: str, last: str, clock: str) -> None:
    market = practice_market(clock, candles=shared("data/candles_1m"))

    assert minutes_of(market, key, first, last) == [stamped(row) for row in lines(f"candles_1m/{name}.csv")]


def test_the_index_stands_from_a_quarter_past_three_and_a_gap_stays_a_gap() -> None:
    market = practice_market("2026-11-20T11:15:04+05:30", candles=shared("data/candles_1m"))
    auction = market.minutes(NIFTY, day("2026-08-03"), day("2026-08-03"), AT)
    gap = market.minutes(NIFTY, day("2026-07-28"), day("2026-07-28"), AT)

    assert {tuple(prices) for prices in auction.prices[360:373].tolist()} == {(auction.prices[360, 0],) * 4}
    assert len(gap) == 371
    assert not {"12:05", "12:06", "12:07", "12:08"} & set(clock_times(gap))
    running = practice_market("2026-07-28T15:45:00+05:30", candles=shared("data/candles_1m"))
    assert clock_times(running.today(NIFTY, ist("2026-07-28 15:45:00"))) == clock_times(gap)


def test_the_day_of_a_minute_file_is_what_its_minutes_make() -> None:
    market = practice_market("2026-11-20T11:15:04+05:30", candles=shared("data/candles_1m"))
    minutes = market.minutes(TCS, day("2025-01-01"), day("2025-01-15"), AT)

    assert rows(market.days(TCS, day("2025-01-01"), day("2025-01-15"), AT)) == rows(daily(minutes, ordinals(minutes)))


@pytest.mark.parametrize("clock", ["2026-11-20T11:15:04+05:30", "always"])
@pytest.mark.parametrize(("symbol", "key"), [("TCS", TCS), ("RELIANCE", RELIANCE)])
def test_days_of_a_file_are_told_as_they_are(symbol: str, key: str, clock: str) -> None:
    market = practice_market(clock, candles=shared("data/daily_nse"))
    days = market.days(key, day("2016-11-20"), day("2026-08-21"), AT)

    told = {
        date.fromordinal(ordinal).isoformat(): row[1:] for ordinal, row in zip(ordinals(days), rows(days), strict=True)
    }
    file = {
        row["date"]: (
            *(float(row[name]) for name in ("open_price", "high_price", "low_price", "close_price")),
            int(row["ttl_trd_qnty"]), 0,
        )
        for row in lines(f"daily_nse/{symbol}.csv")
    }  # fmt: skip
    assert {of: told[of] for of in file} == file
    if clock != "always":
        assert rows(days)[-2][4] == float(lines(f"daily_nse/{symbol}.csv")[-1]["prev_close"])


def test_a_day_that_a_folder_lacks_leads_to_the_next_one_it_has() -> None:
    market = practice_market("2026-11-20T11:15:04+05:30", candles=shared("data/daily_nse"))
    row = next(row for row in lines("daily_nse/TCS.csv") if row["date"] == "2021-11-05" or row["date"] > "2021-11-04")

    days = market.days(TCS, day("2021-11-03"), day("2021-11-04"), AT)

    assert row["date"] == "2021-11-08"
    assert len(days) == 2
    assert days.prices[-1, 3] == pytest.approx(float(row["prev_close"]), abs=0.051), "in today's ticks"


def test_minutes_and_days_of_one_date_are_each_told_from_their_own_file(tmp_path: Path) -> None:
    for name in ("candles_1m/TCS_1m_20250101_20250115.csv", "daily_nse/TCS.csv"):
        (tmp_path / Path(name).name).write_bytes(shared(f"data/{name}").read_bytes())
    market = practice_market("2026-11-20T11:15:04+05:30", candles=tmp_path)
    official = {row["date"]: row for row in lines("daily_nse/TCS.csv")}

    minutes = minutes_of(market, TCS, "2025-01-01", "2025-01-15")
    days = market.days(TCS, day("2025-01-01"), day("2025-01-15"), AT)

    assert minutes == [stamped(row) for row in lines("candles_1m/TCS_1m_20250101_20250115.csv")]
    for ordinal, prices, volume in zip(ordinals(days), days.prices.tolist(), days.volume.tolist(), strict=True):
        row = official[date.fromordinal(ordinal).isoformat()]
        assert prices == [float(row[f"{name}_price"]) for name in ("open", "high", "low", "close")]
        assert volume == int(row["ttl_trd_qnty"])


def test_the_other_exchange_follows_a_real_day_in_ticks_of_its_own() -> None:
    market = practice_market("2026-11-20T11:15:04+05:30", candles=shared("data/daily_nse"))
    nse, bse = (market.days(key, day("2026-06-01"), day("2026-08-21"), AT) for key in (RELIANCE, RELIANCE_BSE))

    assert np.abs(nse.prices - bse.prices).max() < 0.051
    minutes = market.minutes(RELIANCE_BSE, day("2026-06-01"), day("2026-06-30"), AT)
    assert rows(daily(minutes, ordinals(minutes))) == rows(bse)[: len(set(ordinals(minutes).tolist()))]


def test_every_day_of_a_replay_is_a_recorded_one() -> None:
    file = shared("data/candles_1m/TCS_1m_20250101_20250115.csv")
    market = practice_market("2026-11-20T15:30:00+05:30", prices=f"replay:{file}")
    recorded = read_candles(file, lambda symbol: symbol).days["TCS"].values()

    days = market.days(TCS, day("2026-11-02"), day("2026-11-19"), AT)
    minutes = market.minutes(TCS, day("2026-11-19"), day("2026-11-19"), AT)

    assert {tuple(prices) for prices in days.prices.tolist()} <= {(b.open, b.high, b.low, b.close) for b in recorded}
    assert rows(daily(minutes, ordinals(minutes))) == rows(days)[-1:]


def test_a_row_of_a_daily_file_is_kept_beside_the_minutes() -> None:
    store, of = CandleStore(), day("2026-01-05")
    daily_row = CandleDay(of, 1.0, 3.0, 1.0, 2.5, 9, 1.1, None, DailyRow((1.0, 3.0, 1.0, 2.5), 9))
    minute = read_candles(shared("data/candles_1m/TCS_1m_20250101_20250115.csv"), lambda symbol: symbol)
    minutes = next(iter(minute.days["TCS"].values()))

    store.add("TCS", daily_row)
    store.add("TCS", CandleDay(of, 1.0, 2.9, 1.0, 2.4, 8, None, minutes.minutes))

    assert store.days["TCS"][of].daily == daily_row.daily
    assert store.days["TCS"][of].minutes is minutes.minutes
