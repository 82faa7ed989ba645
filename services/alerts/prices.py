"""Watches the prices that people want to hear of. No crossing is missed between two looks (`extremes`)."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from services.alerts.book import AlertBook
from services.alerts.extremes import LATE_SECONDS, Extremes, Spans
from services.alerts.judging import Finding, Judge, Verdict
from services.alerts.rules import PRICE, Rule
from services.domain.actors import Actor, require_trader
from services.domain.clock import Clock
from services.domain.errors import InvalidRequest, UpstoxError
from services.ledger.alerts import Severity
from services.ledger.price_alerts import PriceAlert, PriceAlerts, Side, Watched

MOST_SECONDS = 60.0
"""A price that is older says nothing of now."""
CALM_SECONDS = 10.0
BACK_SHARE, BACK_LEAST = 0.001, 0.05
"""An alert is over when the price is back by so much of the level, or by that many rupees or points at least."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PriceNow:
    """What is known of one instrument."""

    ltp: float | None
    percent: float | None
    """The change of the day."""
    received_at: datetime


@dataclass(frozen=True, slots=True)
class PriceAlertState:
    """A price alert and where it stands."""

    alert: PriceAlert
    ringing: bool
    """The price is there now."""
    value: float | None
    """What it was compared with last; `None`: no current price yet."""


class PriceWatch:
    """Price alerts of one ledger. `prices(keys)` tells what is known, and has it kept fresh for a while."""

    def __init__(
        self,
        *,
        kept: Callable[[], PriceAlerts],
        book: AlertBook,
        prices: Callable[[Collection[str]], Mapping[str, PriceNow]],
        clock: Clock,
        speed: Callable[[], float] = lambda: 1.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._kept = kept
        self._book = book
        self._prices = prices
        self._clock = clock
        self._speed = speed
        self._monotonic = monotonic
        self._extremes = Extremes(monotonic)
        self._judges: dict[int, Judge] = {}
        self._values: dict[int, float] = {}
        self._unwritten: dict[int, datetime] = {}  # fired, and the ledger does not know it yet

    # -- what people do ------------------------------------------------------------------------------------------

    def add(
        self,
        instrument_key: str,
        symbol: str,
        actor: Actor,
        *,
        level: Decimal,
        direction: Side,
        measure: Watched = Watched.PRICE,
        note: str = "",
        once: bool = True,
    ) -> PriceAlert:
        """A new one. `InvalidRequest` if the level is reached already: then there is nothing to wait for."""
        require_trader(actor)
        known = self._prices([instrument_key]).get(instrument_key)
        value = None if known is None or not self._is_fresh(known) else _value(known, measure)
        if value is not None:
            wanted = value < level if direction is Side.ABOVE else value > level
            if not wanted:
                raise InvalidRequest(
                    f"{symbol} is at {_number(value, measure)} already; choose a level {direction.value} that"
                )
        made = self._kept().add(
            instrument_key,
            symbol,
            measure=measure,
            direction=direction,
            level=level,
            note=note,
            once=once,
            actor=actor,
        )
        self._extremes.listen(made.id, made.instrument_key)
        return made

    def remove(self, id: int, actor: Actor) -> None:
        """Put it away, and its open alert with it."""
        require_trader(actor)
        self._kept().remove(id, actor)
        self._extremes.forget(id)
        self._book.over(PRICE, str(id))

    def again(self, id: int, actor: Actor) -> PriceAlert:
        """Let one that was reached wait anew."""
        require_trader(actor)
        waiting = self._kept().again(id, actor)
        self._extremes.listen(waiting.id, waiting.instrument_key)
        return waiting

    def states(self) -> list[PriceAlertState]:
        """All of them, the newest first. Raises what the disk says."""
        return [PriceAlertState(one, self._is_ringing(one.id), self._values.get(one.id)) for one in self._kept().all()]

    # -- what happens --------------------------------------------------------------------------------------------

    def heard(self, received_ms: int, ticks: Sequence[tuple[Any, ...]]) -> None:
        """Ticks of the feed, on its thread: neither waits nor raises."""
        self._extremes.heard(received_ms, ticks)

    def round(self, open_subjects: Collection[str], *, judges: bool = True) -> None:
        """One look. `open_subjects`: the price alerts that are known to be open. `judges`: it is for this process to
        let them ring; one that does not keeps the prices of the last moments, for the moment when it has to."""
        self._write_down_if_possible()
        alerts = {one.id: one for one in self._kept().all()}
        if judges:
            self._adopt(alerts, open_subjects)
        else:
            self._judges = {int(one): _ringing(one) for one in open_subjects if one.isdecimal() and int(one) in alerts}
        active = {id: one for id, one in alerts.items() if self._waits(one) or self._is_ringing(id)}
        keys = frozenset(one.instrument_key for one in active.values())
        self._extremes.watch(keys, judges=judges)
        known = self._prices(keys) if keys else {}  # first: if it fails, what the ticks told is kept for the next look
        extremes, late = self._extremes.since_last(judges=judges)
        now = self._monotonic()
        for id in [id for id in self._judges if id not in active]:
            del self._judges[id]
            self._values.pop(id, None)
        for alert in active.values():
            price = known.get(alert.instrument_key)
            if price is None or not self._is_fresh(price) or not self._is_later(price, alert):
                continue
            if judges:
                found = self._since_it_waits(alert, extremes, late)
                self._look(alert, price, found, now)
            elif (value := _value(price, alert.measure)) is not None:
                self._values[alert.id] = value

    def _since_it_waits(self, alert: PriceAlert, extremes: Spans, late: Spans | None) -> tuple[float, float] | None:
        """The lowest and the highest that count for it. At the first look at one those of all may be from before the
        wish; then those count that came after it."""
        if late is not None and self._waited_before(alert):
            return late.get(alert.instrument_key)
        of_wish = self._extremes.of_wish(alert.id)
        return extremes.get(alert.instrument_key) if alert.id in self._judges else of_wish

    def _waited_before(self, alert: PriceAlert) -> bool:
        """Did it wait already, and had it not rung, when the prices of late came?"""
        since = self._clock.now() - self._real(LATE_SECONDS)
        return alert.created_at < since and (alert.fired_at is None or alert.fired_at < since)

    def _look(self, alert: PriceAlert, price: PriceNow, extremes: tuple[float, float] | None, now: float) -> None:
        value = _value(price, alert.measure)
        if value is None:
            return
        self._values[alert.id] = value
        judge = self._judges.setdefault(alert.id, Judge(PRICE))
        told = value
        if not judge.open_subjects and extremes is not None and alert.measure is Watched.PRICE:
            told = max(value, extremes[1]) if alert.direction is Side.ABOVE else min(value, extremes[0])
        finding = Finding(told, _words(alert, told), str(alert.id))
        for verdict, subject, _ in judge.look(_rule(alert), [finding], now):
            if verdict is Verdict.OPEN:
                self._ring(alert, told)
            elif verdict is Verdict.CLOSE:
                self._book.over(PRICE, subject)

    def _ring(self, alert: PriceAlert, value: float) -> None:
        context = {
            "key": alert.instrument_key,
            "symbol": alert.symbol,
            "measure": alert.measure.value,
            "direction": alert.direction.value,
            "level": str(alert.level),
            "value": value,
        }
        self._book.raise_alert(
            PRICE, _words(alert, value), subject=str(alert.id), severity=Severity.WARNING.value, context=context
        )
        self._unwritten[alert.id] = self._clock.now()
        self._write_down_if_possible()

    def _write_down_if_possible(self) -> None:
        try:
            for id, at in list(self._unwritten.items()):
                self._kept().fired(id, at)
                del self._unwritten[id]
        except UpstoxError as error:
            log.warning("a price alert rang, and that cannot be written down yet: %s", error)

    def _waits(self, alert: PriceAlert) -> bool:
        """May it still fire? One that did may not, though the ledger does not know of it yet."""
        return alert.waits and not (alert.once and alert.id in self._unwritten)

    def _adopt(self, alerts: Mapping[int, PriceAlert], open_subjects: Collection[str]) -> None:
        """What rang before a start still rings, whenever that comes to be known, and what nobody waits for any more is
        over."""
        for subject in open_subjects:
            id = int(subject) if subject.isdecimal() else 0
            if id not in alerts:
                self._book.over(PRICE, subject)
            elif not self._is_ringing(id):
                self._judges.setdefault(id, Judge(PRICE)).adopt([subject])

    def _is_ringing(self, id: int) -> bool:
        judge = self._judges.get(id)
        return judge is not None and bool(judge.open_subjects)

    def _is_later(self, price: PriceNow, alert: PriceAlert) -> bool:
        """Is the price from after the wish? A wish from the future was made before the clock was put back."""
        return price.received_at >= alert.created_at or alert.created_at > self._clock.now()

    def _is_fresh(self, price: PriceNow) -> bool:
        return self._clock.now() - price.received_at <= self._real(MOST_SECONDS)

    def _real(self, seconds: float) -> timedelta:
        """So many real seconds, by the desk's clock."""
        return timedelta(seconds=seconds * max(1.0, self._speed()))


def _ringing(subject: str) -> Judge:
    judge = Judge(PRICE)
    judge.adopt([subject])
    return judge


def _rule(alert: PriceAlert) -> Rule:
    level, falling = float(alert.level), alert.direction is Side.BELOW
    back = max(BACK_SHARE * abs(level), BACK_LEAST)
    return Rule(
        PRICE,
        "",
        "",
        Severity.WARNING,
        opens_at=level,
        closes_at=level + back if falling else level - back,
        falling=falling,
        inclusive=True,
        calm_seconds=CALM_SECONDS,
    )


def _value(price: PriceNow, measure: Watched) -> float | None:
    return price.ltp if measure is Watched.PRICE else price.percent


def _number(value: float | Decimal, measure: Watched) -> str:
    return f"{float(value):,.2f}" if measure is Watched.PRICE else f"{float(value):+.2f} %"


def _words(alert: PriceAlert, value: float) -> str:
    note = f". {alert.note}" if alert.note else ""
    return (
        f"{alert.symbol} is at {_number(value, alert.measure)}: you wanted to hear of"
        f" {_number(alert.level, alert.measure)} or {alert.direction.value}{note}"
    )
