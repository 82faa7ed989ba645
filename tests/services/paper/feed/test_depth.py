from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from services.paper.feed.depth import deeper
from services.paper.model import Level, Snapshot
from tests.support.paper import NIFTY, RELIANCE, KnownMarket


@pytest.fixture
def snap() -> Snapshot:
    [found] = KnownMarket().snapshots([RELIANCE], datetime.fromisoformat("2026-11-20T11:15:00+05:30"))
    bids = tuple(Level(round(1472.4 - n / 10, 2), 65 * (n + 1), 3) for n in range(5))
    asks = tuple(Level(round(1472.5 + n / 10, 2), 65 * (n + 2), 3) for n in range(5))
    return replace(found, bids=bids, asks=asks)


def test_thirty_levels_go_on_where_five_end(snap: Snapshot) -> None:
    bids, asks = deeper(snap, 30)

    assert (len(bids), len(asks)) == (30, 30)
    assert (bids[:5], asks[:5]) == (snap.bids, snap.asks)
    assert [level.price for level in bids] == sorted({level.price for level in bids}, reverse=True)
    assert [level.price for level in asks] == sorted({level.price for level in asks})
    assert asks[-1].price == pytest.approx(1472.5 + 2.9)


def test_quantities_stay_whole_lots(snap: Snapshot) -> None:
    bids, asks = deeper(snap, 30)

    assert all(level.quantity > 0 for level in (*bids, *asks))
    assert all(level.quantity % 65 == 0 for level in bids)


def test_no_level_lies_beyond_the_circuit_limits(snap: Snapshot) -> None:
    bids, asks = deeper(replace(snap, lower_circuit=1471.5, upper_circuit=1473.05), 30)

    assert bids[-1].price == 1471.5
    assert asks[-1].price == 1473.0


def test_an_empty_side_stays_empty() -> None:
    [index] = KnownMarket().snapshots([NIFTY], datetime.fromisoformat("2026-11-20T11:15:00+05:30"))

    assert deeper(index, 30) == ((), ())
