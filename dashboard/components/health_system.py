"""Process, files, versions, and all of it as one text."""

from __future__ import annotations

import streamlit as st

from dashboard.components.cards import card_title, fact_table
from dashboard.components.notices import live_part
from dashboard.components.web import browser_component
from dashboard.desk_version import versions
from dashboard.formatting import MISSING, duration, quantity
from dashboard.health_diagnostics import diagnostics
from dashboard.health_folder import Entry, entries
from dashboard.health_log import LogLine, search
from dashboard.health_unseen import unseen
from dashboard.resources import desk
from dashboard.theme import mode_look
from services.domain.time_words import span
from services.measures.checks import size
from services.measures.snapshot import Snapshot

_mount = browser_component("health_copy")

EVERY = 5.0
WARNINGS = 30


@live_part(EVERY, "health-system")
def process_part() -> None:
    """What the process uses, and how its files do."""
    now = desk().measures.snapshot()
    left, right = st.columns(2, gap="small")
    with left, st.container(border=True, height="stretch"):
        card_title("Process")
        fact_table(process_facts(now))
    with right, st.container(border=True, height="stretch"):
        card_title("Database files")
        fact_table(file_facts(now))


def system_part() -> None:
    """What does not change by the second."""
    folder = _entries()
    left, right = st.columns(2, gap="small")
    with left, st.container(border=True, height="stretch"):
        card_title("Data folder", str(desk().folder))
        if folder is None:
            st.warning("The data folder cannot be read.", icon=":material/folder_off:")
        else:
            fact_table({one.name: _entry_words(one) for one in folder} or {"Files": "none yet"})
    with right, st.container(border=True, height="stretch"):
        card_title("Versions")
        fact_table(versions())
    with st.container(border=True):
        card_title("Diagnostics", "for whoever helps you: everything on this page as a text without secrets")
        text = _diagnostics(folder)
        _mount(key="health-copy", data={"text": text, "label": "Copy diagnostics"})
        st.code(text, language=None, height=260)


def process_facts(now: Snapshot) -> dict[str, str]:
    """Memory, time, threads, files, clock."""
    process, clock = now.process, now.clock
    most = "" if process.most_files is None else f" of {quantity(process.most_files)}"
    facts = {
        "Runs for": duration(process.uptime_seconds),
        "Memory": MISSING if process.resident_bytes is None else size(process.resident_bytes),
        "Processor time": duration(process.cpu_seconds),
        "Threads": quantity(process.threads),
        "Open files": MISSING if process.open_files is None else f"{quantity(process.open_files)}{most}",
        "Frames decoded by": f"protobuf, {process.protobuf}",
    }
    if clock is not None:
        offset = clock.offset_seconds
        facts["Clock ahead of the broker's"] = (
            unseen(now, "clock", "not known: no frame of the feed came")
            if offset is None
            else f"{offset:+.3f} s at most"
        )
        told = "" if clock.jumped_ago is None else f", the last {span(clock.jumped_ago)} ago"
        facts["Jumps of the clock"] = f"{clock.jumps}{told}"
    else:
        facts["Clock"] = unseen(now, "clock", "not looked at yet")
    return facts


def file_facts(now: Snapshot) -> dict[str, str]:
    """One line for each database, and the disk."""
    storage = now.storage
    if storage is None:
        return {"Files": unseen(now, "storage", "not open yet")}
    facts = {}
    for pool in storage.pools:
        told = [
            MISSING if pool.file_bytes is None else size(pool.file_bytes),
            f"write-ahead log {MISSING if pool.wal_bytes is None else size(pool.wal_bytes)}",
            f"{pool.in_use} of {pool.size} connections in use",
            f"{pool.waits:,} waits, {pool.longest_wait * 1000:.0f} ms at most",
        ]
        if pool.exhausted:
            told.append(f"{pool.exhausted} without a turn")
        if pool.held_up:
            told.append(f"held up {pool.held_up} times by another process")
        facts[pool.name] = "; ".join(told)
    if storage.writer is not None:
        writer = storage.writer
        behind = "" if writer.oldest_seconds is None else f", the oldest for {span(writer.oldest_seconds)}"
        facts["Ticks that wait"] = f"{quantity(writer.waiting)}{behind}; {quantity(writer.failures)} failed attempts"
    free, total = storage.free_bytes, storage.total_bytes
    facts["Disk"] = "not known" if free is None or total is None else f"{size(free)} of {size(total)} free"
    if storage.read_only is not False:
        facts["Writable"] = "not known" if storage.read_only is None else "no: the data folder is read-only"
    return facts | dict(storage.faults)


def _entries() -> list[Entry] | None:
    try:
        return entries(desk().folder)
    except OSError:
        return None


def _entry_words(entry: Entry) -> str:
    least = "" if entry.complete else "at least "
    files = f", {least}{entry.files:,} files" if entry.files != 1 else ""
    return f"{least}{size(entry.size)}{files}" + (f"; {entry.meaning}" if entry.meaning else "")


def _diagnostics(folder: list[Entry] | None) -> str:
    rt = desk()
    warnings: list[LogLine] | None
    try:
        warnings = search(rt.folder, level="WARNING", limit=WARNINGS)
    except OSError:
        warnings = None
    return diagnostics(
        rt.measures.snapshot(),
        rt.measures.checks(),
        mode=mode_look(rt.settings).name,
        versions=versions(),
        folder=folder,
        warnings=warnings,
    )
