"""What the desk keeps, for how long, and how much of it there is now; and letting go at once of what is past its time.

What may not be lost (the ledger, tokens, the paper account, copies that somebody made) is only ever counted here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path

from services.alerts.delivering import KEPT_DAYS as ALERT_DAYS
from services.domain.clock import IST, ist_date
from services.ledger.users import KEPT_DAYS as SIGN_IN_DAYS
from services.logs import FILE_BYTES, FILES_KEPT
from services.runtime.core import MARKET_FILE
from services.runtime.feeds import RECORDINGS
from services.runtime.housekeeping import METRICS_DAYS
from services.runtime.money import Runtime
from services.storage.amounts import TIMED, Amount, let_go, packed_ticks, rows, tick_log, timed_rows
from services.storage.recorder import MOST_BYTES
from services.storage.recordings import recordings, thin_out

LOG_DAYS = 1
_BEFORE_UPGRADE = re.compile(r"-v[^-]+-\d{8}T")


@dataclass(frozen=True, slots=True)
class Kept:
    """One thing that the desk keeps. `rule`: how long, in words. `unit` of what is counted. `goes`: `retention apply`
    lets go of what is past its time."""

    what: str
    rule: str
    unit: str
    amount: Amount
    goes: bool = False


def kept(runtime: Runtime) -> tuple[Kept, ...]:
    """What is kept, as it stands now by the desk's clock. Raises what the disk says."""
    return (*_timed(runtime), *_known_last(runtime), *_files(runtime))


def apply(runtime: Runtime) -> None:
    """What housekeeping does every half hour and every writer now and then, done now. Safe beside a running desk.

    Ticks are packed and given up by age, records of the feeds, of errors, of quotes and of health go by age, recordings
    by age and size; none of them while the paper broker replays one. Nothing else is touched.
    """
    now = runtime.clock.now()
    runtime.housekeeping.round()
    let_go(runtime.market_pool, now)
    if not replays_own(runtime):
        folder, days = runtime.folder / RECORDINGS, runtime.settings.recording_days
        thin_out(folder, ist_date(now), keep_days=days, most_bytes=MOST_BYTES)


def replays_own(runtime: Runtime) -> bool:
    """Do this desk's prices come from a recording of its own folder?"""
    how, _, file = runtime.settings.paper_prices.partition(":")
    return how == "replay" and Path(file).resolve().is_relative_to((runtime.folder / RECORDINGS).resolve())


def _timed(runtime: Runtime) -> list[Kept]:
    now, pool, given = runtime.clock.now(), runtime.market_pool, runtime.settings
    before = runtime.housekeeping.settled_before(now)
    packed_before = ist_date(before) - timedelta(days=given.tick_days)
    words = {
        "error_log": "errors",
        "health_history": "history of the desk's health",
        "quote_metrics": "how quotes were found",
    }
    found = [
        Kept(
            "ticks as they came",
            f"{LOG_DAYS} day, then packed only",
            "ticks",
            tick_log(pool, before - timedelta(days=LOG_DAYS)),
            goes=True,
        ),
        Kept(
            "ticks, packed",
            f"{given.tick_days} days (DESK_TICK_DAYS)",
            "ticks",
            packed_ticks(pool, packed_before),
            goes=True,
        ),
        Kept(
            "recordings of the feed",
            f"{given.recording_days} days (DESK_RECORDING_DAYS), {MOST_BYTES // 1024**3} GiB",
            "files",
            _recorded(runtime, now),
            goes=not replays_own(runtime),
        ),
    ]
    for table, days in TIMED.items():
        amount = timed_rows(pool, table, days, now)
        found.append(Kept(words[table], f"{days} days", "rows", amount, goes=True))
    connections = timed_rows(pool, "websocket_metrics", METRICS_DAYS, now)
    return [*found, Kept("connections of the feeds", f"{METRICS_DAYS} days", "rows", connections, goes=True)]


def _recorded(runtime: Runtime, now: datetime) -> Amount:
    days = recordings(runtime.folder / RECORDINGS)
    limit = ist_date(now) - timedelta(days=runtime.settings.recording_days)
    oldest = datetime.combine(days[0].day, time(0), IST) if days else None
    return Amount(len(days), sum(one.bytes for one in days), oldest, sum(one.day < limit for one in days))


def _known_last(runtime: Runtime) -> list[Kept]:
    pool, candles = runtime.market_pool, runtime.candles.stats().stored
    return [
        Kept("candles", "always; could be fetched again", "bars", Amount(candles.candles, candles.bytes)),
        Kept("quotes", "the last of each instrument", "rows", rows(pool, "quotes")),
        Kept("instruments", "until the files of the next morning", "rows", rows(pool, "instruments")),
        Kept(
            "the broker's calendar",
            "the year's; statuses 400 days",
            "rows",
            rows(pool, "calendar"),
        ),
    ]


def _files(runtime: Runtime) -> list[Kept]:
    folder = runtime.folder
    backups = sorted((folder / "backups").glob("*.db"))
    before_upgrades = [path for path in backups if _BEFORE_UPGRADE.search(path.stem)]
    made = [path for path in backups if path not in before_upgrades]
    ledger = f"always; ended sign-ins {SIGN_IN_DAYS}, alerts sent {ALERT_DAYS} days"
    return [
        Kept(MARKET_FILE, "holds all rows above", "files", _of(_with_companions(folder / MARKET_FILE))),
        Kept("ledger.db", ledger, "files", _of(_with_companions(folder / "ledger.db"))),
        Kept("tokens.db, token.key", "until logged out", "files", _of([folder / "tokens.db", folder / "token.key"])),
        Kept("paper_broker.db", "always", "files", _of(_with_companions(folder / "paper_broker.db"))),
        Kept("logs", f"{FILES_KEPT} files of {FILE_BYTES // 1024**2} MiB", "files", _of((folder / "logs").glob("*"))),
        Kept("copies before upgrades", "5 of the ledger, 2 of the market file", "files", _of(before_upgrades)),
        Kept("copies that somebody made", "always; put them away by hand", "files", _of(made)),
    ]


def _with_companions(path: Path) -> list[Path]:
    return [path.with_name(path.name + ending) for ending in ("", "-wal", "-shm")]


def _of(paths: Iterable[Path]) -> Amount:
    """Of the files among them that are there."""
    count = size = 0
    for path in paths:
        try:
            told = path.stat()
        except FileNotFoundError:
            continue
        count, size = count + 1, size + told.st_size
    return Amount(count, size)
