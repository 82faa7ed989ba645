"""Limits and the desk's own kill switch. Both live in the ledger, so that every window, notebook and process of one
account obeys the same ones; an intent reads them inside its own transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, get_type_hints

import sqlalchemy as sa

from services.domain.actors import Actor
from services.domain.clock import Clock
from services.domain.errors import InvalidRequest, StorageError
from services.domain.intents import KillSwitch
from services.domain.order_checks import OrderLimits
from services.ledger.audit import actor_of, write_down
from services.ledger.engine import Ledger
from services.ledger.order_tables import order_settings
from services.ledger.plain_values import plain

LIMITS, KILL_SWITCH = "limits", "kill switch"


class OrderSettings:
    """What orders must obey. `usual`: the limits while nobody has set others."""

    def __init__(self, ledger: Ledger, clock: Clock, usual: OrderLimits | None = None) -> None:
        self._ledger = ledger
        self._clock = clock
        self._usual = OrderLimits() if usual is None else usual

    def limits(self) -> OrderLimits:
        """The limits as they are now. Raises `StorageError` if what is stored cannot be understood: then nothing may be
        sent."""
        with self._ledger.read() as connection:
            return self.read_in(connection)[0]

    def set_limits(self, limits: OrderLimits, actor: Actor) -> OrderLimits:
        """From now on these, for everybody."""
        with self._ledger.write() as connection:
            self._put(connection, LIMITS, _as_values(limits), actor, before=_as_values(self._usual))
        return limits

    def kill_switch(self) -> KillSwitch:
        """The switch as it is now. Raises `StorageError` like `limits`."""
        with self._ledger.read() as connection:
            return self.read_in(connection)[1]

    def set_kill_switch(self, on: bool, reason: str, actor: Actor) -> KillSwitch:
        """Turn it. What is on its way to the broker already is not called back."""
        if len(reason) > 500:
            raise InvalidRequest("the reason has at most 500 letters")
        with self._ledger.write() as connection:
            after = {"on": bool(on), "reason": reason}
            at = self._put(connection, KILL_SWITCH, after, actor, before={"on": False, "reason": ""})
        return KillSwitch(bool(on), reason, actor, at)

    def read_in(self, connection: sa.Connection) -> tuple[OrderLimits, KillSwitch]:
        """Limits and switch, inside somebody's transaction."""
        rows = {row.name: row for row in connection.execute(_BOTH)}
        limits = self._usual if LIMITS not in rows else _as_limits(rows[LIMITS].value)
        return limits, KillSwitch() if KILL_SWITCH not in rows else _as_switch(rows[KILL_SWITCH])

    def _put(
        self,
        connection: sa.Connection,
        name: str,
        after: Mapping[str, Any],  # Any: JSON values
        actor: Actor,
        *,
        before: Mapping[str, Any],
    ) -> datetime:
        """Store and write down; `before` is what held while nothing was stored."""
        now = self._clock.now()
        told = {
            "value": plain(after),
            "actor": actor.name,
            "role": actor.role.value,
            "session": actor.session,
            "changed_at": now,
        }
        mine = order_settings.c.name == name
        stored = connection.execute(sa.select(order_settings.c.value).where(mine)).one_or_none()
        if stored is None:
            connection.execute(sa.insert(order_settings).values(name=name, **told))
        else:
            connection.execute(sa.update(order_settings).where(mine).values(**told))
            before = stored.value if isinstance(stored.value, dict) else {"unreadable": str(stored.value)}
        write_down(connection, now, actor, name, name, before, after)
        return now


_BOTH = sa.select(order_settings).where(order_settings.c.name.in_([LIMITS, KILL_SWITCH]))


def _as_switch(row: sa.Row[Any]) -> KillSwitch:  # Any: cells of several kinds
    match row.value:
        case {"on": bool() as on, "reason": str() as reason}:
            return KillSwitch(on, reason, actor_of(row), row.changed_at)
    raise StorageError("the stored kill switch is not understood; turn it anew")


def _as_values(limits: OrderLimits) -> dict[str, Any]:  # Any: numbers of several kinds
    values = {field.name: getattr(limits, field.name) for field in fields(limits)}
    return {name: Decimal(str(value)) if isinstance(value, float) else value for name, value in values.items()}


def _as_limits(value: Any) -> OrderLimits:  # Any: JSON, as it was stored
    """What was stored, strictly: a limit that cannot be read must not become a limit that is not there."""
    kinds = get_type_hints(OrderLimits)
    if not isinstance(value, dict) or not value.keys() <= kinds.keys():
        raise StorageError("the stored limits are not understood; set them anew")
    try:
        return OrderLimits(**{name: _typed(kinds[name], item) for name, item in value.items()})
    except (ValueError, TypeError, InvalidOperation) as error:
        raise StorageError(f"the stored limits are not understood ({error}); set them anew") from error


def _typed(kind: Any, item: Any) -> Any:  # Any: a type, a JSON value
    if isinstance(item, str | int) and not isinstance(item, bool) and kind in (Decimal, Decimal | None):
        return Decimal(item)
    if isinstance(item, str) and kind is float:
        return float(item)
    return item
