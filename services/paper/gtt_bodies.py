"""What GTT calls bring along, and how GTT orders are told. Source: Upstox documentation up to September 2026."""

from __future__ import annotations

from collections.abc import Mapping

from services.paper.envelope import refusal
from services.paper.members import as_list, as_object, price, shown, whole, word
from services.paper.model import Listing
from services.paper.order_bodies import PRODUCTS, SIDES, listed_key, read_protection
from services.paper.trading.gtt_orders import Gtt, GttWanted, Rule, RuleWanted, Strategy, Trigger
from services.paper.trading.values import rupees

KINDS = ("SINGLE", "MULTIPLE")
_ID = "GTT-"


def read_gtt_place(payload: object, listings: Mapping[str, Listing]) -> GttWanted:
    """A place body, every rule of form checked."""
    body = as_object(payload)
    kind, quantity, rules = _common(body)
    return GttWanted(
        kind=kind,
        key=listed_key(
            body.get("instrument_token"), listings, "instrument_token", missing="UDAPI1026", unknown="UDAPI1129"
        ),
        buys=word(body, "transaction_type", SIDES, missing="UDAPI1130") == "BUY",
        quantity=quantity,
        product=word(body, "product", PRODUCTS, missing="UDAPI1128"),
        rules=rules,
    )


def read_gtt_modify(payload: object) -> tuple[str, str, int, tuple[RuleWanted, ...]]:
    """Id, kind, quantity and rules."""
    body = as_object(payload)
    gtt_id = read_gtt_id(body)
    return (gtt_id, *_common(body))


def read_gtt_id(body: Mapping[str, object]) -> str:
    value = body.get("gtt_order_id")
    if value is None or value == "":
        raise refusal("UDAPI1134", property_path="gtt_order_id")
    if not isinstance(value, str) or not value.startswith(_ID):
        raise refusal("UDAPI1135", property_path="gtt_order_id", invalid_value=shown(value))
    return value


def tell_gtt(gtt: Gtt, symbol: str) -> dict[str, object]:
    """One order as REST tells it. `exchange` holds a segment here."""
    return _told(gtt) | {"trading_symbol": symbol}


def tell_gtt_update(gtt: Gtt) -> dict[str, object]:
    """The same on the portfolio stream, where the published sample has no symbol."""
    return {"update_type": "gtt_order", **_told(gtt)}


def _told(gtt: Gtt) -> dict[str, object]:
    return {
        "type": gtt.kind,
        "exchange": gtt.key.partition("|")[0],
        "quantity": gtt.quantity,
        "product": gtt.product,
        "rules": [_rule_told(rule) for rule in gtt.rules],
        "instrument_token": gtt.key,
        "gtt_order_id": gtt.gtt_id,
        "expires_at": gtt.expires_us,
        "created_at": gtt.created_us,
    }


def _rule_told(rule: Rule) -> dict[str, object]:
    return {
        "strategy": rule.strategy.value,
        "status": rule.status.value,
        "trigger_type": rule.trigger_type.value,
        "trigger_price": float(rupees(rule.trigger)),
        "transaction_type": "BUY" if rule.buys else "SELL",
        "message": rule.message,
        "order_id": rule.order_id,
        "trailing_gap": float(rupees(rule.gap)) if rule.gap else None,
    }


def _common(body: Mapping[str, object]) -> tuple[str, int, tuple[RuleWanted, ...]]:
    kind = word(body, "type", KINDS, missing="UDAPI1126")
    quantity = whole(body, "quantity", code="UDAPI1127")
    if not quantity:
        raise refusal("UDAPI1127", property_path="quantity", invalid_value="0")
    if not body.get("rules"):
        raise refusal("UDAPI1131", property_path="rules")
    rules = tuple(_rule(as_object(rule)) for rule in as_list(body["rules"]))
    strategies = [rule.strategy for rule in rules]
    if kind == "SINGLE" and len(rules) != 1:
        raise refusal("UDAPI1136", property_path="rules")
    if kind == "MULTIPLE" and len(rules) not in {2, 3}:
        raise refusal("UDAPI1137", property_path="rules")
    if Strategy.ENTRY not in strategies:
        raise refusal("UDAPI1141", property_path="rules")
    if len(set(strategies)) != len(strategies):
        raise refusal("UDAPI1139", property_path="rules")
    return kind, quantity, rules


def _rule(body: Mapping[str, object]) -> RuleWanted:
    strategy = Strategy(word(body, "strategy", list(Strategy), missing="UDAPI1132"))
    trigger_type = Trigger(word(body, "trigger_type", list(Trigger), missing="UDAPI1133"))
    if strategy is not Strategy.ENTRY and trigger_type is not Trigger.IMMEDIATE:
        raise refusal("UDAPI1143", property_path="trigger_type", invalid_value=trigger_type.value)
    at = price(body, "trigger_price", code="UDAPI1138")
    if not at:
        raise refusal("UDAPI1138", property_path="trigger_price", invalid_value="0")
    gap = price(body, "trailing_gap", code="UDAPI1151", default=0)
    if gap and strategy is not Strategy.STOPLOSS:
        raise refusal("UDAPI1151", property_path="trailing_gap", message="Only a STOPLOSS trails")
    given = body.get("market_protection")
    protection = None if given is None else read_protection(given)
    return RuleWanted(strategy, trigger_type, at, gap, protection)
