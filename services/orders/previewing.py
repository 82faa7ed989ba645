"""What an order would be, told before it is sent: its checks, its value, and the broker's margin and charges."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal

from services.domain.accounts import Funds
from services.domain.errors import UpstoxError
from services.domain.intents import KillSwitch
from services.domain.margins import MarginLine
from services.domain.order_checks import OrderFacts, OrderLimits, check_order, order_value, worst_price
from services.domain.orders import BookOrder, OrderRequest, OrderType
from services.domain.positions import Position
from services.orders.asking import Answer, Asker
from services.orders.checking import Checker
from services.orders.exits import Closable
from services.orders.ports import Broker
from services.orders.views import BasketPreview, Figure, Preview
from services.orders.words import Words
from services.portfolio.charges.lines import PaiseLines

FUNDS = "funds"
NO_PRICE = "there is no price to estimate charges with"

OwnCharges = Callable[[OrderRequest, Decimal], PaiseLines]
"""What an order would cost if it were filled at a price, by our own rates; raises why that is not known."""


class Previews:
    """Previews of orders. Makes no request in the caller's thread unless it is told to wait."""

    def __init__(
        self,
        *,
        broker: Broker,
        asker: Asker,
        checker: Checker,
        words: Words,
        funds: Callable[[], Funds],
        rules: Callable[[], tuple[OrderLimits, KillSwitch]],
        orders_today: Callable[[], int],
        alive: Callable[[], Sequence[BookOrder]] = tuple,
        own_charges: OwnCharges | None = None,
    ) -> None:
        """`rules()`: the limits and the kill switch of the ledger. `alive()`: what waits at the broker.
        `own_charges=None`: there is no estimate of ours."""
        self._broker = broker
        self._asker = asker
        self._checker = checker
        self._words = words
        self._funds = funds
        self._rules = rules
        self._orders_today = orders_today
        self._alive = alive
        self._own_charges = own_charges

    def of(self, request: OrderRequest, *, wait: bool = False) -> Preview:
        """The preview of one order."""
        margin = self._asker.answer(_margin_key([request]), lambda: self._broker.margin([_line(request)]), wait=wait)
        available = self._available(wait=wait)
        facts, row = self._checker.facts(
            request.key,
            request.product,
            wait=wait,
            required=None if margin.value is None else margin.value.final,
            available=None if available.value is None else available.value.available,
        )
        limits, switch = self._rules()
        facts = replace(
            facts,
            own_kill_switch=switch.on and not self._closes(request, facts),
            orders_last_second=0,
            orders_today=self._orders_today(),
        )
        price = request.price or request.trigger_price or facts.ltp
        charges = self._charges(request, price, wait=wait)
        own, own_detail = self._own(request, price)
        return Preview(
            request=request,
            sentence=self._words.sentence(request),
            findings=check_order(request, facts, limits),
            value=order_value(request, facts),
            worst_price=worst_price(request, facts),
            quote=row,
            margin=_figure(margin, "final"),
            charges=_figure(charges, "total"),
            available=_figure(available, "available"),
            margin_detail=margin.value,
            charges_detail=charges.value,
            own_charges=own,
            own_detail=own_detail,
        )

    def of_basket(self, requests: Sequence[OrderRequest], *, wait: bool = False) -> BasketPreview:
        """The preview of orders that are confirmed together: their margin is asked for together."""
        legs = tuple(self.of(request, wait=wait) for request in requests)
        lines = tuple(_line(request) for request in requests)
        margin = self._asker.answer(_margin_key(requests), lambda: self._broker.margin(lines), wait=wait)
        return BasketPreview(
            legs=legs,
            value=_sum([leg.value for leg in legs]),
            margin=_figure(margin, "final"),
            charges=_summed([leg.charges for leg in legs]),
            own_charges=_summed([leg.own_charges for leg in legs]),
            available=_figure(self._available(wait=wait), "available"),
        )

    def known_money(self, requests: Sequence[OrderRequest]) -> tuple[Decimal | None, Decimal | None]:
        """Margin required for all of `requests` together, and money available, where they were told a moment ago. Asks
        nobody."""
        margin, funds = self._asker.known(_margin_key(requests)), self._asker.known(FUNDS)
        return (
            None if margin is None or margin.value is None else margin.value.final,
            None if funds is None or funds.value is None else funds.value.available,
        )

    def _closes(self, request: OrderRequest, facts: OrderFacts) -> bool:
        """Does it only close what is held, as that was told last? The kill switch lets that pass."""
        if facts.now is None or not facts.position_quantity:
            return False
        held = Position(request.key, request.product, facts.position_quantity)
        return Closable.of([held], self._alive(), facts.now).closes(request)

    def _available(self, *, wait: bool) -> Answer:
        return self._asker.answer(FUNDS, self._funds, wait=wait)

    def _own(self, request: OrderRequest, price: Decimal | None) -> tuple[Figure, PaiseLines | None]:
        if self._own_charges is None:
            return Figure(error="there is no estimate of ours"), None
        if price is None:
            return Figure(error=NO_PRICE), None
        try:
            lines = self._own_charges(request, price)
        except UpstoxError as error:
            return Figure(error=str(error)), None
        return Figure(lines.rupees), lines

    def _charges(self, request: OrderRequest, price: Decimal | None, *, wait: bool) -> Answer:
        if price is None:
            return Answer(error=NO_PRICE)
        # A market order's price moves with every tick; its charges are estimated once for a while.
        named = request.price or request.trigger_price
        key = ("charges", request.key, request.side, request.quantity, request.product, named)

        def ask() -> object:
            return self._broker.brokerage(
                request.key, side=request.side, quantity=request.quantity, product=request.product, price=price
            )

        return self._asker.answer(key, ask, wait=wait)


def _margin_key(requests: Sequence[OrderRequest]) -> tuple[str, tuple[MarginLine, ...]]:
    return "margin", tuple(_line(request) for request in requests)


def _line(request: OrderRequest) -> MarginLine:
    price = request.price if request.order_type is not OrderType.STOP_MARKET else request.trigger_price
    return MarginLine(request.key, request.side, request.quantity, request.product, price)


def _figure(answer: Answer, member: str) -> Figure:
    value = None if answer.value is None else getattr(answer.value, member)
    return Figure(value, answer.error, answer.at)


def _sum(values: Sequence[Decimal | None]) -> Decimal | None:
    known = [value for value in values if value is not None]
    return sum(known, Decimal(0)) if len(known) == len(values) else None


def _summed(figures: Sequence[Figure]) -> Figure:
    """All of them together; an error of one is an error of the sum."""
    failed = next((figure.error for figure in figures if figure.error), None)
    total = _sum([figure.value for figure in figures])
    return Figure(error=failed) if failed else Figure(total, None, max((f.at for f in figures if f.at), default=None))
