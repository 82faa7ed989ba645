"""What order calls bring along, read and checked as the API documents say. Source: Upstox documentation to 2026-09.

Only the form is checked here. Ticks, lots, bands, money and hours are the exchange's and the account's business: an
order that fails there was received, and ends `rejected` in the book.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal

from services.domain.instruments import is_instrument_key
from services.domain.orders import MAX_TAG
from services.paper.envelope import refusal
from services.paper.members import INVALID, as_object, flag, price, shown, text, whole, word
from services.paper.model import Listing
from services.paper.trading.order_values import Changes, Wanted
from services.paper.trading.values import AUTOMATIC

ORDER_TYPES = ("MARKET", "LIMIT", "SL", "SL-M")
WITHOUT_PRICE = frozenset({"MARKET", "SL-M"})
WITH_TRIGGER = frozenset({"SL", "SL-M"})
VALIDITIES = ("DAY", "IOC")
PRODUCTS = ("I", "D", "MTF")
SIDES = ("BUY", "SELL")
LONGEST_CORRELATION = 20
MOST_PROTECTION = 25
_ORDER_ID = re.compile(r"[-A-Za-z0-9]+")


def read_place(payload: object, listings: Mapping[str, Listing], *, version: str) -> Wanted:
    """A place body. v2 knows neither slicing nor market protection, so that MARKET and SL-M are refused there."""
    body = as_object(payload)
    key = _key(body, listings)
    quantity = _quantity(body)
    product = word(body, "product", PRODUCTS, missing="UDAPI1054")
    validity = word(body, "validity", VALIDITIES, missing="UDAPI1007", invalid="UDAPI1055")
    order_type = word(body, "order_type", ORDER_TYPES, missing="UDAPI1004", invalid="UDAPI1056")
    side = word(body, "transaction_type", SIDES, missing="UDAPI1057")
    limit, trigger = _prices(body, order_type, validity)
    disclosed = whole(body, "disclosed_quantity")
    _check_disclosed(disclosed, quantity)
    flag(body, "is_amo")  # must be said, and is not listened to
    tag = text(body, "tag", longest=MAX_TAG, code="UDAPI1119")
    knows_protection = version != "v2"
    return Wanted(
        key=key,
        buys=side == "BUY",
        quantity=quantity,
        product=product,
        validity=validity,
        order_type=order_type,
        price=limit,
        trigger=trigger,
        disclosed=disclosed,
        tag=tag,
        slices=flag(body, "slice", default=False) if knows_protection else False,
        protection=_protection(body if knows_protection else {"market_protection": 0}, order_type),
    )


def read_correlation(body: Mapping[str, object]) -> str:
    """The name that a line of a multi place call gives itself."""
    name = text(body, "correlation_id", longest=LONGEST_CORRELATION, code="UDAPI1115")
    if not name:
        raise refusal("UDAPI1115", property_path="correlation_id")
    return name


def read_modify(payload: object) -> tuple[str, Changes]:
    """The order's id and what it shall be. `quantity` is the new total."""
    body = as_object(payload)
    order_id = check_order_id(body.get("order_id"))
    validity = word(body, "validity", VALIDITIES, missing="UDAPI1007", invalid="UDAPI1055")
    order_type = word(body, "order_type", ORDER_TYPES, missing="UDAPI1004", invalid="UDAPI1056")
    limit, trigger = _prices(body, order_type, validity)
    quantity = None if body.get("quantity") is None else _quantity(body)
    given = body.get("disclosed_quantity")
    return order_id, Changes(
        validity=validity,
        order_type=order_type,
        price=limit,
        trigger=trigger,
        quantity=quantity,
        disclosed=None if given is None else whole(body, "disclosed_quantity"),
        protection=None if body.get("market_protection") is None else _protection(body, order_type),
    )


def check_order_id(value: object) -> str:
    """An order id of the documented form; whether there is such an order is asked later."""
    if value is None or value == "":
        raise refusal("UDAPI1023", property_path="order_id")
    if not isinstance(value, str) or not _ORDER_ID.fullmatch(value):
        raise refusal("UDAPI1010", property_path="order_id", invalid_value=shown(value))
    return value


def listed_key(value: object, listings: Mapping[str, Listing], name: str, *, missing: str, unknown: str) -> str:
    """An instrument key of today that can be traded."""
    if value is None or value == "":
        raise refusal(missing, property_path=name)
    if not isinstance(value, str) or not is_instrument_key(value) or value not in listings:
        raise refusal(unknown, property_path=name, invalid_value=shown(value))
    if listings[value].segment.endswith("_INDEX"):
        raise refusal(unknown, property_path=name, invalid_value=value, message="An index cannot be traded")
    return value


def _key(body: Mapping[str, object], listings: Mapping[str, Listing]) -> str:
    return listed_key(
        body.get("instrument_token"), listings, "instrument_token", missing="UDAPI1026", unknown="UDAPI100011"
    )


def _quantity(body: Mapping[str, object]) -> int:
    quantity = whole(body, "quantity", code="UDAPI1053")
    if quantity == 0:
        raise refusal("UDAPI1052", property_path="quantity", invalid_value="0")
    return quantity


def _prices(body: Mapping[str, object], order_type: str, validity: str) -> tuple[int, int]:
    """Limit and trigger; 0 where the type has none, and nothing else there."""
    limit, trigger = price(body, "price"), price(body, "trigger_price")
    if order_type in WITHOUT_PRICE:
        if limit:
            raise refusal("UDAPI1040", property_path="price", invalid_value=shown(body["price"]))
    elif not limit:
        raise refusal(INVALID, property_path="price", invalid_value="0", message="The price must be above zero")
    if order_type not in WITH_TRIGGER:
        if trigger:
            named, value = "trigger_price", shown(body["trigger_price"])
            raise refusal(
                "UDAPI1040",
                property_path=named,
                invalid_value=value,
                message="Trigger price is not required for this order type",
            )
    elif not trigger:
        told = "The trigger price must be above zero"
        raise refusal(INVALID, property_path="trigger_price", invalid_value="0", message=told)
    elif validity == "IOC":
        told = "A stop-loss order cannot be IOC"
        raise refusal("UDAPI1055", property_path="validity", invalid_value=validity, message=told)
    return limit, trigger


def _check_disclosed(disclosed: int, quantity: int) -> None:
    if disclosed and not quantity <= disclosed * 10 <= quantity * 10:
        raise refusal(
            INVALID,
            property_path="disclosed_quantity",
            invalid_value=str(disclosed),
            message="The disclosed quantity is 0, or at least 10 percent of the quantity and at most all of it",
        )


def _protection(body: Mapping[str, object], order_type: str) -> int | None:
    given = body.get("market_protection")
    if order_type in WITHOUT_PRICE:
        return read_protection(-1 if given is None else given)
    if given is None or given in (0, -1):  # sent along with every order by some clients; it means nothing here
        return None
    raise refusal("UDAPI1177", property_path="market_protection", invalid_value=shown(given))


def read_protection(given: object) -> int:
    """Market protection in 1/100 percent, or `AUTOMATIC`."""
    if not isinstance(given, int | float) or isinstance(given, bool):
        raise refusal("UDAPI1176", property_path="market_protection", invalid_value=shown(given))
    if given == -1:
        return AUTOMATIC
    if given == 0:
        raise refusal("UDAPI1158")
    if given > MOST_PROTECTION:
        raise refusal("UDAPI1159", property_path="market_protection", invalid_value=shown(given))
    hundredths = Decimal(str(given)) * 100
    if hundredths < 100 or hundredths != int(hundredths):
        raise refusal("UDAPI1176", property_path="market_protection", invalid_value=shown(given))
    return int(hundredths)
