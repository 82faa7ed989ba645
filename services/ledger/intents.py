"""Intents: written down, with their tag, before anything is sent; settled by whoever finds out what became of them.

Limits, kill switch and counts are read inside the very transaction that writes the intent. So of two windows, two
processes or thirty-two threads that ask at once the second sees the first, and a limit holds for all of them together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from services.domain.clock import Clock, ist_date
from services.domain.errors import InvalidRequest, UpstoxError
from services.domain.intents import (
    OPEN_STATES,
    Intent,
    IntentKind,
    IntentState,
    KillSwitch,
    NewIntent,
    Prepared,
    Witness,
    may_follow,
)
from services.domain.order_checks import OrderLimits
from services.ledger.audit import write_down
from services.ledger.conversions import keep_conversion
from services.ledger.engine import Ledger
from services.ledger.intent_rows import (
    insert_intent,
    link_orders,
    move_intent,
    one_intent,
    prepared_intent,
    read_intents,
)
from services.ledger.order_settings import OrderSettings
from services.ledger.order_tables import intent_orders, order_intents
from services.ledger.plain_values import plain

SECOND = timedelta(seconds=1)
SKEW = timedelta(minutes=1)
"""Clocks of two processes differ a little; what lies farther ahead was written under another clock."""

_OPENING = [kind.value for kind in IntentKind if kind.opens]
_ORDER_CALLS = [kind.value for kind in IntentKind if kind.is_order_call]
_OPEN = [state.value for state in OPEN_STATES]
_CLOSING = [IntentKind.EXIT_ALL.value, IntentKind.PLACE.value]


@dataclass(frozen=True, slots=True)
class Standing:
    """What an intent meets, read in its own transaction."""

    limits: OrderLimits
    kill_switch: KillSwitch
    orders_last_second: int
    """Lines of order calls of any kind (place, modify, cancel, GTT, bulk) within the last second."""
    orders_today: int
    """Lines that left today (India), or may have left, of kinds that open orders."""
    open_writes: tuple[Intent, ...]
    """Intents about the same target, and exits of all positions, whose fate is not known. Before an exit of all every
    order of which that is so."""
    now: datetime
    written_since: Callable[[datetime], tuple[Intent, ...]] = field(default=lambda instant: (), compare=False)
    """What was written down about the same target since, and exits of all positions, whatever became of it. To be asked
    inside the transaction, and only by who needs it."""


Allow = Callable[[Standing], None]


class Intents:
    """All intents of one ledger."""

    def __init__(
        self, ledger: Ledger, clock: Clock, settings: OrderSettings | None = None, *, process: str = ""
    ) -> None:
        """`process`: who sends what is prepared here (`orders.lives.Life`)."""
        self._ledger = ledger
        self._clock = clock
        self._process = process
        self._settings = OrderSettings(ledger, clock) if settings is None else settings

    def prepare(self, new: NewIntent, *, allow: Allow) -> Prepared:
        """Write `new` down, on the disk when this returns; or tell what became of it if it is here already.

        `allow` is called with what the intent meets and raises an `UpstoxError` to refuse: then the refusal is kept in
        the audit, nothing else is written, and the error goes on to the caller. It runs while everybody who wants to
        write waits: it must be quick and must use neither the ledger nor the network. An id that was used for something
        else is an `InvalidRequest`.
        """
        return self.prepare_many([new], allow=lambda _, standing: allow(standing))[0]

    def prepare_many(
        self, news: Sequence[NewIntent], *, allow: Callable[[NewIntent, Standing], None]
    ) -> tuple[Prepared, ...]:
        """`prepare` for intents that were confirmed together: all are written, or none. Each meets those before it."""
        refusal: UpstoxError | None = None
        with self._ledger.write() as connection:
            now = self._clock.now()
            point = connection.begin_nested() if len(news) > 1 else None
            done: list[Prepared] = []
            for new in news:
                body = plain(new.body)
                known = _known(connection, new, body)
                if known is None:
                    try:
                        allow(new, self._standing(connection, new, now))
                    except UpstoxError as error:
                        refusal = error
                        if point is not None:
                            point.rollback()
                        _write_refusal(connection, now, new, error)
                        break
                    _write(connection, now, new, body, self._process)
                told = known or prepared_intent(new, body, now, self._process)
                done.append(Prepared(told, repeated=known is not None))
        if refusal is not None:
            raise refusal
        return tuple(done)

    def settle(
        self,
        intent_id: str,
        state: IntentState,
        *,
        order_ids: Sequence[str] = (),
        code: str = "",
        reason: str = "",
        result: Mapping[str, Any] | None = None,
        by: Witness = Witness.ANSWER,
    ) -> Intent:
        """Write down what became of an intent, and give it as it is known then.

        What is known never goes backwards: a step that `may_follow` does not allow changes nothing (late answers and
        second witnesses are normal). Order ids are added to those known. `InvalidRequest` for an id that is not here.
        """
        if state is IntentState.PREPARED:
            raise ValueError("an intent is settled as something")
        with self._ledger.write() as connection:
            before = one_intent(connection, intent_id)
            moves = may_follow(before.state, state, by)
            fresh = [one for one in dict.fromkeys(order_ids) if one not in before.order_ids]
            if not moves and (before.state is not state or not fresh):
                return before
            now = self._clock.now()
            after = replace(before, order_ids=(*before.order_ids, *fresh))
            if moves:
                kept = before.result if result is None else plain(result)
                after = replace(
                    after, state=state, code=code[:80], reason=reason, result=kept, settled_by=by, settled_at=now
                )
                move_intent(connection, after)
            link_orders(connection, before, fresh)
            what, told = f"{before.kind} {after.state}", {**_told(after), "by": by}
            write_down(connection, now, before.actor, what, before.target, _told(before), told, intent_id=intent_id)
            return after

    def open(self) -> list[Intent]:
        """Those whose fate is not known, the oldest first: to be looked up at the broker."""
        return self._read(order_intents.c.state.in_(_OPEN), order=order_intents.c.id)

    def get(self, intent_id: str) -> Intent | None:
        """That intent; `None`: never heard of."""
        found = self._read(order_intents.c.intent_id == intent_id)
        return found[0] if found else None

    def of_tag(self, tag: str) -> Intent | None:
        """The intent whose orders carry this tag."""
        found = self._read(order_intents.c.tag == tag)
        return found[0] if found else None

    def of_basket(self, basket: str) -> list[Intent]:
        """The intents that were confirmed together, in their order."""
        return self._read(order_intents.c.basket == basket, order=order_intents.c.id)

    def of_order(self, order_id: str) -> list[Intent]:
        """What was wanted of this order: the intent it came of and those about it, the oldest first."""
        came_of = sa.select(intent_orders.c.intent_id).where(intent_orders.c.order_id == order_id)
        about = sa.select(order_intents.c.intent_id).where(order_intents.c.target == order_id)
        return self._read(order_intents.c.intent_id.in_(came_of.union(about)), order=order_intents.c.id)

    def recent(self, limit: int = 200) -> list[Intent]:
        """The newest `limit` intents, the newest first."""
        if limit < 1:
            raise InvalidRequest("ask for at least one intent")
        return self._read(order=order_intents.c.id.desc(), limit=limit)

    def _read(
        self,
        *conditions: sa.ColumnElement[bool],
        order: sa.ColumnElement[Any] | None = None,  # Any: a column
        limit: int | None = None,
    ) -> list[Intent]:
        with self._ledger.read() as connection:
            return read_intents(connection, *conditions, order=order, limit=limit)

    def _standing(self, connection: sa.Connection, new: NewIntent, now: datetime) -> Standing:
        limits, kill_switch = self._settings.read_in(connection)
        counts = connection.execute(_COUNTS, {"after": now - SECOND, "until": now + SKEW, "today": ist_date(now)}).one()
        # an exit of all is about every instrument: so is what is on its way of any other order
        of_all = _CLOSING if new.kind is IntentKind.EXIT_ALL else _CLOSING[:1]
        about_it = sa.or_(order_intents.c.target == new.target, order_intents.c.kind.in_(of_all))
        is_open = order_intents.c.state.in_(_OPEN)
        open_writes = read_intents(connection, is_open, about_it, order=order_intents.c.id)

        def written_since(instant: datetime) -> tuple[Intent, ...]:
            return tuple(read_intents(connection, about_it, order_intents.c.created_at >= instant))

        return Standing(limits, kill_switch, counts.last_second, counts.today, tuple(open_writes), now, written_since)


_LINES = sa.func.coalesce(sa.func.sum(order_intents.c.lines), 0)
_COUNTS = sa.select(
    sa.select(_LINES)
    .where(
        order_intents.c.created_at > sa.bindparam("after"),
        order_intents.c.created_at <= sa.bindparam("until"),
        order_intents.c.kind.in_(_ORDER_CALLS),
    )
    .scalar_subquery()
    .label("last_second"),
    sa.select(_LINES)
    .where(
        order_intents.c.day == sa.bindparam("today"),
        order_intents.c.kind.in_(_OPENING),
        order_intents.c.state != IntentState.NOT_SENT.value,
    )
    .scalar_subquery()
    .label("today"),
)


def _known(connection: sa.Connection, new: NewIntent, body: Mapping[str, Any]) -> Intent | None:
    """The intent of this id, if there is one and it asks for the same."""
    same = order_intents.c.intent_id == new.intent_id
    found = read_intents(connection, sa.or_(same, order_intents.c.tag == new.tag) if new.tag else same)
    known = next((intent for intent in found if intent.intent_id == new.intent_id), None)
    if known is None:
        if found:
            raise InvalidRequest("this tag belongs to another intent; each has its own")
        return None
    if (known.kind, known.target, known.body) != (new.kind, new.target, body):
        raise InvalidRequest("this decision was carried out before, with other particulars; make a new one")
    return known


def _write(
    connection: sa.Connection,
    now: datetime,
    new: NewIntent,
    body: Mapping[str, Any],
    process: str,
) -> None:
    insert_intent(connection, now, new, body, process)
    if new.kind is IntentKind.CONVERT:
        keep_conversion(connection, now, new.intent_id, body)
    after = {**body, "tag": new.tag} if new.tag else body
    write_down(connection, now, new.actor, new.kind.value, new.target, new.before, after, intent_id=new.intent_id)


def _write_refusal(connection: sa.Connection, now: datetime, new: NewIntent, error: UpstoxError) -> None:
    what, after = f"{new.kind} refused", {"asked": new.body, "refused": str(error)}
    write_down(connection, now, new.actor, what, new.target, new.before, after, intent_id=new.intent_id)


def _told(intent: Intent) -> dict[str, Any]:  # Any: JSON values
    return {"state": intent.state, "order_ids": intent.order_ids, "code": intent.code, "reason": intent.reason}
