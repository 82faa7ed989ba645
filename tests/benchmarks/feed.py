"""From a frame to the board, held against the official SDK's way on the same frames in the same run.

The SDK's streamer parses a frame, turns it into a dict (`MessageToDict`) and hands that on; who listens keeps the
latest by key. The floor is the parsing alone, by our whole schema. What stays bytes on the board until somebody looks
(depth, greeks, bars) is told in rows of its own, with everything read.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from itertools import cycle
from statistics import median, quantiles
from typing import Any

from google.protobuf import json_format
from google.protobuf.internal import api_implementation

from services.feed.board import Board
from services.wire.feed.decoder import decode
from services.wire.feed.feed_v3_pb2 import FeedResponse
from tests.benchmarks.surroundings import as_the_desk_runs
from tests.benchmarks.table import Row
from tests.benchmarks.timing import medians_ms
from tests.support.feed_frames import full_frame, keys, ltpc_frame

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from upstox_client.feeder.proto import MarketDataFeedV3_pb2 as official

TURNS, EACH = 5, 12
BARS = {"ltpc": 4.0, "full": 10.0}
STREAM_KEYS, STREAM_RATE, STREAM_SECONDS = 2_000, 50_000, 6.0
FRAME_OF_STREAM = 50
MOST_LATE_MS = 5.0
SLICES = 4
READS_A_SECOND, KEYS_ON_SCREENS = 10, 200


def run() -> list[Row]:
    """Measure the hot path."""
    with as_the_desk_runs():
        rows = [row for mode in ("ltpc", "full") for count in (50, 500) for row in _decode_to_board(mode, count)]
        return [*rows, *_stream()]


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
            f"official SDK: parse, MessageToDict, dict update; {each}"),
        Row("  of which the floor", took["ours"], took["floor"], took["floor"] / took["ours"], "", None, "ms",
            "parsing alone, whole schema, nothing read"),
    ]  # fmt: skip
    if mode == "full":
        ratio = took["sdk"] / took["all read"]
        rows.append(
            Row("  with all depth, greeks, bars read", took["all read"], took["sdk"], ratio, "", None, "ms",
                "as if every frame were looked at; screens look a few times a second")
        )  # fmt: skip
    return rows


def _stream() -> list[Row]:
    """Full updates at the rate of the load test, from memory: what the feed thread has to do but receiving."""
    frames = cycle([full_frame(FRAME_OF_STREAM, seed=seed) for seed in range(40)])
    board, watched = _board(STREAM_KEYS), keys(KEYS_ON_SCREENS)
    work, control = Paced(), Paced()
    for _ in range(SLICES):  # in turns, so that whatever else the machine does falls on both
        work.run(lambda: board.apply(decode(next(frames)), time.monotonic_ns()), STREAM_SECONDS / SLICES)
        control.run(lambda: None, STREAM_SECONDS / SLICES / 2)
    screens = Paced(READS_A_SECOND)
    screens.run(lambda: board.snapshot(watched).depth(), 2.0)
    assert board.version == work.times
    rate = work.times * FRAME_OF_STREAM / work.seconds
    how = f"{rate:,.0f} updates/s for {work.seconds:.0f} s, {FRAME_OF_STREAM} a frame, from memory"
    noisy = control.p99 > MOST_LATE_MS
    met = work.p99 <= MOST_LATE_MS or (None if noisy else False)
    told = f"median {work.median:.2f} ms; peer: nothing to do" + (
        "; this machine is too noisy to tell" if noisy else ""
    )
    return [
        Row("50,000 full updates/s: CPU", work.share, control.share, None, "<= 25 %", work.share <= 25, "% of a core",
            f"{how}; receiving not included; peer: the benchmark's own clock"),
        Row("50,000 full updates/s: due to on the board, p99", work.p99, control.p99, None, f"<= {MOST_LATE_MS:g} ms",
            met, "ms", told),
        Row(f"  {KEYS_ON_SCREENS} rows with depth read {READS_A_SECOND} times a second", screens.share, None, None, "",
            None, "% of a core", "what screens cost that show this many rows"),
    ]  # fmt: skip


class Paced:
    """How something goes that is due many times a second."""

    def __init__(self, rate: float = STREAM_RATE / FRAME_OF_STREAM) -> None:
        self._rate = rate
        self._delays: list[float] = []
        self._used = 0.0
        self.seconds = 0.0

    def run(self, do: Callable[[], object], seconds: float) -> None:
        began, used = time.perf_counter(), time.thread_time()
        for turn in range(round(seconds * self._rate)):
            due = began + turn / self._rate
            if (wait := due - time.perf_counter()) > 0:
                time.sleep(wait)
            do()
            self._delays.append((time.perf_counter() - due) * 1000)
        self._used += time.thread_time() - used
        self.seconds += time.perf_counter() - began

    @property
    def times(self) -> int:
        return len(self._delays)

    @property
    def share(self) -> float:
        """Of a core, in percent, used by this thread."""
        return 100 * self._used / self.seconds

    @property
    def median(self) -> float:
        """Milliseconds from the instant something was due to its end."""
        return median(self._delays)

    @property
    def p99(self) -> float:
        return quantiles(self._delays, n=100)[98]


def _board(count: int) -> Board:
    board = Board()
    board.hold(keys(count))
    return board
