"""What quotes need of the other processes of a desk, in plain values; who brings it is nobody's business here."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from services.domain.quote_row import QuoteRow


@dataclass(frozen=True, slots=True)
class Told:
    """What some process was told within the last seconds."""

    rows: dict[str, QuoteRow] = field(default_factory=dict)
    silent: frozenset[str] = frozenset()
    """The broker answered and said nothing of these."""

    def __len__(self) -> int:
        return len(self.rows) + len(self.silent)


@dataclass(frozen=True, slots=True)
class Claim:
    """Who asks the broker for which keys."""

    told: Told
    """Nobody need ask for these."""
    ours: tuple[str, ...]
    """This process: the others wait for it, until it puts them, gives them up, or takes too long."""
    theirs: tuple[str, ...]
    """Another process is asking already."""


class SharedQuotes(Protocol):
    """Quotes in common with other processes. Everything but `watch` and the two questions asks Redis, for a bounded
    time, and raises `RedisAway`."""

    def fresh(self, keys: Collection[str]) -> Told:
        """Those of `keys` that some process was told within the TTL."""

    def claim(self, keys: Collection[str], *, again: bool) -> Claim:
        """Say who asks for `keys`. `again`: even for what is fresh."""

    def wait(self, keys: Collection[str]) -> Told:
        """What others were asking for, as soon as they have it. What is missing was given up, or took too long."""

    def put(self, rows: Mapping[str, QuoteRow], silent: Collection[str]) -> None:
        """Let everybody have these; claims of ours on them end."""

    def give_up(self, keys: Collection[str]) -> None:
        """Claims of ours on `keys` end without a quote."""

    def watch(self, keys: Collection[str]) -> None:
        """Screens of this process look at `keys`, and the feed does not tell them. The others learn it soon."""

    def watched_elsewhere(self) -> list[str]:
        """What screens of other processes look at, if this process refreshes for all; else nothing."""

    def refreshed_elsewhere(self) -> bool:
        """Does another process refresh what is watched here?"""
