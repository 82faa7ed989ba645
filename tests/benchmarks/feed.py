"""From a frame to the board, held against the official SDK's way on the same frames in the same run.

The SDK's streamer parses a frame, turns it into a dict (`MessageToDict`) and hands that on; who listens keeps the
latest by key. The floor is the parsing alone, by our whole schema. What stays bytes on the board until somebody looks
(depth, greeks, bars) is told in rows of its own, with everything read. The way from the socket on is in `feed_path`.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from typing import Any

from google.protobuf import json_format
from google.protobuf.internal import api_implementation

from services.feed.board import Board
from services.wire.feed.decoder import decode
from services.wire.feed.feed_v3_pb2 import FeedResponse
from tests.benchmarks import feed_path
from tests.benchmarks.surroundings import as_the_desk_runs
from tests.benchmarks.table import Row
from tests.benchmarks.timing import medians_ms
from tests.support.feed_frames import full_frame, keys, ltpc_frame

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from upstox_client.feeder.proto import MarketDataFeedV3_pb2 as official

TURNS, EACH = 5, 12
BARS = {"ltpc": 4.0, "full": 10.0}
STREAM_KEYS = 2_000
READS_A_SECOND, KEYS_ON_SCREENS = 10, 200


def run() -> list[Row]:
    """Measure the hot path, then the whole one; three minutes."""
    with as_the_desk_runs():
        rows = [row for mode in ("ltpc", "full") for count in (50, 500) for row in _decode_to_board(mode, count)]
        rows += _screens()
    return rows + feed_path.run()


def _decode_to_board(mode: str, count: int) -> list[Row]:
    frame = (ltpc_frame if mode == "ltpc" else full_frame)(count)
    board, asked = _board(count), keys(count)
    latest: dict[str, Any] = {}

    def ours() -> None:
        board.apply(decode(frame), time.monotonic_ns())

    def ours_all_read() -> None:
        ours()
        snapshot = board.snapshot(asked)
        snapshot.depth()
        snapshot.greeks()
        snapshot.bars()

    def sdk() -> None:
        latest.update(json_format.MessageToDict(official.FeedResponse.FromString(frame))["feeds"])

    ways: dict[str, Callable[[], object]] = {
        "ours": ours,
        "sdk": sdk,
        "floor": lambda: FeedResponse.FromString(frame),
    }
    if mode == "full":
        ways["all read"] = ours_all_read
    took = medians_ms(ways, turns=TURNS, each=EACH)
    assert len(latest) == count
    assert (board.snapshot(asked).rows["version"] > 0).all()
    name = f"{mode}, {count} a frame: decoded to the board"
    each = f"{took['ours'] * 1000 / count:.2f} us an update; protobuf: {api_implementation.Type()}"
    ratio = took["sdk"] / took["ours"]
    rows = [
        Row(name, took["ours"], took["sdk"], ratio, f">= {BARS[mode]:g}x", ratio >= BARS[mode], "ms",
            f"official SDK: parse, MessageToDict, dict update; {each}; floor: parsing alone, nothing read",
            took["floor"]),
    ]  # fmt: skip
    if mode == "full":
        ratio = took["sdk"] / took["all read"]
        rows.append(
            Row("  with all depth, greeks, bars read", took["all read"], took["sdk"], ratio, "", None, "ms",
                "as if every frame were looked at; screens look a few times a second")
        )  # fmt: skip
    return rows


def _screens() -> list[Row]:
    """What is read of the board while it is looked at, over and above what the feed's thread does."""
    board, watched = _board(STREAM_KEYS), keys(KEYS_ON_SCREENS)
    board.apply(decode(full_frame(STREAM_KEYS)), 1)
    took = medians_ms({"read": lambda: board.snapshot(watched).depth()}, turns=TURNS, each=EACH)
    share = took["read"] * READS_A_SECOND / 10
    return [
        Row(f"{KEYS_ON_SCREENS} rows with depth, {READS_A_SECOND} times a second", share, None, None, "", None,
            "% of a core", "what screens cost that show this many rows")
    ]  # fmt: skip


def _board(count: int) -> Board:
    board = Board()
    board.hold(keys(count))
    return board
