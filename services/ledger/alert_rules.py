"""What a person changed about the desk's alert rules."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

import sqlalchemy as sa

from services.domain.actors import Actor
from services.domain.clock import Clock
from services.domain.errors import StorageError
from services.ledger.audit import write_down
from services.ledger.engine import Ledger
from services.ledger.plain_values import plain
from services.ledger.tables import alert_rules

Numbers = Mapping[str, Decimal]
"""The changed numbers of one rule by their names; a switch is 0 or 1."""


class RuleChanges:
    """All of one ledger. What is not changed stays as the program has it."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock

    def all(self) -> dict[str, Numbers]:
        """By the kind of the rule. Raises `StorageError` for what cannot be understood."""
        with self._ledger.read() as connection:
            rows = connection.execute(sa.select(alert_rules.c.kind, alert_rules.c.value)).all()
        try:
            return {row.kind: {name: Decimal(text) for name, text in row.value.items()} for row in rows}
        except (InvalidOperation, AttributeError, TypeError, ValueError) as error:
            raise StorageError("the stored alert rules are not understood; set them anew") from error

    def put(self, kind: str, numbers: Numbers, actor: Actor, *, before: Numbers) -> None:
        """From now on these numbers hold for the rule; none: those of the program."""
        now = self._clock.now()
        with self._ledger.write() as connection:
            connection.execute(sa.delete(alert_rules).where(alert_rules.c.kind == kind))
            if numbers:
                value = plain({name: str(number) for name, number in numbers.items()})
                connection.execute(
                    sa.insert(alert_rules).values(kind=kind, value=value, changed_by=actor.name, changed_at=now)
                )
            write_down(connection, now, actor, "alert rule", kind, dict(before), dict(numbers))
