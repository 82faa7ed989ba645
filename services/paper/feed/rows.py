"""The encoded rows of all that somebody is subscribed to: each snapshot is encoded once for each of its modes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Protocol

from services.paper.feed.encoding import RowEncoder, row
from services.paper.feed.requests import Mode
from services.paper.model import Market, Snapshot

Wanted = Mapping[str, Collection[Mode]]
"""Modes by instrument key."""


class Playback(Protocol):
    """A recording behind the market, whose rows go out as they are."""

    def feed(self, key: str, mode: Mode) -> bytes | None:
        """The serialized feed of `key`; `None`: to be made from its snapshot."""

    def next_change_ms(self) -> int | None:
        """When something changes next (epoch ms); `None`: never again."""


class Rows:
    """A cache in front of market and encoder. Used by the server's thread alone."""

    def __init__(self, market: Market, playback: Playback | None = None) -> None:
        self._market = market
        self._playback = playback
        self._encoder = RowEncoder()
        self._held: dict[Mode, dict[str, tuple[Snapshot, bytes]]] = {mode: {} for mode in Mode}
        """By mode and key: the snapshot last looked at, and its row."""

    def listings(self, at: datetime) -> Mapping[str, object]:
        """What can be subscribed to, by instrument key."""
        return self._market.listings(at)

    def get(self, key: str, mode: Mode) -> bytes | None:
        """The row last made; `None` if there is none."""
        held = self._held[mode].get(key)
        return None if held is None else held[1]

    def refresh(self, wanted: Wanted, at: datetime) -> list[tuple[str, Mode]]:
        """Bring the rows of `wanted` up to `at`, and tell which of them are other ones now. Keys that are not listed
        (any more) stay as they are."""
        listings = self._market.listings(at)
        keys = [key for key in wanted if key in listings]
        changed: list[tuple[str, Mode]] = []
        for key, snap in zip(keys, self._market.snapshots(keys, at), strict=True):
            for mode in wanted[key]:
                before = self._held[mode].get(key)
                if before is not None and before[0] is snap:
                    continue
                made = self._made(snap, mode)
                self._held[mode][key] = snap, made
                if before is None or before[1] != made:
                    changed.append((key, mode))
        return changed

    def _made(self, snap: Snapshot, mode: Mode) -> bytes:
        key = snap.listing.key
        recorded = self._playback.feed(key, mode) if self._playback is not None else None
        return self._encoder.row(snap, mode) if recorded is None else row(key, recorded)

    def keep_only(self, wanted: Wanted) -> None:
        """Forget the rows that nobody is subscribed to."""
        for mode, held in self._held.items():
            for key in [key for key in held if mode not in wanted.get(key, ())]:
                del held[key]
