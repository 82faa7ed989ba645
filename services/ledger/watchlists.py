"""Named lists of instruments, in the order in which their owner put them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from services.acting import acting_trader
from services.domain.clock import Clock
from services.domain.errors import InvalidRequest
from services.domain.instruments import require_instrument_key
from services.ledger.engine import Ledger
from services.ledger.tables import watchlist_items, watchlists

_ONE = sa.select(watchlists.c.id, watchlists.c.name, watchlists.c.columns).where(watchlists.c.id == sa.bindparam("id"))
_KEYS_OF_ONE = (
    sa.select(watchlist_items.c.instrument_key)
    .where(watchlist_items.c.watchlist_id == sa.bindparam("id"))
    .order_by(watchlist_items.c.position)
)
"""Made once: each open page asks for its list every two seconds."""

MAX_KEYS = 500
MAX_LISTS = 100
MAX_NAME = 60


@dataclass(frozen=True, slots=True)
class Watchlist:
    """One list. `columns`: the columns that its owner chose, in order; None = the usual ones."""

    id: int
    name: str
    keys: tuple[str, ...]
    columns: tuple[str, ...] | None


class Watchlists:
    """All watchlists of one ledger. Every change is one transaction and gives the list as it is then; what cannot be
    done is an `InvalidRequest` in the words of the screen. They are everybody's, so whoever may only look changes none.
    """

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock

    @contextmanager
    def _changing(self) -> Iterator[sa.Connection]:
        acting_trader()
        with self._ledger.write() as connection:
            yield connection

    def all(self) -> list[Watchlist]:
        """Every list, in the order of their making."""
        with self._ledger.read() as connection:
            return _lists(connection)

    def find(self, id: int) -> Watchlist | None:
        """One list; `None`: there is none of that number (any more)."""
        with self._ledger.read() as connection:
            if (row := connection.execute(_ONE, {"id": id}).one_or_none()) is None:
                return None
            keys = connection.scalars(_KEYS_OF_ONE, {"id": id}).all()
        return Watchlist(row.id, row.name, tuple(keys), None if row.columns is None else tuple(row.columns))

    def create(self, name: str, keys: Iterable[str] = ()) -> Watchlist:
        """A new list at the end. A key that is given twice is kept once."""
        name, wanted = _clean_name(name), _clean_keys(keys)
        with self._changing() as connection:
            existing = _lists(connection)
            _require_free(name, existing)
            if len(existing) >= MAX_LISTS:
                raise InvalidRequest(f"there are {MAX_LISTS} watchlists already; delete one first")
            last = connection.scalar(sa.select(sa.func.max(watchlists.c.position)))
            number = connection.execute(
                sa.insert(watchlists)
                .values(name=name, position=0 if last is None else last + 1, columns=None, created_at=self._clock.now())
                .returning(watchlists.c.id)
            ).scalar_one()
            _put(connection, number, wanted)
            return Watchlist(number, name, wanted, None)

    def rename(self, id: int, name: str) -> Watchlist:
        """Give the list another name."""
        name = _clean_name(name)
        with self._changing() as connection:
            existing = _lists(connection)
            _require_free(name, [other for other in existing if other.id != id])
            return _changed(connection, id, name=name)

    def delete(self, id: int) -> None:
        """Remove the list."""
        with self._changing() as connection:
            _one(connection, id)
            connection.execute(sa.delete(watchlists).where(watchlists.c.id == id))

    def add(self, id: int, key: str) -> Watchlist:
        """Put `key` at the end; nothing changes if it is in the list."""
        require_instrument_key(key)
        with self._changing() as connection:
            found = _one(connection, id)
            if key in found.keys:
                return found
            return _filled(connection, found, (*found.keys, key))

    def remove(self, id: int, key: str) -> Watchlist:
        """Take `key` out; nothing changes if it is not in the list."""
        with self._changing() as connection:
            found = _one(connection, id)
            return _filled(connection, found, tuple(other for other in found.keys if other != key))

    def reorder(self, id: int, keys: Sequence[str]) -> Watchlist:
        """Put the list in the order of `keys`, which must be exactly its keys."""
        with self._changing() as connection:
            found = _one(connection, id)
            if sorted(keys) != sorted(found.keys):
                raise InvalidRequest(
                    f"the watchlist {found.name!r} was changed meanwhile; look again before you sort it"
                )
            return _filled(connection, found, tuple(keys))

    def replace(self, id: int, keys: Iterable[str]) -> Watchlist:
        """Hold `keys` instead of what it held."""
        wanted = _clean_keys(keys)
        with self._changing() as connection:
            return _filled(connection, _one(connection, id), wanted)

    def set_columns(self, id: int, columns: Sequence[str] | None) -> Watchlist:
        """Choose the columns shown, in order; None = the usual ones."""
        chosen = None if columns is None else list(dict.fromkeys(columns))
        if chosen is not None and not (chosen and all(isinstance(c, str) and 0 < len(c) <= 60 for c in chosen)):
            raise InvalidRequest("a table needs at least one column")
        with self._changing() as connection:
            return _changed(connection, id, columns=chosen)


def _lists(connection: sa.Connection, *conditions: sa.ColumnElement[bool]) -> list[Watchlist]:
    lists = connection.execute(
        sa.select(watchlists.c.id, watchlists.c.name, watchlists.c.columns)
        .where(*conditions)
        .order_by(watchlists.c.position, watchlists.c.id)
    ).all()
    keys: dict[int, list[str]] = {row.id: [] for row in lists}
    items = sa.select(watchlist_items).order_by(watchlist_items.c.watchlist_id, watchlist_items.c.position)
    for item in connection.execute(items.where(watchlist_items.c.watchlist_id.in_(keys))):
        keys[item.watchlist_id].append(item.instrument_key)
    return [
        Watchlist(row.id, row.name, tuple(keys[row.id]), None if row.columns is None else tuple(row.columns))
        for row in lists
    ]


def _one(connection: sa.Connection, number: int) -> Watchlist:
    found = _lists(connection, watchlists.c.id == number)
    if not found:
        raise InvalidRequest("this watchlist does not exist any more")
    return found[0]


def _changed(connection: sa.Connection, number: int, **values: Any) -> Watchlist:  # Any: cells of several kinds
    _one(connection, number)
    connection.execute(sa.update(watchlists).where(watchlists.c.id == number).values(**values))
    return _one(connection, number)


def _filled(connection: sa.Connection, found: Watchlist, keys: tuple[str, ...]) -> Watchlist:
    _require_few(keys)
    connection.execute(sa.delete(watchlist_items).where(watchlist_items.c.watchlist_id == found.id))
    _put(connection, found.id, keys)
    return Watchlist(found.id, found.name, keys, found.columns)


def _put(connection: sa.Connection, number: int, keys: tuple[str, ...]) -> None:
    if keys:
        rows = [{"watchlist_id": number, "instrument_key": key, "position": at} for at, key in enumerate(keys)]
        connection.execute(sa.insert(watchlist_items), rows)


def _clean_name(name: str) -> str:
    text = " ".join(name.split())
    if not text:
        raise InvalidRequest("a watchlist needs a name")
    if len(text) > MAX_NAME:
        raise InvalidRequest(f"the name of a watchlist has at most {MAX_NAME} characters, this one has {len(text)}")
    if not text.isprintable():
        raise InvalidRequest("the name of a watchlist holds a character that cannot be shown")
    return text


def _clean_keys(keys: Iterable[str]) -> tuple[str, ...]:
    if isinstance(keys, str):
        raise InvalidRequest("a watchlist is filled with a list of instrument keys, not with one text")
    wanted = tuple(dict.fromkeys(require_instrument_key(key) for key in keys))
    _require_few(wanted)
    return wanted


def _require_few(keys: tuple[str, ...]) -> None:
    if len(keys) > MAX_KEYS:
        raise InvalidRequest(f"a watchlist holds at most {MAX_KEYS} instruments, these are {len(keys)}")


def _require_free(name: str, others: Iterable[Watchlist]) -> None:
    for other in others:
        if other.name.casefold() == name.casefold():
            raise InvalidRequest(f"there is a watchlist named {other.name!r} already")
