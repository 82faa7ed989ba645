from __future__ import annotations

import numpy as np

from services.candles.forming import UNWATCHED_MS, FormingMinutes, LiveBars, with_live
from services.domain.clock import epoch_ms, from_epoch_ms
from services.feed.board import Board
from services.wire.candle_columns import columns_of, no_candles
from services.wire.feed.decoder import decode
from tests.support.candle_columns import same
from tests.support.candles import KEY, ist
from tests.support.clocks import FakeClock
from tests.support.feed_frames import full_frame, keys

TEN = epoch_ms(ist("2026-11-20 10:00"))
MINUTE = 60_000


class Followed:
    """A follower over a feed that serves everything and whose connection is counted here."""

    def __init__(self, board: Board | None = None) -> None:
        self.clock = FakeClock(ist("2026-11-20 10:00"))
        self.number, self.served = 1, True
        self.minutes = FormingMinutes(
            serves=lambda asked: set(asked) if self.served else set(),
            connection=lambda: self.number,
            board=board or Board(),
            clock=self.clock,
        )

    def tick(self, seconds: float, price: float, volume: int | None = None, quantity: int = 1, key: str = KEY) -> None:
        self.minutes.put(TEN, [(key, price, TEN + int(seconds * 1000), quantity, volume)])

    def heard(self, key: str = KEY) -> LiveBars:
        live = self.minutes.heard(key)
        assert live is not None
        return live


def test_ticks_become_minutes_with_the_volume_traded_in_them() -> None:
    feed = Followed()
    feed.heard()
    for seconds, price, volume in (
        (1, 10.0, 100),
        (20, 12.0, 130),
        (40, 9.0, 150),
        (59.9, 11.0, 160),
        (60, 11.5, 200),
        (170, 8.0, 260),
    ):
        feed.tick(seconds, price, volume, quantity=5)

    minutes = feed.heard().minutes

    assert minutes.start_ms.tolist() == [TEN, TEN + MINUTE, TEN + 2 * MINUTE]
    assert [list(column) for column in minutes.as_tuple()[1:6]] == [
        [10.0, 11.5, 8.0], [12.0, 11.5, 8.0], [9.0, 11.5, 8.0], [11.0, 11.5, 8.0], [65, 40, 60],
    ]  # fmt: skip


def test_nobody_is_followed_before_somebody_asks() -> None:
    feed = Followed()
    feed.tick(1, 10.0, 100)

    assert len(feed.heard().minutes) == 0


def test_a_trade_from_before_only_tells_the_volume_so_far() -> None:
    feed = Followed()
    feed.clock.move(seconds=30)
    feed.heard()
    feed.tick(10, 10.0, 100)
    feed.tick(45, 11.0, 140)

    (bar,) = feed.heard().minutes.bars()

    assert (bar.open, bar.volume) == (11.0, 40)


def test_an_index_has_no_volume() -> None:
    feed = Followed()
    feed.heard()
    feed.tick(1, 25_000.0, None)
    feed.tick(2, 25_010.0, None)

    (bar,) = feed.heard().minutes.bars()

    assert (bar.high, bar.volume, bar.oi) == (25_010.0, 0, 0)


def test_a_new_connection_begins_anew_and_a_feed_that_does_not_serve_tells_nothing() -> None:
    feed = Followed()
    feed.heard()
    feed.tick(1, 10.0, 100)
    feed.clock.move(minutes=3)
    feed.number = 2
    assert (len(feed.heard().minutes), feed.heard().since_ms) == (0, TEN + 3 * MINUTE)

    feed.served = False

    assert feed.minutes.heard(KEY) is None
    feed.served = True
    assert feed.heard().since_ms == TEN + 3 * MINUTE


def test_who_is_not_asked_for_any_more_is_let_go() -> None:
    feed = Followed()
    feed.heard("NSE_EQ|OTHER")
    feed.clock.move(seconds=UNWATCHED_MS / 1000 + 1)
    feed.heard()

    assert list(feed.minutes._followed) == [KEY]


def test_who_is_not_asked_for_any_more_is_let_go_with_a_tick_though_nobody_asks_for_anything() -> None:
    feed = Followed()
    feed.heard()
    later = TEN + UNWATCHED_MS + 1

    feed.minutes.put(later, [(KEY, 10.0, later, 1, 100)])

    assert not feed.minutes._followed


def test_the_bar_of_the_day_and_the_open_interest_come_from_the_board() -> None:
    board, (key,) = Board(), keys(1)
    board.hold([key])
    board.apply(decode(full_frame(1)), 1)

    live = Followed(board).heard(key)

    assert live.day is not None
    opened, high, low, last, volume = live.day
    assert low <= min(opened, last)
    assert max(opened, last) <= high
    assert volume > 0


def test_a_minute_that_is_over_is_the_exchanges_own_bar_where_the_feed_tells_it() -> None:
    board, (key,) = Board(), keys(1)
    board.hold([key])
    board.apply(decode(full_frame(1)), 1)
    told = board.snapshot([key]).bars("I1")[0]
    feed = Followed(board)
    feed.clock.instant = from_epoch_ms(int(told["start_ms"]) + 30_000)  # half of it is over
    feed.heard(key)
    feed.minutes.put(
        0, [(key, 1.0, int(told["start_ms"]) + 40_000, 1, 5), (key, 2.0, int(told["start_ms"]) + 70_000, 1, 6)]
    )

    feed.heard(key)
    feed.minutes.put(0, [(key, 9e9, int(told["start_ms"]) + 59_999, 1, 7)])  # a straggler

    live = feed.heard(key)

    first, second = live.minutes.bars()
    assert (first.open, first.high, first.low, first.close) == tuple(
        told[name] for name in ("open", "high", "low", "close")
    )
    assert (first.volume, second.close) == (told["volume"], 2.0)
    assert live.whole.tolist() == [True, True]


def test_minutes_over_when_the_broker_told_them_are_his_later_ones_the_feeds() -> None:
    his = columns_of([[TEN, TEN + MINUTE], *([[1.0, 2.0]] * 4), [10, 4], [0, 0]])
    ours = columns_of([[TEN, TEN + MINUTE, TEN + 2 * MINUTE], *([[7.0, 8.0, 9.0]] * 4), [1, 2, 3], [0, 0, 0]])

    whole = with_live(his, TEN + MINUTE + 20_000, LiveBars(TEN - 1, ours, np.ones(3, bool), None, 0))
    half = with_live(
        his,
        TEN + MINUTE + 20_000,
        LiveBars(TEN + MINUTE + 10_000, ours.take(slice(1, None)), np.array([False, True]), None, 0),
    )

    assert (whole.close.tolist(), whole.volume.tolist()) == ([1.0, 8.0, 9.0], [10, 2, 3])
    assert (half.open.tolist(), half.close.tolist()) == ([1.0, 2.0, 9.0], [1.0, 8.0, 9.0])
    assert (half.high.tolist(), half.low.tolist(), half.volume.tolist()) == (
        [1.0, 8.0, 9.0],
        [1.0, 2.0, 9.0],
        [10, 6, 3],
    )


def test_a_minute_of_which_the_broker_told_nothing_yet_is_what_the_feed_heard_of_it() -> None:
    ours = columns_of([[TEN], *([[7.0]] * 4), [1], [0]])

    assert same(with_live(no_candles(), TEN + 20_000, LiveBars(TEN + 10_000, ours, np.array([False]), None, 0)), ours)
    assert same(with_live(ours, TEN + 20_000, LiveBars(TEN, no_candles(), np.zeros(0, bool), None, 0)), ours)
