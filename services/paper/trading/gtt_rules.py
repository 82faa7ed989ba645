"""The life of one rule of a GTT order. Pure.

The documents name nine states of a rule and no transitions; those here are:

    ENTRY                 SCHEDULED -> OPEN (its order is in the book) -> COMPLETED | CANCELLED | FAILED
    TARGET, STOPLOSS      INACTIVE -> SCHEDULED (the entry is filled) -> OPEN -> COMPLETED | CANCELLED | FAILED
    any that waits        -> CANCELLED (by the user, or because another rule decided), EXPIRED
"""

from __future__ import annotations

from dataclasses import replace

from services.domain.orders import Status
from services.paper.trading.gtt_orders import WAITING, Gtt, Rule, RuleStatus, RuleWanted, Strategy, Trigger
from services.paper.trading.order_values import Order


def new_rule(wanted: RuleWanted, *, buys: bool) -> Rule:
    """A rule as it begins, of an order that `buys` by its entry."""
    entry = wanted.strategy is Strategy.ENTRY
    return Rule(
        strategy=wanted.strategy,
        trigger_type=wanted.trigger_type,
        trigger=wanted.trigger,
        gap=wanted.gap,
        protection=wanted.protection,
        buys=buys if entry else not buys,
        status=RuleStatus.SCHEDULED if entry else RuleStatus.INACTIVE,
    )


def changed_rule(rule: Rule, wanted: RuleWanted | None) -> Rule:
    """`rule` with the prices asked for, unless it has fired."""
    if wanted is None or rule.status not in WAITING:
        return rule
    return replace(
        rule,
        trigger_type=wanted.trigger_type,
        trigger=wanted.trigger,
        gap=wanted.gap,
        protection=wanted.protection,
        anchor=0,
    )


def is_due(rule: Rule, price: int) -> bool:
    """Does `price` fire it?"""
    if rule.strategy is Strategy.TARGET:
        return price >= rule.trigger if not rule.buys else price <= rule.trigger
    if rule.strategy is Strategy.STOPLOSS:
        return price <= rule.trigger if not rule.buys else price >= rule.trigger
    if rule.trigger_type is Trigger.ABOVE:
        return price >= rule.trigger
    return rule.trigger_type is Trigger.IMMEDIATE or price <= rule.trigger


def ended_rule(rule: Rule, child: Order) -> Rule | None:
    """`rule` after the end of its order; `None` while that is alive. What was filled in part and then cancelled has
    done its work for that part."""
    if child.alive:
        return None
    if child.status == Status.COMPLETE:
        return replace(rule, status=RuleStatus.COMPLETED)
    if child.status == Status.REJECTED:
        return replace(rule, status=RuleStatus.FAILED, message=child.message)
    if child.filled:
        return replace(rule, status=RuleStatus.COMPLETED, message=f"{child.filled} filled, the rest was cancelled")
    return replace(rule, status=RuleStatus.CANCELLED, message=child.message)


def after_end(gtt: Gtt, ended: Rule, child: Order) -> Gtt:
    """The entry's end decides over the rules that wait for it."""
    if ended.strategy is not Strategy.ENTRY:
        return gtt
    if ended.status is not RuleStatus.COMPLETED:
        return end_waiting(gtt, RuleStatus.CANCELLED)
    woken = tuple(
        replace(rule, status=RuleStatus.SCHEDULED) if rule.status is RuleStatus.INACTIVE else rule for rule in gtt.rules
    )
    return replace(gtt, rules=woken, filled=child.filled)


def end_waiting(gtt: Gtt, status: RuleStatus) -> Gtt:
    """`gtt` with every rule that waits ended so."""
    rules = tuple(replace(rule, status=status) if rule.status in WAITING else rule for rule in gtt.rules)
    return replace(gtt, rules=rules)
