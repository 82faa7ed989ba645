"""Good-till-triggered orders: rules that wait for a price, up to a year, and then send an ordinary order.

A SINGLE order has one ENTRY rule. A MULTIPLE one opens a position by its ENTRY and leaves it by TARGET or STOPLOSS,
which sleep until the entry is filled; the first of them to fire cancels the other. What a rule sends is a LIMIT order
at its trigger price, or a MARKET order if it carries market protection. Which states a rule goes through is told in
`gtt_rules`.

Prices are integers of 1/10000 rupee. Every step is one commit together with the order that it sends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

from services.domain.clock import IST
from services.domain.errors import BrokerError
from services.domain.orders import OrderType
from services.paper.envelope import refusal
from services.paper.trading.gtt_orders import (
    WAITING,
    Gtt,
    GttWanted,
    Rule,
    RuleStatus,
    RuleWanted,
    Strategy,
    Trigger,
    check_prices,
    read_gtt,
    write_gtt,
)
from services.paper.trading.gtt_rules import after_end, changed_rule, end_waiting, ended_rule, is_due, new_rule
from services.paper.trading.order_values import Order, Wanted

_LIFE = timedelta(days=365)


class GttDesk(Protocol):
    """What a GTT order needs of the trading desk. Prices in 1/10000 rupee."""

    def place(self, wanted: Wanted) -> list[Order]: ...
    def cancel(self, order_id: str) -> Order: ...
    def order(self, order_id: str) -> Order: ...
    def next_number(self, name: str) -> int: ...
    def save_gtt(self, gtt_id: str, body: str, alive: bool) -> None: ...
    def gtts(self) -> Sequence[tuple[str, str, bool]]:
        """Id, body and whether it is alive, in the order in which they came."""

    def transaction(self) -> AbstractContextManager[object]:
        """Everything within is one commit; may stand within another one."""

    def after_commit(self, call: Callable[[], None]) -> None: ...


PriceNow = Callable[[str, datetime], int | None]
"""The last price of an instrument while it trades continuously; `None` else."""


class GttBook:
    """All GTT orders of an account. A follower of the desk, which calls `advance` and `order_changed` within its own
    transaction and lock; the other calls take both by `transaction()`."""

    def __init__(self, desk: GttDesk, price_now: PriceNow, publish: Callable[[Gtt], None]) -> None:
        """`publish` is called after each commit that changed an order."""
        self._desk = desk
        self._price_now = price_now
        self._publish = publish
        self._all: dict[str, Gtt] = {}
        self.load()

    def load(self) -> None:
        """Read everything anew: at the start, after the account was reset, after a commit that failed."""
        self._all = {gtt_id: read_gtt(body) for gtt_id, body, _ in self._desk.gtts()}

    @property
    def waits(self) -> bool:
        """Is there anything that a price could move?"""
        return any(gtt.alive for gtt in self._all.values())

    def all(self) -> list[Gtt]:
        """Every order, the oldest first."""
        return list(self._all.values())

    def get(self, gtt_id: str) -> Gtt:
        found = self._all.get(gtt_id)
        if found is None:
            raise refusal("UDAPI1142", property_path="gtt_order_id", invalid_value=gtt_id)
        return found

    def place(self, wanted: GttWanted, now: datetime) -> Gtt:
        """Take an order in, and let it fire at once if it is time."""
        check_prices(wanted, self._price_now(wanted.key, now))
        ends = (now + _LIFE).astimezone(IST).replace(hour=23, minute=59, second=59, microsecond=0)
        with self._step():
            made = Gtt(
                gtt_id=f"GTT-CU{now.astimezone(IST):%y%m%d}{self._desk.next_number('gtt'):08d}",
                kind=wanted.kind,
                key=wanted.key,
                buys=wanted.buys,
                quantity=wanted.quantity,
                product=wanted.product,
                rules=tuple(new_rule(rule, buys=wanted.buys) for rule in wanted.rules),
                created_us=_us(now),
                expires_us=_us(ends),
            )
            self._keep(made)
            self._move(made, now)
        return self._all[made.gtt_id]

    def modify(self, gtt_id: str, kind: str, quantity: int, rules: tuple[RuleWanted, ...], now: datetime) -> Gtt:
        """Other prices, before the entry has fired another quantity too. Rules that are not named stay as they are."""
        old = self._living(gtt_id)
        fired = old.entry.status not in WAITING
        if kind != old.kind or (fired and quantity != old.quantity):
            raise refusal("UDAPI1145")
        if fired and any(rule.trigger_type is not Trigger.IMMEDIATE for rule in rules):
            raise refusal("UDAPI1150")
        by_strategy = {rule.strategy: rule for rule in rules}
        if not fired and by_strategy.keys() - {rule.strategy for rule in old.rules}:
            kept = tuple(new_rule(rule, buys=old.buys) for rule in rules)
        else:
            kept = tuple(changed_rule(rule, by_strategy.get(rule.strategy)) for rule in old.rules)
        changed = replace(old, quantity=quantity, rules=kept)
        check_prices(changed.as_wanted(), self._price_now(old.key, now))
        with self._step():
            self._keep(changed)
            self._move(changed, now)
        return self._all[gtt_id]

    def cancel(self, gtt_id: str) -> Gtt:
        """End every rule that is alive, and withdraw an order that one of them has in the book."""
        gtt = self._living(gtt_id)
        with self._step():
            # Legs first: an order that is filled in part must not wake them on its way out.
            self._keep(end_waiting(gtt, RuleStatus.CANCELLED))
            for rule in gtt.rules:
                if rule.status is RuleStatus.OPEN and rule.order_id is not None:
                    with suppress(BrokerError):  # filled in this very moment
                        self._desk.cancel(rule.order_id)
            self._follow(self._all[gtt_id])
        return self._all[gtt_id]

    def advance(self, now: datetime) -> None:
        """Fire what is due, end what has lived its year."""
        for gtt in list(self._all.values()):
            if gtt.alive:
                self._move(gtt, now)

    def order_changed(self, order: Order) -> None:
        """Take over what has become of an order, if it is one of ours."""
        gtt = self._all.get(order.reference_id)
        if gtt is not None and any(rule.order_id == order.order_id for rule in gtt.rules):
            self._follow(gtt)

    # -- one order ------------------------------------------------------------------------------------------------

    def _move(self, gtt: Gtt, now: datetime) -> None:
        gtt = self._follow(gtt)
        if _us(now) >= gtt.expires_us and any(rule.status in WAITING for rule in gtt.rules):
            gtt = self._keep(end_waiting(gtt, RuleStatus.EXPIRED))
        if not any(rule.status is RuleStatus.SCHEDULED for rule in gtt.rules):
            return
        price = self._price_now(gtt.key, now)
        if price is None:
            return
        gtt = self._trail(gtt, price)
        due = next((rule for rule in gtt.rules if rule.status is RuleStatus.SCHEDULED and is_due(rule, price)), None)
        if due is not None:
            self._follow(self._fire(gtt, due))

    def _follow(self, gtt: Gtt) -> Gtt:
        """Take over what has become of the orders that were sent."""
        for rule in gtt.rules:
            if rule.status is not RuleStatus.OPEN or rule.order_id is None:
                continue
            try:
                child = self._desk.order(rule.order_id)
            except BrokerError:  # of a day that is told no more; its end was told by `order_changed`
                continue
            ended = ended_rule(rule, child)
            if ended is not None:
                gtt = self._keep(after_end(gtt.with_rule(ended), ended, child))
        return gtt

    def _trail(self, gtt: Gtt, price: int) -> Gtt:
        """Move a trailing stop by whole gaps behind the price; it never moves back."""
        stop = gtt.rule(Strategy.STOPLOSS)
        if stop is None or stop.status is not RuleStatus.SCHEDULED or not stop.gap:
            return gtt
        if not stop.anchor:
            return self._keep(gtt.with_rule(replace(stop, anchor=price)))
        sign = -1 if stop.buys else 1
        steps = max(0, (price - stop.anchor) * sign // stop.gap)
        if not steps:
            return gtt
        moved = steps * stop.gap * sign
        return self._keep(gtt.with_rule(replace(stop, anchor=stop.anchor + moved, trigger=stop.trigger + moved)))

    def _fire(self, gtt: Gtt, rule: Rule) -> Gtt:
        exits = rule.strategy is not Strategy.ENTRY
        wanted = Wanted(
            key=gtt.key,
            buys=rule.buys,
            quantity=gtt.filled if exits else gtt.quantity,
            product=gtt.product,
            order_type=OrderType.LIMIT if rule.protection is None else OrderType.MARKET,
            price=rule.trigger if rule.protection is None else 0,
            protection=rule.protection,
            reference_id=gtt.gtt_id,
        )
        try:
            [order] = self._desk.place(wanted)
        except BrokerError as refused:
            fired = replace(rule, status=RuleStatus.FAILED, message=refused.plain)
        else:
            fired = replace(rule, status=RuleStatus.OPEN, order_id=order.order_id)
        gtt = gtt.with_rule(fired)
        if exits or fired.status is RuleStatus.FAILED:
            gtt = end_waiting(gtt, RuleStatus.CANCELLED)
        return self._keep(gtt)

    # -- keeping --------------------------------------------------------------------------------------------------

    @contextmanager
    def _step(self) -> Iterator[None]:
        """One commit; if it fails, what is remembered goes back to what is kept."""
        try:
            with self._desk.transaction():
                yield
        except BaseException:
            self.load()
            raise

    def _keep(self, gtt: Gtt) -> Gtt:
        self._desk.save_gtt(gtt.gtt_id, write_gtt(gtt), gtt.alive)
        self._all[gtt.gtt_id] = gtt
        self._desk.after_commit(partial(self._publish, gtt))
        return gtt

    def _living(self, gtt_id: str) -> Gtt:
        found = self.get(gtt_id)
        if not found.alive:
            raise refusal("UDAPI1140", property_path="gtt_order_id", invalid_value=gtt_id)
        return found


def _us(instant: datetime) -> int:
    return round(instant.timestamp() * 1_000_000)
