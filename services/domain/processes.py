"""A process of the desk, where several share one account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

GONE_SECONDS = 5.0
"""Who has told nothing for so long is gone, or cannot reach Redis."""


@dataclass(frozen=True, slots=True)
class ProcessSeen:
    """A process of this desk, as it told of itself."""

    id: str
    name: str
    host: str
    pid: int
    version: str
    address: str
    """Where it serves; empty where it serves nothing, or did not say."""
    started: datetime
    """By that host's clock, aware, UTC."""
    told_ago: float
    """Real seconds since its last word."""
    leads: bool
    """Does it hold the lease?"""
    own: bool = False
    """It is the process that is asked."""
    figures: Mapping[str, float | None] = field(default_factory=dict)
    """What its parts tell, by name: `lag_p99_ms` and others."""

    @property
    def alive(self) -> bool:
        return self.told_ago < GONE_SECONDS
