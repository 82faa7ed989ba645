"""Whose an alert is, where several processes of a desk share one ledger.

What all of them see alike (the token, orders of unknown fate, profit and loss, the budgets they share, prices) is the
desk's: the process that leads judges it for all. What each sees for itself (its disk, its clock, its feed) is its own:
the alert names the process, so that one which is well does not end what another one has. What a process leaves behind
that is gone for good, whoever leads ends.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable
from typing import Protocol

from services.alerts import rules as r
from services.ledger.alerts import Alert

GONE_SECONDS = 120.0
"""After a process was seen last, its alerts stay open for so long."""
_AT = "@ "
_OF_A_PROCESS = frozenset(
    {
        r.ERROR_RATE, r.BROKER_FAILING, r.FEED_SILENT, r.WRITER_DROPPING, r.WRITER_BEHIND, r.DISK_LOW, r.STORAGE,
        r.CLOCK, r.CHANNEL_FAILING, r.SHARED_AWAY,
    }
)  # fmt: skip


class Peers(Protocol):
    """The other processes of this desk."""

    def name(self) -> str:
        """What people call this one."""

    def leads(self) -> bool:
        """Does this one judge for all?"""

    def connected(self) -> bool:
        """Can the processes speak with each other at all?"""

    def here(self) -> Collection[str] | None:
        """The names of all that are there; `None`: nobody can tell."""


class Scopes:
    """Who judges what, and by which subject an alert is known. Without `peers` every alert is this process's own, and
    its subject is what the rule found. Used by one thread."""

    def __init__(self, peers: Peers | None, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._peers = peers
        self._monotonic = monotonic
        self._missing: dict[str, float] = {}  # processes that are not there: since when

    def judges(self, kind: str) -> bool:
        """Is it this process that looks at rules of this kind now?"""
        if self._peers is None or self.is_own(kind) or self._peers.leads():
            return True
        # Nobody leads where nobody can speak with the others. To compare profit and loss can wait until somebody does.
        return kind != r.UNRECONCILED and not self._peers.connected()

    def judges_prices(self) -> bool:
        """Price alerts are the desk's."""
        return self.judges(r.PRICE)

    def is_own(self, kind: str) -> bool:
        """Does each process see this for itself? A budget that is shared is nobody's own."""
        if self._peers is None or kind in _OF_A_PROCESS:
            return True
        return kind == r.BUDGET_LOW and not self._peers.connected()

    def full(self, kind: str, subject: str) -> str:
        """The subject of an alert about `subject`, as the ledger has it."""
        if self._peers is None or not self.is_own(kind):
            return subject
        return f"{subject} {_AT}{self._peers.name()}".lstrip()

    def words(self, kind: str, message: str) -> str:
        """`message`, and which process says it."""
        if self._peers is None or not self.is_own(kind):
            return message
        return f"{self._peers.name()}: {message}"

    def mine(self, kind: str, full: str) -> str | None:
        """What an alert of the ledger is about, if it is for this process to end it."""
        if self._peers is None:
            return full
        if not self.is_own(kind):
            return full if self.judges(kind) and _process_of(full) is None else None
        subject, process = plain(full), _process_of(full)
        return subject if process == self._peers.name() else None

    def over(self, standing: Iterable[Alert]) -> list[Alert]:
        """Alerts that nobody will end any more: of a process that has left, and of this one where it does not judge
        their kind by itself now."""
        if self._peers is None:
            return []
        now, here, found = self._monotonic(), self._peers.here(), []
        there = frozenset(here or ())
        self._missing = {name: since for name, since in self._missing.items() if name not in there}
        for alert in standing:
            process = _process_of(alert.subject) if alert.kind in _OF_A_PROCESS or alert.kind == r.BUDGET_LOW else None
            if process is None:
                continue
            if process == self._peers.name():
                if not self.is_own(alert.kind):
                    found.append(alert)
            elif here is not None and process not in there:
                gone = now - self._missing.setdefault(process, now)
                if gone >= GONE_SECONDS and self._peers.leads():
                    found.append(alert)
        return found


def plain(full: str) -> str:
    """What an alert is about, without the process that it names."""
    subject, at, _ = full.rpartition(_AT)
    return subject.rstrip() if at else full


def _process_of(full: str) -> str | None:
    """The process that a subject names."""
    _, at, process = full.rpartition(_AT)
    return process if at else None
