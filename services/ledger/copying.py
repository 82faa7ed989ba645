"""Moves a ledger from a file into an empty PostgreSQL database: all of it, proven row by row, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from services.domain.errors import ConfigurationError, StorageError
from services.ledger.backup import check
from services.ledger.figures import Figures
from services.ledger.files import FileLedger
from services.ledger.mode_mark import mark_mode
from services.ledger.opening import open_ledger
from services.ledger.postgres import ServerLedger, hurry_not
from services.ledger.pouring import pour
from services.ledger.server_figures import TABLES, plain_rows, server_figures, server_trouble
from services.ledger.upgrade import upgrade_in

PATIENCE = 60.0
"""Seconds to wait for whoever writes just now, on either side."""


@dataclass(frozen=True, slots=True)
class Copied:
    """What a copy found and made."""

    source: Path
    target: str
    """Where it is now, for people."""
    figures: Figures


def copy_ledger(
    source: Path,
    url: str,
    *,
    backups: Path,
    now: datetime,
    mode: str = "",
    progress: Callable[[str], None] = lambda words: None,
) -> Copied:
    """Put everything that the file `source` holds into the database at `url`, in one transaction. `mode`: the mark that
    the database gets beside that.

    Nobody writes to the file meanwhile; it stays as it is (but for the upgrade that any start makes, after a copy into
    `backups`). Numbers that were given out are not given out again. Raises `ConfigurationError` if the database holds
    anything already, `StorageError` if the file is not sound, if a row cannot be kept as it is, or if the server fails;
    then, as after a kill, the database holds what it held before.
    """
    wanted = check(source)
    if wanted.trouble:
        raise StorageError(f"{source} is not sound, nothing was copied: {'; '.join(wanted.trouble)}")
    with (
        closing(open_ledger(source, backups=backups, now=now)) as old,
        closing(ServerLedger(url)) as new,
        old.write(PATIENCE) as reading,
        new.write(PATIENCE) as writing,
    ):
        assert isinstance(old, FileLedger)
        hurry_not(writing)
        upgrade_in(writing, new, backups=backups, now=now)
        _insist_on_empty(writing, new.name)
        for table in TABLES:
            progress(f"copying {table.name}")
            pour(writing, table, _rows(reading, table))
        _set_counters(reading, writing)
        for table in TABLES:
            progress(f"comparing {table.name}")
            _compare(reading, writing, table)
        if mode:
            mark_mode(writing, mode, now)
        if trouble := server_trouble(writing):
            raise StorageError(f"the copy is not sound, nothing was kept: {'; '.join(trouble)}")
        figures = server_figures(writing)
        progress("keeping it")
    return Copied(source, new.name, figures)


def _insist_on_empty(writing: sa.Connection, name: str) -> None:
    full = [t.name for t in TABLES if writing.execute(sa.select(sa.literal(1)).select_from(t).limit(1)).first()]
    if full:
        raise ConfigurationError(
            f"{name} is not empty (there are rows in {', '.join(full[:5])}): a ledger is copied into an empty database"
        )


def _rows(reading: sa.Connection, table: sa.Table) -> Generator[tuple[Any, ...]]:  # Any: cells of several kinds
    try:
        yield from plain_rows(reading, table)
    except ValueError as error:  # a day or an instant that is none
        raise StorageError(f"{table.name} holds what cannot be read: {error}") from error


def _set_counters(reading: sa.Connection, writing: sa.Connection) -> None:
    """From the number on that the file gave out last, of rows that are gone too."""
    given = dict(tuple(row) for row in reading.exec_driver_sql("SELECT name, seq FROM sqlite_sequence"))
    for table in TABLES:
        if table.name in given:
            (key,) = table.primary_key
            writing.exec_driver_sql(
                "SELECT setval(pg_get_serial_sequence(%s, %s), %s)", (table.name, key.name, max(1, given[table.name]))
            )


def _compare(reading: sa.Connection, writing: sa.Connection, table: sa.Table) -> None:
    with closing(_rows(reading, table)) as before, closing(plain_rows(writing, table)) as after:
        for number, (was, now) in enumerate(zip_longest(before, after), 1):
            if repr(was) != repr(now):
                raise StorageError(f"row {number} of {table.name} is not the same in the database; nothing was kept")
