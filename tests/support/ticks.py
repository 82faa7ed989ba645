"""Ticks, and the market file that they are stored in."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from services.sqlite.upgrade import upgrade
from services.storage.feed_tables import create_feed_tables
from services.storage.pool import Pool
from services.storage.tick_columns import NOT_TOLD, TickColumns
from services.storage.tick_rows import Batch, Tick

NOW = datetime(2026, 11, 20, 5, 45, tzinfo=UTC)
"""Friday, 11:15 IST."""
MIDNIGHT = datetime(2026, 11, 19, 18, 30, tzinfo=UTC)
"""Of that Friday, in India."""
NOW_MS = 1_795_153_500_000
DAY = timedelta(days=1)
DAY_MS = 86_400_000
NIFTY = "NSE_INDEX|Nifty 50"
RELIANCE = "NSE_EQ|INE002A01018"
INFY = "NSE_EQ|INE009A01021"


def tick(
    key: str = RELIANCE,
    price: float = 1472.5,
    traded_ms: int | None = NOW_MS - 150,
    quantity: int | None = 25,
    volume: int | None = 4_312_876,
) -> Tick:
    return key, price, traded_ms, quantity, volume


@contextmanager
def open_pool(folder: Path, *, size: int = 5) -> Iterator[Pool]:
    """The market file of `folder` with the tables of the feed."""
    path = folder / "market_data.db"
    upgrade(path, [create_feed_tables], backups=folder / "backups", now=NOW)
    pool = Pool(path, size=size)
    try:
        yield pool
    finally:
        pool.close_all()


def rows(columns: TickColumns) -> list[tuple[int, int | None, int, int | None, int | None]]:
    """One tuple a tick: received, exchange time, price in 1/10000 rupee, quantity, volume; None: not told."""
    plain = zip(*(column.tolist() for column in columns.as_tuple()), strict=True)
    return [
        (received, *(None if value == NOT_TOLD else value for value in (exchange,)), price, *_told(quantity, volume))
        for received, exchange, price, quantity, volume in plain
    ]


def _told(quantity: int, volume: int) -> tuple[int | None, int | None]:
    return None if quantity == NOT_TOLD else quantity, None if volume == NOT_TOLD else volume


def a_market(
    keys: Sequence[str], ticks: int, *, per_frame: int = 100, every_ms: int = 20, seed: int = 7
) -> list[Batch]:
    """`ticks` ticks of `keys` in frames, as a feed in session sends them: prices walk in steps of 5 paise, about two of
    three ticks tell a new trade, most of the trades are small."""
    chance = random.Random(seed)
    paise = {key: chance.randrange(2_000, 100_000, 1) * 5 for key in keys}
    volumes = {key: chance.randrange(1_000, 20_000_000) for key in keys}
    trades = {key: (NOW_MS - chance.randrange(60_000), 1) for key in keys}
    frames: list[Batch] = []
    for number in range(0, ticks, per_frame):
        received = NOW_MS + number // per_frame * every_ms
        frame: list[Tick] = []
        for _ in range(min(per_frame, ticks - number)):
            key = chance.choice(keys)
            if chance.random() < 0.65:
                quantity = max(1, int(chance.lognormvariate(3, 1.5)))
                paise[key] += chance.choice((-10, -5, 0, 0, 5, 10))
                volumes[key] += quantity * chance.randrange(1, 4)
                trades[key] = received - chance.randrange(20, 400), quantity
            traded_ms, quantity = trades[key]
            frame.append((key, paise[key] / 100, traded_ms, quantity, volumes[key]))
        frames.append((received, frame))
    return frames
