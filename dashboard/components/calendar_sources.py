"""Who says what the calendar shows: each source with its age, and where broker and table contradict each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Protocol

import streamlit as st

from dashboard.calendar_words import NAMES, day_words, group_words
from dashboard.components.cards import card_title, fact_table
from dashboard.formatting import age, ist_when
from dashboard.markup import plain
from dashboard.navigation import ACCOUNT
from services.domain.phases import Market


class Source(Protocol):
    """One source: `table`, `holidays`, `timings` or `status`."""

    @property
    def name(self) -> str: ...
    @property
    def said_by(self) -> str: ...
    @property
    def fetched_at(self) -> datetime | None: ...
    @property
    def error(self) -> str | None: ...


class Dispute(Protocol):
    """Broker and table disagree about one market on one day."""

    @property
    def market(self) -> Market: ...
    @property
    def day(self) -> date: ...
    @property
    def about(self) -> str: ...
    @property
    def table_says(self) -> str: ...
    @property
    def broker_says(self) -> str: ...
    @property
    def source(self) -> str: ...
    @property
    def since(self) -> datetime: ...


class State(Protocol):
    """How current the calendar is (`services.calendar.CalendarState`)."""

    @property
    def sources(self) -> tuple[Source, ...]: ...
    @property
    def contradictions(self) -> tuple[Dispute, ...]: ...
    @property
    def table_until(self) -> date: ...
    @property
    def practice(self) -> bool: ...


_TABLE = "table"
_NAMES: Mapping[str, str] = {"holidays": "Holidays", "timings": "Hours of the day", "status": "Status now"}


def practice_note() -> None:
    """In a practice session the calendar and the paper broker are two things; say which is which."""
    st.info(
        "Practice session: the paper broker trades around the clock, so every market can be traded on paper now. "
        "Below are the hours of the real ones.",
        icon=":material/sports_esports:",
    )


def show_disputes(disputes: Iterable[Dispute], now: datetime) -> None:
    """One warning for each day that is contradicted, with both sides for every market."""
    for title, lines in dispute_words(disputes, now):
        st.warning("  \n".join(lines), title=title, icon=":material/rule:")


def dispute_words(disputes: Iterable[Dispute], now: datetime) -> list[tuple[str, list[str]]]:
    """Title and lines (markdown) of each contradicted day, the next one first. Markets told the same share a line."""
    days: dict[date, list[Dispute]] = {}
    order = list(NAMES)
    for one in sorted(disputes, key=lambda one: (one.day, order.index(one.market))):
        days.setdefault(one.day, []).append(one)
    told = []
    for day, found in days.items():
        groups: dict[tuple[str, str, str], list[Dispute]] = {}
        for one in found:
            groups.setdefault((one.source, one.broker_says, one.table_says), []).append(one)
        lines = [
            f"{_capital(group_words(one.market for one in members))}: {plain(source)} says **{plain(broker)}**, "
            f"the desk's table says **{plain(table)}**."
            for (source, broker, table), members in groups.items()
        ]
        since = plain(ist_when(min(one.since for one in found), now))
        lines.append(f"The broker is followed for that day. Noticed {since}.")
        markets = group_words(one.market for one in found)
        told.append((f"Broker and calendar disagree: {markets}, {day_words(day)}", lines))
    return told


def show_silence(state: State, today: date, *, signed_in: bool) -> None:
    """Say that the broker could not be asked and that the table answers, if that is so. A login that is missing comes
    with the way to it."""
    words = silence_words(state, today)
    if not words:
        return
    if signed_in:
        st.warning(plain(words), title="The broker was not heard", icon=":material/cloud_off:")
    else:
        st.warning(plain(words), title="A login is needed to hear the broker", icon=":material/key:")
        st.page_link(ACCOUNT, label="Log in", icon=":material/login:")


def silence_words(state: State, today: date) -> str:
    """What could not be asked and who answers instead; empty while all is well."""
    silent = [one for one in state.sources if one.error is not None]
    if not silent:
        return ""
    what = ", ".join(dict.fromkeys(_NAMES.get(one.name, one.name).lower() for one in silent))
    heard = any(one.fetched_at is not None for one in silent)
    why = " ".join(dict.fromkeys(f"{_capital(one.error or '').rstrip('.')}." for one in silent))
    if today > state.table_until:
        kept = "What it said before stays, with its age; the" if heard else "The"
        instead = f"{kept} desk's own table ends on {day_words(state.table_until)}, so what nobody tells is unknown."
    else:
        kept = "What it said before stays, with its age; for all else the" if heard else "The"
        instead = f"{kept} desk's own table answers."
    return f"Not heard: {what}. {why} {instead}"


def sources_card(state: State, now: datetime) -> None:
    """Every source with its age and, where so, what is wrong with it."""
    card_title("Sources")
    fact_table(source_facts(state, now))
    if not state.contradictions:
        st.caption("Where the broker speaks of a day, its word wins, and a difference is kept and raised as an alert.")


def source_facts(state: State, now: datetime) -> dict[str, str]:
    """One line for each source: what it is, how old its word is, what is wrong."""
    facts = {"The desk's own table": f"Every market from 2019 to {day_words(state.table_until)}; later days: unknown"}
    for one in state.sources:
        if one.name == _TABLE:
            continue
        told = "never heard" if one.fetched_at is None else _heard(one.fetched_at, now)
        trouble = f"; not heard now: {one.error}" if one.error else ""
        facts[f"{_NAMES.get(one.name, one.name)}, by {one.said_by}"] = told + trouble
    if state.practice:
        facts["Followed"] = "the table: in a practice session the broker is open around the clock"
    return facts


def _heard(at: datetime, now: datetime) -> str:
    return f"heard {age((now - at).total_seconds())} ago, {ist_when(at, now)}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
