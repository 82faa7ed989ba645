"""Which mode a shared ledger belongs to. A file lies in its mode's folder; a database may be named to any desk."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from services.domain.actors import THE_DESK
from services.domain.errors import ConfigurationError
from services.ledger.engine import Ledger
from services.ledger.order_tables import order_settings

_NAME = "mode"
_STORED = sa.select(order_settings.c.value).where(order_settings.c.name == _NAME)


def keep_to_mode(ledger: Ledger, mode: str, now: datetime) -> None:
    """Mark a ledger that carries no mark; `ConfigurationError` for one of another mode: paper never meets money."""
    with ledger.read() as connection:
        found = connection.execute(_STORED).scalar_one_or_none()
    if found is None:
        with ledger.write() as connection:
            found = mark_mode(connection, mode, now)
    if found != {"mode": mode}:
        theirs = found.get("mode") if isinstance(found, dict) else found
        raise ConfigurationError(
            f"{ledger.name} is the ledger of a desk in {theirs} mode, and this one is in {mode} mode: give each a "
            "database of its own (DESK_LEDGER_URL)"
        )


def mark_mode(connection: sa.Connection, mode: str, now: datetime) -> object:
    """Mark it, unless it is marked; gives the mark that holds."""
    found = connection.execute(_STORED).scalar_one_or_none()
    if found is not None:
        return found
    told = {
        "value": {"mode": mode}, "actor": THE_DESK.name, "role": THE_DESK.role.value, "session": THE_DESK.session,
        "changed_at": now,
    }  # fmt: skip
    connection.execute(sa.insert(order_settings).values(name=_NAME, **told))
    return told["value"]
