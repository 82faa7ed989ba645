"""Greeks out of the feed's board."""

from __future__ import annotations

from types import SimpleNamespace

from dashboard.option_greeks import live_greeks
from services.feed.board import Board
from services.wire.feed import feed_v3_pb2 as pb
from services.wire.feed.decoder import decode

CALL, DEAD, UNHELD = "NSE_FO|1", "NSE_FO|2", "NSE_FO|3"
GREEKS = pb.OptionGreeks(delta=0.5, theta=-8.5, gamma=0.0005, vega=12.0, rho=1.0)


def runtime_with(**greeks: pb.OptionGreeks) -> SimpleNamespace:
    board = Board()
    board.hold([CALL, DEAD])
    feeds = {
        key: pb.Feed(
            fullFeed=pb.FullFeed(marketFF=pb.MarketFullFeed(ltpc=pb.LTPC(ltp=10.0), optionGreeks=told, iv=0.142)),
            requestMode=pb.full_d5,
        )
        for key, told in ((CALL, greeks["call"]), (DEAD, greeks["dead"]))
    }
    board.apply(decode(pb.FeedResponse(feeds=feeds).SerializeToString()), received_ns=1_000_000_000)
    return SimpleNamespace(feed=SimpleNamespace(board=board), clock=SimpleNamespace(speed=2.0))


def test_greeks_come_with_their_age_in_time_of_the_desk():
    runtime = runtime_with(call=GREEKS, dead=pb.OptionGreeks())

    [(key, told)] = live_greeks(runtime, [CALL, DEAD, UNHELD], monotonic_ns=lambda: 2_500_000_000).items()

    assert key == CALL
    assert (told.delta, told.theta, told.gamma, told.vega) == (0.5, -8.5, 0.0005, 12.0)
    assert (round(told.iv_percent, 4), told.age) == (14.2, 3.0)


def test_what_nobody_is_subscribed_to_has_none():
    assert live_greeks(runtime_with(call=GREEKS, dead=GREEKS), [UNHELD]) == {}
