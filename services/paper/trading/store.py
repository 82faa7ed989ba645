"""The file behind the trading desk: each piece of work is one transaction, written before anybody hears of it.

It is the paper account's own file (`services.paper.accounts` makes the tables). With WAL and `synchronous=NORMAL` a
transaction that was committed survives the end of the process, however it comes, and one that was not leaves no trace.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from operator import attrgetter
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

from services.domain.errors import StorageError
from services.paper.trading.matching import Shelf
from services.paper.trading.notes import DayCharges
from services.paper.trading.order_values import Fill, Order
from services.paper.trading.position_values import Holding, Position
from services.paper.trading.state import Book, Held, State
from services.paper.trading.values import Archive
from services.paper.trading.work import Work

T = TypeVar("T")
Row = tuple[Any, ...]
"""As SQLite hands it out."""
_FLAGS = {"bool"}
_DAY_MS = 86_400_000
_PIECE = 2000


class _Rows:
    """How a value class lies in its table: one column for each of its fields, `book` in front."""

    def __init__(self, table: str, kind: type[Any], *more: str, replaces: bool) -> None:
        self.kind = kind
        self.names = [one.name for one in fields(kind)]
        self._flags = [place for place, one in enumerate(fields(kind)) if one.type in _FLAGS]
        self._values: Callable[[object], Row] = attrgetter(*self.names)
        columns = ["book", *(f'"{name}"' for name in self.names), *more]
        marks = ",".join("?" * len(columns))
        self.insert = f"INSERT INTO {table} ({','.join(columns)}) VALUES ({marks})"  # noqa: S608  # names of our own
        if replaces:  # in its place, so that the order of the rows stays that of their first appearance
            kept = ",".join(f"{name} = excluded.{name}" for name in columns)
            self.insert += f" ON CONFLICT DO UPDATE SET {kept}"
        self.select = f"SELECT {','.join(columns[1 : len(self.names) + 1])} FROM {table}"  # noqa: S608

    def row(self, book: int, value: object, *more: object) -> Row:
        return (book, *self._values(value), *more)

    def read(self, row: Row) -> Any:
        values = list(row)
        for place in self._flags:
            values[place] = bool(values[place])
        return self.kind(*values)


_ORDERS = _Rows("orders", Order, "alive", replaces=True)
_STEPS = _Rows("steps", Order, replaces=False)
_FILLS = _Rows("fills", Fill, replaces=False)
_POSITIONS = _Rows("positions", Position, replaces=True)
_HOLDINGS = _Rows("holdings", Holding, replaces=True)
_NOTES = _Rows("notes", DayCharges, replaces=True)
_BOOK = [one.name for one in fields(Book)]


class TradingStore:
    """One connection to the account's file, behind one lock."""

    def __init__(self, path: Path) -> None:
        self._lock = Lock()
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5)
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._last_before: dict[int, str] = {}

    def load(self) -> State | None:
        """The running account; `None` before the first one was opened."""
        with self._lock:
            found = self._ask(f"SELECT {','.join(_BOOK)} FROM books WHERE closed_ms IS NULL")  # noqa: S608
            if not found:
                return None
            book = Book(*found[0])
            mine = (book.number,)
            orders = self._all(_ORDERS, "book = ? AND (alive OR day = ?) ORDER BY number", (*mine, book.day))
            positions = self._all(_POSITIONS, "book = ? ORDER BY rowid", mine)
            holdings = self._all(_HOLDINGS, "book = ? ORDER BY rowid", mine)
            return State(
                book,
                {order.order_id: order for order in orders},
                fills=self._all(_FILLS, "book = ? AND day = ? ORDER BY number", (*mine, book.day)),
                positions={(one.key, one.product): one for one in positions},
                holdings={one.isin: one for one in holdings},
                killed=dict(self._ask("SELECT segment, since_ms FROM switches WHERE book = ?", mine)),
                gtts={
                    gtt_id: (body, bool(alive))
                    for gtt_id, body, alive in self._ask(
                        "SELECT gtt_id, body, alive FROM gtts WHERE book = ? ORDER BY rowid", mine
                    )
                },
                counters=dict(self._ask("SELECT name, value FROM counters")),
                shelves={key: Shelf.read(body) for key, body in self._ask("SELECT key, body FROM shelves")},
            )

    def open_book(self, book: Book, counters: Mapping[str, int]) -> None:
        """Begin the first account; its series go on from `counters`."""
        with self._lock:
            counted = ("INSERT OR REPLACE INTO counters VALUES (?, ?)", list(counters.items()))
            self._write([(_INSERT_BOOK, [_book_row(book)]), counted])

    def save(self, work: Work) -> None:
        """Write everything that `work` changes, in one transaction. `StorageError` when that fails: then nothing is
        written."""
        book = work.book.number
        orders = [order for order in work.orders.changed.values() if order is not None]
        written: list[tuple[str, list[Row]]] = [
            (_UPDATE_BOOK, [(*_book_row(work.book)[1:], book)]),
            ("INSERT OR REPLACE INTO counters VALUES (?, ?)", list(work.counters.changed.items())),
            (_ORDERS.insert, [_ORDERS.row(book, order, order.alive) for order in orders]),
            (_STEPS.insert, [_STEPS.row(book, order) for order in work.steps]),
            (_FILLS.insert, [_FILLS.row(book, fill) for fill in work.fills]),
            (_NOTES.insert, [_NOTES.row(book, note) for note in work.notes]),
            *self._kept(book, _POSITIONS, "positions", "key = ? AND product = ?", work.positions.changed),
            *self._kept(book, _HOLDINGS, "holdings", "isin = ?", work.holdings.changed),
            (
                "INSERT OR REPLACE INTO switches VALUES (?, ?, ?)",
                [(book, segment, since) for segment, since in work.killed.changed.items() if since is not None],
            ),
            (
                "DELETE FROM switches WHERE book = ? AND segment = ?",
                [(book, segment) for segment, since in work.killed.changed.items() if since is None],
            ),
            (
                "INSERT INTO gtts VALUES (?1, ?2, ?3, ?4) ON CONFLICT (gtt_id) DO UPDATE SET body = ?3, alive = ?4",
                [(book, gtt_id, *gtt) for gtt_id, gtt in work.gtts.changed.items() if gtt is not None],
            ),
        ]
        written.append((_KEEP_SHELF, [(key, shelf.written()) for key, shelf in work.taken().items()]))
        with self._lock:
            self._write(written)

    def next_book(self, book: Book, *, closed_ms: int) -> None:
        """Close the running account and begin `book`."""
        close = "UPDATE books SET closed_ms = ? WHERE closed_ms IS NULL"
        with self._lock:
            self._write([(close, [(closed_ms,)]), (_INSERT_BOOK, [_book_row(book)])])

    def archives(self) -> list[Archive]:
        """The closed accounts, the oldest first."""
        with self._lock:
            found = self._ask(
                "SELECT number, opened_ms, closed_ms, opening, balance,"
                " (SELECT count(*) FROM orders WHERE book = books.number),"
                " (SELECT count(*) FROM fills WHERE book = books.number)"
                " FROM books WHERE closed_ms IS NOT NULL ORDER BY number"
            )
        return [Archive(*row) for row in found]

    def last_before(self, book: int) -> str:
        """The id of the last order of the accounts before this one; "": they had none. Ids only ever rise."""
        with self._lock:
            if book not in self._last_before:  # closed accounts do not change
                [(found,)] = self._ask("SELECT max(order_id) FROM orders WHERE book < ?", (book,))
                self._last_before[book] = found or ""
            return self._last_before[book]

    def last_day(self, book: int) -> tuple[list[Order], list[Fill]]:
        """Orders and trades of the day on which a closed account was put away, the oldest first, with what was
        cancelled then. Nothing for the running account."""
        with self._lock:
            found = self._ask("SELECT day, closed_ms FROM books WHERE number = ? AND closed_ms IS NOT NULL", (book,))
            if not found:
                return [], []
            [(day, closed_ms)] = found
            recent = closed_ms - _DAY_MS
            orders = self._all(_ORDERS, "book = ? AND (day = ? OR changed_ms > ?) ORDER BY number", (book, day, recent))
            return orders, self._all(_FILLS, "book = ? AND day = ? ORDER BY number", (book, day))

    def order(self, book: int, order_id: str) -> Order | None:
        """An order of any day of this account."""
        with self._lock:
            found: list[Order] = self._all(_ORDERS, "book = ? AND order_id = ?", (book, order_id))
        return found[0] if found else None

    def steps(self, book: int, order_ids: Iterable[str]) -> list[Order]:
        """The history of these orders: one after the other, each from its beginning."""
        found: list[Order] = []
        with self._lock:
            for order_id in order_ids:
                found += self._all(_STEPS, "order_id = ? AND book = ? ORDER BY step", (order_id, book))
        return found

    def fills_between(
        self, book: int, first: str, before: str, segments: Sequence[str], skip: int = 0, most: int = -1
    ) -> tuple[list[Fill], int]:
        """Trades of the days from `first` on and before `before`, the newest first: those after the first `skip` ones,
        at most so many, and how many there are in all."""
        where = f"book = ? AND day >= ? AND day < ? AND segment IN ({','.join('?' * len(segments))})"  # marks only
        asked = (book, first, before, *segments)
        page = f"SELECT rowid FROM fills WHERE {where} ORDER BY day DESC, number DESC LIMIT ? OFFSET ?"  # noqa: S608
        with self._lock:
            [(count,)] = self._ask(f"SELECT count(*) FROM fills WHERE {where}", asked)  # noqa: S608
            found = self._all(_FILLS, f"rowid IN ({page}) ORDER BY day DESC, number DESC", (*asked, most, skip))
        return found, count

    def fills_of(self, book: int, order_id: str) -> list[Fill]:
        with self._lock:
            return self._all(_FILLS, "order_id = ? AND book = ? ORDER BY number", (order_id, book))

    def fills_before(self, book: int, day: str) -> list[Fill]:
        """Every trade of the days before `day`, the oldest first. Read in pieces: others come in between."""
        found: list[Fill] = []
        last = ("", 0)
        while True:
            with self._lock:
                asked = (book, day, *last, _PIECE)
                piece = self._all(
                    _FILLS, "book = ? AND day < ? AND (day, number) > (?, ?) ORDER BY day, number LIMIT ?", asked
                )
            found += piece
            if len(piece) < _PIECE:
                return found
            last = piece[-1].day, piece[-1].number

    def fills_on(self, book: int, day: str) -> list[tuple[Fill, bool]]:
        """Every trade of `day`, the oldest first, and whether the broker himself had sent its order."""
        with self._lock:
            sent: dict[str, int] = dict(
                self._ask(
                    "SELECT order_id, by_broker FROM orders WHERE order_id IN"
                    " (SELECT order_id FROM fills WHERE book = ? AND day = ?)",
                    (book, day),
                )
            )
            found: list[Fill] = self._all(_FILLS, "book = ? AND day = ? ORDER BY number", (book, day))
            return [(fill, bool(sent.get(fill.order_id))) for fill in found]

    def last_fill(self, book: int, key: str) -> Fill:
        """The last trade of an instrument that was traded."""
        with self._lock:
            found: Fill
            [found] = self._all(_FILLS, "book = ? AND key = ? ORDER BY day DESC, number DESC LIMIT 1", (book, key))
            return found

    def days_without_notes(self, book: int, before: str) -> list[str]:
        """Days on which something was traded, and of which nobody has written down what that cost in the end."""
        missing = (
            "SELECT DISTINCT day FROM fills WHERE book = ?1 AND day < ?2"
            " AND day NOT IN (SELECT day FROM notes WHERE book = ?1) AND quantity * price > 0 ORDER BY day"
        )
        with self._lock:
            return [day for (day,) in self._ask(missing, (book, before))]

    def notes(self, book: int, first: str, last: str, segment: str = "") -> list[DayCharges]:
        """What the days from `first` to `last` cost, both included, all segments or one."""
        where = "book = ? AND day >= ? AND day <= ?" + (" AND segment = ?" if segment else "")
        with self._lock:
            asked = (book, first, last, segment) if segment else (book, first, last)
            return self._all(_NOTES, f"{where} ORDER BY day, rowid", asked)

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def _all(self, rows: _Rows, where: str, values: Row) -> list[Any]:
        return [rows.read(row) for row in self._ask(f"{rows.select} WHERE {where}", values)]

    def _ask(self, statement: str, values: Row = ()) -> list[Row]:
        try:
            return self._db.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise StorageError(f"the paper account cannot be read: {error}") from error

    def _kept(
        self, book: int, rows: _Rows, table: str, where: str, changed: dict[Any, Any]
    ) -> list[tuple[str, list[Row]]]:
        """What is put into a table of things that come and go, and what is taken out of it."""
        gone: list[Held | tuple[str]] = [
            key if isinstance(key, tuple) else (key,) for key, value in changed.items() if value is None
        ]
        return [
            (rows.insert, [rows.row(book, value) for value in changed.values() if value is not None]),
            (f"DELETE FROM {table} WHERE book = ? AND {where}", [(book, *key) for key in gone]),  # noqa: S608
        ]

    def _write(self, statements: list[tuple[str, list[Row]]]) -> None:
        try:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                for statement, rows in statements:
                    if rows:
                        self._db.executemany(statement, rows)
                self._db.execute("COMMIT")
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            raise StorageError(f"the paper account cannot be written: {error}") from error


_KEEP_SHELF = "INSERT INTO shelves VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET body = ?2"
_INSERT_BOOK = f"INSERT INTO books ({','.join(_BOOK)}) VALUES ({','.join('?' * len(_BOOK))})"  # noqa: S608
_UPDATE_BOOK = f"UPDATE books SET {','.join(f'{name} = ?' for name in _BOOK[1:])} WHERE number = ?"  # noqa: S608


def _book_row(book: Book) -> Row:
    return tuple(getattr(book, name) for name in _BOOK)
