"""The board holds the latest of every key somebody holds, and gives it out whole."""

from __future__ import annotations

import math
import threading
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.domain.errors import MalformedPayload
from services.feed.board import Board
from services.feed.snapshot import NO_COUNT, NO_KIND, ROW, Snapshot
from services.wire.feed import feed_v3_pb2 as pb
from services.wire.feed.decoder import decode
from services.wire.feed.details import FeedLevel
from services.wire.feed.rows import (
    DEPTH,
    FIRST_LEVEL,
    IEP,
    KEY,
    KIND,
    LTP,
    LTPC_ONLY,
    LTT_MS,
    MARKET,
    FeedRow,
    Frame,
)
from tests.support.feed_frames import AT_MS, NIFTY, OPTION, RELIANCE, full_frame, keys, ltpc_frame, responses

NUMBERS = ROW.names[3:] if ROW.names else ()
"""`kind` and what follows: in the order of the members of a row."""


def light(key: str, price: float, *, quantity: int = 1) -> FeedRow:
    return (key, LTPC_ONLY, 0, price, AT_MS, quantity, 99.5, None, *(None,) * 15)  # type: ignore[return-value]


def frame(*rows: FeedRow, at_ms: int = AT_MS) -> Frame:
    return Frame(at_ms, list(rows), None)


def full_row(key: str = OPTION, **members: Any) -> FeedRow:
    feed = pb.MarketFullFeed(
        ltpc=pb.LTPC(ltp=187.8, ltt=AT_MS, ltq=65, cp=172.4), atp=182.66, vtt=48_213_750, oi=9e6, tbq=1.0, tsq=2.0
    )
    feed.MergeFrom(pb.MarketFullFeed(**members))
    return row_of(key, pb.Feed(fullFeed=pb.FullFeed(marketFF=feed), requestMode=pb.full_d5))


def row_of(key: str, feed: pb.Feed) -> FeedRow:
    [row] = decode(pb.FeedResponse(feeds={key: feed}).SerializeToString()).feeds
    return row


def two_levels() -> pb.MarketLevel:
    return pb.MarketLevel(
        bidAskQuote=[
            pb.Quote(bidQ=1300, bidP=187.6, askQ=975, askP=187.9),
            pb.Quote(bidQ=2600, bidP=187.55, askQ=65, askP=187.95),
        ]
    )


def only(snapshot: Snapshot, column: str) -> Any:
    [value] = snapshot.rows[column].tolist()
    return value


def test_a_row_shows_what_its_last_frame_said() -> None:
    board = Board()
    board.hold([RELIANCE])
    board.apply(frame(light(RELIANCE, 1470.0), at_ms=AT_MS - 500), 10)

    board.apply(frame(light(RELIANCE, 1472.5, quantity=12)), 20)

    snapshot = board.snapshot([RELIANCE])
    assert snapshot.keys == [RELIANCE]
    assert only(snapshot, "ltp") == 1472.5
    assert (only(snapshot, "ltq"), only(snapshot, "prev_close"), only(snapshot, "ltt_ms")) == (12, 99.5, AT_MS)
    assert (only(snapshot, "at_ms"), only(snapshot, "received_ns")) == (AT_MS, 20)
    assert only(snapshot, "version") == snapshot.version == board.version == 2


@given(responses)
def test_every_number_of_every_kind_arrives_as_it_was_decoded(response: pb.FeedResponse) -> None:
    decoded = decode(response.SerializeToString())
    board = Board(capacity=1)
    board.hold(row[KEY] for row in decoded.feeds)

    board.apply(decoded, 7)

    snapshot = board.snapshot([row[KEY] for row in decoded.feeds])
    for place, row in enumerate(decoded.feeds):
        shown = snapshot.rows[place]
        for name, told in zip(NUMBERS, row[KIND:DEPTH], strict=True):
            number = shown[name].item()
            if told is None:
                assert number == NO_COUNT or math.isnan(number), name
            else:
                assert number == told, name
        assert (snapshot.raw_depth[place], snapshot.raw_greeks[place], snapshot.raw_bars[place]) == row[DEPTH:]


def test_a_key_that_nothing_came_for_is_blank() -> None:
    board = Board()
    board.hold([RELIANCE])

    snapshot = board.snapshot([RELIANCE, "NSE_EQ|nobody holds it"])

    assert snapshot.rows["version"].tolist() == [0, 0]
    assert snapshot.rows["kind"].tolist() == [NO_KIND, NO_KIND]
    assert np.isnan(snapshot.rows["ltp"]).all()
    assert snapshot.rows["volume"].tolist() == [NO_COUNT, NO_COUNT]
    assert not snapshot.depth().known.any()
    assert np.isnan(snapshot.greeks()).all()
    assert np.isnan(snapshot.bars()["close"]).all()


def test_rows_of_keys_that_nobody_holds_are_not_kept() -> None:
    board = Board()
    board.hold([RELIANCE])

    board.apply(frame(light("NSE_EQ|stray", 5.0), light(RELIANCE, 6.0)), 1)

    assert board.keys() == [RELIANCE]
    assert only(board.snapshot([RELIANCE]), "ltp") == 6.0
    assert only(board.snapshot(["NSE_EQ|stray"]), "version") == 0


def test_a_zero_price_is_zero_and_a_missing_one_is_not_a_number() -> None:
    board = Board()
    board.hold([RELIANCE, NIFTY])

    board.apply(
        frame(
            row_of(RELIANCE, pb.Feed(ltpc=pb.LTPC(iep={"value": 0.0}))), row_of(NIFTY, pb.Feed(ltpc=pb.LTPC(ltp=5.0)))
        ),
        1,
    )

    snapshot = board.snapshot([RELIANCE, NIFTY])
    assert snapshot.rows["ltp"].tolist() == [0.0, 5.0]
    assert snapshot.rows["iep"][0] == 0.0
    assert math.isnan(snapshot.rows["iep"][1])


def test_the_indicative_price_ends_with_the_auction() -> None:
    board = Board()
    board.hold([RELIANCE])
    board.apply(frame(row_of(RELIANCE, pb.Feed(ltpc=pb.LTPC(ltp=10.0, iep={"value": 10.5})))), 1)

    board.apply(frame(light(RELIANCE, 10.0)), 2)

    assert math.isnan(only(board.snapshot([RELIANCE]), "iep"))


def test_details_that_a_frame_leaves_out_are_kept_and_empty_ones_replace() -> None:
    board = Board()
    board.hold([OPTION])
    greeks, bars = pb.OptionGreeks(delta=0.5), pb.MarketOHLC(ohlc=[pb.OHLC(interval="1d", open=174.0, vol=5, ts=9)])
    board.apply(frame(full_row(marketLevel=two_levels(), optionGreeks=greeks, marketOHLC=bars)), 1)

    board.apply(frame(full_row()), 2)
    kept = board.snapshot([OPTION])
    board.apply(frame(full_row(marketLevel=pb.MarketLevel())), 3)
    emptied = board.snapshot([OPTION])

    assert kept.book(0) == [FeedLevel(187.6, 1300, 187.9, 975), FeedLevel(187.55, 2600, 187.95, 65)]
    assert kept.greeks()[0].tolist() == [0.5, 0.0, 0.0, 0.0, 0.0]
    assert kept.bars()[0].item() == (174.0, 0.0, 0.0, 0.0, 5, 9)
    assert math.isnan(kept.bars("I1")[0]["open"])
    assert emptied.book(0) == []
    assert emptied.depth().known.tolist() == [True]
    assert emptied.greeks()[0, 0] == 0.5


def test_a_change_of_mode_leaves_nothing_of_the_other_mode() -> None:
    board = Board()
    board.hold([OPTION])
    board.apply(frame(full_row(marketLevel=two_levels())), 1)

    board.apply(frame(light(OPTION, 188.0)), 2)
    lighter = board.snapshot([OPTION])
    first_level = pb.FirstLevelWithGreeks(ltpc=pb.LTPC(ltp=189.0), vtt=7, oi=8.0, iv=0.1)
    board.apply(frame(row_of(OPTION, pb.Feed(firstLevelWithGreeks=first_level, requestMode=pb.option_greeks))), 3)
    greeks = board.snapshot([OPTION])

    assert (only(lighter, "ltp"), only(lighter, "kind"), only(lighter, "volume")) == (188.0, LTPC_ONLY, NO_COUNT)
    assert math.isnan(only(lighter, "oi"))
    assert lighter.book(0) is None
    assert (only(greeks, "kind"), only(greeks, "volume"), only(greeks, "oi")) == (FIRST_LEVEL, 7, 8.0)
    assert math.isnan(only(greeks, "atp"))


def test_depth_comes_as_arrays_of_any_number_of_levels() -> None:
    board = Board()
    board.hold([OPTION, RELIANCE])
    board.apply(frame(full_row(marketLevel=two_levels()), light(RELIANCE, 5.0)), 1)

    depth = board.snapshot([RELIANCE, OPTION]).depth(3)
    best = board.snapshot([OPTION]).depth(1)

    assert depth.bid_price.tolist() == [[0.0, 0.0, 0.0], [187.6, 187.55, 0.0]]
    assert depth.ask_quantity.tolist() == [[0, 0, 0], [975, 65, 0]]
    assert depth.known.tolist() == [False, True]
    assert (best.ask_price.tolist(), best.bid_quantity.tolist()) == ([[187.9]], [[1300]])
    assert best.bid_quantity.dtype == np.int64


def test_thirty_levels_are_there_where_the_feed_tells_thirty() -> None:
    board = Board()
    board.hold(keys(2))

    board.apply(decode(full_frame(2, levels=30)), 1)

    depth = board.snapshot(keys(2)).depth(30)
    assert depth.bid_price.shape == (2, 30)
    assert (np.diff(depth.bid_price, axis=1) < 0).all()
    assert (depth.ask_quantity > 0).all()


def test_one_row_with_damaged_details_does_not_take_the_table_with_it() -> None:
    board = Board()
    board.hold([OPTION, RELIANCE])
    damaged = (*full_row(RELIANCE)[:DEPTH], b"\x0a\xff", b"\x09", b"\x0a\xff")

    board.apply(frame(full_row(marketLevel=two_levels()), damaged), 1)  # type: ignore[arg-type]

    snapshot = board.snapshot([RELIANCE, OPTION])
    assert snapshot.depth().known.tolist() == [False, True]
    assert snapshot.depth().bid_price[:, 0].tolist() == [0.0, 187.6]
    assert math.isnan(snapshot.greeks()[0, 0])
    assert math.isnan(snapshot.bars()[0]["open"])
    with pytest.raises(MalformedPayload):
        snapshot.book(0)


def test_rows_carry_the_version_that_wrote_them() -> None:
    board = Board()
    board.hold([RELIANCE, NIFTY, OPTION])
    board.apply(frame(light(RELIANCE, 1.0), light(NIFTY, 2.0)), 1)
    before = board.version

    board.apply(frame(light(OPTION, 3.0), light(NIFTY, 4.0)), 2)

    rows = board.snapshot([RELIANCE, NIFTY, OPTION]).rows
    assert (rows["version"] > before).tolist() == [False, True, True]
    now, changed = board.changed_since(before)
    assert (now, sorted(changed)) == (board.version, sorted([NIFTY, OPTION]))
    assert board.changed_since(now) == (now, [])
    assert rows["ltp"].tolist() == [1.0, 4.0, 3.0]


def test_a_frame_without_rows_changes_nothing() -> None:
    board = Board()
    board.hold([RELIANCE])
    board.apply(frame(light(RELIANCE, 1.0)), 1)

    board.apply(Frame(AT_MS, [], None), 2)

    assert only(board.snapshot([RELIANCE]), "received_ns") == 1


def test_a_slot_that_goes_to_another_key_shows_nothing_of_the_first() -> None:
    board = Board(capacity=1)
    board.hold([OPTION])
    board.apply(frame(full_row(marketLevel=two_levels())), 1)

    board.release([OPTION, "NSE_EQ|never held"])
    board.hold([NIFTY])

    assert board.keys() == [NIFTY]
    assert OPTION not in board
    assert len(board) == 1
    assert only(board.snapshot([NIFTY]), "version") == 0
    assert board.snapshot([NIFTY]).book(0) is None
    assert board.changed_since(0)[1] == []


def test_a_snapshot_is_not_touched_by_what_comes_after_it() -> None:
    board = Board()
    board.hold([OPTION])
    board.apply(frame(full_row(marketLevel=two_levels())), 1)
    snapshot = board.snapshot([OPTION])

    board.apply(frame(light(OPTION, 5.0)), 2)
    board.release([OPTION])

    assert only(snapshot, "ltp") == 187.8
    assert snapshot.depth().bid_price[0, 0] == 187.6


def test_the_board_grows_and_keeps_what_it_holds() -> None:
    board = Board(capacity=2)
    some = keys(700)

    for place in range(0, 700, 7):
        board.hold(some[place : place + 7])
        board.apply(frame(*(light(key, float(number)) for number, key in enumerate(some[: place + 7]))), place)

    assert len(board) == 700
    assert board.snapshot(some).rows["ltp"].tolist() == [float(number) for number in range(700)]


class Model:
    """What a board should show, in the plainest way."""

    def __init__(self) -> None:
        self.prices: dict[str, float | None] = {}

    def apply(self, rows: list[FeedRow]) -> None:
        self.prices |= {row[KEY]: row[LTP] for row in rows if row[KEY] in self.prices}


names = st.sampled_from(keys(12))
steps = st.lists(
    st.one_of(
        st.tuples(st.just("hold"), st.lists(names, max_size=6)),
        st.tuples(st.just("release"), st.lists(names, max_size=4)),
        st.tuples(st.just("apply"), st.lists(st.tuples(names, st.floats(0, 1e6), st.booleans()), max_size=6)),
    ),
    max_size=25,
)


@given(steps)
def test_after_any_history_the_board_shows_the_last_price_of_what_is_held(history: list[tuple[str, Any]]) -> None:
    board, model = Board(capacity=1), Model()

    for what, told in history:
        if what == "hold":
            board.hold(told)
            model.prices = dict.fromkeys(told) | model.prices
        elif what == "release":
            board.release(told)
            model.prices = {key: price for key, price in model.prices.items() if key not in told}
        else:
            rows = [(*full_row(key)[:LTP], price, *full_row(key)[LTP + 1 :]) if full else light(key, price)
                    for key, price, full in told]  # fmt: skip
            board.apply(frame(*rows), 1)  # type: ignore[arg-type]
            model.apply(rows)  # type: ignore[arg-type]

    shown = board.snapshot(list(model.prices)).rows
    assert sorted(board.keys()) == sorted(model.prices)
    assert [None if version == 0 else price for version, price in zip(shown["version"], shown["ltp"], strict=True)] == [
        *model.prices.values()
    ]
    assert sorted(board.changed_since(0)[1]) == sorted(key for key, at in model.prices.items() if at is not None)


def test_readers_see_whole_frames_while_one_thread_writes_and_others_hold_and_release() -> None:
    board, some, others = Board(capacity=4), keys(40), [f"NSE_EQ|{number}" for number in range(60)]
    board.hold(some)
    wrong: list[str] = []
    stop, started = threading.Event(), threading.Barrier(4)

    def read() -> None:
        started.wait()
        while not stop.is_set():
            whole = board.snapshot(some)
            prices, quantities = whole.rows["ltp"], whole.rows["ltq"]
            if whole.version and len(set(prices.tolist())) != 1:
                wrong.append("a snapshot of two frames")
            if (quantities != prices).any() and whole.version:
                wrong.append("a row of two frames")

    def shuffle() -> None:
        started.wait()
        while not stop.is_set():
            board.hold(others)
            board.release(others)

    threads = [threading.Thread(target=work) for work in (read, read, shuffle)]
    for thread in threads:
        thread.start()
    started.wait()
    for number in range(1, 400):
        board.apply(frame(*(light(key, float(number), quantity=number) for key in [*some, *others])), number)
    stop.set()
    for thread in threads:
        thread.join(30)

    assert wrong == []
    assert only(board.snapshot(some[:1]), "ltp") == 399.0


def test_rows_without_an_indicative_price_are_those_of_the_decoder() -> None:
    """The helper above writes rows by hand; they must stay what the decoder makes."""
    [row] = decode(ltpc_frame(1)).feeds

    assert (row[KIND], row[IEP], len(row)) == (LTPC_ONLY, None, len(light(RELIANCE, 1.0)))
    assert row[LTT_MS] <= AT_MS
    assert decode(full_frame(1)).feeds[0][KIND] == MARKET


@pytest.mark.parametrize(("told", "percent"), [(0.1464, 14.64), (14.64, 14.64), (0.0, math.nan)])
def test_implied_volatility_is_told_in_percent_whatever_the_scale_of_the_feed(told: float, percent: float) -> None:
    board = Board()
    board.hold([OPTION, RELIANCE])
    board.apply(frame(full_row(iv=told)), 1)

    assert board.snapshot([OPTION, RELIANCE]).iv_percent().tolist() == pytest.approx([percent, math.nan], nan_ok=True)
