"""Pages tell what is looked at, where somebody wants to know."""

from __future__ import annotations

import pytest

from dashboard.first_start import FIRST_KEYS
from services.runtime import Runtime
from tests.support.screens import open_page


class Listener:
    """Instead of a warmer."""

    def __init__(self) -> None:
        self.told: dict[str, dict[str, str]] = {}

    def saw(self, page: str, whats: list[str], detail: str = "") -> None:
        self.told.setdefault(page, {}).update(dict.fromkeys(whats, detail))

    def step(self, stopped: object = None) -> float:
        return 60.0


def test_charts_and_watchlists_are_told_with_what_they_show(desk: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    listener = Listener()
    monkeypatch.setitem(desk._made, "warming", listener)

    charts = open_page("candles")
    quotes = open_page("quotes")

    assert not charts.exception
    assert not quotes.exception
    assert set(listener.told["quotes"]) == set(FIRST_KEYS)
    ((key, detail),) = listener.told["candles"].items()
    interval, days = detail.split()
    assert "|" in key
    assert interval
    assert int(days) >= 0
