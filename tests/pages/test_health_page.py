"""The health page over a real desk."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.navigation import HEALTH
from services.domain.errors import StorageError
from services.runtime import Runtime
from services.storage.error_log import ErrorLog

APP = Path(__file__).resolve().parents[2] / "dashboard" / "app.py"
TABS = ("Alerts", "Calls", "Latency", "Errors and log", "System")


def page(tab: str | None = None) -> AppTest:
    app = AppTest.from_file(str(APP), default_timeout=60).run()
    app.switch_page(str(HEALTH)).run()
    if tab is not None:
        label = next(one.label for one in app.tabs if one.label.endswith(tab))
        app.session_state["health-tabs"] = label
        app.run()
    assert not app.exception
    return app


def texts(app: AppTest) -> str:
    parts = [*app.markdown, *app.caption, *app.warning, *app.code]
    return "\n".join(str(one.value) for one in parts)


@pytest.mark.parametrize("tab", TABS)
def test_every_tab_draws_over_a_desk_that_does_well(desk: Runtime, tab: str) -> None:
    desk.quotes.get(["NSE_EQ|INE002A01018"])

    app = page(tab)

    assert app.title[0].value == "Health"
    if tab == "Calls":
        tables = [frame.value for frame in app.dataframe]
        assert "quotes" in list(tables[0]["Operation"])
        assert "quotes" in list(tables[1]["Budget"])
    if tab == "System":
        [text] = [one.value for one in app.code]
        assert "## Measures" in text
        assert str(desk.folder) in texts(app).replace("\\", "")


def test_errors_are_told_by_cause(desk: Runtime) -> None:
    for _ in range(3):
        desk.errors.add("NoAnswer", "the broker did not answer", endpoint="GET /v3/market-quote")
    desk.errors.flush()

    app = page("Errors and log")

    [table] = [frame.value for frame in app.dataframe if "What" in frame.value.columns]
    row = table[table["Where"] == "GET /v3/market-quote"].iloc[0]
    assert (row["What"], row["Times"]) == ("The broker does not answer", 3)


def test_a_file_that_cannot_be_read_is_told_in_its_place_and_the_page_lives_on(
    desk: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def damaged(*given: object, **options: object) -> None:
        raise StorageError("market_data.db: the file is damaged")

    monkeypatch.setattr(ErrorLog, "groups", damaged)
    monkeypatch.setattr(type(desk.measures), "history", damaged)

    app = page("Errors and log")

    assert sum("the file is damaged" in str(one.value) for one in app.warning) == 2
    assert any("Log" in str(one.value) for one in app.markdown)
