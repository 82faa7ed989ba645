"""Brings the alerts of the desk together with what they look at. Everything is asked for when it is needed: the alert
that a file is damaged must not wait for that file."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from services.alerts.book import AlertBook
from services.alerts.channels import ChannelBook
from services.alerts.delivering import Notifier
from services.alerts.desk import AlertDesk
from services.alerts.findings import readers
from services.alerts.prices import PriceNow, PriceWatch
from services.alerts.sending import AppriseSender
from services.domain.clock import HostClock
from services.domain.errors import UpstoxError
from services.ledger.alert_channels import Channels
from services.ledger.alert_rules import RuleChanges
from services.ledger.price_alerts import PriceAlerts
from services.logs import hide, redact
from services.settings import Mode

if TYPE_CHECKING:
    from services.runtime.money import Runtime

WATCH_SECONDS = 15.0
_HOLDER = "price-alerts"

Differences = Callable[[], Sequence[tuple[str, str]] | None]
"""What does not reconcile: about what, and in words; `None`: nothing was compared yet."""


@dataclass(frozen=True)
class _DeskClock:
    """The runtime's clock, which a broker may have to be asked for; until it can be, the host's."""

    runtime: Runtime
    host: HostClock

    def now(self) -> datetime:
        try:
            return self.runtime.clock.now()
        except UpstoxError:
            return self.host.now()


def alert_desk_of(rt: Runtime, differences: Differences) -> AlertDesk:
    """The alerts of `rt`. Builds nothing else yet."""
    clock, sender = _DeskClock(rt, HostClock(time.time)), AppriseSender(hide)

    def kept() -> Channels:
        return Channels(rt.ledger, clock)

    def open_cases() -> list[tuple[str, str]] | None:
        if not rt.built("orders") or rt.orders.ready():
            return None  # what was open before the start is not looked up yet
        return [(one.intent_id, one.text) for one in rt.orders.open_intents()]

    def announce(text: str, good: bool) -> None:
        if rt.built("orders"):
            rt.orders.announce(text, good=good)

    def prices(keys: Collection[str]) -> Mapping[str, PriceNow]:
        rt.feed.add_tick_sink(watch.heard)  # the second time changes nothing
        rt.quotes.watch(_HOLDER, keys, WATCH_SECONDS)
        rows, served = rt.quotes.last_known(keys, disk=False), rt.feed.serves(keys)
        now = clock.now()
        return {
            key: PriceNow(row["ltp"], row["change_percent"], now if key in served else row["received_at"])
            for key, row in rows.items()
        }

    book = AlertBook(lambda: rt.alerts, clock)
    watch = PriceWatch(
        kept=lambda: PriceAlerts(rt.ledger, clock),
        book=book,
        prices=prices,
        clock=clock,
        speed=lambda: rt.speed,
    )
    channels = ChannelBook(kept, lambda: rt.tokens, sender)
    notifier = Notifier(
        book=book,
        channels=channels,
        kept=kept,
        sender=sender,
        clock=clock,
        name=lambda: f"Upstox Desk ({rt.settings.folder.name})",
        redact=redact,
    )
    return AlertDesk(
        book=book,
        measures=lambda: rt.measures.snapshot(),
        readers=readers(
            token_renewed=lambda: rt.settings.mode is Mode.PAPER,
            open_cases=open_cases,
            differences=differences,
            refused=lambda: book.refused,
            failures=notifier.failures,
        ),
        changes=lambda: RuleChanges(rt.ledger, clock),
        prices=watch,
        channels=channels,
        sent=kept,
        notifier=notifier,
        announce=announce,
    )
