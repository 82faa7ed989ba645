"""Real days: driving their own dates (`--candles`) and played on any date (`--prices replay:`)."""

from __future__ import annotations

import csv
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from services.domain.errors import ConfigurationError
from services.paper.candles import CandleDay, CandleStore, MinuteBars
from services.paper.replay import CandleDays
from tests.support.paper_market import MAHINDRA, NIFTY, RELIANCE, TCS, ist, key_of, practice_market
from tests.support.shared_data import shared

TCS_FILE = "data/candles_1m/TCS_1m_20250101_20250115.csv"


def tcs_rows(day: str) -> list[dict[str, str]]:
    with shared(TCS_FILE).open() as lines:
        return [row for row in csv.DictReader(lines) if row["datetime"].startswith(day)]


def test_minutes_pass_through_the_real_candles() -> None:
    market = practice_market("2025-01-15T15:30:00+05:30", candles=shared("data/candles_1m"))
    real = tcs_rows("2025-01-15")

    bars = market.minute_bars(TCS, ist("2025-01-15 15:30:00"))

    assert market.source == "mixed:2025-01-15"
    assert [(bar.open, bar.high, bar.low, bar.close, bar.volume) for bar in bars] == [
        (float(r["open"]), float(r["high"]), float(r["low"]), float(r["close"]), int(r["volume"])) for r in real
    ]


def test_a_real_minute_unfolds_inside_its_range() -> None:
    market = practice_market("2025-01-15T11:00:00+05:30", candles=shared("data/candles_1m"))
    start = ist("2025-01-15 11:00:00")
    real = tcs_rows("2025-01-15 11:00")[0]

    prices = [market.snapshots([TCS], start + timedelta(seconds=second))[0].ltp for second in range(60)]

    assert (prices[0], prices[-1]) == (float(real["open"]), float(real["close"]))
    assert (max(prices), min(prices)) == (float(real["high"]), float(real["low"]))


def test_the_previous_close_is_that_of_the_day_before_in_the_folder() -> None:
    market = practice_market("2025-01-15T11:00:00+05:30", candles=shared("data/candles_1m"))

    (snapshot,) = market.snapshots([TCS], ist("2025-01-15 11:00:00"))

    assert snapshot.prev_close == float(tcs_rows("2025-01-14")[-1]["close"])


@pytest.mark.parametrize(("symbol", "key"), [("M&M", MAHINDRA), ("RELIANCE", RELIANCE), ("TCS", TCS)])
def test_a_daily_bar_is_honoured_in_every_figure(symbol: str, key: str) -> None:
    file = shared(f"data/daily_nse/{symbol}.csv")
    market = practice_market("2024-06-03T15:30:00+05:30", candles=file.parent)
    with file.open() as lines:
        rows = list(csv.DictReader(lines))[3::171]

    for row in rows:
        after = ist(f"{row['Date']} 15:45:00")
        (snapshot,) = market.snapshots([key], after)

        assert (snapshot.prev_close, snapshot.open, snapshot.high, snapshot.low, snapshot.ltp, snapshot.volume) == (
            float(row["PREV_CLOSE"]),
            float(row["OPEN_PRICE"]),
            float(row["HIGH_PRICE"]),
            float(row["LOW_PRICE"]),
            float(row["CLOSE_PRICE"]),
            int(row["TTL_TRD_QNTY"]),
        )
        assert len(market.minute_bars(key, after)) == 375


@pytest.mark.parametrize("symbol", ["RELIANCE", "TCS", "INFY", "SBIN", "HDFCBANK"])
def test_a_daily_bar_of_a_day_with_a_closing_auction_is_honoured_too(symbol: str) -> None:
    file = shared(f"data/daily_nse/{symbol}.csv")
    market = practice_market("2026-08-21T15:30:00+05:30", candles=file.parent)
    key = next(key for key, of in market.listings(ist("2026-08-21 12:00:00")).items() if of.quote_symbol == symbol)
    with file.open() as lines:
        rows = [row for row in csv.DictReader(lines) if row["Date"] >= "2026-08-03"]

    assert rows
    for row in rows:
        bars = market.minute_bars(key, ist(f"{row['Date']} 15:45:00"))
        (snapshot,) = market.snapshots([key], ist(f"{row['Date']} 15:45:00"))

        assert (snapshot.open, snapshot.high, snapshot.low, snapshot.ltp, snapshot.volume) == (
            float(row["OPEN_PRICE"]),
            float(row["HIGH_PRICE"]),
            float(row["LOW_PRICE"]),
            float(row["CLOSE_PRICE"]),
            int(row["TTL_TRD_QNTY"]),
        )
        assert len({bar.close for bar in bars[360:373]}) == 1, "it stands during the auction"
        assert bars[-1].close == snapshot.ltp


def test_recorded_minutes_keep_the_auction_that_they_went_through() -> None:
    market = practice_market("2026-08-20T15:30:00+05:30", candles=shared("data/candles_1m"))

    bars = market.minute_bars(NIFTY, ist("2026-08-20 15:30:00"))

    assert len(bars) == 375
    assert {bar.close for bar in bars[360:374]} == {24211.6}
    assert (bars[374].open, bars[374].close) == (24211.6, 24231.85)


def test_a_simulated_day_after_a_real_one_starts_from_its_close() -> None:
    market = practice_market("2025-01-16T11:00:00+05:30", candles=shared("data/candles_1m"))

    (snapshot,) = market.snapshots([TCS], ist("2025-01-16 11:00:00"))

    assert snapshot.prev_close == float(tcs_rows("2025-01-15")[-1]["close"])
    assert snapshot.ltp == pytest.approx(snapshot.prev_close, rel=0.1)


def test_options_follow_a_real_index() -> None:
    at = ist("2026-08-20 13:00:07")
    market = practice_market("2026-08-20T13:00:07+05:30", candles=shared("data/candles_1m"))
    keys = [NIFTY, key_of(market, at, "NIFTY26AUG24250CE"), key_of(market, at, "NIFTY26AUG24250PE")]

    for seconds in range(0, 300, 13):
        spot, call, put = market.snapshots(keys, at + timedelta(seconds=seconds))

        assert call.ltp - put.ltp == pytest.approx(spot.ltp - 24250 + 18, abs=3)
        assert call.low <= call.ltp <= call.high


def test_a_replay_plays_a_recorded_day_on_any_date_and_says_which() -> None:
    market = practice_market("2026-11-20T15:30:00+05:30", prices=f"replay:{shared(TCS_FILE)}")
    day = market.source.removeprefix("mixed:")

    (snapshot,) = market.snapshots([TCS], ist("2026-11-20 15:30:00"))

    rows = tcs_rows(day)
    assert rows
    assert snapshot.open == float(rows[0]["open"])
    assert snapshot.ltp == float(rows[-1]["close"])


def test_a_replay_plays_the_clocks_own_day_when_it_is_recorded() -> None:
    market = practice_market("2025-01-08T12:00:00+05:30", prices=f"replay:{shared(TCS_FILE)}")

    assert market.source == "mixed:2025-01-08"


def test_real_prices_are_called_so_on_their_days_only() -> None:
    inside = practice_market("2025-01-15T11:00:00+05:30", candles=shared("data/candles_1m"))
    after = practice_market("2025-01-16T11:00:00+05:30", candles=shared("data/candles_1m"))

    assert (inside.source, after.source) == ("mixed:2025-01-15", "simulated")


def test_only_minutes_of_every_price_path_make_a_whole_replay() -> None:
    day = date(2025, 1, 8)
    minutes = MinuteBars(np.array([555]), np.array([[1.0, 2.0, 0.5, 1.5]]), np.array([10]))
    real = CandleDays(
        CandleStore(
            {
                "A": {day: CandleDay(day, 1.0, 2.0, 0.5, 1.5, 10, None, minutes)},
                "B": {day: CandleDay(day, 1.0, 2.0, 0.5, 1.5, 10, None, None)},
            }
        ),
        replayed=True,
    )

    assert real.recorded(date(2026, 11, 20)) == day
    assert real.covers(day, ["A"])
    assert not real.covers(day, ["A", "B"]), "of B the bar is real, the way through the day is not"
    assert not real.covers(day, ["A", "C"])


def test_an_open_ended_practice_day_stretches_the_recorded_session() -> None:
    market = practice_market("always", prices=f"replay:{shared(TCS_FILE)}")
    rows = tcs_rows(market.source.removeprefix("mixed:"))

    (last,) = market.snapshots([TCS], ist("2026-11-21 03:29:59"))

    assert (last.open, last.ltp) == (float(rows[0]["open"]), float(rows[-1]["close"]))
    assert last.high == max(float(row["high"]) for row in rows)
    assert last.low == min(float(row["low"]) for row in rows)
    assert last.volume == sum(int(row["volume"]) for row in rows)


@pytest.mark.parametrize("prices", ["", "real", "replay:", "replay:no/such/file.csv"])
def test_prices_that_cannot_be_had_are_refused_in_words(prices: str) -> None:
    with pytest.raises(ConfigurationError):
        practice_market(prices=prices)


def test_a_replay_of_something_else_is_refused_in_words(tmp_path: Path) -> None:
    frames = tmp_path / "frames.bin"
    frames.write_bytes(bytes(range(256)))

    with pytest.raises(ConfigurationError, match=r"frames\.bin"):
        practice_market(prices=f"replay:{frames}")


def test_a_replay_and_a_folder_of_candles_do_not_go_together() -> None:
    folder = shared("data/candles_1m")

    with pytest.raises(ConfigurationError, match="not both"):
        practice_market(prices=f"replay:{folder}", candles=folder)
