"""Portfolio services, as the v3 guide promises them: a position goes from one product to another.

from services.portfolio_services_v3 import PortfolioServicesV3

portfolio = PortfolioServicesV3()
portfolio.convert_position(symbol="INFY", quantity=10, from_product="MIS", to_product="CNC")
"""

from __future__ import annotations

import uuid

from services.acting import acting
from services.domain.actors import Actor
from services.domain.errors import InvalidRequest, NotSent, OrderOutcomeUnknown
from services.domain.intents import IntentState
from services.domain.orders import Side, read_product
from services.orders.symbols import instrument_named
from services.orders.views import Outcome
from services.runtime import get_runtime


class PortfolioServicesV3:
    """What is held, through the process's runtime. Cheap to make."""

    def __init__(self, db_path: str = "market_data.db") -> None:
        """`db_path`: the market file, relative to the data folder. Decisions stand in the ledger beside it, which is
        one for all files of a folder."""
        self._runtime = get_runtime()
        self._db_path = db_path

    def convert_position(
        self,
        symbol: str,
        quantity: int,
        from_product: str,
        to_product: str,
        transaction_type: str = "BUY",
        *,
        intent_id: str | None = None,
        actor: Actor | None = None,
    ) -> bool:
        """Turn `quantity` units of a position from one product into another: `MIS` or `I` (intraday), `CNC`, `NRML` or
        `D` (delivery, carry forward).

        `symbol`: an instrument key, or a symbol; a bare one means the share on NSE, else on BSE, else the only
        instrument of that name. `transaction_type` is the side that opened the position. True: the broker has done it.
        False: the broker refused, and the reason is in the ledger. `intent_id`: the decision; the same one again sends
        nothing and gives the first answer. `actor`: who decided, else the person at the screen or the user
        of the operating system.

        Raises `InvalidRequest` for nonsense and for what the desk's own checks refuse, `UnknownInstrument`,
        `LoginRequired`, `NotSent` if it certainly never left, and `OrderOutcomeUnknown` if no answer came: then the
        desk looks for it, and a second call must not be made with another id before that is settled.
        """
        side, old, new = _side(transaction_type), read_product(from_product), read_product(to_product)
        if old is new:
            raise InvalidRequest(f"the position is held as {old.value} already: there is nothing to convert")
        instrument = instrument_named(symbol, self._runtime.instruments)
        outcome = self._runtime.orders.convert(
            instrument.key,
            side,
            quantity,
            old,
            new,
            intent_id=intent_id or f"convert-{uuid.uuid4().hex}",
            actor=actor or acting(),
        )
        return _was_taken(outcome)


def _side(text: str) -> Side:
    word = str(text).strip().upper()
    if word not in set(Side):
        raise InvalidRequest(f"transaction type {str(text)[:20]!r}: BUY or SELL, the side that opened the position")
    return Side(word)


def _was_taken(outcome: Outcome) -> bool:
    match outcome.state:
        case IntentState.ACCEPTED:
            return True
        case IntentState.REFUSED:
            return False
        case IntentState.NOT_SENT:
            raise NotSent(outcome.reason or "the request was not sent")
        case IntentState.ABSENT | IntentState.ABANDONED:
            raise NotSent(outcome.reason or "the broker's books do not show that it was done; look before sending anew")
        case _:
            raise OrderOutcomeUnknown(
                outcome.reason or "no answer came; the desk looks for it in the broker's positions",
                intent_id=outcome.intent_id,
                tag=outcome.tag,
            )
