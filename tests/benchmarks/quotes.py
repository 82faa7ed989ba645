"""Fetching quotes, held against the official SDK on the same answers in the same run."""

from __future__ import annotations

import gc
import sys
import warnings
from typing import Any

import pandas as pd

from dashboard.asgi import GC_THRESHOLDS, SWITCH_INTERVAL
from services.quote_book import QuoteBook
from tests.benchmarks.desk import client_book, share_keys
from tests.benchmarks.quote_server import QuoteServer
from tests.benchmarks.table import Row
from tests.benchmarks.timing import medians_ms

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import upstox_client

TURNS, EACH = 3, 8
DELAY_MS = 40
CLAIMED_100_MS = 150.0


def run() -> list[Row]:
    """Measure everything about fetching."""
    gc.collect()
    gc.freeze()  # as the desk does once it has started; for both sides alike
    switch, thresholds = sys.getswitchinterval(), gc.get_threshold()
    sys.setswitchinterval(SWITCH_INTERVAL)
    gc.set_threshold(*GC_THRESHOLDS)
    try:
        return [*_without_delay(), *_with_delay()]
    finally:
        sys.setswitchinterval(switch)
        gc.set_threshold(*thresholds)
        gc.unfreeze()


def _without_delay() -> list[Row]:
    few, many = share_keys(100), share_keys(500)
    with QuoteServer() as server, client_book(server.url) as book:
        sdk = Sdk(server.url)
        took = medians_ms(
            {
                "100": lambda: _ours(book, few),
                "100 sdk": lambda: sdk.quotes(few),
                "500": lambda: _ours(book, many),
                "500 sdk": lambda: sdk.quotes(many),
                "frame": lambda: pd.DataFrame(list(_ours(book, many).values())),
                "frame sdk": lambda: pd.DataFrame([quote.to_dict() for quote in sdk.quotes(many).values()]),
            },
            turns=TURNS,
            each=EACH,
        )
    how = f"no server delay, answers not packed, cache off, stored behind the caller; median of {TURNS * EACH}"
    return [
        _faster("100 quotes", took["100"], took["100 sdk"], 3.5, f"official SDK; {how}"),
        _faster("500 quotes", took["500"], took["500 sdk"], 5.0, f"official SDK; {how}"),
        _faster("500 quotes to a DataFrame", took["frame"], took["frame sdk"], 5.0, "SDK: DataFrame of to_dict()"),
    ]


def _with_delay() -> list[Row]:
    few, one, two = share_keys(100), share_keys(500), share_keys(1000)
    with QuoteServer(DELAY_MS) as server, client_book(server.url) as book:
        sdk = Sdk(server.url)
        took = medians_ms(
            {
                "100": lambda: _ours(book, few),
                "500": lambda: _ours(book, one),
                "1000": lambda: _ours(book, two),
                "1000 sdk": lambda: (sdk.quotes(two[:500]), sdk.quotes(two[500:])),
            },
            turns=TURNS,
            each=EACH,
        )
    delayed = f"server answers after {DELAY_MS} ms"
    return [
        _faster("1,000 quotes", took["1000"], took["1000 sdk"], 2.5, f"SDK: two calls, one after the other; {delayed}"),
        Row(
            "1,000 quotes against 500",
            ours=took["1000"],
            peer=took["500"],
            ratio=took["1000"] / took["500"],
            goal="<= 1.25x",
            met=took["1000"] <= 1.25 * took["500"],
            unit="ms",
            note=f"two chunks at once against one; {delayed}",
        ),
        Row(
            "claim: 100 quotes in 150 ms",
            ours=took["100"],
            peer=CLAIMED_100_MS,
            ratio=CLAIMED_100_MS / took["100"],
            goal="<= 150 ms",
            met=took["100"] <= CLAIMED_100_MS,
            unit="ms",
            note=f"peer = claimed by the guide; cache off, {delayed}",
        ),
    ]


class Sdk:
    """The official client, used as its documentation shows."""

    def __init__(self, url: str) -> None:
        configuration = upstox_client.Configuration()
        configuration.host = url
        configuration.access_token = "benchmark"
        self._api = upstox_client.MarketQuoteV3Api(upstox_client.ApiClient(configuration))

    def quotes(self, keys: list[str]) -> dict[str, Any]:  # Any: the SDK has no types
        data: dict[str, Any] = self._api.get_full_market_quote_v3(instrument_key=",".join(keys)).data
        assert len(data) == len(keys)
        return data


def _ours(book: QuoteBook, keys: list[str]) -> dict[str, Any]:  # Any: members of several types
    result = book.get(keys, use_cache=False)
    assert len(result.quotes) == len(keys), next(iter(result.problems.values()))
    return result.quotes


def _faster(name: str, ours: float, peer: float, bar: float, note: str) -> Row:
    ratio = peer / ours
    return Row(name, ours, peer, ratio, f">= {bar:g}x", ratio >= bar, "ms", note)
