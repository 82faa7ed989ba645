"""What the health page says of a desk of several processes. Pure: measures in, rows and facts out."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from dashboard.formatting import MISSING, duration, ist_when, quantity
from services.domain.processes import ProcessSeen
from services.domain.time_words import span
from services.measures.shared_now import FanOutNow, PostgresNow, RedisNow, SharingNow

Row = dict[str, Any]  # Any: texts and numbers of a table's cells
_ROLES = {
    "holder": "sends what the broker tells to the others",
    "follower": "hears it from the holder",
    "none": "nobody: Redis does not answer",
}


def member_rows(shared: SharingNow, now: datetime) -> list[Row]:
    """One row for each process, the holder first."""
    return [
        {
            "Process": f"{one.name} (this one)" if one.own else one.name,
            "Role": _role(one),
            "Last word": "now" if one.told_ago < 3.0 else f"{span(one.told_ago)} ago",
            "Prices behind (99 %)": _ms(None if one.leads else one.figures.get("lag_p99_ms")),
            "Address": one.address,
            "Host": one.host,
            "Process id": str(one.pid),
            "Version": one.version,
            "Started": ist_when(one.started, now),
        }
        for one in sorted(shared.members, key=lambda member: (not member.leads, not member.alive, member.name))
    ]


def summary(shared: SharingNow, now: datetime) -> str:
    """Who leads and since when, in a sentence."""
    if shared.redis is None:
        return "this process alone: it has no Redis"
    if not shared.redis.up:
        return "as last seen: Redis does not answer"
    if shared.holder is None:
        return "nobody holds the live feed just now"
    since = "" if shared.held_since is None else f" since {ist_when(shared.held_since, now)}"
    return f"{shared.holder} holds the live feed, the order stream and the refresher{since}"


def redis_facts(redis: RedisNow | None) -> dict[str, str]:
    """How Redis does."""
    if redis is None:
        return {"Redis": "none: this desk shares no feed, quotes or limits (DESK_REDIS_URL)"}
    facts = {
        "State": f"{'answers' if redis.up else 'does not answer'}, for {duration(redis.seconds)}",
        "Question and answer": _ms(redis.round_trip_ms, 2),
    }
    return facts | ({"Problem": redis.problem} if redis.problem else {})


def postgres_facts(ledger: PostgresNow | None) -> dict[str, str]:
    """How the ledger's server does."""
    if ledger is None:
        return {"PostgreSQL": "none: the ledger is a file of this process (DESK_LEDGER_URL)"}
    facts = {
        "Database": ledger.name,
        "State": f"does not answer, for {duration(ledger.problem_seconds)}" if ledger.problem else "answers",
        "Quickest of the last answers": _ms(ledger.round_trip_ms, 2),
        "Connections": f"{ledger.open} of {ledger.size}, {quantity(ledger.made)} made since the start",
        "Transactions that it broke off": quantity(ledger.failures),
    }
    return facts | ({"Problem": ledger.problem} if ledger.problem else {})


def stream_facts(one: FanOutNow) -> dict[str, str]:
    """How one stream goes from process to process."""
    facts = {"This process": _ROLES.get(one.role, one.role)}
    if one.role == "holder":
        facts["Sent"] = f"{quantity(one.sent_frames)} frames in {quantity(one.sent_batches)} batches"
        facts["Not taken by Redis in time"] = quantity(one.dropped)
        facts["Refused, the lease was another's"] = quantity(one.refused)
    else:
        last = "none yet" if one.last_batch_ago is None else f"the last {span(one.last_batch_ago)} ago"
        facts["Came"] = f"{quantity(one.frames)} frames in {quantity(one.batches)} batches, {last}"
        facts["Behind the holder"] = (
            MISSING if one.lag_p50_ms is None else f"{_ms(one.lag_p50_ms)}; 99 % within {_ms(one.lag_p99_ms)}"
        )
        facts["Missed, and asked for anew"] = quantity(one.missed)
        facts["Of a holder that was none any more, not taken"] = quantity(one.stale)
    return facts


def _role(one: ProcessSeen) -> str:
    if not one.alive:
        return "silent"
    return "holds the feed" if one.leads else "follows"


def _ms(value: float | None, digits: int = 1) -> str:
    return MISSING if value is None else f"{value:.{digits}f} ms"
