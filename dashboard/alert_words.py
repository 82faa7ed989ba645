"""Alerts in the words of a screen. Pure."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal, InvalidOperation

from dashboard.formatting import duration, ist_time, ist_when, number, percent, signed
from services.alerts import Alert, ChannelState, Life, PriceAlert, PriceAlertState, RuleState, Severity, Side, Watched
from services.domain.instruments import is_instrument_key

TONES = {Severity.INFO: "blue", Severity.WARNING: "orange", Severity.CRITICAL: "red"}
LIVES = {
    Life.OPEN: "open",
    Life.ACKNOWLEDGED: "seen",
    Life.RESOLVED: "resolved",
    Life.AUTO_RESOLVED: "over by itself",
}
LEAST = {
    Severity.INFO: "everything",
    Severity.WARNING: "warnings and what is critical",
    Severity.CRITICAL: "only what is critical",
}


def since_told(alert: Alert, now: datetime) -> str:
    """Since 14:05:33 IST (2 min 05 s), seen by asha at 14:06:10. Not on the disk yet."""
    age = duration((now - alert.raised_at).total_seconds())
    parts = [f"since {_when(alert.raised_at, now)} ({age})"]
    if alert.acknowledged_at is not None:
        parts.append(f"seen{_by(alert.acknowledged_by)} {_when(alert.acknowledged_at, now)}")
    if not alert.is_kept:
        parts.append("in memory only: the disk takes nothing")
    return ", ".join(parts)


def instrument_told(alert: Alert) -> tuple[str, str] | None:
    """Key and symbol of the instrument that an alert is about, if it is about one."""
    told = alert.context or {}
    key = told.get("key")
    return (key, str(told.get("symbol") or key)) if isinstance(key, str) and is_instrument_key(key) else None


def life_told(alert: Alert, now: datetime) -> str:
    """How an alert ended: over by itself 14:10:02 IST, after 4 min 29 s; resolved by asha ..."""
    if alert.resolved_at is None:
        return LIVES[alert.life]
    lasted = duration((alert.resolved_at - alert.raised_at).total_seconds())
    by = _by(alert.resolved_by) if alert.life is Life.RESOLVED else ""
    return f"{LIVES[alert.life]}{by} {_when(alert.resolved_at, now)}, after {lasted}"


def level_told(alert: PriceAlert) -> str:
    """What a price alert waits for: rises to 1,500.00; the day falls to −2.00%."""
    verb = "rises" if alert.direction is Side.ABOVE else "falls"
    if alert.measure is Watched.PERCENT:
        return f"change of the day {verb} to {percent(alert.level)}"
    return f"{verb} to {number(alert.level, _places(alert.level))}"


def price_state_told(state: PriceAlertState, now: datetime) -> str:
    """Where a price alert stands."""
    alert = state.alert
    if state.ringing:
        return f"rings, since {_when(alert.fired_at, now)}" if alert.fired_at else "rings"
    if not alert.waits:
        return f"was reached {_when(alert.fired_at, now)}"
    if state.value is None:
        return "waits for a current price"
    level = float(alert.level)
    away = level - state.value
    if alert.measure is Watched.PERCENT:
        return f"now {percent(state.value)}"
    to_go = f", {percent(100 * away / state.value)} to go" if state.value else ""
    return f"now {number(state.value, _places(alert.level))}{to_go}"


def channel_told(state: ChannelState, now: datetime) -> tuple[str, str]:
    """How a channel does: a colour, and words."""
    if state.testing:
        return "blue", "a test message is on its way"
    if not state.channel.active:
        return "gray", "off: nothing is sent over it"
    before = state.last_sent is None or (state.failed_at is not None and state.failed_at >= state.last_sent)
    if state.failures or (state.reason and before):
        tried = f", {state.failures} times in a row" if state.failures > 1 else ""
        when = "" if state.failed_at is None else f" {_when(state.failed_at, now)}"
        return "red", f"failed{when}{tried}: {state.reason}"
    if state.last_sent is not None:
        return "green", f"last message sent {_when(state.last_sent, now)}"
    return "gray", "nothing was sent over it yet"


def rule_told(state: RuleState) -> str:
    """When a rule opens and closes: above 10 errors a minute, over at 5; not again within 5 min."""
    rule = state.rule
    if not rule.active:
        return "off"
    parts = []
    if rule.unit:
        way = "below" if rule.falling else "above"
        parts.append(f"{way} {plain_number(rule.opens_at)} {rule.unit}, over at {plain_number(rule.closes_at)}")
    else:
        parts.append("as soon as it is so")
    if rule.for_seconds:
        parts.append(f"after {duration(rule.for_seconds)}")
    if rule.cool_down_seconds:
        parts.append(f"not again within {duration(rule.cool_down_seconds)}")
    return "; ".join(parts)


def direction_of(level: Decimal, value: float | None) -> Side | None:
    """To which side of `value` a level lies; `None` without a value, or where it is there already."""
    if value is None or level == Decimal(str(value)):
        return None
    return Side.ABOVE if level > Decimal(str(value)) else Side.BELOW


def read_level(text: str) -> Decimal | None:
    """A level as a person types it: 1,500.50, -2, +1.5%. `None` for anything else."""
    bare = text.strip().removesuffix("%").replace(",", "").replace("\N{MINUS SIGN}", "-").removeprefix("₹").strip()
    try:
        level = Decimal(bare)
    except InvalidOperation:
        return None
    return level if level.is_finite() and abs(level) < 10**9 else None


def plain_number(value: float) -> str:
    """A threshold without needless zeros: 10, 0.5."""
    return f"{value:g}"


def away_told(level: Decimal, value: float) -> str:
    """How far a level is from the price of now: +1.25%."""
    return signed(100 * (float(level) - value) / value) + "%" if value else ""


def _when(instant: datetime | None, now: datetime) -> str:
    """With seconds if it is today."""
    told = ist_when(instant, now)
    return f"{ist_time(instant)} IST" if instant is not None and "," not in told else told


def _by(name: str | None) -> str:
    return f" by {name}" if name else ""


def _places(level: Decimal) -> int:
    return 4 if level != round(level, 2) else 2
