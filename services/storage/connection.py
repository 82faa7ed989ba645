"""A SQLite connection that is lent: it works for the thread that holds it, while it holds it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from threading import get_ident
from time import monotonic
from types import TracebackType
from typing import Any, Literal
from weakref import ReferenceType, ref

from services.domain.errors import PoolClosed

HELD_UP_SECONDS = 0.02
"""To begin takes microseconds where nobody is in the way. Whose turn it is inside this process is settled before, so a
longer wait was for another process, or for the processor on a swamped machine; SQLite does not tell its tries."""


class LentConnection(sqlite3.Connection):
    """`commit` and `rollback` end the transaction and begin the next, so that what follows is still one piece.

    Cursors end with the loan: one that was left half read would keep its old view of the file, and the next `BEGIN
    IMMEDIATE` on this connection would be "locked" at once, however long it may wait.
    """

    begin_with = "BEGIN"
    busy_ms = -1
    held_up: Callable[[], object] = staticmethod(lambda: None)
    """Is told when a transaction that may write took `HELD_UP_SECONDS` or longer to begin."""

    def __init__(self, *args: Any, **options: Any) -> None:  # passed through to sqlite3 as they are
        super().__init__(*args, **options)
        self.holder = get_ident()  # the thread that may use it, at first the one that opens it; 0 = nobody
        self._cursors: set[ReferenceType[sqlite3.Cursor]] = set()

    # -- for the pool ------------------------------------------------------------------------------------------

    def lend(self, begin_with: str, busy_ms: int) -> None:
        """Give it to this thread and begin. SQLite waits up to `busy_ms` for writers of other processes."""
        self.holder = get_ident()
        self.begin_with = begin_with
        if abs(busy_ms - self.busy_ms) > self.busy_ms // 10:  # a PRAGMA costs more than a small difference matters
            super().execute(f"PRAGMA busy_timeout={busy_ms}")
            self.busy_ms = busy_ms
        began = monotonic()
        super().execute(begin_with)
        if begin_with != "BEGIN" and monotonic() - began >= HELD_UP_SECONDS:
            self.held_up()

    def settle(self, *, keep: bool) -> None:
        """Commit (`keep`) or roll back what the holder did, and close the cursors it left."""
        self._close_cursors()
        if self.in_transaction:
            super().execute("COMMIT" if keep else "ROLLBACK")

    def take_back(self) -> bool:
        """End the loan. False: the connection is beyond use and must be thrown away."""
        self.holder = 0
        try:
            self._close_cursors()
            if self.in_transaction:
                super().execute("ROLLBACK")
        except sqlite3.Error:  # also "Cannot operate on a closed database", if the holder closed it
            return False
        return True

    def discard(self) -> None:
        """Close the file for good."""
        super().close()

    def _close_cursors(self) -> None:
        while self._cursors:
            cursor = self._cursors.pop()()
            if cursor is not None:
                cursor.close()

    def _require_holder(self) -> None:
        if self.holder != get_ident():
            raise PoolClosed("this connection went back to its pool (or belongs to another thread); take one anew")

    # -- for the holder ----------------------------------------------------------------------------------------

    def cursor(self, factory: Any = sqlite3.Cursor) -> Any:  # as in sqlite3: any kind of cursor
        self._require_holder()
        made = super().cursor(factory)
        self._cursors.add(ref(made, self._cursors.discard))
        return made

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        cursor: sqlite3.Cursor = self.cursor()
        return cursor.execute(sql, parameters)

    def executemany(self, sql: str, parameters: Iterable[Any], /) -> sqlite3.Cursor:
        cursor: sqlite3.Cursor = self.cursor()
        return cursor.executemany(sql, parameters)

    def executescript(self, sql_script: str, /) -> sqlite3.Cursor:
        """As in sqlite3, a script commits first and then runs statement by statement, outside a transaction."""
        cursor: sqlite3.Cursor = self.cursor()
        cursor.executescript(sql_script)
        self._begin_anew()
        return cursor

    def commit(self) -> None:
        self._require_holder()
        if self.in_transaction:
            super().execute("COMMIT")
        self._begin_anew()

    def rollback(self) -> None:
        self._require_holder()
        if self.in_transaction:
            super().execute("ROLLBACK")
        self._begin_anew()

    def close(self) -> None:
        """Really closes the file. What was not committed is lost, so the block's end reports it as an error."""
        self._require_holder()
        super().close()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> Literal[False]:
        if kind is None:
            self.commit()
        else:
            self.rollback()
        return False

    def _begin_anew(self) -> None:
        if not self.in_transaction:
            super().execute(self.begin_with)
