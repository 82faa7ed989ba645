"""Reading the board, held against what is usual: a dict for each instrument, made into a DataFrame."""

from __future__ import annotations

import tracemalloc
from typing import Any

import pandas as pd

from services.feed.board import Board
from services.feed.snapshot import ROW
from services.wire.feed.decoder import decode
from tests.benchmarks.surroundings import as_the_desk_runs
from tests.benchmarks.table import Row
from tests.benchmarks.timing import medians_ms
from tests.support.feed_frames import full_frame, keys

ROWS = 1_500
TURNS, EACH = 5, 15
MOST_MIB = 4.0
_LEVELS = 5


def run() -> list[Row]:
    """Measure snapshots."""
    with as_the_desk_runs():
        board, asked = Board(), keys(ROWS)
        board.hold(asked)
        board.apply(decode(full_frame(ROWS)), 1)
        plain = _dicts(board)
        deep = [row | _levels(board, place) for place, row in enumerate(plain)]
        took = medians_ms(
            {
                "snapshot": lambda: board.snapshot(asked),
                "dicts": lambda: pd.DataFrame(plain),
                "with depth": lambda: board.snapshot(asked).depth(_LEVELS),
                "dicts with depth": lambda: pd.DataFrame(deep),
                "frame": lambda: pd.DataFrame(board.snapshot(asked).rows, index=asked),
            },
            turns=TURNS,
            each=EACH,
        )
        size = _peak_mib(board, asked)
    told = f"{len(ROW.names or ())} columns both; median of {TURNS * EACH}"
    ratio = took["dicts"] / took["snapshot"]
    deep_ratio = took["dicts with depth"] / took["with depth"]
    frame_ratio = took["dicts"] / took["frame"]
    return [
        Row(f"snapshot of {ROWS:,} rows", took["snapshot"], took["dicts"], ratio, ">= 5x", ratio >= 5, "ms",
            f"a DataFrame over flat dicts; {told}"),
        Row("  as a DataFrame", took["frame"], took["dicts"], frame_ratio, "", None, "ms", "the same for both"),
        Row("  with five levels of depth", took["with depth"], took["dicts with depth"], deep_ratio, "", None, "ms",
            "ours is read from the broker's bytes in this time, theirs had been read before"),
        Row(f"memory of a snapshot of {ROWS:,} rows", size, None, None, f"<= {MOST_MIB:g} MiB", size <= MOST_MIB, "MiB",
            "peak, five levels of depth included"),
    ]  # fmt: skip


def _dicts(board: Board) -> list[dict[str, Any]]:
    snapshot = board.snapshot(keys(ROWS))
    names = ROW.names or ()
    return [
        {"key": key, **dict(zip(names, row.item(), strict=True))}
        for key, row in zip(snapshot.keys, snapshot.rows, strict=True)
    ]


def _levels(board: Board, place: int) -> dict[str, float]:
    book = board.snapshot(keys(ROWS)[place : place + 1]).book(0) or []
    return {
        f"{name}_{step}": value for step, level in enumerate(book[:_LEVELS]) for name, value in level._asdict().items()
    }


def _peak_mib(board: Board, asked: list[str]) -> float:
    tracemalloc.start()
    try:
        snapshot = board.snapshot(asked)
        depth = snapshot.depth(_LEVELS)
        assert len(snapshot) == len(depth.known) == ROWS
        return tracemalloc.get_traced_memory()[1] / 2**20
    finally:
        tracemalloc.stop()
