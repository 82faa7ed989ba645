"""The broker's order, portfolio and charges operations as typed methods.

Reads are retried and may be served by another version, as everywhere. Writes are sent once. They raise an error whose
`outcome_unknown` says whether the broker may have acted: true for no answer, a broken connection, a 5xx or an answer
that cannot be read; false for a refusal, a missing path, a rate limit, and where the request never left.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, TypeVar

from services.domain.errors import InvalidRequest
from services.domain.gtt import GttOrder, GttRequest
from services.domain.margins import ChargesEstimate, Margin, MarginLine, SegmentSwitch
from services.domain.order_changes import changed
from services.domain.orders import (
    BookOrder,
    BulkResult,
    OrderChange,
    OrderRequest,
    PastTrade,
    Product,
    Side,
    Trade,
)
from services.domain.positions import Holding, Position
from services.transport.call import Call
from services.transport.caller import Caller, Served
from services.transport.http import Answer
from services.wire import endpoints, gtt, kill_switch, margins, order_bodies, orders, positions, trades
from services.wire.envelope import unwrap
from services.wire.order_bulk import read_bulk

T = TypeVar("T")

PAST_TRADES_PAGE = 500
MOST_PAGES = 400
"""Of past trades in one call here; the broker names the number of pages, and a mistaken one must end somewhere."""
PAST_SEGMENTS = ("EQ", "FO", "COM", "CD")


class OrderApi:
    """One typed method for each operation. Safe to share between threads."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    # -- orders ------------------------------------------------------------------------------------------------

    def place(self, request: OrderRequest, *, tag: str) -> Served[tuple[str, ...]]:
        """Place one order; its id, or several where it is sliced. Accepted means received: it may still be rejected.

        v2 is the second way for LIMIT and SL without slicing only: it knows neither market protection nor slices.
        """
        order_bodies.checked_tag(tag)
        call = Call(
            endpoints.ORDER_PLACE, body=lambda route: order_bodies.place_body(request, tag, version=route.version)
        )
        may_fall_back = not request.order_type.takes_protection and not request.slice
        return self._write(call, orders.parse_placed, may_fall_back=may_fall_back)

    def modify(self, order_id: str, change: OrderChange, *, current: BookOrder) -> Served[str]:
        """Change an order that is known as `current`. The whole order is sent, so that nothing depends on what the
        broker makes of a member that is left out."""
        whole = changed(current, change)
        body = order_bodies.modify_body(order_id, whole)
        call = Call(endpoints.ORDER_MODIFY, body=lambda route: body)
        return self._write(call, orders.parse_order_id, may_fall_back=not whole.order_type.takes_protection)

    def cancel(self, order_id: str) -> Served[str]:
        """Cancel one order."""
        where = {"order_id": order_bodies.checked_order_id(order_id)}
        call = Call(endpoints.ORDER_CANCEL, members=where, params=where)
        return self._write(call, orders.parse_order_id, may_fall_back=True)

    def place_many(self, lines: Sequence[tuple[str, OrderRequest, str]]) -> BulkResult:
        """Place up to ten orders, each `(correlation id, order, tag)`; buys run before sells. What became of each line
        stands in the result; one of which it says nothing, or `LineError.outcome_unknown`, is unknown."""
        body = order_bodies.multi_place_body(lines)
        call = Call(endpoints.ORDER_MULTI_PLACE, body=lambda route: body)
        return self._bulk(call, [name for name, _, _ in lines])

    def cancel_many(self, segment: str | None = None, tag: str | None = None) -> BulkResult:
        """Cancel up to ten open orders at once: all, or those of a segment or a tag."""
        return self._bulk(Call(endpoints.ORDER_MULTI_CANCEL, params=_filter(segment, tag)))

    def exit_positions(self, segment: str | None = None, tag: str | None = None) -> BulkResult:
        """Close up to ten open positions at the market, buys first; a tag works for intraday positions only."""
        return self._bulk(Call(endpoints.POSITIONS_EXIT, params=_filter(segment, tag)))

    def book(self) -> list[BookOrder]:
        """The orders of today."""
        return self._read(Call(endpoints.ORDER_BOOK), orders.parse_orders)

    def details(self, order_id: str) -> BookOrder:
        """One order as it is now."""
        params = {"order_id": order_bodies.checked_order_id(order_id)}
        return self._read(Call(endpoints.ORDER_DETAILS, params=params), orders.parse_details)

    def history(self, order_id: str | None = None, tag: str | None = None) -> list[BookOrder]:
        """Every state of one order, or of all orders with a tag, oldest first as the broker tells them."""
        if order_id is None and tag is None:
            raise InvalidRequest("the history of what: an order id or a tag")
        params = {} if order_id is None else {"order_id": order_bodies.checked_order_id(order_id)}
        params |= {} if tag is None else {"tag": order_bodies.checked_tag(tag)}
        return self._read(Call(endpoints.ORDER_HISTORY, params=params), orders.parse_orders)

    def trades(self) -> list[Trade]:
        """The fills of today."""
        return self._read(Call(endpoints.TRADES), trades.parse_trades)

    def trades_of(self, order_id: str) -> list[Trade]:
        """The fills of one order."""
        params = {"order_id": order_bodies.checked_order_id(order_id)}
        return self._read(Call(endpoints.ORDER_TRADES, params=params), trades.parse_trades)

    def past_trades(self, start: date, end: date, segment: str | None = None) -> list[PastTrade]:
        """The fills of `start` to `end`, both included, of one segment (`EQ`, `FO`, `COM`, `CD`) or of all; not of
        today. Reads page after page; one that fails fails the whole. Funds are left out."""
        if end < start:
            raise InvalidRequest("the last day lies before the first")
        if segment is not None and segment not in PAST_SEGMENTS:
            raise InvalidRequest(f"{segment[:20]!r} is not one of {', '.join(PAST_SEGMENTS)}")
        span = {"start_date": start.isoformat(), "end_date": end.isoformat(), "page_size": str(PAST_TRADES_PAGE)}
        span |= {} if segment is None else {"segment": segment}
        found: list[PastTrade] = []
        for number in range(1, MOST_PAGES + 1):
            call = Call(endpoints.PAST_TRADES, params=span | {"page_number": str(number)})
            page = self._caller.read_page(call, trades.parse_past_trades).value
            found += page.trades
            if page.is_last(number, PAST_TRADES_PAGE):
                return found
        raise InvalidRequest(f"there are more than {len(found)} trades in that time: ask for a shorter one")

    # -- orders that wait --------------------------------------------------------------------------------------

    def gtt_place(self, request: GttRequest) -> Served[tuple[str, ...]]:
        """Have an order wait at the broker; its id (`GTT-…`)."""
        body = order_bodies.gtt_place_body(request)
        return self._write(Call(endpoints.GTT_PLACE, body=lambda route: body), gtt.parse_gtt_ids)

    def gtt_modify(self, gtt_id: str, request: GttRequest) -> Served[tuple[str, ...]]:
        """Give a waiting order another quantity and other legs; instrument, side and product stay."""
        body = order_bodies.gtt_modify_body(gtt_id, request)
        return self._write(Call(endpoints.GTT_MODIFY, body=lambda route: body), gtt.parse_gtt_ids)

    def gtt_cancel(self, gtt_id: str) -> Served[tuple[str, ...]]:
        """Cancel a waiting order with all its legs."""
        body = order_bodies.gtt_cancel_body(gtt_id)
        return self._write(Call(endpoints.GTT_CANCEL, body=lambda route: body), gtt.parse_gtt_ids)

    def gtts(self, gtt_id: str | None = None) -> list[GttOrder]:
        """All waiting orders, or one."""
        params = {} if gtt_id is None else {"gtt_order_id": order_bodies.checked_gtt_id(gtt_id)}
        return self._read(Call(endpoints.GTT_DETAILS, params=params), gtt.parse_gtts)

    # -- portfolio ---------------------------------------------------------------------------------------------

    def positions(self) -> list[Position]:
        """Positions, those closed today included."""
        return self._read(Call(endpoints.POSITIONS), positions.parse_positions)

    def mtf_positions(self) -> list[Position]:
        """Positions that the broker funds."""
        return self._read(Call(endpoints.MTF_POSITIONS), positions.parse_positions)

    def holdings(self) -> list[Holding]:
        """Shares in the demat account."""
        return self._read(Call(endpoints.HOLDINGS), positions.parse_holdings)

    def convert(self, key: str, side: Side, quantity: int, old: Product, new: Product) -> Served[str]:
        """Change the product of a position (`side` is the position's); the broker's word for it, `complete`."""
        body = order_bodies.convert_body(key, side, quantity, old, new)
        call = Call(endpoints.POSITION_CONVERT, body=lambda route: body)
        return self._write(call, positions.parse_conversion, may_fall_back=True)

    # -- charges, margin, kill switch --------------------------------------------------------------------------

    def brokerage(self, key: str, *, side: Side, quantity: int, product: Product, price: Decimal) -> ChargesEstimate:
        """The broker's estimate of what one order costs."""
        if quantity < 1 or not price.is_finite() or price <= 0:
            raise InvalidRequest("charges are of a quantity and a price above 0")
        params = {
            "instrument_token": key,
            "quantity": str(quantity),
            "product": product.value,
            "transaction_type": side.value,
            "price": f"{price.normalize():f}",
        }
        return self._read(Call(endpoints.BROKERAGE, params=params), margins.parse_charges)

    def margin(self, lines: Sequence[MarginLine]) -> Margin:
        """What up to 20 orders together would block."""
        body = order_bodies.margin_body(lines)
        return self._read(Call(endpoints.MARGIN, body=lambda route: body), margins.parse_margin)

    def kill_switch(self) -> list[SegmentSwitch]:
        """The broker's own kill switch, segment by segment."""
        return self._read(Call(endpoints.KILL_SWITCH), kill_switch.parse_kill_switch)

    def set_kill_switch(self, trading: Mapping[str, bool]) -> list[SegmentSwitch]:
        """Per segment: may it trade? `False` cancels its open orders and blocks new ones for 12 hours at least; it is
        refused while a position is open there. All segments of one call, or none."""
        body = kill_switch.kill_switch_body(trading)
        call = Call(endpoints.KILL_SWITCH_SET, body=lambda route: body)
        return self._write(call, kill_switch.parse_kill_switch).value

    # -- shared ------------------------------------------------------------------------------------------------

    def _read(self, call: Call, parse: Callable[[Any], T]) -> T:
        return self._caller.read(call, parse).value

    def _write(self, call: Call, parse: Callable[[object], T], *, may_fall_back: bool = False) -> Served[T]:
        def understand(answer: Answer, endpoint: str) -> T:
            envelope = unwrap(
                answer.status,
                answer.body,
                endpoint=endpoint,
                request_id=answer.request_id,
                content_type=answer.content_type,
                retry_after=answer.retry_after,
            )
            return parse(envelope.data)

        return self._caller.write(call, understand, may_fall_back=may_fall_back)

    def _bulk(self, call: Call, correlation_ids: Sequence[str] = ()) -> BulkResult:
        def understand(answer: Answer, endpoint: str) -> BulkResult:
            return read_bulk(
                answer.status,
                answer.body,
                correlation_ids=correlation_ids,
                endpoint=endpoint,
                request_id=answer.request_id,
                content_type=answer.content_type,
                retry_after=answer.retry_after,
            )

        return self._caller.write(call, understand).value


def _filter(segment: str | None, tag: str | None) -> dict[str, str]:
    given = {} if segment is None else {"segment": segment}
    return given | ({} if tag is None else {"tag": order_bodies.checked_tag(tag)})
