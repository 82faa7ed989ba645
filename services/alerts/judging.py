"""Opens and closes: one figure against one rule over time, with hysteresis, patience and cool-down. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

from services.alerts.rules import Rule
from services.ledger.alerts import Severity


@dataclass(frozen=True, slots=True)
class Finding:
    """What a look found about one subject."""

    value: float
    message: str
    subject: str = ""
    context: Mapping[str, Any] = field(default_factory=dict)  # Any: JSON values
    severity: Severity | None = None
    """If it is not the rule's."""


class AtLeast(tuple[Finding, ...]):
    """Findings whose figures count from the start of this process only: they may open an alert, and they do not end one
    of before the start."""


class Verdict(Enum):
    """What follows from a look."""

    OPEN = auto()
    STILL = auto()
    CLOSE = auto()


@dataclass(slots=True)
class _Subject:
    """Where one subject stands. Instants are monotonic seconds."""

    is_open: bool = False
    bad_since: float | None = None
    calm_since: float | None = None
    closed_at: float | None = None
    adopted: bool = False
    """It was open before this judge looked for the first time."""


class Judge:
    """Remembers, for one rule, which subjects are in trouble. Not for several threads at once."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._subjects: dict[str, _Subject] = {}

    def adopt(self, subjects: Iterable[str]) -> None:
        """Alerts about these are open from before."""
        for subject in subjects:
            self._subjects[subject] = _Subject(is_open=True, adopted=True)

    @property
    def open_subjects(self) -> frozenset[str]:
        return frozenset(name for name, one in self._subjects.items() if one.is_open)

    def look(self, rule: Rule, findings: Sequence[Finding], now: float) -> list[tuple[Verdict, str, Finding | None]]:
        """What follows, by subject. A subject that nothing is found about any more is over."""
        told: list[tuple[Verdict, str, Finding | None]] = []
        too_few = isinstance(findings, AtLeast) and rule.active
        by_subject = {finding.subject: finding for finding in findings} if rule.active else {}
        for subject in {**dict.fromkeys(self._subjects), **dict.fromkeys(by_subject)}:
            finding = by_subject.get(subject)
            one = self._subjects.setdefault(subject, _Subject())
            if too_few and one.adopted and (finding is None or rule.is_over(finding.value)):
                continue
            verdict = _judged(rule, one, finding, now)
            if verdict is not None:
                told.append((verdict, subject, finding))
            if _is_forgotten(rule, one, finding, now):
                del self._subjects[subject]
        return told


def _judged(rule: Rule, one: _Subject, finding: Finding | None, now: float) -> Verdict | None:
    if one.is_open:
        if finding is not None and not rule.is_over(finding.value):
            one.calm_since = None
            return Verdict.STILL
        one.calm_since = now if one.calm_since is None else one.calm_since
        if rule.active and now - one.calm_since < rule.calm_seconds:
            return None
        one.is_open, one.adopted, one.bad_since, one.calm_since, one.closed_at = False, False, None, None, now
        return Verdict.CLOSE
    if finding is None or not rule.is_bad(finding.value):
        one.bad_since = None
        return None
    one.bad_since = now if one.bad_since is None else one.bad_since
    cooling = one.closed_at is not None and now - one.closed_at < rule.cool_down_seconds
    if cooling or now - one.bad_since < rule.for_seconds:
        return None
    one.is_open, one.calm_since = True, None
    return Verdict.OPEN


def _is_forgotten(rule: Rule, one: _Subject, finding: Finding | None, now: float) -> bool:
    """Does it no longer matter what happened to this subject?"""
    if one.is_open or finding is not None:
        return False
    return one.closed_at is None or now - one.closed_at >= rule.cool_down_seconds
