"""Contradictions are written down and told to a person: one alert for each market and day, resolved when it is gone."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from datetime import date
from typing import Any, Protocol

from services.calendar.compare import message
from services.domain.errors import UpstoxError
from services.storage.calendar_contradictions import Contradiction

ALERT_KIND = "calendar_contradiction"

log = logging.getLogger(__name__)


class RaiseAlert(Protocol):
    """Begins an alert about `subject`, or brings it up to date."""

    def __call__(self, message: str, *, subject: str, severity: str, context: Mapping[str, Any]) -> object: ...


ResolveAlerts = Callable[[Collection[str]], object]
"""Ends every alert of the calendar but those about the subjects that are given."""


class Telling:
    """Tells each contradiction once, and its end. Not safe to share between threads; its owner calls it in turn."""

    def __init__(
        self, raise_alert: RaiseAlert, resolve_alerts: ResolveAlerts, judges: Callable[[], bool] = lambda: True
    ) -> None:
        """`judges()`: is it for this process to tell, or does another one?"""
        self._raise_alert = raise_alert
        self._resolve_alerts = resolve_alerts
        self._judges = judges
        self._told: dict[str, tuple[str, str]] = {}
        self._left: set[str] | None = None  # the subjects that were left open last; None: nobody has looked

    def tell(self, standing: Collection[Contradiction], today: date, *, may_resolve: bool) -> None:
        """Raise what is new or says something else now. Resolve what is gone, if `may_resolve`.

        Today's is a warning; a day that is to come is told as information.
        """
        if not self._judges():  # whoever takes over from the one that does tells all of it
            self._told, self._left = {}, None
            return
        wanted: dict[str, tuple[str, str]] = {}
        context: dict[str, list[dict[str, str]]] = {}
        for one in standing:
            wanted.setdefault(one.subject, (message(one, today), "warning" if one.day == today else "info"))
            said = {"about": one.about, "broker": one.broker_says, "calendar": one.table_says, "source": one.source}
            context.setdefault(one.subject, []).append(said)
        try:
            for subject, (text, severity) in wanted.items():
                if self._told.get(subject) != (text, severity):
                    self._raise_alert(text, subject=subject, severity=severity, context={"said": context[subject]})
                    self._told[subject] = text, severity
            if may_resolve and self._left != wanted.keys():
                self._resolve_alerts(wanted.keys())
                self._left = set(wanted)
                self._told = dict(wanted)
        except UpstoxError as error:
            log.warning("an alert about the calendar could not be kept: %s", error)
