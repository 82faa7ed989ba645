"""The rules as they hold now: as the program has them, with the numbers that people have set in their place."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence

from services.alerts.rules import Rule, changed
from services.domain.actors import Actor, require_operator
from services.domain.errors import InvalidRequest, UpstoxError
from services.ledger.alert_rules import Numbers, RuleChanges

log = logging.getLogger(__name__)


class RuleBook:
    """Safe to share: what was set is one mapping, which is never changed, only put in the place of another."""

    def __init__(self, usual: Sequence[Rule], changes: Callable[[], RuleChanges]) -> None:
        """`usual`: all rules that there are here, as the program has them."""
        self.usual: Mapping[str, Rule] = {rule.kind: rule for rule in usual}
        """By kind."""
        self._changes = changes
        self._numbers: dict[str, Numbers] = {}

    def read(self) -> None:
        """Know what anybody has set. Where that cannot be read, the last known numbers hold."""
        try:
            self._numbers = self._changes().all()
        except UpstoxError as error:
            log.info("changed alert rules cannot be read, the last known ones hold: %s", error)

    def now(self, usual: Rule) -> Rule:
        """The rule with what was set of it."""
        numbers = self._numbers.get(usual.kind)
        if not numbers:
            return usual
        try:
            return changed(usual, numbers)
        except InvalidRequest as error:
            log.warning("the stored numbers of the rule %s make no sense, the usual ones hold: %s", usual.kind, error)
            return usual

    def change(self, kind: str, numbers: Numbers, actor: Actor) -> Rule:
        """Set numbers of a rule; none: back to the usual. Kept for everybody who shares the ledger."""
        require_operator(actor, "change alert rules")
        usual = self.usual.get(kind)
        if usual is None:
            raise InvalidRequest(f"there is no alert rule {kind[:60]!r}")
        rule = changed(usual, numbers)
        self._changes().put(kind, numbers, actor, before=self._numbers.get(kind, {}))
        self._numbers = {**self._numbers, kind: numbers}
        return rule
