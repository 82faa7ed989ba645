"""The frame of every page: mode, price source, market phase, age of the data. Renews itself without a full rerun."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboard.components.web import browser_component
from dashboard.first_start import INDEX_KEYS
from dashboard.formatting import ist_when
from dashboard.reading import Reading, read
from dashboard.resources import desk
from dashboard.theme import mode_look
from dashboard.words import in_words
from services.domain.errors import UpstoxError
from services.domain.phases import Phase, PhaseNow
from services.runtime import Runtime

_mount = browser_component("frame")

EVERY = 2.0
"""Seconds between two looks; between them the browser counts by itself."""

_PHASES = {
    Phase.PRE_OPEN: "NSE pre-open",
    Phase.OPEN: "NSE open",
    Phase.CLOSED: "NSE closed",
    Phase.UNKNOWN: "NSE hours unknown",
}


@st.fragment(run_every=EVERY, key="frame")
def frame() -> None:
    """Draw the frame and keep it current."""
    runtime = desk()
    try:
        reading: Reading | None = read(runtime, "frame", INDEX_KEYS)
        problem = reading.problem if reading else None
    except UpstoxError as error:
        reading, problem = None, error
    _mount(key="desk-frame", data=frame_data(runtime, reading, problem))


def frame_data(runtime: Runtime, reading: Reading | None, problem: UpstoxError | None) -> dict[str, Any]:
    """What the browser draws. Figures that are not known are `None`."""
    look = mode_look(runtime.settings)
    clockwork = reading.clockwork() if reading else {"speed": 1.0, "in_session": False, "stale_after": 0}
    return {
        **clockwork,
        "mode": look.name,
        "tone": look.tone,
        "meaning": look.meaning,
        "age": reading.youngest if reading else None,
        "problem": in_words(problem).title if problem else None,
        **_source(runtime),
        **_phase(runtime),
    }


def _source(runtime: Runtime) -> dict[str, str]:
    source = runtime.source
    return {
        "source": f"Prices: {source.label}",
        "source_help": f"Prices come from {runtime.broker.label}"
        + ("; they are made up and are not the market" if source.kind == "simulated" else ""),
    }


def _phase(runtime: Runtime) -> dict[str, Any]:
    now, phase = runtime.clock.now(), runtime.phase()
    nse = phase_words(phase)
    if runtime.source.practice:
        return {
            "phase": f"Practice session, every market open ({nse})",
            "phase_state": Phase.OPEN.value,
            "phase_help": f"The paper broker trades around the clock. The real market: {nse}, {phase.reason}",
            "phase_left": None,
        }
    left = None if phase.until is None else (phase.until - now).total_seconds()
    soon = left is not None and left < 24 * 3600
    until = "" if soon or phase.until is None else f", opens {ist_when(phase.until, now)}"
    return {
        "phase": f"{nse}{until}",
        "phase_state": phase.phase.value,
        "phase_help": phase.reason,
        "phase_left": left if soon else None,
    }


def phase_words(phase: PhaseNow) -> str:
    """The phase of the exchange in two or three words."""
    return _PHASES[phase.phase]
