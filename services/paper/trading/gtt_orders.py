"""GTT orders as values: what is asked for, what became of it, how it is kept. Prices in 1/10000 rupee."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from enum import StrEnum

import orjson

from services.paper.envelope import refusal

_LEAST_GAP_PERCENT = 10


class Strategy(StrEnum):
    """What a rule is for."""

    ENTRY = "ENTRY"
    TARGET = "TARGET"
    STOPLOSS = "STOPLOSS"


class Trigger(StrEnum):
    """On which side of its price a rule fires."""

    ABOVE = "ABOVE"
    BELOW = "BELOW"
    IMMEDIATE = "IMMEDIATE"
    """At once; of TARGET and STOPLOSS: as soon as the entry is filled, on the side that their meaning implies."""


class RuleStatus(StrEnum):
    """The broker's words."""

    INACTIVE = "INACTIVE"
    SCHEDULED = "SCHEDULED"
    OPEN = "OPEN"
    COMPLETED = "COMPLETED"
    CANCELLED = "CANCELLED"
    FAILED = "FAILED"
    EXPIRED = "EXPIRED"


WAITING = frozenset({RuleStatus.INACTIVE, RuleStatus.SCHEDULED})
_ALIVE = WAITING | {RuleStatus.OPEN}


@dataclass(frozen=True, slots=True)
class RuleWanted:
    """One rule as it was asked for. `gap` 0: the stop does not trail. `protection` in 1/100 percent."""

    strategy: Strategy
    trigger_type: Trigger
    trigger: int
    gap: int = 0
    protection: int | None = None


@dataclass(frozen=True, slots=True)
class GttWanted:
    """An order as it was asked for; its form has been checked."""

    kind: str
    key: str
    buys: bool
    quantity: int
    product: str
    rules: tuple[RuleWanted, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule and what became of it."""

    strategy: Strategy
    trigger_type: Trigger
    trigger: int
    gap: int
    protection: int | None
    buys: bool
    status: RuleStatus
    message: str = ""
    order_id: str | None = None
    anchor: int = 0
    """The price from which a trailing stop has last moved."""

    @property
    def alive(self) -> bool:
        return self.status in _ALIVE


@dataclass(frozen=True, slots=True)
class Gtt:
    """One GTT order. Instants in epoch microseconds."""

    gtt_id: str
    kind: str
    key: str
    buys: bool
    quantity: int
    product: str
    rules: tuple[Rule, ...]
    created_us: int
    expires_us: int
    filled: int = 0
    """What the entry has bought or sold: so much is left by the other rules."""

    @property
    def alive(self) -> bool:
        return any(rule.alive for rule in self.rules)

    @property
    def entry(self) -> Rule:
        return next(rule for rule in self.rules if rule.strategy is Strategy.ENTRY)

    def rule(self, strategy: Strategy) -> Rule | None:
        return next((rule for rule in self.rules if rule.strategy is strategy), None)

    def as_wanted(self) -> GttWanted:
        """As if it were asked for now."""
        rules = tuple(RuleWanted(rule.strategy, rule.trigger_type, rule.trigger, rule.gap) for rule in self.rules)
        return GttWanted(self.kind, self.key, self.buys, self.quantity, self.product, rules)

    def with_rule(self, changed: Rule) -> Gtt:
        return replace(self, rules=tuple(changed if r.strategy is changed.strategy else r for r in self.rules))


def check_prices(wanted: GttWanted, last: int | None) -> None:
    """Does a target lie on the winning side of the entry and a stop on the losing one? Is the trailing gap at least a
    tenth of the way from the last price (the entry's, while there is none) to the stop?"""
    prices = {rule.strategy: rule for rule in wanted.rules}
    entry = prices[Strategy.ENTRY]
    sign = 1 if wanted.buys else -1
    target, stop = prices.get(Strategy.TARGET), prices.get(Strategy.STOPLOSS)
    if target is not None and (target.trigger - entry.trigger) * sign <= 0:
        raise refusal("UDAPI1144", message="The target must lie on the winning side of the entry")
    if stop is not None and (entry.trigger - stop.trigger) * sign <= 0:
        raise refusal("UDAPI1144", message="The stop-loss must lie on the losing side of the entry")
    if stop is not None and stop.gap:
        way = abs((last if last is not None else entry.trigger) - stop.trigger)
        if stop.gap * 100 < way * _LEAST_GAP_PERCENT:
            raise refusal("UDAPI1151", property_path="trailing_gap")


def write_gtt(gtt: Gtt) -> str:
    """As JSON, for the store."""
    return orjson.dumps(asdict(gtt)).decode()


def read_gtt(body: str) -> Gtt:
    """What `write_gtt` wrote."""
    told = orjson.loads(body)
    rules = tuple(
        Rule(
            **{
                **rule,
                "strategy": Strategy(rule["strategy"]),
                "trigger_type": Trigger(rule["trigger_type"]),
                "status": RuleStatus(rule["status"]),
            }
        )
        for rule in told["rules"]
    )
    return Gtt(**{**told, "rules": rules})
