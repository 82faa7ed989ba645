"""The frame of every page: mode, source, phase, age, trouble."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

import pytest

from dashboard.components.frame import frame_data
from services.domain.errors import NotSent
from services.domain.phases import Phase, PhaseNow
from services.domain.quotes import PriceSource
from services.settings import load_settings
from tests.support.readings import NIFTY, NOW, reading, row


def a_desk(*, source=None, phase=None, **settings):
    return SimpleNamespace(
        settings=load_settings(**settings),
        source=source or PriceSource("simulated", "simulated", practice=True),
        broker=SimpleNamespace(label="paper broker of this desk"),
        clock=SimpleNamespace(now=lambda: NOW),
        phase=lambda: phase or PhaseNow(Phase.OPEN, "until 15:30", NOW + timedelta(hours=1, minutes=24)),
    )


def test_a_practice_session_says_so_and_tells_the_real_phase_too():
    data = frame_data(a_desk(), reading(row(NIFTY)), None)

    assert data["mode"] == "Paper"
    assert data["source"] == "Prices: simulated"
    assert data["phase"] == "Practice session, every market open (NSE open)"
    assert data["phase_left"] is None
    assert data["age"] == 2.0
    assert data["problem"] is None


def test_with_real_hours_the_phase_counts_down():
    desk = a_desk(source=PriceSource("replay", "replay of 2026-08-21"))
    data = frame_data(desk, reading(row(NIFTY)), None)

    assert data["source"] == "Prices: replay of 2026-08-21"
    assert data["phase"] == "NSE open"
    assert data["phase_left"] == 84 * 60


@pytest.mark.parametrize(
    ("phase", "text", "left"),
    [
        (PhaseNow(Phase.CLOSED, "Saturday", NOW + timedelta(days=2)), "NSE closed, opens Sun 22 Nov, 14:05 IST", None),
        (PhaseNow(Phase.CLOSED, "after the close", NOW + timedelta(hours=17)), "NSE closed", 17 * 3600),
        (PhaseNow(Phase.PRE_OPEN, "pre-open session", NOW + timedelta(minutes=5)), "NSE pre-open", 300),
        (PhaseNow(Phase.UNKNOWN, "no hours are published", None), "NSE hours unknown", None),
    ],
)
def test_a_market_that_is_not_open_tells_when_it_will_be(phase, text, left):
    data = frame_data(a_desk(source=PriceSource("upstox", "Upstox"), phase=phase), None, None)

    assert (data["phase"], data["phase_left"]) == (text, left)
    assert data["phase_state"] == phase.phase.value


def test_trouble_is_named_and_ages_that_are_not_known_stay_empty():
    data = frame_data(a_desk(), None, NotSent("refused"))

    assert data["problem"] == "The broker cannot be reached"
    assert data["age"] is None


def test_live_and_rehearsal_are_named_in_words():
    live = a_desk(source=PriceSource("upstox", "Upstox"), mode="live")
    rehearsal = a_desk(mode="live", live_rehearsal=True, api_base="http://127.0.0.1:9")

    assert frame_data(live, None, None)["mode"] == "Live"
    assert frame_data(rehearsal, None, None)["mode"] == "Live rehearsal"
    assert frame_data(live, None, None)["tone"] == "live"
