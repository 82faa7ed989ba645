"""Rates and plans that people set over the published ones. The audit keeps who did, and what held before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from services.domain.actors import Actor
from services.domain.clock import Clock
from services.domain.errors import InvalidRequest, StorageError
from services.domain.orders import Side
from services.ledger.audit import actor_of, write_down
from services.ledger.engine import Ledger
from services.ledger.plain_values import decimal_text
from services.ledger.pnl_tables import charge_rates, charge_settings, plan_rules
from services.portfolio.charges.kinds import Group, Kind, Line, Rate
from services.portfolio.money import RATE_UNITS, rate_units
from services.portfolio.records import PlanChoice, PlanRule, RateOverride, RuleOf

PLAN = "plan"
_PERCENT = Decimal(100) / RATE_UNITS
Cells = dict[str, Any]  # Any: cells of several kinds


@dataclass(frozen=True, slots=True)
class StoredSettings:
    """All that was set."""

    choice: PlanChoice
    overrides: tuple[RateOverride, ...]
    rules: tuple[PlanRule, ...]


@dataclass(frozen=True, slots=True)
class NewRule:
    """A rule of a plan before it is kept."""

    of: RuleOf
    kind: Kind | None
    since: date
    flat: Decimal
    percent: Decimal | None
    source: str


class ChargeSettingsStore:
    """The settings of one ledger."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock

    def get(self) -> StoredSettings:
        """Everything, rates and rules by their first day. `StorageError` for what cannot be understood."""
        with self._ledger.read() as connection:
            rates = connection.execute(sa.select(charge_rates).order_by(charge_rates.c.since, charge_rates.c.id)).all()
            rules = connection.execute(sa.select(plan_rules).order_by(plan_rules.c.since, plan_rules.c.id)).all()
            choice = _choice(connection)
        try:
            return StoredSettings(choice, tuple(map(_override, rates)), tuple(map(_rule, rules)))
        except ValueError as error:
            raise StorageError(f"stored charge rates are not understood ({error}); reset them") from error

    def choose(self, choice: PlanChoice, actor: Actor) -> bool:
        """Keep the plan; False: it is the one already."""
        with self._ledger.write() as connection:
            before = _choice(connection)
            if before == choice:
                return False
            self._put_choice(connection, before, choice, actor)
            return True

    def set_rate(self, rate: Rate, actor: Actor) -> tuple[RateOverride, bool]:
        """Keep `rate` in the place of what was set for the same trades and day; False: it was so already."""
        cells: Cells = {
            "line": rate.line.value, "kind": rate.kind.value, "exchange": rate.exchange,
            "side": rate.side.value if rate.side else "", "rate_group": rate.group.value, "since": rate.since,
        }  # fmt: skip
        told = cells | {"share": rate_units(rate.percent), "source": rate.source}
        with self._ledger.write() as connection:
            row = connection.execute(_matching(charge_rates, cells)).one_or_none()
            if row is not None and (row.share, row.source) == (told["share"], told["source"]):
                return _override(row), False
            before = None if row is None else _rate_words(_override(row).rate)
            made = self._replace(connection, charge_rates, row, told, actor)
            target = f"{rate.line.value} of {rate.kind.value}"
            write_down(connection, made.entered_at, actor, "charge rate set", target, before, _rate_words(rate))
            return _override(made), True

    def set_rules(self, rules: Sequence[NewRule], actor: Actor) -> tuple[list[PlanRule], bool]:
        """Keep `rules` in the places of those of the same kinds and days, all or none; False: they were so already."""
        kept: list[PlanRule] = []
        changed = False
        with self._ledger.write() as connection:
            for rule in rules:
                cells: Cells = {
                    "rule_of": rule.of.value, "kind": rule.kind.value if rule.kind else "", "since": rule.since,
                }  # fmt: skip
                share = None if rule.percent is None else rate_units(rule.percent)
                told = cells | {"flat": rule.flat, "share": share, "source": rule.source}
                row = connection.execute(_matching(plan_rules, cells)).one_or_none()
                if row is not None and (row.flat, row.share, row.source) == (rule.flat, share, rule.source):
                    kept.append(_rule(row))
                    continue
                before = None if row is None else _rule_words(_rule(row))
                made = _rule(self._replace(connection, plan_rules, row, told, actor))
                words = _rule_words(made)
                write_down(connection, made.entered_at, actor, "plan rule set", _rule_target(made), before, words)
                kept.append(made)
                changed = True
        return kept, changed

    def reset_rate(self, override_id: int, actor: Actor) -> RateOverride:
        """Take one back. `InvalidRequest` if there is none of that number."""
        with self._ledger.write() as connection:
            row = connection.execute(_matching(charge_rates, {"id": override_id})).one_or_none()
            if row is None:
                raise InvalidRequest(f"there is no rate {override_id} of your own: perhaps it was reset already")
            return self._drop_rate(connection, row, actor)

    def reset_rule(self, rule_id: int, actor: Actor) -> PlanRule:
        """Take one back. `InvalidRequest` if there is none of that number."""
        with self._ledger.write() as connection:
            row = connection.execute(_matching(plan_rules, {"id": rule_id})).one_or_none()
            if row is None:
                raise InvalidRequest(f"there is no rule {rule_id} of your own: perhaps it was reset already")
            return self._drop_rule(connection, row, actor)

    def reset_all(self, actor: Actor) -> None:
        """Take everything back, also what cannot be understood any more."""
        with self._ledger.write() as connection:
            for row in connection.execute(sa.select(charge_rates)).all():
                self._drop(connection, charge_rates, row, actor)
            for row in connection.execute(sa.select(plan_rules)).all():
                self._drop(connection, plan_rules, row, actor)
            stored = connection.execute(_CHOICE).scalar_one_or_none()
            if stored is not None:
                connection.execute(sa.delete(charge_settings).where(charge_settings.c.name == PLAN))
                before = stored if isinstance(stored, dict) else {"unreadable": str(stored)}
                write_down(
                    connection, self._clock.now(), actor, "charge plan reset", PLAN, before, asdict(PlanChoice())
                )

    def stamp(self) -> str:
        """Differs as soon as anything of this does."""
        parts = [
            sa.select(sa.func.count(), sa.func.coalesce(sa.func.max(table.c.id), 0))
            for table in (charge_rates, plan_rules)
        ]
        with self._ledger.read() as connection:
            told = [tuple(connection.execute(part).one()) for part in parts]
            return f"{told}.{connection.execute(_CHOICE).scalar_one_or_none()}"

    def _put_choice(self, connection: sa.Connection, before: PlanChoice, choice: PlanChoice, actor: Actor) -> None:
        now = self._clock.now()
        told = {"value": asdict(choice), **_by(actor), "changed_at": now}
        if connection.execute(_CHOICE).scalar_one_or_none() is None:
            connection.execute(sa.insert(charge_settings).values(name=PLAN, **told))
        else:
            connection.execute(sa.update(charge_settings).where(charge_settings.c.name == PLAN).values(**told))
        write_down(connection, now, actor, "charge plan chosen", PLAN, asdict(before), asdict(choice))

    def _replace(
        self, connection: sa.Connection, table: sa.Table, row: sa.Row[Any] | None, told: Cells, actor: Actor
    ) -> sa.Row[Any]:
        if row is not None:
            connection.execute(sa.delete(table).where(table.c.id == row.id))
        values = told | _by(actor) | {"entered_at": self._clock.now()}
        return connection.execute(sa.insert(table).values(**values).returning(*table.c)).one()

    def _drop_rate(self, connection: sa.Connection, row: sa.Row[Any], actor: Actor) -> RateOverride:
        self._drop(connection, charge_rates, row, actor)
        return _override(row)

    def _drop_rule(self, connection: sa.Connection, row: sa.Row[Any], actor: Actor) -> PlanRule:
        self._drop(connection, plan_rules, row, actor)
        return _rule(row)

    def _drop(self, connection: sa.Connection, table: sa.Table, row: sa.Row[Any], actor: Actor) -> None:
        connection.execute(sa.delete(table).where(table.c.id == row.id))
        rate = table is charge_rates
        before = {name: getattr(row, name) for name in ("kind", "since", "share", "source")}
        before |= {"line": row.line, "exchange": row.exchange, "side": row.side} if rate else {"of": row.rule_of}
        what, which = ("charge rate reset", row.line) if rate else ("plan rule reset", row.rule_of)
        target = f"{which} of {row.kind}" if row.kind else which
        write_down(connection, self._clock.now(), actor, what, target, before)


_CHOICE = sa.select(charge_settings.c.value).where(charge_settings.c.name == PLAN)


def _matching(table: sa.Table, cells: Cells) -> sa.Select[Any]:  # Any: cells of several kinds
    return sa.select(table).where(*(table.c[name] == cell for name, cell in cells.items()))


def _choice(connection: sa.Connection) -> PlanChoice:
    match connection.execute(_CHOICE).scalar_one_or_none():
        case None:
            return PlanChoice()
        case {
            "name": str() as name,
            "gst_percent": int() as percent,
            "gst_on_sebi": bool() as on_sebi,
            "gst_on_dp": bool() as on_dp,
        }:
            try:
                return PlanChoice(name, percent, on_sebi, on_dp)
            except InvalidRequest as error:
                raise StorageError(f"the stored charge plan is not understood ({error}); choose it anew") from error
    raise StorageError("the stored charge plan is not understood; choose it anew")


def _override(row: sa.Row[Any]) -> RateOverride:  # Any: cells of several kinds
    rate = Rate(
        Line(row.line), Kind(row.kind), row.since, _percent(row.share), row.source, row.exchange,
        Side(row.side) if row.side else None, Group(row.rate_group),
    )  # fmt: skip
    return RateOverride(row.id, rate, actor_of(row), row.entered_at)


def _rule(row: sa.Row[Any]) -> PlanRule:  # Any: cells of several kinds
    return PlanRule(
        row.id, RuleOf(row.rule_of), Kind(row.kind) if row.kind else None, row.since, Decimal(decimal_text(row.flat)),
        None if row.share is None else _percent(row.share), row.source, actor_of(row), row.entered_at,
    )  # fmt: skip


def _percent(share: int) -> Decimal:
    return Decimal(decimal_text(share * _PERCENT))


def _rate_words(rate: Rate) -> Cells:
    return {"percent": rate.percent, "since": rate.since, "source": rate.source}


def _rule_words(rule: PlanRule) -> Cells:
    return {"flat": rule.flat, "percent": rule.percent, "since": rule.since, "source": rule.source}


def _rule_target(rule: PlanRule) -> str:
    return f"{rule.of.value} of {rule.kind.value}" if rule.kind else rule.of.value


def _by(actor: Actor) -> Cells:
    return {"actor": actor.name, "role": actor.role.value, "session": actor.session}
