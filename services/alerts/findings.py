"""What the desk's measures say about each rule. A reader that cannot tell gives `None`: then nothing changes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from services.alerts import rules as r
from services.alerts.judging import AtLeast, Finding
from services.domain.error_words import kinds_in_words
from services.ledger.alerts import Severity
from services.measures.checks import THE_LEDGER
from services.measures.snapshot import RestNow, Snapshot

Reader = Callable[[Snapshot, float], Sequence[Finding] | None]
"""Takes the measures and the monotonic instant of the look."""

LOGIN_NEEDED = "login needed"
LONG_WINDOW_SECONDS = 60.0
"""Windows below it are used up and free again while somebody looks: pacing, not trouble."""
LONGEST_WINDOW_SECONDS = 1800.0
"""The broker counts no call for longer."""
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


def error_rate(now: Snapshot, at: float) -> Sequence[Finding] | None:
    """Failed requests a minute, with what failed."""
    errors = now.errors
    if errors is None:
        return None
    most = kinds_in_words(errors.breakdown)
    message = f"{errors.per_minute:.1f} errors a minute over the last {errors.minutes:g} minutes" + (
        f": {most}" if most else ""
    )
    context = {
        "rate": round(errors.per_minute, 2),
        "window_minutes": errors.minutes,
        "error_breakdown": dict(errors.breakdown),
    }
    return [Finding(errors.per_minute, message, context=context)]


def broker_failing(now: Snapshot, at: float) -> Sequence[Finding] | None:
    """Nothing has succeeded for a while."""
    if now.rest is None:
        return None
    seconds = now.rest.failing_since
    if seconds is None:
        return None if now.rest.last_success_ago is None else []  # nothing was asked yet
    why = now.rest.last_failure or "no answer"
    return [Finding(seconds, f"No request has succeeded for {_time(seconds)}. The last failure: {why}")]


def feed_silent(now: Snapshot, at: float) -> Sequence[Finding] | None:
    """Prices are expected and do not come. A missing login is told by the token's own rule."""
    if now.feed is None:
        return None
    seconds = now.feed.silent_seconds
    if now.feed.state == LOGIN_NEEDED:
        return []
    if seconds is None:  # too early to tell, while the first price is waited for
        return None if now.feed.expected and now.feed.last_update_ago is None else []
    why = now.feed.reason or ("the connection is open and mute" if now.feed.connected else now.feed.state)
    message = f"No price has come for {_time(seconds)} though the market is open: {why}"
    return [Finding(seconds, message, context={"state": now.feed.state, "subscribed": now.feed.subscribed})]


@dataclass(frozen=True)
class TokenEnding:
    """What is left of the token. `renewed()`: another one comes by itself, as from the desk's own paper broker."""

    renewed: Callable[[], bool]

    def __call__(self, now: Snapshot, at: float) -> Sequence[Finding] | None:
        if now.token is None:
            return None
        if now.token.kind is None or self.renewed():
            return []
        minutes = now.token.seconds_left / 60
        message = f"The token ends in {_time(now.token.seconds_left)}; log in again on the account page after that"
        return [Finding(minutes, message)]


def token_ended(now: Snapshot, at: float) -> Sequence[Finding] | None:
    """Nobody is logged in."""
    if now.token is None:
        return None
    if now.token.kind is not None:
        return []
    open_now = now.market is not None and now.market.in_session
    severity = Severity.CRITICAL if open_now else Severity.WARNING
    return [Finding(1.0, now.token.problem or "There is no valid token: log in", severity=severity)]


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
    failing = f"; the disk has refused for {_time(writer.failing_seconds)}" if writer.failing_seconds else ""
    message = f"{writer.waiting:,} ticks wait for the disk, the oldest for {_time(writer.oldest_seconds)}{failing}"
    return [Finding(writer.oldest_seconds, message, context={"waiting": writer.waiting, "room": writer.most_waiting})]


@dataclass
class BudgetLow:
    """How much of each budget is used, by its tightest longer window. A process counts the calls of its own life; the
    broker still counts those of before."""

    _first: float | None = None

    def __call__(self, now: Snapshot, at: float) -> Sequence[Finding] | None:
        if now.rest is None:
            return None
        self._first = at if self._first is None else self._first
        found = _budgets(now.rest)
        return AtLeast(found) if at - self._first < LONGEST_WINDOW_SECONDS else found


def _budgets(rest: RestNow) -> list[Finding]:
    found = []
    for budget in rest.budgets:
        windows = [one for one in budget.windows if one.seconds >= LONG_WINDOW_SECONDS and one.limit > 0]
        if not windows:
            continue
        tight = max(windows, key=lambda one: one.used / one.limit)
        percent = 100 * tight.used / tight.limit
        message = (
            f"{budget.name}: {tight.used:,} of {tight.limit:,} calls of {_time(tight.seconds)} are used;"
            f" the first comes free in {_time(tight.frees_in)}"
        )
        found.append(Finding(percent, message, subject=budget.name, context={"percent": round(percent, 1)}))
    return found


@dataclass(frozen=True)
class Unknown:
    """Orders of which nobody knows what became of them. `open_cases()`: their number and the order in words; `None`:
    the orders of before the start were not looked up yet."""

    open_cases: Callable[[], Sequence[tuple[str, str]] | None]

    def __call__(self, now: Snapshot, at: float) -> Sequence[Finding] | None:
        cases = self.open_cases()
        if cases is None:
            return None
        return [
            Finding(1.0, f"{text}: no answer came, so the broker may have it. Do not send it again", subject=case[:200])
            for case, text in cases
        ]


@dataclass(frozen=True)
class Unreconciled:
    """Differences that the P&L knows of. `differences()`: what about, and the difference in words; `None`: nothing was
    compared yet."""

    differences: Callable[[], Sequence[tuple[str, str]] | None]

    def __call__(self, now: Snapshot, at: float) -> Sequence[Finding] | None:
        found = self.differences()
        return None if found is None else [Finding(1.0, text, subject=about[:200]) for about, text in found]


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
        message = f"{redis.problem}, for {_time(redis.seconds)}: this process goes on alone, without live prices"
        found.append(Finding(redis.seconds, message, subject="Redis"))
    if ledger is not None and ledger.problem:
        message = f"{ledger.problem}, for {_time(ledger.problem_seconds)}: no order is sent before it answers"
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
        message = f"The clock of this machine is {_time(abs(offset))} {_way(offset)} the broker's"
        return [Finding(abs(offset), message, context={"offset_seconds": round(offset, 1)})]


@dataclass(frozen=True)
class ChannelsFailing:
    """Channels that refuse. `failures()`: by name how many times in a row, and why; `None`: not known yet."""

    failures: Callable[[], Mapping[str, tuple[int, str]] | None]

    def __call__(self, now: Snapshot, at: float) -> Sequence[Finding] | None:
        failures = self.failures()
        if failures is None:
            return None
        return [
            Finding(float(count), f"Nothing can be sent over {name}: {why}", subject=name)
            for name, (count, why) in failures.items()
        ]


def readers(
    *,
    token_renewed: Callable[[], bool],
    open_cases: Callable[[], Sequence[tuple[str, str]] | None],
    differences: Callable[[], Sequence[tuple[str, str]] | None],
    refused: Callable[[], str | None],
    failures: Callable[[], Mapping[str, tuple[int, str]] | None],
) -> dict[str, Reader]:
    """The reader of each rule, by its kind."""
    return {
        r.ERROR_RATE: error_rate,
        r.BROKER_FAILING: broker_failing,
        r.FEED_SILENT: feed_silent,
        r.TOKEN_ENDING: TokenEnding(token_renewed),
        r.TOKEN_ENDED: token_ended,
        r.WRITER_DROPPING: Dropping(),
        r.WRITER_BEHIND: writer_behind,
        r.BUDGET_LOW: BudgetLow(),
        r.ORDER_UNKNOWN: Unknown(open_cases),
        r.UNRECONCILED: Unreconciled(differences),
        r.DISK_LOW: disk_low,
        r.STORAGE: Storage(refused),
        r.CLOCK: Clock(),
        r.CHANNEL_FAILING: ChannelsFailing(failures),
        r.SHARED_AWAY: shared_away,
    }


def _time(seconds: float) -> str:
    """A length of time in words, no finer than it matters."""
    whole = max(0, round(seconds))
    if whole < 120:
        return f"{whole} s"
    if whole < 2 * 3600:
        return f"{whole // 60} min"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _signed(seconds: float) -> str:
    return f"{_time(abs(seconds))} {'forward' if seconds > 0 else 'back'}"


def _way(seconds: float) -> str:
    return "ahead of" if seconds > 0 else "behind"
