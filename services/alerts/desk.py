"""Alerts of the desk: looks at the measures by its rules, opens and closes, tells, and lets people act.

standing / history        what is open, what was
acknowledge / resolve     what a person says of one
rules / set_rule          thresholds and switches
prices                    price alerts
channels / test           where they are sent
round                     one look, by the thread `alert-rules` every two seconds
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.alerts.book import AlertBook, Standing
from services.alerts.channel_health import ChannelState
from services.alerts.channels import ChannelBook
from services.alerts.delivering import Notifier
from services.alerts.findings import Reader
from services.alerts.judging import Finding, Judge, Verdict
from services.alerts.prices import PriceWatch
from services.alerts.rule_book import RuleBook
from services.alerts.rules import ORDER_UNKNOWN, PRICE, RULES, STORAGE, Rule, title_of
from services.alerts.scopes import Peers, Scopes
from services.domain.actors import Actor, require_operator, require_trader
from services.domain.errors import UpstoxError
from services.ledger.alert_channels import Channels, Delivery
from services.ledger.alert_rules import RuleChanges
from services.ledger.alerts import Alert, Severity
from services.measures.snapshot import Snapshot
from services.storage.background import Recurring

EVERY_SECONDS = 2.0
FIRST_SECONDS = 1.0
"""The first look waits so long: pages that open at the start come first."""
WAKE_SECONDS = 60.0
"""So often the notifier looks whatever happens here: what another process of the desk has changed, or what opened and
ended between two looks, nobody else tells it."""
SAY_AGAIN_SECONDS = 30.0
"""The words of an open alert are brought up to date so often: each time is a wait for the disk."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RuleState:
    """A rule as it holds now."""

    rule: Rule
    usual: Rule
    """As the program has it."""
    unknown: str
    """Why it could not be looked at last; empty when it was."""


class AlertDesk:
    """Safe to share. Threads: `alert-rules` after `start`, `notifier` while there is something to send."""

    def __init__(
        self,
        *,
        book: AlertBook,
        measures: Callable[[], Snapshot],
        readers: Mapping[str, Reader],
        changes: Callable[[], RuleChanges],
        prices: PriceWatch,
        channels: ChannelBook,
        sent: Callable[[], Channels],
        notifier: Notifier,
        announce: Callable[[str, bool], None],
        peers: Peers | None = None,
        rules: Sequence[Rule] = RULES,
        monotonic: Callable[[], float] = time.monotonic,
        every_seconds: float = EVERY_SECONDS,
    ) -> None:
        """`announce(text, good)` tells everybody who looks at a page; `peers`: other processes on the same ledger;
        `rules`: all that there are here."""
        self._rules = RuleBook(rules, changes)
        self._scopes = Scopes(peers, monotonic=monotonic)
        self._book = book
        self._measures = measures
        self._readers = readers
        self.prices = prices
        self.channels = channels
        self._sent = sent
        self._notifier = notifier
        self._announce = announce
        self._monotonic = monotonic
        self._every = every_seconds
        self._judges = {kind: Judge(kind) for kind in self._rules.usual}
        self._unknown: dict[str, str] = {}
        self._said: dict[tuple[str, str], tuple[float, Severity | None]] = {}
        self._seen: dict[tuple[str, str, datetime], Severity] | None = None  # None before the first look
        self._woken = float("-inf")
        self._begun = False
        self._thread = Recurring(self._step, name="alert-rules")

    def start(self) -> None:
        """Begin; a second call changes nothing."""
        self._thread.ensure()

    def close(self) -> None:
        self._thread.close()
        self._notifier.close()

    # -- what is open, what was ----------------------------------------------------------------------------------

    def standing(self) -> Standing:
        """The open ones, those that the disk did not take among them. Raises nothing."""
        return self._book.standing()

    def history(self, limit: int = 200) -> list[Alert]:
        """The newest, open or over. Raises what the disk says."""
        return self._book.history(limit)

    def ended(self, limit: int) -> list[Alert]:
        """The newest that are over, however many newer ones are open. Raises what the disk says."""
        return self._book.ended(limit)

    def deliveries(self, limit: int = 200) -> list[Delivery]:
        """What became of the newest messages."""
        return self._sent().deliveries(limit)

    def acknowledge(self, id: int, actor: Actor) -> Alert:
        """Somebody has seen it; it stays open until the trouble is over."""
        require_trader(actor)
        return self._book.acknowledge(id, actor.name)

    def resolve(self, id: int, actor: Actor) -> Alert:
        """A person says that it is over. While the trouble lasts no other one is opened about it."""
        require_trader(actor)
        return self._book.resolve(id, actor.name)

    def raise_alert(
        self,
        kind: str,
        message: str,
        *,
        subject: str = "",
        severity: str = "warning",
        context: Mapping[str, Any] | None = None,  # Any: JSON values
    ) -> Alert:
        """Raise one from elsewhere. If a rule of its kind exists, that rule ends it."""
        full, words = subject, message
        if kind in self._judges:
            full, words = self._scopes.full(kind, subject), self._scopes.words(kind, message)
        raised = self._book.raise_alert(kind, words, subject=full, severity=severity, context=context)
        self._notifier.wake()
        return raised

    # -- rules ---------------------------------------------------------------------------------------------------

    def rules(self) -> list[RuleState]:
        """Every rule as it holds now."""
        every = self._rules.usual.values()
        return [RuleState(self._rules.now(one), one, self._unknown.get(one.kind, "")) for one in every]

    def set_rule(self, kind: str, actor: Actor, **numbers: Any) -> Rule:  # Any: Decimal, or a switch
        """Change `opens_at`, `closes_at`, `for_seconds`, `cool_down_seconds` or `active` (0, 1); without any: back to
        the usual. Kept for everybody who shares the ledger."""
        return self._rules.change(kind, numbers, actor)

    # -- channels ------------------------------------------------------------------------------------------------

    def channel_states(self) -> list[ChannelState]:
        """Every channel and how it does. Raises what the disk says."""
        return self._notifier.states()

    def test(self, channel_id: int, actor: Actor) -> None:
        """Have a test message sent soon; `channel_states` tells what became of it."""
        require_operator(actor, "send a test")
        self._notifier.test(channel_id)

    # -- one look ------------------------------------------------------------------------------------------------

    def round(self) -> None:
        """Look at everything once."""
        self._book.settle()
        self._rules.read()
        standing = self._book.standing()
        self._adopt(standing)
        snapshot, now = self._measured(), self._monotonic()
        for usual in self._rules.usual.values():
            rule, judge = self._rules.now(usual), self._judges[usual.kind]
            if not self._scopes.judges(usual.kind):  # another process does; what is open is taken over from it
                self._judges[usual.kind] = Judge(usual.kind)
                continue
            findings = self._found(rule, snapshot, now)
            if findings is None:
                continue
            for verdict, subject, finding in judge.look(rule, findings, now):
                self._follow(rule, verdict, subject, finding, now)
        try:
            ringing = [one.subject for one in standing.alerts if one.kind == PRICE]
            self.prices.round(ringing, judges=self._scopes.judges_prices())
        except UpstoxError as error:
            log.info("price alerts were not looked at: %s", error)
        except Exception:  # a fault there must not keep from anybody what the rules have found
            log.exception("price alerts were not looked at")
        if self._tell_news() or now - self._woken >= WAKE_SECONDS:
            self._woken = now
            self._notifier.wake()

    def _measured(self) -> Snapshot | str:
        """The measures, or why there are none: the desk cannot even be opened."""
        try:
            return self._measures()
        except UpstoxError as error:
            return str(error)

    def _found(self, rule: Rule, snapshot: Snapshot | str, now: float) -> Sequence[Finding] | None:
        if not rule.active:
            return []
        if isinstance(snapshot, str):
            self._unknown[rule.kind] = snapshot
            return [Finding(1.0, f"The desk cannot work: {snapshot}")] if rule.kind == STORAGE else None
        try:
            found = self._readers[rule.kind](snapshot, now)
        except UpstoxError as error:
            self._unknown[rule.kind] = str(error)
            return None
        except Exception as error:  # a fault in one rule must not hide what all the others find
            if not self._unknown.get(rule.kind):
                log.exception("the rule %s could not be looked at", rule.kind)
            self._unknown[rule.kind] = f"a fault of the desk's own ({type(error).__name__}); the log has it"
            return None
        self._unknown[rule.kind] = "" if found is not None else "not measured now"
        return found

    def _follow(self, rule: Rule, verdict: Verdict, subject: str, finding: Finding | None, now: float) -> None:
        subject = self._scopes.full(rule.kind, subject)
        name = (rule.kind, subject)
        if verdict is Verdict.CLOSE:
            self._said.pop(name, None)
            self._book.over(rule.kind, subject)
            log.info("alert over: %s %s", rule.kind, subject)
            return
        if finding is None:
            return
        severity = finding.severity or rule.severity
        message = self._scopes.words(rule.kind, finding.message)
        context = {**finding.context, "value": finding.value, "threshold": rule.opens_at}
        if verdict is Verdict.OPEN:
            self._said[name] = (now, severity)
            raised = self._book.raise_alert(
                rule.kind, message, subject=subject, severity=severity.value, context=context
            )
            log.warning("alert %d, %s: %s", raised.id, rule.title, message)
            return
        at, before = self._said.get(name, (now, None))
        if (before is not None and before is not severity) or now - at >= SAY_AGAIN_SECONDS:
            self._said[name] = (now, severity)
            self._book.update(rule.kind, message, subject=subject, severity=severity.value, context=context)
        elif name not in self._said:
            self._said[name] = (now, severity)

    def _adopt(self, standing: Standing) -> None:
        """Alerts that are open in the ledger and of which the rules do not know: from before the start, or raised from
        elsewhere. They end as the others do."""
        for alert in standing.alerts:
            judge = self._judges.get(alert.kind)
            subject = None if judge is None else self._scopes.mine(alert.kind, alert.subject)
            if judge is not None and subject is not None and subject not in judge.open_subjects:
                judge.adopt([subject])
        for alert in self._scopes.over(standing.alerts):
            self._book.over(alert.kind, alert.subject)
            log.info("alert over, nobody is there any more to say so: %s %s", alert.kind, alert.subject)

    def _tell_news(self) -> bool:
        """Announce what was opened since the last look, by whomever; whether there may be something to send. After a
        start there may: an alert may have ended, or a message been cut off, with the last process."""
        standing = self._book.standing()
        names = {(one.kind, one.subject, one.raised_at): one.severity for one in standing.alerts}
        before, self._seen = self._seen, names
        if before is None:
            return True
        for alert in reversed(standing.alerts):
            if (alert.kind, alert.subject, alert.raised_at) not in before and alert.kind != ORDER_UNKNOWN:
                text = f"{title_of(alert.kind)}: {alert.message}"
                self._announce(text, alert.severity is Severity.INFO)
        return names != before

    def _step(self) -> float:
        if not self._begun:
            self._begun = True
            return FIRST_SECONDS
        self.round()
        return self._every
