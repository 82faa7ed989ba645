"""Where sealed tokens lie: what the token store asks of such a place, and the file that is one."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Protocol

from services.domain.clock import Clock, epoch_ms
from services.domain.errors import StorageError
from services.sqlite.opening import in_words, open_file
from services.sqlite.upgrade import Migration, upgrade
from services.storage.token_key import make_private

STORE_FILE = "tokens.db"


class TokenRows(Protocol):
    """Sealed tokens by user, and who signed out on purpose; inside one transaction."""

    def all(self) -> dict[str, bytes]: ...
    def get(self, user_id: str) -> bytes | None: ...
    def put(self, user_id: str, sealed: bytes, at: datetime) -> None: ...
    def reseal(self, user_id: str, sealed: bytes) -> None: ...
    def forget(self, user_id: str) -> None: ...
    def went_out(self, user_id: str, at: datetime) -> None: ...
    def came_back(self, user_id: str) -> None: ...
    def is_out(self, user_id: str) -> bool: ...


class TokenPlace(Protocol):
    """Whoever writes does so alone, over all processes; what cannot be done is a `StorageError`."""

    @property
    def name(self) -> str:
        """For people."""

    @property
    def emptying(self) -> str:
        """What to do to be rid of tokens that nothing opens, as an order."""

    def read(self) -> AbstractContextManager[TokenRows]: ...
    def write(self) -> AbstractContextManager[TokenRows]: ...


def _create_tokens(connection: sqlite3.Connection) -> None:
    connection.execute(
        "CREATE TABLE tokens (user_id TEXT PRIMARY KEY, sealed BLOB NOT NULL, saved_at_ms INTEGER NOT NULL)"
        " WITHOUT ROWID"
    )
    connection.execute("CREATE TABLE signed_out (user_id TEXT PRIMARY KEY, at_ms INTEGER NOT NULL) WITHOUT ROWID")


MIGRATIONS: list[Migration] = [_create_tokens]


class TokenFile:
    """`tokens.db` in `folder`."""

    emptying = f"delete {STORE_FILE}"

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        self._path = folder / STORE_FILE
        self._clock = clock

    @property
    def name(self) -> str:
        return str(self._path)

    @contextmanager
    def read(self) -> Iterator[TokenRows]:
        with self._open() as connection:
            yield _FileRows(connection)

    @contextmanager
    def write(self) -> Iterator[TokenRows]:
        with self._open() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield _FileRows(connection)
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """A connection for one operation: they are rare, and so every process sees what another stored or deleted."""
        make_private(self._path)
        try:
            with closing(open_file(self._path, sqlite3.Connection, synchronous="FULL")) as connection:
                if connection.execute("PRAGMA user_version").fetchone()[0] != len(MIGRATIONS):
                    upgrade(self._path, MIGRATIONS, backups=self._folder / "backups", now=self._clock.now(), keep=1)
                yield connection
        except sqlite3.Error as error:
            raise in_words(error, self._path) or StorageError(f"{self._path}: {error}") from error


class _FileRows:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def all(self) -> dict[str, bytes]:
        return {row["user_id"]: row["sealed"] for row in self._connection.execute("SELECT * FROM tokens")}

    def get(self, user_id: str) -> bytes | None:
        row = self._connection.execute("SELECT sealed FROM tokens WHERE user_id = ?", (user_id,)).fetchone()
        return None if row is None else row["sealed"]

    def put(self, user_id: str, sealed: bytes, at: datetime) -> None:
        self._connection.execute(
            "INSERT OR REPLACE INTO tokens (user_id, sealed, saved_at_ms) VALUES (?, ?, ?)",
            (user_id, sealed, epoch_ms(at)),
        )

    def reseal(self, user_id: str, sealed: bytes) -> None:
        self._connection.execute("UPDATE tokens SET sealed = ? WHERE user_id = ?", (sealed, user_id))

    def forget(self, user_id: str) -> None:
        self._connection.execute("DELETE FROM tokens WHERE user_id = ?", (user_id,))

    def went_out(self, user_id: str, at: datetime) -> None:
        self._connection.execute(
            "INSERT OR REPLACE INTO signed_out (user_id, at_ms) VALUES (?, ?)", (user_id, epoch_ms(at))
        )

    def came_back(self, user_id: str) -> None:
        self._connection.execute("DELETE FROM signed_out WHERE user_id = ?", (user_id,))

    def is_out(self, user_id: str) -> bool:
        return self._connection.execute("SELECT 1 FROM signed_out WHERE user_id = ?", (user_id,)).fetchone() is not None
