"""What happens to orders, in the words that announcements and lists use."""

from __future__ import annotations

from collections.abc import Callable

from services.domain.errors import InvalidRequest, UpstoxError
from services.domain.instruments import Instrument
from services.domain.intents import Intent, IntentKind, IntentState
from services.domain.order_words import counted, order_sentence, rupees, status_in_words
from services.domain.orders import BookOrder, OrderRequest, Side, Status
from services.orders.bodies import read_request

Find = Callable[[str], Instrument | None]
FindOrder = Callable[[str], BookOrder | None]


class Words:
    """Sentences about orders and decisions. `find` looks instruments up and may fail: then their keys stand there."""

    def __init__(self, find: Find, order: FindOrder) -> None:
        self._find = find
        self._order = order

    def sentence(self, request: OrderRequest) -> str:
        """The order in words."""
        return order_sentence(request, self.instrument(request.key))

    def instrument(self, key: str) -> Instrument | None:
        try:
            return self._find(key)
        except UpstoxError:
            return None

    def event(self, order: BookOrder, newly_filled: int) -> str:
        """What has just become of `order`."""
        done = "Bought" if order.side is Side.BUY else "Sold"
        name = f"{counted(order.quantity)} {self._symbol(order)}"
        verb = order.side.capitalize()
        if order.status == Status.REJECTED:
            why = order.message or order.raw_message or "the broker gave no reason"
            return f"Rejected: {verb} {name}: {why}"
        if order.status in {Status.CANCELLED, Status.AMO_CANCELLED}:
            filled = f", {counted(order.filled_quantity)} were filled" if order.filled_quantity else ""
            why = f": {order.message}" if order.message else ""
            return f"Cancelled: {verb} {name}{filled}{why}"
        if newly_filled:
            at = f" at {rupees(order.average_price)}" if order.average_price else ""
            if order.filled_quantity >= order.quantity:
                return f"{done} {name}{at}"
            return f"{done} {counted(order.filled_quantity)} of {name} so far{at}"
        return f"{verb} {name}: {status_in_words(order)}"

    def intent(self, intent: Intent) -> str:
        """What was to be done."""
        kind, body = intent.kind, intent.body
        if kind is IntentKind.PLACE:
            try:
                return self.sentence(read_request(body))
            except InvalidRequest:
                return f"an order of {intent.target}"
        if kind in {IntentKind.MODIFY, IntentKind.CANCEL}:
            verb = "Change" if kind is IntentKind.MODIFY else "Cancel"
            return f"{verb} {self._named(intent.target)}"
        if kind is IntentKind.CANCEL_ALL:
            return f"Cancel all open orders{self._where(body)}"
        if kind is IntentKind.EXIT_ALL:
            return f"Exit all positions{self._where(body)}"
        if kind is IntentKind.CONVERT:
            symbol = self._symbol_of(str(body["key"]))
            return (
                f"Convert {counted(int(body['quantity']))} {symbol} from {body['from_product']} to {body['to_product']}"
            )
        if kind is IntentKind.GTT_PLACE:
            return f"Place a waiting order (GTT) of {body.get('quantity')} {self._symbol_of(str(body.get('key')))}"
        if kind is IntentKind.GTT_MODIFY:
            return f"Change the waiting order {intent.target}"
        if kind is IntentKind.GTT_CANCEL:
            return f"Cancel the waiting order {intent.target}"
        if kind is IntentKind.KILL_SWITCH:
            return f"Turn the broker's kill switch of {', '.join(body.get('switches') or ())}"
        return f"{kind} {intent.target}".strip()

    def settled(self, intent: Intent) -> str:
        """What was found out about a decision whose answer had been lost."""
        found = {
            IntentState.ACCEPTED: "the broker has it",
            IntentState.REFUSED: "it was refused",
            IntentState.ABSENT: "it never arrived at the broker; nothing was done",
            IntentState.ABANDONED: "nobody looks for it any more",
        }.get(intent.state, str(intent.state))
        why = f" ({intent.reason})" if intent.reason and intent.state is not IntentState.ABSENT else ""
        return f"{self.intent(intent)}: {found}{why}"

    def _named(self, order_id: str) -> str:
        order = self._order(order_id)
        if order is None:
            return f"order {order_id}"
        return f"{order.side.capitalize()} {counted(order.quantity)} {self._symbol(order)} (order {order_id})"

    def _symbol(self, order: BookOrder) -> str:
        instrument = self.instrument(order.key)
        return (order.symbol or order.key) if instrument is None else instrument.symbol

    def _symbol_of(self, key: str) -> str:
        instrument = self.instrument(key)
        return key if instrument is None else instrument.symbol

    @staticmethod
    def _where(body: object) -> str:
        parts = []
        if isinstance(body, dict):
            if body.get("segment"):
                parts.append(f" in {body['segment']}")
            if body.get("tag"):
                parts.append(f" tagged {body['tag']}")
        return "".join(parts)
