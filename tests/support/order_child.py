"""A desk in a process of its own that is killed, or kills itself, in the middle of a write.

`python -m tests.support.order_child FOLDER BASE TOKEN POINT WHAT [ABOUT] [INTENT]`: POINT is `before` (the intent is
committed, nothing has left), `stop` (the same, and it only stands still), `answer` (the request is on its way: the
parent kills), `record` (the answer is here, nothing is written down) or `none` (it lives on). WHAT is one of `CALLS`,
ABOUT the order that it is about. Says "sending" before the request, and at the end what came of it. `DESK_LEDGER_URL`
is heeded: then folders of one ledger lie side by side.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

from services.domain.actors import Actor, Role
from services.domain.errors import InvalidRequest
from services.domain.gtt import GttLeg, GttRequest, Strategy, TriggerType
from services.domain.orders import OrderChange, OrderRequest, OrderType, Product, Side
from services.parts import part
from services.runtime import Runtime
from services.settings import load_settings
from services.transport.order_api import OrderApi

RELIANCE = "NSE_EQ|INE002A01018"
INTENT = "decided-once"
ACTOR = Actor("asha", Role.OPERATOR, "child")
SEGMENT = "NSE_FO"
CALLS = {
    "place": "place", "market": "place", "basket": "place_many", "modify": "modify", "cancel": "cancel",
    "cancel all": "cancel_many", "exit": "exit_positions", "convert": "convert", "waiting": "gtt_place",
    "switch": "set_kill_switch",
}  # fmt: skip
"""The one call that each write makes."""


class Dying(OrderApi):
    """Order calls that end the process at one point."""

    point = ""

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        return _fatal(found, self.point) if name in CALLS.values() else found


def _fatal(call: Callable[..., Any], point: str) -> Callable[..., Any]:
    def carry(*given: Any, **named: Any) -> Any:
        print("sending", flush=True)
        if point in {"before", "stop"}:
            os.kill(os.getpid(), signal.SIGKILL if point == "before" else signal.SIGSTOP)
        told = call(*given, **named)
        if point == "record":
            os.kill(os.getpid(), signal.SIGKILL)
        return told

    return carry


class DyingRuntime(Runtime):
    """A runtime with those order calls."""

    @part
    def order_api(self) -> OrderApi:
        return Dying(self.api.caller)


def request(rt: Runtime, quantity: int = 10) -> OrderRequest:
    """A limit order that rests in the book. Its price is written down: a repeated decision asks for the same."""
    given = rt.settings
    note = (given.data_dir if given.ledger_url is None else given.data_dir.parent) / "price-of-the-test"
    if not note.exists():
        last = Decimal(repr(rt.quotes.get([RELIANCE]).quotes[RELIANCE]["ltp"]))
        note.write_text(str((last * Decimal("0.98")).quantize(Decimal(1))))
    return OrderRequest(RELIANCE, Side.BUY, quantity, OrderType.LIMIT, price=Decimal(note.read_text()))


def write(rt: Runtime, what: str, order_id: str, *, intent_id: str = INTENT) -> Any:
    """The write that `what` names."""
    desk = rt.orders
    if what == "place":
        return desk.place(request(rt), intent_id=intent_id, actor=ACTOR)
    if what == "market":
        return desk.place(OrderRequest(RELIANCE, Side.BUY, 5, OrderType.MARKET), intent_id=intent_id, actor=ACTOR)
    if what == "basket":
        return desk.place_basket([request(rt), request(rt, 11)], intent_id=intent_id, actor=ACTOR)
    if what == "modify":
        return desk.modify(order_id, OrderChange(quantity=20), intent_id=intent_id, actor=ACTOR)
    if what == "cancel all":
        return desk.cancel_all(intent_id=intent_id, actor=ACTOR)
    if what == "exit":
        return desk.exit_all(intent_id=intent_id, actor=ACTOR)
    if what == "convert":
        return desk.convert(RELIANCE, Side.BUY, 5, "MIS", "CNC", intent_id=intent_id, actor=ACTOR)
    if what == "waiting":
        return desk.gtt_place(waiting(), intent_id=intent_id, actor=ACTOR)
    if what == "switch":
        return desk.set_broker_kill_switch({SEGMENT: True}, intent_id=intent_id, actor=ACTOR)
    return desk.cancel(order_id, intent_id=intent_id, actor=ACTOR)


def waiting() -> GttRequest:
    """An order that waits for a price which does not come."""
    entry = GttLeg(Strategy.ENTRY, TriggerType.BELOW, Decimal(100))
    return GttRequest(RELIANCE, Side.BUY, 5, Product.DELIVERY, (entry,))


def main(
    folder: str, base: str, token: str, point: str, what: str, order_id: str = "", intent_id: str = INTENT
) -> None:
    Dying.point = point
    settings = load_settings(data_dir=Path(folder), api_base=base, access_token=token)
    with DyingRuntime(settings) as rt:
        try:
            print(write(rt, what, order_id, intent_id=intent_id), flush=True)
        except InvalidRequest as error:
            print(f"refused here: {error}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
