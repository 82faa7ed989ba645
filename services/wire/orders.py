"""Orders as the broker tells them: book, details, history; and what it answers when one is placed, changed, cancelled.

The stream tells the same members under nearly the same names. History leaves out what is pending: it is worked out.
"""

from __future__ import annotations

from services.domain.errors import MalformedPayload
from services.domain.orders import ZERO, BookOrder, Side, is_terminal
from services.wire.fields import (
    Row,
    as_list,
    as_map,
    decimal_or_blank,
    flag_or_none,
    id_or_none,
    id_text,
    ist_stamp_or_none,
    malformed,
    rows_of,
    text,
    text_or_none,
    whole_or_none,
)


def parse_order(row: Row, where: str = "data") -> BookOrder:
    """One order. What makes it an order must be there: id, instrument, side, quantity, status; the rest may be missing.
    Statuses are lower case as they came; unknown ones are kept."""
    quantity = whole(row, "quantity", where)
    filled = whole_or_none(row, "filled_quantity", where) or 0
    status = text(row, "status", where).strip().lower()
    pending = whole_or_none(row, "pending_quantity", where)
    if pending is None:
        pending = 0 if is_terminal(status) else max(0, quantity - filled)
    return BookOrder(
        order_id=id_text(row, "order_id", where),
        key=key_of(row, where),
        side=side_of(row, where),
        quantity=quantity,
        order_type=text_or_none(row, "order_type", where) or "",
        product=text_or_none(row, "product", where) or "",
        validity=text_or_none(row, "validity", where) or "",
        price=decimal_or_blank(row, "price", where) or ZERO,
        trigger_price=decimal_or_blank(row, "trigger_price", where) or ZERO,
        status=status,
        filled_quantity=filled,
        pending_quantity=pending,
        average_price=decimal_or_blank(row, "average_price", where) or ZERO,
        disclosed_quantity=whole_or_none(row, "disclosed_quantity", where) or 0,
        symbol=symbol_of(row, where),
        exchange=text_or_none(row, "exchange", where) or "",
        tag=text_or_none(row, "tag", where),
        message=text_or_none(row, "status_message", where),
        raw_message=text_or_none(row, "status_message_raw", where),
        exchange_order_id=id_or_none(row, "exchange_order_id", where),
        parent_order_id=id_or_none(row, "parent_order_id", where),
        request_id=id_or_none(row, "order_request_id", where) or "",
        reference_id=id_or_none(row, "order_ref_id", where) or "",
        variety=text_or_none(row, "variety", where) or "",
        amo=flag_or_none(row, "is_amo", where) is True,
        placed_at=ist_stamp_or_none(row, "order_timestamp", where),
        exchange_at=ist_stamp_or_none(row, "exchange_timestamp", where),
        market_protection=decimal_or_blank(row, "market_protection", where),
    )


def parse_orders(data: object) -> list[BookOrder]:
    """The orders of today, or the states of one: in the broker's order. One row that cannot be read fails the answer:
    a book that lacks an order would be believed."""
    return [parse_order(row, where) for row, where in rows_of(data)]


def parse_details(data: object) -> BookOrder:
    """One order."""
    return parse_order(as_map(data, "data"))


def parse_placed(data: object) -> tuple[str, ...]:
    """The ids of what was placed: v3 tells a list (several where it was sliced), v2 one. None is no answer."""
    row = as_map(data, "data")
    if row.get("order_ids") is not None:
        ids = tuple(
            id_text({"order_ids": one}, "order_ids", "data") for one in as_list(row["order_ids"], "data.order_ids")
        )
        if not ids:
            raise MalformedPayload("the broker accepts the order and names no id", field="data.order_ids")
        return ids
    return (id_text(row, "order_id", "data"),)


def parse_order_id(data: object) -> str:
    """The id that a modification or a cancellation repeats."""
    return id_text(as_map(data, "data"), "order_id", "data")


def whole(row: Row, name: str, where: str) -> int:
    """A whole number that must be there."""
    value = whole_or_none(row, name, where)
    if value is None:
        malformed(f"{where}.{name}", "a whole number", None)
    return value


def key_of(row: Row, where: str) -> str:
    """The instrument key, which is called a token."""
    return text_or_none(row, "instrument_token", where) or text(row, "instrument_key", where)


def symbol_of(row: Row, where: str) -> str:
    """The symbol; its two spellings are twins."""
    return text_or_none(row, "trading_symbol", where) or text_or_none(row, "tradingsymbol", where) or ""


def side_of(row: Row, where: str, name: str = "transaction_type") -> Side:
    value = text(row, name, where).strip().upper()
    if value not in Side.__members__:
        malformed(f"{where}.{name}", "BUY or SELL", value)
    return Side(value)
