"""From the broker's answer to a DataFrame: our client, and the official SDK with pandas, on the same prepared bytes."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import date

import pandas as pd

from services.candles.series import CandleSeries
from services.domain.candles import DAY, MINUTE, Interval
from services.transport.http import HttpClient
from services.transport.rate_gate import RateGate
from services.transport.upstox_api import UpstoxApi
from services.wire.endpoints import RATE_LIMITS, Base, Limit, Profile
from tests.benchmarks.candle_server import DAYS, MINUTES, CandleServer
from tests.benchmarks.table import Row
from tests.benchmarks.timing import medians_ms
from tests.support.candles import KEY

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import upstox_client

TURNS, EACH = 5, 8
NAMES = ("timestamp", "open", "high", "low", "close", "volume", "oi")


def to_frames() -> list[Row]:
    """7,500 minutes and ten years of days."""
    first, last = date(2026, 10, 23), date(2026, 11, 19)
    with CandleServer() as server, _client(server.url) as api:
        sdk = _Sdk(server.url)

        def ours(interval: Interval, bars: int) -> pd.DataFrame:
            frame = CandleSeries.of(KEY, interval, api.candles(KEY, interval, first, last).value).frame()
            assert len(frame) == bars
            return frame

        pd.testing.assert_frame_equal(ours(MINUTE, MINUTES), sdk.frame("minutes", 1, MINUTES), check_index_type=False)
        took = medians_ms(
            {
                "minutes": lambda: ours(MINUTE, MINUTES),
                "minutes sdk": lambda: sdk.frame("minutes", 1, MINUTES),
                "days": lambda: ours(DAY, DAYS),
                "days sdk": lambda: sdk.frame("days", 1, DAYS),
            },
            turns=TURNS,
            each=EACH,
        )
    told = f"official SDK, its rows to a DataFrame; no server delay, answers not packed; median of {TURNS * EACH}"
    return [
        faster(f"{MINUTES:,} minutes to a DataFrame", took["minutes"], took["minutes sdk"], 3.5, told),
        faster(f"{DAYS:,} days to a DataFrame", took["days"], took["days sdk"], 3.0, told),
    ]


@contextmanager
def _client(url: str) -> Iterator[UpstoxApi]:
    with closing(HttpClient()) as http:
        yield UpstoxApi(
            http=http,
            gate=RateGate(dict.fromkeys(RATE_LIMITS, (Limit(10**6, 1.0),))),  # or the gate is what is measured
            bases=dict.fromkeys(Base, url),
            profile=Profile.UPSTOX,
            token=lambda writes: "benchmark",
            token_rejected=lambda secret: None,
            error_sink=lambda *args, **kwargs: None,
        )


class _Sdk:
    """The official client, and pandas, as their documentation shows."""

    def __init__(self, url: str) -> None:
        configuration = upstox_client.Configuration()
        configuration.host = url
        configuration.access_token = "benchmark"
        self._api = upstox_client.HistoryV3Api(upstox_client.ApiClient(configuration))

    def frame(self, unit: str, interval: int, bars: int) -> pd.DataFrame:
        """The same DataFrame as ours."""
        answer = self._api.get_historical_candle_data1(KEY, unit, interval, "2026-11-19", "2026-10-23")
        frame = pd.DataFrame(answer.data.candles, columns=list(NAMES))
        frame["timestamp"] = pd.to_datetime(frame["timestamp"])
        frame = frame.set_index("timestamp").sort_index()
        assert len(frame) == bars
        return frame


def faster(name: str, ours: float, peer: float, bar: float | None, note: str) -> Row:
    """A row of two times in ms, held against how many times faster ours is to be."""
    ratio = peer / ours
    goal, met = ("", None) if bar is None else (f">= {bar:g}x", ratio >= bar)
    return Row(name, ours, peer, ratio, goal, met, "ms", note)
