"""Any number of rows goes in, in order, by statements of many rows each."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from services.storage.many_rows import ManyRows


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:")) as opened:
        opened.execute("CREATE TABLE pairs (a INTEGER PRIMARY KEY, b INTEGER)")
        yield opened


@pytest.mark.parametrize("count", [0, 1, 15, 16, 17, 127, 1_023, 1_024, 3_333])
def test_every_row_is_stored_once_and_the_last_number_is_told(connection: sqlite3.Connection, count: int) -> None:
    last = ManyRows("pairs", ("b",)).insert(connection, range(count))

    assert last == count
    assert [row[0] for row in connection.execute("SELECT b FROM pairs ORDER BY a")] == list(range(count))


def test_a_hundred_rows_take_few_statements(connection: sqlite3.Connection) -> None:
    statements: list[str] = []
    connection.set_trace_callback(statements.append)

    ManyRows("pairs", ("a", "b")).insert(connection, range(10_000))

    assert sum(statement.startswith("INSERT") for statement in statements) < 25


def test_a_row_of_the_same_key_is_replaced_only_where_that_is_meant(connection: sqlite3.Connection) -> None:
    ManyRows("pairs", ("a", "b")).insert(connection, [1, 1])

    ManyRows("pairs", ("a", "b"), replace=True).insert(connection, [1, 2, 2, 2])

    assert connection.execute("SELECT * FROM pairs").fetchall() == [(1, 2), (2, 2)]
    with pytest.raises(sqlite3.IntegrityError):
        ManyRows("pairs", ("a", "b")).insert(connection, [1, 3])
