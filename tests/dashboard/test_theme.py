"""Paper, live and rehearsal can be told apart at a glance, and by words."""

from __future__ import annotations

from streamlit import config

from dashboard.theme import LIVE, PAPER, REHEARSAL, accent_options, mode_look
from services.settings import load_settings


def test_each_mode_has_a_name_and_a_tone_of_its_own():
    looks = (PAPER, LIVE, REHEARSAL)

    assert len({look.name for look in looks}) == len({look.tone for look in looks}) == 3


def test_the_look_follows_the_settings():
    assert mode_look(load_settings()) is PAPER
    assert mode_look(load_settings(mode="live")) is LIVE
    rehearsal = load_settings(mode="live", live_rehearsal=True, api_base="http://127.0.0.1:9")
    assert mode_look(rehearsal) is REHEARSAL


def test_live_and_rehearsal_change_the_accent_and_paper_keeps_the_themes():
    assert accent_options(PAPER) == {}
    assert accent_options(LIVE).values() != accent_options(REHEARSAL).values()
    known = config.get_config_options()
    assert all(name in known for name in accent_options(LIVE))
