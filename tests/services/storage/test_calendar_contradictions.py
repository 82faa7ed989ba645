"""A contradiction stands from when it was met until it is gone, over restarts, and its row stays."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from services.domain.clock import epoch_ms
from services.domain.phases import Market
from services.storage.calendar_contradictions import Contradiction, ContradictionStore
from services.storage.pool import Pool
from services.storage.schema import migrate_market
from tests.support.calendar import ist

NOW = ist("2026-11-23 11:00")
LATER = NOW + timedelta(minutes=5)
CLOSED = Contradiction(Market.NSE, date(2026, 11, 23), "hours", "trades until 15:30", "is closed", "Upstox", since=NOW)
STATUS = replace(CLOSED, about="status", broker_says="is not open now (NORMAL_CLOSE)")


@pytest.fixture
def pool(tmp_path: Path) -> Iterator[Pool]:
    path = tmp_path / "market_data.db"
    migrate_market(path, backups=tmp_path / "backups", now=NOW)
    with closing(Pool(path)) as made:
        yield made


@pytest.fixture
def store(pool: Pool) -> ContradictionStore:
    return ContradictionStore(pool)


def spans(pool: Pool, about: str = "hours") -> list[tuple[int, int | None]]:
    """From when to when each contradiction stood, as the file has it."""
    with pool.get_connection(write=False) as connection:
        rows = connection.execute(
            "SELECT since_ms, gone_ms FROM calendar_contradictions WHERE about = ? ORDER BY id", (about,)
        )
        return [(row["since_ms"], row["gone_ms"]) for row in rows]


def test_what_stands_keeps_the_instant_at_which_it_began(store: ContradictionStore, pool: Pool) -> None:
    store.settle([CLOSED], NOW)

    again = store.settle([replace(CLOSED, since=LATER, table_says="trades until 15:40")], LATER)

    assert again == (replace(CLOSED, table_says="trades until 15:40"),)
    assert again[0].subject == "NSE 2026-11-23"
    assert spans(pool) == [(epoch_ms(NOW), None)]


def test_what_is_gone_is_kept_with_its_end_and_may_come_back(store: ContradictionStore, pool: Pool) -> None:
    store.settle([CLOSED, STATUS], NOW)

    assert store.settle([STATUS], LATER) == (STATUS,)
    back = store.settle([replace(CLOSED, since=LATER), STATUS], LATER)

    assert [one.about for one in back] == ["hours", "status"]
    assert spans(pool) == [(epoch_ms(NOW), epoch_ms(LATER)), (epoch_ms(LATER), None)]


def test_others_may_be_left_standing(store: ContradictionStore) -> None:
    store.settle([CLOSED], NOW)

    assert store.settle([], LATER, end_others=False) == (CLOSED,)
    assert store.settle([], LATER) == ()


def test_an_end_never_lies_before_the_beginning(store: ContradictionStore, pool: Pool) -> None:
    store.settle([CLOSED], NOW)

    store.settle([], NOW - timedelta(days=1))

    assert spans(pool) == [(epoch_ms(NOW), epoch_ms(NOW))]
