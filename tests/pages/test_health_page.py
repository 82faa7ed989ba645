"""The health page over a real desk."""

from __future__ import annotations

from dataclasses import fields, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.components import health_history
from dashboard.navigation import HEALTH
from services.domain.actors import Actor, Role
from services.domain.errors import StorageError
from services.measures.snapshot import ErrorsNow
from services.runtime import Runtime
from services.storage.error_log import ErrorLog
from tests.support.measures import WELL, but

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


PARTS = [one.name for one in fields(WELL) if one.name not in ("at", "process", "clock", "problems")]
NOTHING: dict[str, Any] = dict.fromkeys(PARTS)
UNSEEN = replace(
    but("clock", offset_seconds=None),
    **NOTHING,
    problems={name: f"{name} is out of reach" for name in (*PARTS, "clock")},
)
"""Nothing but the process could be looked at."""


@pytest.mark.parametrize(
    ("tab", "parts", "empty"),
    [
        ("Calls", ["rest"], "No call was made yet"),
        ("Latency", ["feed", "orders", "cache", "push", "storage"], "nothing asked yet"),
        ("Errors and log", ["errors"], "0.0 a minute"),
        ("System", ["storage", "clock"], "no frame of the feed came"),
    ],
)
def test_what_could_not_be_looked_at_says_so_with_its_reason_and_is_never_like_nothing(
    desk: Runtime, monkeypatch: pytest.MonkeyPatch, tab: str, parts: list[str], empty: str
) -> None:
    monkeypatch.setattr(desk.measures, "snapshot", lambda: UNSEEN)

    app = page(tab)

    told = "\n".join(str(one.value) for one in (*app.markdown, *app.caption, *app.warning, *app.table))
    assert [one for one in parts if f"{one} is out of reach" not in told.replace("\\", "")] == []
    assert empty not in told


def test_errors_that_are_in_no_file_yet_are_not_told_as_none(desk: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = replace(but("storage", lost_errors=3), errors=ErrorsNow(2.4, 5.0, {"NoAnswer": 12}))
    monkeypatch.setattr(desk.measures, "snapshot", lambda: waiting)
    monkeypatch.setattr(ErrorLog, "groups", lambda *given, **named: [])

    told = texts(page("Errors and log"))

    assert "No failed request" not in told
    assert "12 failed requests of the last 5 minutes are not in the file yet" in told
    assert "3 errors could not be kept" in told


def test_the_line_across_the_errors_is_the_threshold_of_the_rule_as_it_is_now(
    desk: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[dict[str, Any]] = []
    monkeypatch.setattr(health_history, "_mount", lambda **given: drawn.append(given["data"]))
    somebody = Actor("omar", Role.OPERATOR)

    def limit(**numbers: str) -> float | None:
        desk.alert_desk.set_rule("error_rate", somebody, **{name: Decimal(one) for name, one in numbers.items()})
        page()
        limits = {one["id"]: one["limit"] for one in drawn[-1]["charts"]}
        assert [name for name, value in limits.items() if value is not None] in ([], ["errors"])
        found: float | None = limits["errors"]
        return found

    assert limit(opens_at="3", closes_at="1") == 3.0
    assert limit(active="0") is None
    assert limit() == 10.0
