from __future__ import annotations

from datetime import datetime
from itertools import pairwise

import pytest

from services.paper.feed.encoding import RowEncoder
from services.paper.feed.reel import FIRST_COUNT, Reel
from services.paper.feed.requests import Mode
from services.paper.model import Snapshot
from services.wire.feed import feed_v3_pb2 as pb
from tests.support.paper import CALL, INFY, RELIANCE, KnownMarket

AT_MS = 1_795_160_000_123
KEYS = [RELIANCE, INFY, CALL]


@pytest.fixture(scope="module")
def snaps() -> list[Snapshot]:
    return KnownMarket().snapshots(KEYS, datetime.fromisoformat("2026-11-20T11:15:00+05:30"))


def told(feed: pb.Feed, mode: Mode) -> tuple[pb.LTPC, int, float]:
    """The ltpc of a row, its counter and its sender's clock."""
    if mode is Mode.LTPC:
        return feed.ltpc, feed.ltpc.ltq, feed.ltpc.cp
    if mode is Mode.OPTION_GREEKS:
        body = feed.firstLevelWithGreeks
        return body.ltpc, body.vtt, body.oi
    market = feed.fullFeed.marketFF
    return market.ltpc, market.vtt, market.tbq


@pytest.mark.parametrize("mode", list(Mode))
def test_every_round_is_stamped_into_every_row(snaps: list[Snapshot], mode: Mode) -> None:
    reel = Reel(snaps, mode, 2)

    assert [reel.rows_in(place) for place in range(len(reel))] == [2, 1]
    for turn in (1, 2, 3_000_000_000):
        seen: dict[str, pb.Feed] = {}
        for place in range(len(reel)):
            message = pb.FeedResponse.FromString(reel.frame(place, turn, AT_MS + turn % 7, 12345.625))
            assert (message.type, message.currentTs) == (pb.live_feed, AT_MS + turn % 7)
            seen |= dict(message.feeds)
        assert set(seen) == set(KEYS)
        for feed in seen.values():
            ltpc, count, sent = told(feed, mode)
            assert (count, ltpc.ltt, sent) == (FIRST_COUNT + turn, AT_MS + turn % 7, 12345.625)


@pytest.mark.parametrize("mode", list(Mode))
def test_all_the_rest_is_as_the_broker_sends_it(snaps: list[Snapshot], mode: Mode) -> None:
    message = pb.FeedResponse.FromString(Reel(snaps, mode, 10).snapshot([2], AT_MS, 1.5))

    usual = pb.FeedResponse.FromString(RowEncoder().row(snaps[2], mode)).feeds[CALL]
    feed = message.feeds[CALL]
    assert feed.requestMode == usual.requestMode
    assert feed.WhichOneof("FeedUnion") == usual.WhichOneof("FeedUnion")
    assert told(feed, mode)[0].ltp == snaps[2].ltp
    if mode is Mode.FULL:
        body, like = feed.fullFeed.marketFF, usual.fullFeed.marketFF
        assert body.marketLevel == like.marketLevel
        assert body.optionGreeks == like.optionGreeks
        assert body.marketOHLC.ohlc[1] == like.marketOHLC.ohlc[1]


def test_prices_move_and_come_back(snaps: list[Snapshot]) -> None:
    reel = Reel(snaps, Mode.LTPC, 10)

    prices = [
        pb.FeedResponse.FromString(reel.frame(0, turn, AT_MS, 0.0)).feeds[RELIANCE].ltpc.ltp for turn in range(65)
    ]

    assert prices[0] == prices[64] == 1472.5
    assert all(before != after for before, after in pairwise(prices))
    assert max(prices) == pytest.approx(1472.5 * 1.001, abs=0.01)
    assert min(prices) == pytest.approx(1472.5 * 0.999, abs=0.01)
