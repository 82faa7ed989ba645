"""Alerts as they stand: in the ledger, and in memory for as long as the disk takes nothing.

An alert about a full disk must not be lost because the disk is full. So what the ledger refuses waits here, is shown
and sent all the same, and is written down as soon as that is possible.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from threading import Lock
from typing import Any

from services.domain.clock import Clock
from services.domain.errors import InvalidRequest, StorageError, UpstoxError
from services.ledger.alerts import Alert, Alerts, Severity, checked

MOST_WAITING = 500

log = logging.getLogger(__name__)

_Name = tuple[str, str]
"""Kind and subject."""


@dataclass(frozen=True, slots=True)
class Standing:
    """The alerts that are open, the newest first."""

    alerts: tuple[Alert, ...]
    problem: str | None
    """Why the ledger could not be read or written; then some of them lie in memory only."""
    complete: bool = True
    """False: the ledger has not told yet what is open; there may be more."""


class AlertBook:
    """Safe to share. `kept()` gives the ledger's alerts, or raises why there is no ledger now."""

    def __init__(self, kept: Callable[[], Alerts], clock: Clock) -> None:
        self._kept = kept
        self._clock = clock
        self._guard = Lock()  # guards all below; never held across the ledger
        self._waiting: dict[_Name, Alert] = {}  # the open ones that are in memory only
        self._past: list[Alert] = []  # such that are over, and not written down yet
        self._over: dict[_Name, datetime] = {}  # ends of kept ones that are not written down yet
        self._known: tuple[Alert, ...] | None = None  # the open ones as the ledger told them last; `None`: never yet
        self._refused: str | None = None
        self._unread: str | None = None
        self._numbers = 0
        self._settling = Lock()  # held across the ledger; who does not get it leaves the work to whoever has it

    @property
    def refused(self) -> str | None:
        """Why the ledger took or told nothing when it was asked last; `None`: it did."""
        return self._refused or self._unread

    # -- what rules do -------------------------------------------------------------------------------------------

    def raise_alert(
        self,
        kind: str,
        message: str,
        *,
        subject: str = "",
        severity: str = "warning",
        context: Mapping[str, Any] | None = None,  # Any: JSON values
    ) -> Alert:
        """As the ledger's: one open alert per kind and subject. Raises nothing that the disk says."""
        told = checked(kind, message, subject=subject, severity=severity, context=context)
        name = (kind, subject)
        if self._over:
            self.settle()
        with self._guard:
            waiting = self._waiting.get(name)
            # The end of the last one, while it waits for the disk, would end this one with it.
            in_memory = waiting is not None or name in self._over
        if not in_memory:
            try:
                return self._heard(
                    self._kept().raise_alert(kind, message, subject=subject, severity=severity, context=context)
                )
            except UpstoxError as error:
                self._refuse(error)
        with self._guard:
            known = waiting or self._waiting.get(name) or self._known_open(name)
            if known is None:
                self._numbers += 1
                known = Alert(
                    -self._numbers, kind, subject, Severity(severity), message, told["context"],
                    self._clock.now(), None, None,
                )  # fmt: skip
            known = replace(known, severity=Severity(severity), message=message, context=told["context"])
            if known.is_kept:
                self._know(known)
            elif len(self._waiting) < MOST_WAITING:
                self._waiting[name] = known
            return known

    def update(self, kind: str, message: str, *, subject: str, severity: str, context: Mapping[str, Any]) -> None:
        """Bring an open alert up to date; what somebody has ended is not opened again."""
        name = (kind, subject)
        with self._guard:
            waiting = self._waiting.get(name)
            if waiting is not None:
                told = checked(kind, message, subject=subject, severity=severity, context=context)
                self._waiting[name] = replace(
                    waiting, severity=Severity(severity), message=message, context=told["context"]
                )
                return
        try:
            self._kept().update(kind, message, subject=subject, severity=severity, context=context)
            self._refused = None
        except UpstoxError as error:
            self._refuse(error)

    def over(self, kind: str, subject: str) -> None:
        """The trouble went away."""
        name, now = (kind, subject), self._clock.now()
        with self._guard:
            waiting = self._waiting.pop(name, None)
            if waiting is not None:
                self._past = [*self._past, replace(waiting, resolved_at=now)][-MOST_WAITING:]
        if waiting is not None:
            self.settle()
            return
        try:
            self._kept().resolve_one(kind, subject, now)
            self._refused = None
            with self._guard:
                if self._known is not None:
                    self._known = tuple(one for one in self._known if (one.kind, one.subject) != name)
        except UpstoxError as error:
            self._refuse(error)
            with self._guard:
                self._over[name] = now

    def settle(self) -> None:
        """Write down what waits in memory, unless another thread is at it."""
        if not self._settling.acquire(blocking=False):
            return
        try:
            self._settle()
        finally:
            self._settling.release()

    def _settle(self) -> None:
        with self._guard:
            waiting, past, over = dict(self._waiting), list(self._past), dict(self._over)
        if not (waiting or past or over):
            return
        try:
            kept = self._kept()
            for name, at in over.items():
                kept.resolve_one(*name, at)
                with self._guard:
                    if self._over.get(name) is at:  # else it ended once more meanwhile
                        del self._over[name]
            for alert in past:
                kept.keep(alert)
                with self._guard:
                    self._past = [one for one in self._past if one is not alert]
            for name, alert in waiting.items():
                self._keep(kept, name, alert)
        except UpstoxError as error:
            self._refuse(error)
            return
        self._refused = None
        log.info("alerts that waited for the disk are written down: %d", len(waiting) + len(past) + len(over))

    # -- what people do ------------------------------------------------------------------------------------------

    def acknowledge(self, id: int, by: str) -> Alert:
        """Somebody has seen it. Raises `StorageError` if that cannot be kept of a kept one."""
        if id > 0:
            return self._kept().acknowledge(id, by)
        return self._change(id, lambda one: replace(one, acknowledged_at=self._clock.now(), acknowledged_by=by))

    def resolve(self, id: int, by: str) -> Alert:
        """A person says that it is over. Raises as `acknowledge` does."""
        if id > 0:
            ended = self._kept().resolve(id, by)
            with self._guard:
                if self._known is not None:
                    self._known = tuple(one for one in self._known if one.id != id)
            return ended
        return self._change(id, lambda one: replace(one, resolved_at=self._clock.now(), resolved_by=by))

    # -- what there is -------------------------------------------------------------------------------------------

    def standing(self) -> Standing:
        """The open ones. What the ledger told last, if it does not tell now."""
        try:
            known: tuple[Alert, ...] | None = tuple(self._kept().all(open_only=True))
            problem = None
        except UpstoxError as error:
            known, problem = None, str(error)
            self._unread = problem if isinstance(error, StorageError) else None
        else:
            self._unread = None
        with self._guard:
            if known is not None:
                self._known = known
            alerts = [one for one in self._known or () if (one.kind, one.subject) not in self._over]
            return Standing(
                tuple(sorted([*self._waiting.values(), *alerts], key=lambda one: one.raised_at, reverse=True)),
                problem or self._refused,
                complete=self._known is not None,
            )

    def recent(self, since: datetime) -> list[Alert]:
        """Those that are open, were raised or ended after `since`; the oldest first. Those in memory, if the ledger
        cannot be read."""
        try:
            kept = self._kept().recent(since)
        except UpstoxError:
            with self._guard:
                kept = list(self._known or ())
        with self._guard:
            return [*kept, *self._past, *self._waiting.values()]

    def history(self, limit: int) -> list[Alert]:
        """The newest, the newest first; those that wait for the disk before the others. Raises what the disk says."""
        kept = self._kept().all(limit=limit)
        with self._guard:
            waiting = [*self._waiting.values(), *self._past]
        return [*sorted(waiting, key=lambda one: one.raised_at, reverse=True), *kept][:limit]

    def ended(self, limit: int) -> list[Alert]:
        """The newest that are over, as `history` has them."""
        kept = self._kept().ended(limit)
        with self._guard:
            waiting = [one for one in (*self._waiting.values(), *self._past) if not one.is_open]
        return [*sorted(waiting, key=lambda one: one.raised_at, reverse=True), *kept][:limit]

    # -- inside --------------------------------------------------------------------------------------------------

    def _heard(self, alert: Alert) -> Alert:
        self._refused = None
        with self._guard:
            self._know(alert)
        return alert

    def _know(self, alert: Alert) -> None:
        """That one is open in the ledger. To be called with the guard."""
        if self._known is not None:
            self._known = (alert, *(one for one in self._known if one.id != alert.id))

    def _refuse(self, error: UpstoxError) -> None:
        if self._refused is None:
            log.warning("the ledger takes no alerts; they are kept in memory meanwhile: %s", error)
        self._refused = str(error)

    def _known_open(self, name: _Name) -> Alert | None:
        return next(
            (one for one in self._known or () if (one.kind, one.subject) == name and name not in self._over), None
        )

    def _keep(self, kept: Alerts, name: _Name, alert: Alert) -> None:
        """Write one down; what somebody did to it meanwhile is written by the next round."""
        kept.keep(alert)
        with self._guard:
            now = self._waiting.get(name)
            if now is alert:
                del self._waiting[name]

    def _change(self, id: int, change: Callable[[Alert], Alert]) -> Alert:
        with self._guard:
            name = next((name for name, one in self._waiting.items() if one.id == id), None)
            if name is None:
                raise InvalidRequest("this alert is over, or has another number by now; look again")
            changed = change(self._waiting[name])
            if changed.is_open:
                self._waiting[name] = changed
            else:
                del self._waiting[name]
                self._past.append(changed)
            return changed
