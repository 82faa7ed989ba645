"""What happens to orders, told on every page: as records for the browser, by the page and by the push channel."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Protocol

from dashboard.formatting import ist_time
from services.orders.views import Announcement

KEPT = 30
"""The last so many are shown to a page that was just opened."""
RUN = secrets.token_hex(4)
"""Numbers begin anew with each process; this tells a browser that they did."""


class Telling(Protocol):
    """The part of the order desk that announces."""

    def announcements(self, after: int) -> tuple[Announcement, ...]: ...


def latest(orders: Telling, now: datetime) -> list[dict[str, Any]]:
    """The last ones, the oldest first (Any: texts, numbers, a flag)."""
    return [record(one, now) for one in orders.announcements(0)[-KEPT:]]


def record(one: Announcement, now: datetime) -> dict[str, Any]:
    """One of them as the browser gets it (Any: as above). `ago`: seconds, of the desk's clock."""
    return {
        "run": RUN,
        "n": one.number,
        "time": ist_time(one.at),
        "ago": max(0.0, round((now - one.at).total_seconds(), 1)),
        "kind": one.kind.value,
        "order": one.order_id,
        "text": one.text[:1].upper() + one.text[1:],
        "good": one.good,
    }


def told_after(
    orders: Callable[[], Telling], clock: Callable[[], datetime]
) -> Callable[[int], Sequence[dict[str, Any]]]:
    """What the push channel asks: the news after a number, without waiting for anything."""

    def ask(after: int) -> Sequence[dict[str, Any]]:
        fresh = orders().announcements(after)
        now = clock() if fresh else None
        return [record(one, now) for one in fresh[-KEPT:]] if now is not None else []

    return ask
