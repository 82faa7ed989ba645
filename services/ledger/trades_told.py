"""How many fills were ever told, in one row: whoever wants to know whether there are new ones need not count them."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from services.domain.actors import THE_DESK
from services.ledger.order_tables import order_settings

_NAME = "trades told"
_MINE = order_settings.c.name == _NAME


def told_so_far(connection: sa.Connection) -> int:
    """As `count_told` added it up; 0 in a ledger whose fills are all from before it was counted."""
    value = connection.execute(sa.select(order_settings.c.value).where(_MINE)).scalar_one_or_none()
    return int(value["count"]) if value else 0


def count_told(connection: sa.Connection, now: datetime, new: int) -> None:
    """So many more, inside the transaction that writes them."""
    known = told_so_far(connection)
    told = {
        "value": {"count": known + new}, "actor": THE_DESK.name, "role": THE_DESK.role.value,
        "session": THE_DESK.session, "changed_at": now,
    }  # fmt: skip
    if known:
        connection.execute(sa.update(order_settings).where(_MINE).values(**told))
    else:
        connection.execute(sa.insert(order_settings).values(name=_NAME, **told))
