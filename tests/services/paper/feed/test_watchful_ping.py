"""A broker that pings whatever it streams lets go of a client that has stopped."""

from __future__ import annotations

from itertools import count
from pathlib import Path

from tests.support.feed_paper import FEEDS, eventually, feeding
from tests.support.paper_market import RELIANCE


def test_whoever_answers_no_ping_is_dropped_though_prices_are_streamed(tmp_path: Path) -> None:
    with feeding(tmp_path, ping_seconds=0.3) as bench:
        bench.subscribed(RELIANCE)  # and never reads again
        prices = count(1400.0)

        def let_go() -> bool:
            bench.market.move(RELIANCE, next(prices))  # there is always something to stream
            return not bench.open()

        assert not let_go()
        eventually(let_go)

        assert bench.client.data(FEEDS)["most"] == {"market": 1}
