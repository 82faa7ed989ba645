"""Which of the broker's accounts the ledger is following. A paper account can be put away and another one begun: what
the ledger holds of the old one stays, and belongs to no book of today."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from services.domain.actors import Actor
from services.domain.clock import Clock
from services.domain.errors import StorageError
from services.domain.paper_accounts import AccountMark
from services.ledger.audit import write_down
from services.ledger.engine import Ledger
from services.ledger.order_tables import audit, order_settings

ACCOUNT = "account"
BEGUN = "account begun anew"


class AccountMarks:
    """The mark of one ledger; without one it is the first account, from its beginning."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock

    def get(self) -> AccountMark:
        """The account that is followed now."""
        with self._ledger.read() as connection:
            return _mark(connection.execute(_MINE).scalar_one_or_none())

    def history(self) -> list[AccountMark]:
        """Every account that was followed, the first one first."""
        query = (
            sa.select(audit.c.before, audit.c.after)
            .where(audit.c.target == ACCOUNT, audit.c.what == BEGUN)
            .order_by(audit.c.number)
        )
        with self._ledger.read() as connection:
            told = [value for row in connection.execute(query) for value in row]
            told.append(connection.execute(_MINE).scalar_one_or_none())
        return sorted({_mark(value) for value in told if value is not None} or {AccountMark()}, key=_by_number)

    def put(self, mark: AccountMark, actor: Actor) -> None:
        """From now on this one; the audit keeps which one it was before. The same again changes nothing."""
        with self._ledger.write() as connection:
            stored = connection.execute(_MINE).scalar_one_or_none()
            before = _mark(stored)
            if before == mark:
                return
            now = self._clock.now()
            told = {
                "value": _values(mark),
                "actor": actor.name,
                "role": actor.role.value,
                "session": actor.session,
                "changed_at": now,
            }
            if stored is None:
                connection.execute(sa.insert(order_settings).values(name=ACCOUNT, **told))
            else:
                connection.execute(sa.update(order_settings).where(order_settings.c.name == ACCOUNT).values(**told))
            write_down(connection, now, actor, BEGUN, ACCOUNT, _values(before), _values(mark))


_MINE = sa.select(order_settings.c.value).where(order_settings.c.name == ACCOUNT)


def _by_number(mark: AccountMark) -> int:
    return mark.number


def _values(mark: AccountMark) -> dict[str, Any]:  # Any: JSON values
    return {"number": mark.number, "after_order": mark.after_order}


def _mark(value: Any) -> AccountMark:  # Any: JSON, as it was stored
    match value:
        case None:
            return AccountMark()
        case {"number": int() as number, "after_order": str() as after_order}:
            return AccountMark(number, after_order)
    raise StorageError("what the ledger holds of the paper account is not understood")
