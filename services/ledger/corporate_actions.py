"""Corporate actions and settlement prices, as people enter them. The audit keeps who did and what was taken back."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from services.domain.actors import Actor
from services.domain.clock import Clock
from services.domain.errors import InvalidRequest, StorageError
from services.ledger.audit import actor_of, write_down
from services.ledger.engine import Ledger
from services.ledger.money import PLACES
from services.ledger.pnl_tables import corporate_actions, settlement_prices
from services.portfolio.lots.actions import Action, Bonus, Demerger, Rename, Split
from services.portfolio.money import rupees_of_units
from services.portfolio.records import Settlement, StoredAction

Cells = dict[str, Any]  # Any: cells of several kinds

MAX_INSTRUMENT, MAX_NOTE = 120, 200


class CorporateActions:
    """All corporate actions and settlement prices of one ledger."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock

    def all(self) -> list[StoredAction]:
        """By day; of one day in the order of entering."""
        query = sa.select(corporate_actions).order_by(corporate_actions.c.day, corporate_actions.c.id)
        with self._ledger.read() as connection:
            return [_stored(row) for row in connection.execute(query)]

    def add(self, action: Action, actor: Actor, note: str = "") -> tuple[StoredAction, bool]:
        """Keep `action`, unless the same is here: then that one, and False. `InvalidRequest` for another of the same
        kind, instrument and day: it would happen twice."""
        cells = _cells(action)
        if len(note) > MAX_NOTE:
            raise InvalidRequest(f"the note has at most {MAX_NOTE} letters")
        table = corporate_actions
        same_day = sa.select(table).where(table.c.instrument == action.instrument, table.c.day == action.day)
        with self._ledger.write() as connection:
            for row in connection.execute(same_day):
                known = _stored(row)
                if known.action == action:
                    return known, False
                if type(known.action) is type(action):
                    raise InvalidRequest(
                        f"a {cells['kind']} of {action.instrument} on {action.day:%Y-%m-%d} is entered already, with "
                        "other figures: take that one back first"
                    )
            now = self._clock.now()
            told = cells | {"note": note.strip(), **_by(actor), "entered_at": now}
            number = connection.execute(sa.insert(table).values(**told).returning(table.c.id)).scalar_one()
            write_down(connection, now, actor, "corporate action entered", f"corporate action {number}", after=cells)
            return StoredAction(number, action, note.strip(), actor, now), True

    def remove(self, action_id: int, actor: Actor) -> StoredAction:
        """Take one back. `InvalidRequest` if there is none of that number."""
        mine = corporate_actions.c.id == action_id
        with self._ledger.write() as connection:
            row = connection.execute(sa.select(corporate_actions).where(mine)).one_or_none()
            if row is None:
                raise InvalidRequest(f"there is no corporate action {action_id}: perhaps it was taken back already")
            stored = _stored(row)
            connection.execute(sa.delete(corporate_actions).where(mine))
            target, now = f"corporate action {action_id}", self._clock.now()
            write_down(connection, now, actor, "corporate action taken back", target, before=_cells(stored.action))
            return stored

    def settlements(self) -> list[Settlement]:
        """By contract."""
        query = sa.select(settlement_prices).order_by(settlement_prices.c.instrument)
        with self._ledger.read() as connection:
            return [_settlement(row) for row in connection.execute(query)]

    def settle(self, instrument: str, price: int, actor: Actor) -> Settlement:
        """Keep the price (ten-thousandths of a rupee) of a contract; the same again changes nothing."""
        _check_name(instrument)
        if price < 0:
            raise InvalidRequest("a settlement price is not below 0")
        mine = settlement_prices.c.instrument == instrument
        with self._ledger.write() as connection:
            row = connection.execute(sa.select(settlement_prices).where(mine)).one_or_none()
            if row is not None and row.price == price:
                return _settlement(row)
            now = self._clock.now()
            told = {"price": price, **_by(actor), "entered_at": now}
            if row is None:
                connection.execute(sa.insert(settlement_prices).values(instrument=instrument, **told))
            else:
                connection.execute(sa.update(settlement_prices).where(mine).values(**told))
            before = None if row is None else {"price": rupees_of_units(row.price)}
            after = {"price": rupees_of_units(price)}
            write_down(connection, now, actor, "settlement price entered", instrument, before, after)
            return Settlement(instrument, price, actor, now)

    def unsettle(self, instrument: str, actor: Actor) -> Settlement:
        """Take a price back. `InvalidRequest` if there is none."""
        mine = settlement_prices.c.instrument == instrument
        with self._ledger.write() as connection:
            row = connection.execute(sa.select(settlement_prices).where(mine)).one_or_none()
            if row is None:
                raise InvalidRequest(f"no settlement price of {instrument[:MAX_INSTRUMENT]} is entered")
            connection.execute(sa.delete(settlement_prices).where(mine))
            before, now = {"price": rupees_of_units(row.price)}, self._clock.now()
            write_down(connection, now, actor, "settlement price taken back", instrument, before)
            return _settlement(row)

    def stamp(self) -> str:
        """Differs as soon as anything of this does."""
        actions = sa.select(sa.func.count(), sa.func.coalesce(sa.func.max(corporate_actions.c.id), 0))
        prices = sa.select(settlement_prices.c.instrument, settlement_prices.c.price)
        with self._ledger.read() as connection:
            count, newest = connection.execute(actions).one()
            told = sorted((row.instrument, row.price) for row in connection.execute(prices))
        return f"{count}.{newest}.{told}"


def _cells(action: Action) -> Cells:
    cells: Cells = {
        "kind": _KINDS[type(action)], "instrument": action.instrument, "day": action.day, "into": "", "new": 1,
        "old": 1, "free_lots": False, "cost_percent": None,
    }  # fmt: skip
    match action:
        case Split(new=new, old=old, into=into):
            cells |= {"new": new, "old": old, "into": into}
        case Bonus(new=new, old=old, free_lots=free_lots):
            cells |= {"new": new, "old": old, "free_lots": free_lots}
        case Rename(into=into):
            cells |= {"into": into}
        case Demerger(into=into, new=new, old=old, cost_percent=percent):
            if percent != percent.quantize(Decimal(1).scaleb(-PLACES)):
                raise InvalidRequest(f"the cost that moves has at most {PLACES} decimals")
            cells |= {"into": into, "new": new, "old": old, "cost_percent": percent}
    _check_name(action.instrument)
    if cells["into"]:
        _check_name(cells["into"])
    if max(cells["new"], cells["old"]) > MAX_RATIO:
        raise InvalidRequest(f"a ratio is of whole numbers up to {MAX_RATIO:,}")
    return cells


_KINDS: dict[type[Action], str] = {Split: "split", Bonus: "bonus", Rename: "rename", Demerger: "demerger"}
MAX_RATIO = 1_000_000


def _stored(row: sa.Row[Any]) -> StoredAction:  # Any: cells of several kinds
    return StoredAction(row.id, _action(row, row.day), row.note, actor_of(row), row.entered_at)


def _action(row: sa.Row[Any], day: date) -> Action:  # Any: cells of several kinds
    match row.kind:
        case "split":
            return Split(row.instrument, day, row.new, row.old, row.into)
        case "bonus":
            return Bonus(row.instrument, day, row.new, row.old, row.free_lots)
        case "rename":
            return Rename(row.instrument, day, row.into)
        case "demerger":
            return Demerger(row.instrument, day, row.into, row.new, row.old, row.cost_percent)
    raise StorageError(f"the corporate action {row.id} in the ledger is of no known kind: take it back")


def _settlement(row: sa.Row[Any]) -> Settlement:  # Any: cells of several kinds
    return Settlement(row.instrument, row.price, actor_of(row), row.entered_at)


def _check_name(instrument: str) -> None:
    if not instrument.strip() or len(instrument) > MAX_INSTRUMENT or not instrument.isprintable():
        raise InvalidRequest(f"an instrument is named in 1 to {MAX_INSTRUMENT} letters")


def _by(actor: Actor) -> Cells:
    return {"actor": actor.name, "role": actor.role.value, "session": actor.session}
