"""The frame of every page: mode, price source, market phase, age of the data. Renews itself without a full rerun."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboard.calendar_words import PHASE_NAMES, occasion, sentence, stage_words
from dashboard.components.calendar_now import Phases
from dashboard.components.web import browser_component
from dashboard.first_start import INDEX_KEYS
from dashboard.formatting import ist_when
from dashboard.instrument_wanted import leave_if_wanted, want_from_browser
from dashboard.order_news import latest
from dashboard.push.fields import member
from dashboard.push.prices import feed_word
from dashboard.reading import Reading, read
from dashboard.resources import desk, push_tokens
from dashboard.state import push_door
from dashboard.theme import mode_look
from dashboard.words import in_words
from services.domain.clock import epoch_ms, ist_date
from services.domain.errors import LoginRequired, StorageError, TokenRejected, UpstoxError
from services.domain.phases import Listing, Market, Phase, PhaseNow
from services.runtime import Runtime

_mount = browser_component("frame", live=True, parts=("notices", "keys"))

KEY = "desk-frame"
EVERY = 2.0
"""Seconds between two looks; between them the browser counts by itself."""


@st.fragment(run_every=EVERY, key="frame")
def frame() -> None:
    """Draw the frame and keep it current; it also hears what symbols and keys of the page ask for."""
    leave_if_wanted()
    runtime = desk()
    try:
        reading: Reading | None = read(runtime, "frame", INDEX_KEYS)
        problem = reading.problem if reading else None
    except UpstoxError as error:
        reading, problem = None, error
    data = frame_data(runtime, reading, problem)
    _mount(
        key=KEY,
        data={**data, "word": feed_word(runtime), "push": push_door(push_tokens().renew)},
        on_wanted_change=_wanted,
    )


def _wanted() -> None:
    want_from_browser(getattr(st.session_state.get(KEY), "wanted", None))


def frame_data(runtime: Runtime, reading: Reading | None, problem: UpstoxError | None) -> dict[str, Any]:
    """What the browser draws. Figures that are not known are `None`."""
    look = mode_look(runtime.settings)
    clockwork = reading.clockwork() if reading else {"speed": 1.0, "in_session": False, "stale_after": 0}
    return {
        **clockwork,
        "mode": look.name,
        "tone": look.tone,
        "meaning": look.meaning,
        "keys": list(INDEX_KEYS),
        "age": reading.youngest if reading else None,
        "age_of_feed": reading is not None and reading.newest is not None and reading.of_feed(reading.newest),
        "made": _made(reading),
        "now": epoch_ms(runtime.clock.now()),
        **_source(runtime),
        **_phase(runtime),
        **_orders(runtime, problem),
    }


def _made(reading: Reading | None) -> int | None:
    """When the newest of these prices was made. While nothing is traded a price comes again and again: its age since
    it came would tell it to be fresh."""
    made = [member(row, "last_trade_ms") for row in reading.rows.values()] if reading else []
    return max((at for at in made if at is not None), default=None)


def _orders(runtime: Runtime, problem: UpstoxError | None) -> dict[str, Any]:
    """What happened to orders lately, whether new ones may leave at all, and what is in the way of prices or orders."""
    orders = runtime.orders
    halted = False
    try:
        halted = orders.kill_switch().on
    except StorageError as error:  # nothing leaves then, switch or not
        problem = error
    return {
        "news": latest(orders, runtime.clock.now()),
        "halted": halted,
        "problem": in_words(problem).title if problem else None,
        "login": isinstance(problem, LoginRequired | TokenRejected) or runtime.feed.health().needs_login,
    }


def _source(runtime: Runtime) -> dict[str, str]:
    source = runtime.source
    return {
        "source": f"Prices: {source.label}",
        "source_help": f"Prices come from {runtime.broker.label}"
        + ("; they are made up and are not the market" if source.kind == "simulated" else ""),
    }


def _phase(runtime: Runtime) -> dict[str, Any]:
    now, phase = runtime.clock.now(), nse_phase(runtime.calendar)
    nse = phase_words(phase)
    if runtime.source.practice:
        return {
            "phase": f"Practice session, every market open ({nse})",
            "phase_state": Phase.OPEN.value,
            "phase_help": f"The paper broker trades around the clock. The real NSE: {sentence(phase)}",
            "phase_left": None,
            "phase_then": "",
        }
    nse += f", {day}" if (day := occasion(runtime.calendar.current.day(Market.NSE, ist_date(now)), now)) else ""
    disputed = [one for one in runtime.calendar.state().contradictions if one.market is Market.NSE]
    doubts = [f"{one.source} says {one.broker_says}, the calendar says {one.table_says}." for one in disputed]
    left = None if phase.until is None else (phase.until - now).total_seconds()
    soon = left is not None and left < 24 * 3600
    then = _then(phase)
    return {
        "phase": nse if soon or phase.until is None else f"{nse}, {then or 'until'} {ist_when(phase.until, now)}",
        "phase_state": phase.phase.value,
        "phase_doubt": "disputed" if disputed else "" if phase.confirmed else "unconfirmed",
        "phase_help": " ".join([sentence(phase), *doubts]),
        "phase_left": left if soon else None,
        "phase_then": then if soon else "",
    }


def nse_phase(calendar: Phases) -> PhaseNow:
    """The phase of NSE shares in one word for all of them: what the others do counts, until some are in the closing
    auction. Then that is told, for it changes which orders are taken."""
    auction = calendar.phase(Market.NSE, listing=Listing.AUCTION)
    return auction if auction.phase is Phase.CLOSING_AUCTION else calendar.phase(Market.NSE)


def phase_words(phase: PhaseNow) -> str:
    """The phase of the exchange in two or three words: NSE pre-open, limit orders only."""
    if phase.phase is Phase.UNKNOWN:
        return "NSE hours unknown"
    stage = stage_words(phase.phase, phase.stage)
    return f"NSE {PHASE_NAMES[phase.phase].lower()}" + (f", {stage}" if stage else "")


def _then(phase: PhaseNow) -> str:
    """What the countdown counts to; empty while something goes on that simply ends."""
    if phase.phase not in (Phase.CLOSED, Phase.UNKNOWN) or phase.then is None:
        return ""
    words = {Phase.OPEN: "opens", Phase.UNKNOWN: "hours unknown"}
    return words.get(phase.then) or PHASE_NAMES[phase.then].lower()
