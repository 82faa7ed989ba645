"""Which rates and which plan charges are computed by: the published ones, and what somebody set over them, dated."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from hashlib import sha256

from services.domain.actors import Actor, require_operator
from services.domain.clock import Clock
from services.domain.errors import InvalidRequest
from services.ledger.charge_settings import ChargeSettingsStore, NewRule, StoredSettings
from services.ledger.engine import Ledger
from services.portfolio.charges.kinds import RATED, Kind, Rate
from services.portfolio.charges.rates import EARLIEST
from services.portfolio.charges.table import STANDARD
from services.portfolio.money import price_units, rate_units
from services.portfolio.records import (
    PLANS,
    ChargeSettings,
    PlanChoice,
    PlanRule,
    RateKey,
    RateOverride,
    RuleOf,
    with_rule,
)

MAX_SOURCE = 200
LARGEST_FEE = Decimal(100_000)
"""Rupees; what is more is a slip of the hand."""
EXCHANGES = ("", "NSE", "BSE", "MCX")


_WHAT = "change what trades are charged"


class ChargeRates:
    """The settings of one ledger, for every window and process of it."""

    def __init__(self, ledger: Ledger, clock: Clock, *, changed: Callable[[], None] = lambda: None) -> None:
        """`changed`: told after a setting has changed."""
        self._store = ChargeSettingsStore(ledger, clock)
        self._changed = changed
        self._kept: tuple[str, ChargeSettings] | None = None  # replaced as one, so that no lock is needed

    def current(self) -> ChargeSettings:
        """What holds now: `.rates`, `.plan` for the engine, `.overrides`, `.rules`, `.choice` for the screen. The same
        object until something changes, so that the tables keep what they have looked up. Raises `StorageError` if what
        is stored cannot be understood: then charges are unknown."""
        kept, stamp = self._kept, self._store.stamp()
        if kept is None or kept[0] != stamp:
            # the stamp was read first: if somebody changes a setting in between, the next call reads once more
            self._kept = kept = (stamp, _settings(self._store.get()))
        return kept[1]

    def choose(self, choice: PlanChoice, actor: Actor) -> ChargeSettings:
        """From now on this plan (for trades of all days)."""
        require_operator(actor, _WHAT)
        if self._store.choose(choice, actor):
            self._changed()
        return self.current()

    def set_rate(self, key: RateKey, since: date, percent: Decimal, actor: Actor, *, source: str) -> RateOverride:
        """A rate of somebody's own from `since` on, until the next published or own one of the same trades begins; it
        takes the place of their earlier one of the same day. `source`: who says so, 1 to 200 letters.

        Raises `InvalidRequest` for a line that is no share of a value, a rate of more than the whole, or a day before
        the published rates begin.
        """
        require_operator(actor, _WHAT)
        if key.line not in RATED:
            raise InvalidRequest(f"{key.line.value} is no share of the value of a trade: it is set with the plan")
        if key.exchange not in EXCHANGES:
            raise InvalidRequest("an exchange is NSE, BSE or MCX, or empty for all of them")
        if rate_units(percent) > rate_units(Decimal(100)):
            raise InvalidRequest(f"{percent}% is more than the whole")
        _check_day(since)
        rate = Rate(key.line, key.kind, since, percent, _checked(source), key.exchange, key.side, key.group)
        stored, changed = self._store.set_rate(rate, actor)
        if changed:
            self._changed()
        return stored

    def reset_rate(self, override_id: int, actor: Actor) -> RateOverride:
        """The published rate again. `InvalidRequest` if there is no such override."""
        require_operator(actor, _WHAT)
        stored = self._store.reset_rate(override_id, actor)
        self._changed()
        return stored

    def set_brokerage(
        self, kinds: Iterable[Kind], since: date, flat: Decimal, percent: Decimal | None, actor: Actor, *, source: str
    ) -> list[PlanRule]:
        """Of each executed order `flat` rupees, or `percent` of its value where that is less; from `since` on for
        good. `InvalidRequest` without kinds, for amounts below 0, or a day before the plans begin."""
        told = list(dict.fromkeys(kinds))
        if not told:
            raise InvalidRequest("name the kinds of trades that the brokerage is for")
        if percent is not None and rate_units(percent) > rate_units(Decimal(100)):
            raise InvalidRequest(f"{percent}% is more than the whole")
        _check_day(since)
        _check_amount(flat)
        source = _checked(source)
        return self._set([NewRule(RuleOf.BROKERAGE, kind, since, flat, percent, source) for kind in told], actor)

    def set_fee(self, of: RuleOf, since: date, amount: Decimal, actor: Actor, *, source: str) -> PlanRule:
        """`RuleOf.DEPOSITORY` or `RuleOf.ASSISTED`: `amount` rupees before GST, from `since` on for good."""
        if of is RuleOf.BROKERAGE:
            raise InvalidRequest("brokerage is set for kinds of trades")
        _check_day(since)
        _check_amount(amount)
        return self._set([NewRule(of, None, since, amount, None, _checked(source))], actor)[0]

    def reset_rule(self, rule_id: int, actor: Actor) -> PlanRule:
        """The plan's own rule again. `InvalidRequest` if there is no such rule."""
        require_operator(actor, _WHAT)
        stored = self._store.reset_rule(rule_id, actor)
        self._changed()
        return stored

    def reset_all(self, actor: Actor) -> ChargeSettings:
        """The published rates and the standard plan again."""
        require_operator(actor, _WHAT)
        self._store.reset_all(actor)
        self._changed()
        return self.current()

    def stamp(self) -> str:
        """Differs as soon as a setting does, by whichever process. Quick."""
        return self._store.stamp()

    def _set(self, rules: list[NewRule], actor: Actor) -> list[PlanRule]:
        require_operator(actor, _WHAT)
        stored, changed = self._store.set_rules(rules, actor)
        if changed:
            self._changed()
        return stored


def _settings(stored: StoredSettings) -> ChargeSettings:
    choice = stored.choice
    plan = replace(
        PLANS[choice.name],
        gst_percent=Decimal(choice.gst_percent),
        gst_on_sebi=choice.gst_on_sebi,
        gst_on_dp=choice.gst_on_dp,
    )
    for rule in stored.rules:  # by their first day, so that a later one is not cut off by an earlier one
        plan = with_rule(plan, rule)
    rates = STANDARD.with_rates(one.rate for one in stored.overrides) if stored.overrides else STANDARD
    rules = [(rule.of, rule.kind, rule.since, rule.flat, rule.percent) for rule in stored.rules]
    told = repr((choice, [replace(one.rate, source="") for one in stored.overrides], rules))
    return ChargeSettings(rates, plan, choice, stored.overrides, stored.rules, sha256(told.encode()).hexdigest())


def _check_day(since: date) -> None:
    if since < EARLIEST:
        raise InvalidRequest(f"the published rates begin on {EARLIEST:%Y-%m-%d}; before that day nothing is known")


def _check_amount(amount: Decimal) -> None:
    if not 0 <= price_units(amount) <= price_units(LARGEST_FEE):
        raise InvalidRequest(f"an amount is 0 to {LARGEST_FEE:,} rupees")


def _checked(source: str) -> str:
    plain = " ".join(source.split())
    if not 1 <= len(plain) <= MAX_SOURCE:
        raise InvalidRequest(f"say in 1 to {MAX_SOURCE} letters where it is known from")
    return plain
