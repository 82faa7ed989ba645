"""Notes and tags on closed trades. The audit keeps what stood there before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from services.domain.actors import Actor
from services.domain.clock import Clock
from services.domain.errors import InvalidRequest
from services.ledger.audit import actor_of, write_down
from services.ledger.engine import Ledger
from services.ledger.pnl_tables import journal_notes, journal_tags
from services.portfolio.records import JournalNote

MAX_TRADE_ID = 200


class JournalNotes:
    """All notes of one ledger."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock

    def get(self, trade_id: str) -> JournalNote | None:
        """What was written about one trade."""
        with self._ledger.read() as connection:
            return _get(connection, trade_id)

    def all(self) -> dict[str, JournalNote]:
        """Everything, by trade."""
        with self._ledger.read() as connection:
            tags: dict[str, list[str]] = {}
            for row in connection.execute(sa.select(journal_tags).order_by(journal_tags.c.tag)):
                tags.setdefault(row.trade_id, []).append(row.tag)
            rows = connection.execute(sa.select(journal_notes).order_by(journal_notes.c.trade_id))
            return {row.trade_id: _note(row, tags.get(row.trade_id, [])) for row in rows}

    def write(self, trade_id: str, text: str, tags: Sequence[str], actor: Actor) -> JournalNote | None:
        """Replace text and tags of one trade; without either the note is taken away. The same again changes nothing.

        A tag takes the spelling in which it is in use already, whatever its capitals.
        """
        if not trade_id or len(trade_id) > MAX_TRADE_ID:
            raise InvalidRequest(f"a trade is named in 1 to {MAX_TRADE_ID} letters")
        with self._ledger.write() as connection:
            before, now = _get(connection, trade_id), self._clock.now()
            told = _in_use(connection, tags)
            if (before.text, before.tags) == (text, told) if before else not (text or told):
                return before
            mine = journal_notes.c.trade_id == trade_id
            connection.execute(sa.delete(journal_tags).where(journal_tags.c.trade_id == trade_id))
            cells = {
                "text": text, "actor": actor.name, "role": actor.role.value, "session": actor.session,
                "written_at": now,
            }  # fmt: skip
            if not text and not told:
                connection.execute(sa.delete(journal_notes).where(mine))
            elif before is None:
                connection.execute(sa.insert(journal_notes).values(trade_id=trade_id, **cells))
            else:
                connection.execute(sa.update(journal_notes).where(mine).values(**cells))
            if told:
                connection.execute(sa.insert(journal_tags), [{"trade_id": trade_id, "tag": tag} for tag in told])
            after = {"text": text, "tags": list(told)} if text or told else None
            write_down(connection, now, actor, "trade noted", trade_id, _particulars(before), after)
            return JournalNote(trade_id, text, told, actor, now) if after else None

    def tags(self) -> dict[str, int]:
        """How many trades carry each tag."""
        query = sa.select(journal_tags.c.tag, sa.func.count()).group_by(journal_tags.c.tag)
        with self._ledger.read() as connection:
            found = {row[0]: row[1] for row in connection.execute(query)}
        return dict(sorted(found.items(), key=lambda item: item[0].casefold()))

    def stamp(self) -> str:
        """Differs as soon as anything of this does."""
        query = sa.select(sa.func.count(), sa.func.max(journal_notes.c.written_at))
        with self._ledger.read() as connection:
            count, written = connection.execute(query).one()
        return f"{count}.{written}"


def _get(connection: sa.Connection, trade_id: str) -> JournalNote | None:
    row = connection.execute(sa.select(journal_notes).where(journal_notes.c.trade_id == trade_id)).one_or_none()
    if row is None:
        return None
    tags = sa.select(journal_tags.c.tag).where(journal_tags.c.trade_id == trade_id)
    return _note(row, list(connection.execute(tags).scalars()))


def _in_use(connection: sa.Connection, tags: Sequence[str]) -> tuple[str, ...]:
    spelled = {tag.casefold(): tag for tag in connection.execute(sa.select(journal_tags.c.tag).distinct()).scalars()}
    told = {tag.casefold(): spelled.get(tag.casefold(), tag) for tag in reversed(tags)}
    return tuple(sorted(told.values(), key=str.casefold))


def _note(row: sa.Row[Any], tags: list[str]) -> JournalNote:  # Any: cells of several kinds
    ordered = tuple(sorted(tags, key=str.casefold))
    return JournalNote(row.trade_id, row.text, ordered, actor_of(row), row.written_at)


def _particulars(note: JournalNote | None) -> dict[str, Any] | None:  # Any: JSON values
    return None if note is None else {"text": note.text, "tags": list(note.tags)}
