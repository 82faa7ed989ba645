"""The rules of the desk, as data: when an alert opens, when it is over, and how soon it may come again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from services.domain.errors import InvalidRequest
from services.ledger.alert_rules import Numbers
from services.ledger.alerts import Severity


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule over a figure. It opens beyond `opens_at` and closes when the figure is back at `closes_at`; what lies
    between changes nothing (hysteresis)."""

    kind: str
    """Of its alerts."""
    title: str
    meaning: str
    severity: Severity
    opens_at: float = 0.0
    closes_at: float = 0.0
    unit: str = ""
    """Of the two; empty: there is nothing to set, the thing is so or it is not."""
    falling: bool = False
    """The figure is bad when it is low."""
    inclusive: bool = False
    """To reach `opens_at` is enough."""
    for_seconds: float = 0.0
    """So long it must last before the alert opens."""
    calm_seconds: float = 0.0
    """So long it must be over before the alert closes."""
    cool_down_seconds: float = 0.0
    """After it closed by itself, so long no other one opens."""
    active: bool = True

    def is_bad(self, value: float) -> bool:
        if self.inclusive and value == self.opens_at:
            return True
        return value < self.opens_at if self.falling else value > self.opens_at

    def is_over(self, value: float) -> bool:
        return value >= self.closes_at if self.falling else value <= self.closes_at


ERROR_RATE, FEED_SILENT, TOKEN_ENDING, TOKEN_ENDED = "error_rate", "feed_silent", "token_ending", "token_ended"
WRITER_DROPPING, WRITER_BEHIND, BUDGET_LOW = "writer_dropping", "writer_behind", "budget_low"
ORDER_UNKNOWN, UNRECONCILED, DISK_LOW, STORAGE = "order_unknown", "unreconciled", "disk_low", "storage"
CLOCK, BROKER_FAILING, CHANNEL_FAILING = "clock", "broker_failing", "channel_failing"
PRICE = "price"
SHARED_AWAY = "shared_away"

RULES: tuple[Rule, ...] = (
    Rule(
        ERROR_RATE,
        "Error rate",
        "Failed requests per minute, over the last five minutes.",
        Severity.WARNING,
        10.0,
        5.0,
        "errors a minute",
        cool_down_seconds=300.0,
    ),
    Rule(
        BROKER_FAILING,
        "Broker does not answer",
        "No request has succeeded for so long.",
        Severity.WARNING,
        60.0,
        0.0,
        "seconds",
        cool_down_seconds=60.0,
    ),
    Rule(
        FEED_SILENT,
        "Feed silent in session",
        "Prices that should move have not come for so long. At night nothing is expected.",
        Severity.CRITICAL,
        30.0,
        5.0,
        "seconds",
        cool_down_seconds=60.0,
    ),
    Rule(
        TOKEN_ENDING,
        "Token ends soon",
        "So much is left of the token, and nothing renews it.",
        Severity.WARNING,
        30.0,
        30.0,
        "minutes",
        falling=True,
    ),
    Rule(TOKEN_ENDED, "Token ended", "There is no valid token: a person must log in.", Severity.CRITICAL),
    Rule(
        WRITER_DROPPING,
        "Write queue drops",
        "Ticks or errors of the last minute that could not be kept.",
        Severity.CRITICAL,
        0.0,
        0.0,
        "lost a minute",
        cool_down_seconds=60.0,
    ),
    Rule(
        WRITER_BEHIND,
        "Writer behind",
        "The oldest tick that waits for the disk has waited so long.",
        Severity.WARNING,
        10.0,
        2.0,
        "seconds",
        cool_down_seconds=60.0,
    ),
    Rule(
        BUDGET_LOW,
        "Rate budget near its end",
        "So much of the broker's limit over its longer windows is used.",
        Severity.WARNING,
        90.0,
        75.0,
        "percent",
        cool_down_seconds=300.0,
    ),
    Rule(
        ORDER_UNKNOWN,
        "Order with unknown outcome",
        "It was sent, and nobody knows yet whether the broker took it.",
        Severity.CRITICAL,
        for_seconds=5.0,
    ),
    Rule(
        UNRECONCILED,
        "Charges or P&L do not reconcile",
        "The desk's figures and the broker's differ.",
        Severity.WARNING,
        calm_seconds=10.0,
    ),
    Rule(
        DISK_LOW,
        "Disk nearly full",
        "So much is free on the disk of the data folder.",
        Severity.WARNING,
        500.0,
        700.0,
        "megabytes",
        falling=True,
    ),
    Rule(
        STORAGE,
        "Files cannot be used",
        "A database, the ledger or the data folder does not take or give what it should.",
        Severity.CRITICAL,
        calm_seconds=2.0,
    ),
    Rule(
        CLOCK,
        "Clock is wrong",
        "The clock was put forward or back, or differs from the broker's by so much.",
        Severity.WARNING,
        60.0,
        30.0,
        "seconds",
    ),
    Rule(
        CHANNEL_FAILING,
        "Alerts cannot be sent",
        "A channel has refused so many messages in a row.",
        Severity.WARNING,
        1.0,
        0.0,
        "failures",
    ),
)
"""Seconds are real ones, whatever the speed of the desk's clock."""

TOGETHER_RULES: tuple[Rule, ...] = (
    Rule(
        SHARED_AWAY,
        "Redis or PostgreSQL does not answer",
        "What the processes of the desk share has not answered this one for so long.",
        Severity.CRITICAL,
        5.0,
        0.0,
        "seconds",
        calm_seconds=2.0,
    ),
)
"""Those that only a desk of several processes has."""

TOLD_BY_THEIR_PART: Mapping[str, str] = {
    "calendar_contradiction": "Broker and calendar differ",
    "trade_conflict": "A fill was told twice, differently",
    PRICE: "Price alert",
}
"""Kinds that need no rule: who finds it out raises it, and ends it."""

_TITLES = {rule.kind: rule.title for rule in (*RULES, *TOGETHER_RULES)} | dict(TOLD_BY_THEIR_PART)
_NUMBERS = ("opens_at", "closes_at", "for_seconds", "cool_down_seconds", "active")


def title_of(kind: str) -> str:
    """What alerts of that kind are about, in a few words."""
    return _TITLES.get(kind, kind.replace("_", " ").capitalize())


def changed(rule: Rule, numbers: Numbers) -> Rule:
    """`rule` with what a person set. `InvalidRequest` for numbers that make no rule."""
    unknown = numbers.keys() - set(_NUMBERS)
    if unknown:
        raise InvalidRequest(f"{', '.join(sorted(unknown))}: a rule has no such number")
    values = {name: float(number) for name, number in numbers.items()}
    made = replace(
        rule,
        opens_at=values.get("opens_at", rule.opens_at),
        closes_at=values.get("closes_at", rule.closes_at),
        for_seconds=values.get("for_seconds", rule.for_seconds),
        cool_down_seconds=values.get("cool_down_seconds", rule.cool_down_seconds),
        active=values.get("active", float(rule.active)) != 0,
    )
    if not all(0 <= value < 10**9 for value in values.values()):
        raise InvalidRequest("the numbers of a rule lie between 0 and a thousand million")
    if made.closes_at > made.opens_at if not made.falling else made.closes_at < made.opens_at:
        raise InvalidRequest("an alert cannot be over while its trouble lasts: put the two numbers the other way round")
    return made


def numbers_of(rule: Rule) -> Numbers:
    """The numbers of a rule that a person may set."""
    return {name: Decimal(str(float(getattr(rule, name)))) for name in _NUMBERS}
