"""What the measures say of the machine under the desk: its disk, its files, its clock, what it shares with others."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from services.alerts.judging import Finding
from services.domain.time_words import span
from services.ledger.alerts import Severity
from services.measures.snapshot import Snapshot
from services.measures.storage_now import THE_LEDGER

DROPS_SECONDS = 60.0
JUMP_SECONDS = 600.0
"""After a jump of the clock that nobody can judge, so long it is told."""
SETTLING_SECONDS = 25.0
FIRST_OFFSET_SECONDS = 60.0
"""After a start the broker's clock is waited for so long; until then nobody knows whether the desk's is right."""
MEGABYTE = 1_000_000
DISK_FULL = "the disk is full"
"""In the words of `services.sqlite.opening`."""
_FEW_MEGABYTES = 100


@dataclass
class Dropping:
    """What was lost in the last minute: ticks that no queue took, errors that could not be kept."""

    _seen: deque[tuple[float, dict[str, int]]] = field(default_factory=deque)

    def __call__(self, now: Snapshot, at: float) -> Sequence[Finding] | None:
        if now.storage is None:
            return None
        writer = now.storage.writer
        lost = {"ticks": writer.dropped_in_all if writer else 0, "errors": now.storage.lost_errors}
        self._seen.append((at, lost))
        while len(self._seen) > 1 and self._seen[1][0] <= at - DROPS_SECONDS:
            self._seen.popleft()
        before = self._seen[0][1]
        more = {name: lost[name] - before[name] for name in lost if lost[name] > before[name]}
        if not more:
            return []
        what = " and ".join(f"{count:,} {name}" for name, count in more.items())
        why = dict(writer.dropped) if writer else {}
        message = f"{what} could not be kept in the last minute: the disk does not keep up, or takes nothing"
        return [Finding(float(sum(more.values())), message, context={"lost": more, "since_start": why})]


def writer_behind(now: Snapshot, at: float) -> Sequence[Finding] | None:
    """Ticks wait too long for the disk."""
    if now.storage is None:
        return None
    writer = now.storage.writer
    if writer is None or writer.oldest_seconds is None:
        return []
    failing = f"; the disk has refused for {span(writer.failing_seconds)}" if writer.failing_seconds else ""
    message = f"{writer.waiting:,} ticks wait for the disk, the oldest for {span(writer.oldest_seconds)}{failing}"
    return [Finding(writer.oldest_seconds, message, context={"waiting": writer.waiting, "room": writer.most_waiting})]


def disk_low(now: Snapshot, at: float) -> Sequence[Finding] | None:
    """What is free on the disk."""
    if now.storage is None or now.storage.free_bytes is None:
        return None
    free = now.storage.free_bytes / MEGABYTE
    share = now.storage.free_share
    of_all = "" if share is None else f", {share:.1%} of the disk"
    message = f"{free:,.1f} MB are free where the desk keeps its data{of_all}. Without room nothing can be kept"
    severity = Severity.CRITICAL if free < _FEW_MEGABYTES else None
    return [Finding(free, message, context={"free_megabytes": round(free, 1)}, severity=severity)]


@dataclass(frozen=True)
class Storage:
    """Files that do not work: one alert, whatever many parts meet the same trouble. A full disk has a rule of its own.
    `refused()`: why the ledger took no alert last, if so."""

    refused: Callable[[], str | None] = lambda: None

    def __call__(self, now: Snapshot, at: float) -> Sequence[Finding] | None:
        storage = now.storage
        if storage is None:
            # Not even the folder could be looked at, or what was found out elsewhere is all there is.
            told = now.problems.get("storage")
            return None if told is None else [Finding(1.0, _sentence(told))]
        if storage.read_only:
            return [Finding(1.0, "The data folder is read-only: nothing can be kept", context={"read_only": True})]
        faults = dict(storage.faults)
        refused = self.refused()
        if now.shared is not None and now.shared.postgres is not None:  # not on this disk: it has a rule of its own
            faults.pop(THE_LEDGER, None)
            refused = None
        if refused is not None and refused not in faults.values():
            faults[THE_LEDGER] = refused
        if storage.free_bytes is not None and storage.free_bytes < MEGABYTE:
            faults = {name: text for name, text in faults.items() if DISK_FULL not in text}
        if not faults:
            # The folder itself cannot be looked at: whether it takes writes nobody knows.
            return None if storage.read_only is None and storage.free_bytes is None else []
        reasons = "; ".join(dict.fromkeys(faults.values()))
        return [Finding(1.0, f"{', '.join(faults)}: {reasons}", context={"faults": faults})]


def shared_away(now: Snapshot, at: float) -> Sequence[Finding] | None:
    """What this process shares with others, and cannot reach."""
    shared, found = now.shared, []
    if shared is None:
        return None if "shared" in now.problems else []
    redis, ledger = shared.redis, shared.postgres
    if redis is not None and not redis.up:
        message = f"{redis.problem}, for {span(redis.seconds)}: this process goes on alone, without live prices"
        found.append(Finding(redis.seconds, message, subject="Redis"))
    if ledger is not None and ledger.problem:
        message = f"{ledger.problem}, for {span(ledger.problem_seconds)}: no order is sent before it answers"
        found.append(Finding(ledger.problem_seconds, message, subject="PostgreSQL"))
    return found


@dataclass
class Clock:
    """The desk's clock against the broker's; where nobody can tell, whether it has jumped lately and not back."""

    _jumps: int | None = None
    _moved: float = 0.0
    """All jumps together."""
    _first: float | None = None
    _told: bool = False
    """Has anything been known of the clock since the start?"""

    def __call__(self, now: Snapshot, at: float) -> Sequence[Finding] | None:
        clock = now.clock
        if clock is None:
            return None
        if clock.jumps != self._jumps:
            self._moved += clock.jump_seconds or 0.0 if clock.jumps else 0.0
            self._jumps = clock.jumps
        ago, offset = clock.jumped_ago, clock.offset_seconds
        self._first = at if self._first is None else self._first
        self._told = self._told or ago is not None or offset is not None
        # The broker's clock is told by the fastest of the last frames: for some seconds they are from before the jump.
        if ago is not None and ago < (JUMP_SECONDS if offset is None else SETTLING_SECONDS):
            way = _signed(self._moved)
            message = f"The desk's clock was moved by {way}: dates, ages and the token's end may be wrong"
            return [Finding(abs(self._moved), message, context={"moved_seconds": round(self._moved, 1)})]
        self._moved = 0.0  # from now on it is the broker's word that counts; without one, the new time is the right one
        if offset is None:
            return [] if self._told or at - self._first >= FIRST_OFFSET_SECONDS else None
        message = f"The clock of this machine is {span(abs(offset))} {_way(offset)} the broker's"
        return [Finding(abs(offset), message, context={"offset_seconds": round(offset, 1)})]


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _signed(seconds: float) -> str:
    return f"{span(abs(seconds))} {'forward' if seconds > 0 else 'back'}"


def _way(seconds: float) -> str:
    return "ahead of" if seconds > 0 else "behind"
