"""The broker's tokens in a ledger that several machines share. Only sealed ones come here; the key never does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import sqlalchemy as sa

from services.ledger.engine import Ledger
from services.ledger.token_tables import sealed_tokens, signed_out


class LedgerTokens:
    """All of one ledger: a place for `services.storage.token_store`."""

    emptying = "delete the rows of its table sealed_tokens"

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    @property
    def name(self) -> str:
        return self._ledger.name

    @contextmanager
    def read(self) -> Iterator[SealedRows]:
        with self._ledger.read() as connection:
            yield SealedRows(connection)

    @contextmanager
    def write(self) -> Iterator[SealedRows]:
        with self._ledger.write() as connection:
            yield SealedRows(connection)


class SealedRows:
    """Sealed tokens by user, and who signed out on purpose; inside one transaction."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def all(self) -> dict[str, bytes]:
        """Every sealed token by its user."""
        query = sa.select(sealed_tokens.c.user_id, sealed_tokens.c.sealed)
        return {row.user_id: row.sealed for row in self._connection.execute(query)}

    def get(self, user_id: str) -> bytes | None:
        """That user's."""
        query = sa.select(sealed_tokens.c.sealed).where(sealed_tokens.c.user_id == user_id)
        sealed: bytes | None = self._connection.execute(query).scalar_one_or_none()
        return sealed

    def put(self, user_id: str, sealed: bytes, at: datetime) -> None:
        """In the place of an earlier one."""
        self.forget(user_id)
        self._connection.execute(sa.insert(sealed_tokens).values(user_id=user_id, sealed=sealed, saved_at=at))

    def reseal(self, user_id: str, sealed: bytes) -> None:
        """The same token under another key."""
        mine = sealed_tokens.c.user_id == user_id
        self._connection.execute(sa.update(sealed_tokens).where(mine).values(sealed=sealed))

    def forget(self, user_id: str) -> None:
        """Drop that user's."""
        self._connection.execute(sa.delete(sealed_tokens).where(sealed_tokens.c.user_id == user_id))

    def went_out(self, user_id: str, at: datetime) -> None:
        """They signed out on purpose."""
        self.came_back(user_id)
        self._connection.execute(sa.insert(signed_out).values(user_id=user_id, at=at))

    def came_back(self, user_id: str) -> None:
        """They did not, or not any more."""
        self._connection.execute(sa.delete(signed_out).where(signed_out.c.user_id == user_id))

    def is_out(self, user_id: str) -> bool:
        """Did they?"""
        query = sa.select(signed_out.c.user_id).where(signed_out.c.user_id == user_id)
        return self._connection.execute(query).first() is not None
