"""Imported files and their rows. A file counts when all of its rows are there, and stops counting in one step.

Rows are written and deleted in portions, each a transaction of its own, so that no order waits for a hundred thousand
of them. Two files may tell the same trade: each keeps its own rows, so that one can go without the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa

from services.domain.actors import Actor
from services.domain.clock import Clock
from services.domain.errors import InvalidRequest, StorageError
from services.ledger.audit import actor_of, write_down
from services.ledger.engine import Ledger
from services.ledger.imported_rows import FILL_COLUMNS, Values, fill_row, fills_of, insert_plain, note_of, note_row
from services.ledger.pnl_tables import imported_files, imported_fills, imported_notes
from services.portfolio.lots.fills import Fill
from services.portfolio.readers.contract_notes import NoteTotals
from services.portfolio.records import FileKind, ImportedFile, StoredNote

PORTION = 5_000
"""Rows of one transaction: some 30 ms."""
ABANDONED_AFTER = timedelta(days=1)
"""A file that arrives for longer is not arriving any more: whoever wrote it is gone."""
ARRIVING, HERE, GONE = "arriving", "here", "gone"
_TABLES = {FileKind.TRADES: imported_fills, FileKind.NOTES: imported_notes}
_SHORT = [imported_fills.c[name] for name in ("account", "exchange", "day", "trade_id", "instrument", "side")]

_DAYS = {"day", "expiry"}

_ENDED = "the import was ended by another one; nothing was taken, do it again"

Identity = tuple[str, str, date, str, str, str]
Told = tuple[int, int, int]
"""Quantity, price, multiplier of a fill."""


@dataclass(frozen=True, slots=True)
class NewFile:
    """What is known of a file before it is here."""

    kind: FileKind
    account: str
    name: str
    source: str
    digest: str
    size: int
    taken: int
    refused: int
    symbols: int
    first: date | None
    last: date | None


class ImportedFiles:
    """All imported files of one ledger."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock

    def all(self) -> list[ImportedFile]:
        """Those that count, the newest first."""
        query = sa.select(imported_files).where(_is_here()).order_by(imported_files.c.id.desc())
        with self._ledger.read() as connection:
            return [_file(row) for row in connection.execute(query)]

    def find(self, account: str, digest: str) -> ImportedFile | None:
        """The file of these very bytes and this account, if it counts."""
        with self._ledger.read() as connection:
            return _find(connection, account, digest)

    def add(
        self,
        new: NewFile,
        rows: Sequence[Fill | NoteTotals],
        actor: Actor,
        progress: Callable[[float], None],
    ) -> tuple[ImportedFile, bool]:
        """Keep a file with all of its rows; the one that is here already, if it is. True: it is new.

        Raises `StorageError` if the disk refuses, or if somebody took the unfinished file away meanwhile: then nothing
        of it counts.
        """
        if new.taken != len(rows):
            raise InvalidRequest("a file is taken with all of the rows that were read")
        self.sweep()
        if (known := self.find(new.account, new.digest)) is not None:
            return known, False
        file_id = self._begin(new, actor)
        try:
            for number in range(0, len(rows), PORTION):
                portion = rows[number : number + PORTION]
                with self._ledger.write() as connection:
                    _insist_on_arriving(connection, file_id)
                    _insert(connection, new, file_id, number, portion)
                progress(min(1.0, (number + PORTION) / len(rows)))
            return self._finish(file_id, new, actor)
        except BaseException:  # the page that waited was closed, too: then `progress` raises
            self._give_up(file_id)
            raise

    def remove(self, file_id: int, actor: Actor, progress: Callable[[float], None]) -> ImportedFile:
        """From now on the file does not count; then its rows go. `InvalidRequest` if there is none of that number."""
        with self._ledger.write() as connection:
            row = connection.execute(_one(file_id)).one_or_none()
            if row is None or row.state != HERE:
                raise InvalidRequest(f"there is no imported file {file_id}: perhaps it was removed already")
            file = _file(row)
            _move(connection, file_id, GONE)
            write_down(
                connection, self._clock.now(), actor, "file removed", f"file {file_id}", before=_particulars(file)
            )
        self._drop_rows(file_id, progress)
        return file

    def sweep(self) -> None:
        """Delete rows that belong to no file that counts: of one whose removal or arrival was cut off."""
        old = self._clock.now() - ABANDONED_AFTER
        with self._ledger.read() as connection:
            left = connection.execute(
                _LEFT.where(sa.or_(imported_files.c.state == GONE, imported_files.c.imported_at < old))
            )
            numbers = list(left.scalars())
        for file_id in numbers:
            with self._ledger.write() as connection:
                if _state(connection, file_id) == HERE:
                    continue
                _move(connection, file_id, GONE)
            self._drop_rows(file_id, lambda share: None)

    def fills(self, account: str | None = None) -> list[Fill]:
        """The trades of all files that count, as each tells them, by file and line."""
        with self._ledger.read() as connection:
            rows = connection.exec_driver_sql(*_all_fills(connection, account))
            return list(fills_of(tuple(row) for row in rows))

    def identities(self, first: date, last: date, *, but: int | None = None) -> Iterator[tuple[Identity, Told]]:
        """What the trades of these days are known by, and what is told of them. `but`: a file that is left out."""
        told = (imported_fills.c.quantity, imported_fills.c.price, imported_fills.c.multiplier)
        query = (
            sa.select(*_SHORT, *told)
            .join(imported_files, imported_files.c.id == imported_fills.c.file_id)
            .where(_is_here(), imported_fills.c.day.between(first, last))
        )
        if but is not None:
            query = query.where(imported_fills.c.file_id != but)
        with self._ledger.read() as connection:
            rows = connection.execute(query).all()
        for row in rows:
            cells = tuple(row)
            yield cells[:6], cells[6:]

    def notes(self, account: str | None = None) -> list[StoredNote]:
        """The notes of all files that count, the newest file first, and in the order of each file."""
        query = (
            sa.select(imported_notes)
            .join(imported_files, imported_files.c.id == imported_notes.c.file_id)
            .where(_is_here())
            .order_by(imported_notes.c.file_id.desc(), imported_notes.c.number)
        )
        if account is not None:
            query = query.where(imported_notes.c.account == account)
        with self._ledger.read() as connection:
            rows = [tuple(row) for row in connection.execute(_plain_days(query))]
        return [StoredNote(*note_of(row)) for row in rows]

    def stamp(self) -> str:
        """Differs as soon as the files that count do."""
        query = sa.select(sa.func.count(), sa.func.coalesce(sa.func.max(imported_files.c.id), 0)).where(_is_here())
        with self._ledger.read() as connection:
            count, newest = connection.execute(query).one()
        return f"{count}.{newest}"

    def _begin(self, new: NewFile, actor: Actor) -> int:
        cells = {
            "kind": new.kind.value, "account": new.account, "name": new.name, "source": new.source,
            "digest": new.digest, "size": new.size, "taken": new.taken, "refused": new.refused,
            "symbols": new.symbols, "first_day": new.first, "last_day": new.last, "actor": actor.name,
            "role": actor.role.value, "session": actor.session, "imported_at": self._clock.now(), "state": ARRIVING,
        }  # fmt: skip
        with self._ledger.write() as connection:
            made = sa.insert(imported_files).values(**cells).returning(imported_files.c.id)
            return int(connection.execute(made).scalar_one())

    def _finish(self, file_id: int, new: NewFile, actor: Actor) -> tuple[ImportedFile, bool]:
        table = _TABLES[new.kind]
        count = sa.select(sa.func.count()).select_from(table).where(table.c.file_id == file_id)
        with self._ledger.write() as connection:
            known = _find(connection, new.account, new.digest)
            if known is not None:  # another process was faster
                _move(connection, file_id, GONE)
            else:
                _insist_on_arriving(connection, file_id)
                if connection.execute(count).scalar_one() != new.taken:
                    raise StorageError(_ENDED)
                _move(connection, file_id, HERE)
                file = _file(connection.execute(_one(file_id)).one())
                write_down(
                    connection, self._clock.now(), actor, "file imported", f"file {file_id}", after=_particulars(file)
                )
                return file, True
        self._drop_rows(file_id, lambda share: None)
        return known, False

    def _give_up(self, file_id: int) -> None:
        """What was written of a file counts for nothing; the next import deletes it."""
        with suppress(StorageError), self._ledger.write() as connection:
            if _state(connection, file_id) == ARRIVING:
                _move(connection, file_id, GONE)

    def _drop_rows(self, file_id: int, progress: Callable[[float], None]) -> None:
        for table in (imported_fills, imported_notes):
            mine = table.c.file_id == file_id
            with self._ledger.read() as connection:
                last = connection.execute(sa.select(sa.func.max(table.c.number)).where(mine)).scalar()
            rows = 0 if last is None else last + 1
            for number in range(0, rows, PORTION):
                some = table.c.number.between(number, number + PORTION - 1)
                with self._ledger.write() as connection:
                    connection.execute(sa.delete(table).where(mine, some))
                progress(min(1.0, (number + PORTION) / rows))


_LEFT = (
    sa.select(imported_files.c.id)
    .where(
        imported_files.c.state != HERE,
        sa.or_(
            imported_files.c.state == ARRIVING,
            sa.exists().where(imported_fills.c.file_id == imported_files.c.id),
            sa.exists().where(imported_notes.c.file_id == imported_files.c.id),
        ),
    )
    .order_by(imported_files.c.id)
)


def _insert(
    connection: sa.Connection, new: NewFile, file_id: int, number: int, rows: Sequence[Fill | NoteTotals]
) -> None:
    values: list[Values] = []
    for place, row in enumerate(rows, number):
        if isinstance(row, Fill):
            values.append(fill_row(file_id, place, row))
        else:
            values.append(note_row(file_id, place, new.account, row))
    insert_plain(connection, _TABLES[new.kind], values)


def _all_fills(connection: sa.Connection, account: str | None) -> tuple[str, tuple[str, ...]]:
    """The question for the fills of all files that count, past SQLAlchemy's types, and its values."""
    if connection.dialect.name == "sqlite":  # which must be told to begin with the few files
        mark, join, text = "?", "CROSS JOIN", "r.{}"
    else:
        mark, join, text = "%s", "JOIN", "CAST(r.{} AS text)"
    columns = ", ".join(text.format(name) if name in _DAYS else f"r.{name}" for name in FILL_COLUMNS[2:])
    query = (
        f"SELECT {columns} FROM imported_files f {join} imported_fills r ON r.file_id = f.id "  # noqa: S608
        f"WHERE f.state = 'here'{'' if account is None else f' AND r.account = {mark}'} ORDER BY f.id, r.number"
    )
    return query, () if account is None else (account,)


def _find(connection: sa.Connection, account: str, digest: str) -> ImportedFile | None:
    query = sa.select(imported_files).where(
        _is_here(), imported_files.c.account == account, imported_files.c.digest == digest
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else _file(row)


def _one(file_id: int) -> sa.Select[Any]:  # Any: cells of several kinds
    return sa.select(imported_files).where(imported_files.c.id == file_id)


def _state(connection: sa.Connection, file_id: int) -> str:
    query = sa.select(imported_files.c.state).where(imported_files.c.id == file_id)
    return connection.execute(query).scalar_one_or_none() or GONE


def _insist_on_arriving(connection: sa.Connection, file_id: int) -> None:
    if _state(connection, file_id) != ARRIVING:
        raise StorageError(_ENDED)


def _move(connection: sa.Connection, file_id: int, state: str) -> None:
    connection.execute(sa.update(imported_files).where(imported_files.c.id == file_id).values(state=state))


def _is_here() -> sa.ColumnElement[bool]:
    return imported_files.c.state == sa.literal_column("'here'")  # as the index of files that count says it


def _plain_days(query: sa.Select[Any]) -> sa.Select[Any]:  # Any: cells of several kinds
    """`query` with days as the text that they are in the file."""
    columns = [sa.cast(one, sa.String) if one is imported_notes.c.day else one for one in imported_notes.c]
    return query.with_only_columns(*columns, maintain_column_froms=True)


def _particulars(file: ImportedFile) -> dict[str, Any]:  # Any: cells of several kinds
    names = ("kind", "account", "name", "source", "digest", "size", "taken", "refused", "first", "last")
    return {name: getattr(file, name) for name in names}


def _file(row: sa.Row[Any]) -> ImportedFile:  # Any: cells of several kinds
    return ImportedFile(
        row.id, FileKind(row.kind), row.account, row.name, row.source, row.digest, row.size, row.taken, row.refused,
        row.symbols, row.first_day, row.last_day, actor_of(row), row.imported_at,
    )  # fmt: skip
