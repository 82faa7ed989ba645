"""Corporate actions and settlement prices, which no broker tells: a person enters them, and the book obeys."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from services.domain.actors import Actor, require_trader
from services.domain.clock import Clock
from services.domain.errors import InvalidRequest
from services.ledger.corporate_actions import CorporateActions
from services.ledger.engine import Ledger
from services.portfolio.lots.actions import Action
from services.portfolio.lots.fills import LARGEST_VALUE
from services.portfolio.money import price_units
from services.portfolio.records import Settlement, StoredAction


class Actions:
    """What was entered, for all accounts of the ledger: a split is a split wherever the shares lie."""

    def __init__(self, ledger: Ledger, clock: Clock, *, changed: Callable[[], None] = lambda: None) -> None:
        """`changed`: told after something was entered or taken back."""
        self._store = CorporateActions(ledger, clock)
        self._changed = changed

    def all(self) -> list[StoredAction]:
        """All corporate actions, by day."""
        return self._store.all()

    def add(self, action: Action, actor: Actor, *, note: str = "") -> StoredAction:
        """Enter one (`Split`, `Bonus`, `Rename`, `Demerger` of `services.portfolio.lots.actions`). The same again is
        the one that is there. `InvalidRequest` for one that contradicts another of the same instrument and day."""
        require_trader(actor)
        stored, added = self._store.add(action, actor, note)
        if added:
            self._changed()
        return stored

    def remove(self, action_id: int, actor: Actor) -> StoredAction:
        """Take one back. `InvalidRequest` if there is none of that number."""
        require_trader(actor)
        stored = self._store.remove(action_id, actor)
        self._changed()
        return stored

    def settlements(self) -> list[Settlement]:
        """All settlement prices, by contract."""
        return self._store.settlements()

    def settle(self, instrument: str, price: Decimal, actor: Actor) -> Settlement:
        """Enter or change the price (rupees, 0 for an option that ended worthless) at which a contract was settled.
        `InvalidRequest` for a price below 0, finer than a ten-thousandth of a rupee, or beyond every contract."""
        require_trader(actor)
        units = price_units(price)
        if units > LARGEST_VALUE:
            raise InvalidRequest(f"{price} is the price of no contract")
        stored = self._store.settle(instrument.strip(), units, actor)
        self._changed()
        return stored

    def unsettle(self, instrument: str, actor: Actor) -> Settlement:
        """Take a settlement price back. `InvalidRequest` if there is none."""
        require_trader(actor)
        stored = self._store.unsettle(instrument.strip(), actor)
        self._changed()
        return stored

    def stamp(self) -> str:
        """Differs as soon as anything of this changes, by whichever process. Quick."""
        return self._store.stamp()
