"""The seventh check, of a desk with more than one process: do they hold together? Left out on a desk of one."""

from __future__ import annotations

from services.domain.time_words import span
from services.measures.checks import CheckState, Verdict
from services.measures.shared_now import SharingNow
from services.measures.snapshot import Snapshot

BEHIND_MS = 1000.0
"""So much later than at the holder prices may come before somebody should look."""


def check_shared(snapshot: Snapshot) -> Verdict | None:
    """Do the processes hold together, and do Redis and PostgreSQL answer?"""
    shared = snapshot.shared
    if shared is None:
        told = snapshot.problems.get("shared")
        return None if told is None else Verdict(CheckState.FAIL, f"{told}.")
    ledger = shared.postgres
    if ledger is not None and ledger.problem:
        since = span(ledger.problem_seconds)
        return Verdict(
            CheckState.FAIL,
            f"{_plain(ledger.problem)}, for {since}. Orders are refused until it answers; what was read before is "
            "shown.",
        )
    return _redis(shared) or _members(shared) or Verdict(CheckState.PASS, _well(shared))


def _redis(shared: SharingNow) -> Verdict | None:
    redis = shared.redis
    if redis is None:
        return None
    if not redis.up:
        return Verdict(
            CheckState.FAIL,
            f"{_plain(redis.problem)}, for {span(redis.seconds)}. This process goes on alone, over REST; no live feed.",
        )
    if redis.problem:
        return Verdict(CheckState.FAIL, f"{_plain(redis.problem)}.")
    return None


def _members(shared: SharingNow) -> Verdict | None:
    if shared.redis is None:
        return None
    silent = [one for one in shared.members if not one.alive]
    if silent:
        most = max(silent, key=lambda one: one.told_ago)
        others = "" if len(silent) == 1 else f" and {len(silent) - 1} more"
        return Verdict(CheckState.WARN, f"{most.name}{others}: no word for {span(most.told_ago)}.")
    if shared.holder is None and shared.members:
        return Verdict(CheckState.WARN, "No process holds the live feed just now.")
    if shared.alive > shared.expected:
        return Verdict(
            CheckState.WARN,
            f"{shared.alive} processes are there, and DESK_PROCESSES says {shared.expected}: without Redis they "
            "would ask the broker for more than it allows.",
        )
    slow = [one for one in shared.streams if (one.lag_p99_ms or 0.0) > BEHIND_MS]
    if slow:
        worst = max(slow, key=lambda one: one.lag_p99_ms or 0.0)
        return Verdict(
            CheckState.WARN, f"What {shared.holder} sends comes {(worst.lag_p99_ms or 0) / 1000:.1f} s late."
        )
    return None


def _plain(problem: str) -> str:
    return problem.strip().rstrip(".")


def _well(shared: SharingNow) -> str:
    told = []
    if shared.redis is not None:
        count = f"{shared.alive} processes" if shared.alive != 1 else "One process"
        told.append(f"{count}; {shared.holder or 'nobody yet'} holds the live feed.")
    if shared.postgres is not None:
        told.append("PostgreSQL answers.")
    return " ".join(told)
