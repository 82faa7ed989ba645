"""The health page in a browser, and a real Prometheus beside the same desk."""

from __future__ import annotations

import re
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.desk import Desk
from tests.support.prometheus import PROMETHEUS, Prometheus, always, board_queries, rules

pytestmark = pytest.mark.browser
Open = Callable[..., Any]
PATIENCE_MS = 60_000
SIX, EIGHT = 6, 8


def test_the_page_tells_how_the_desk_does_and_where_to_look_further(desk: Desk, open_page: Open) -> None:
    page = open_page(f"{desk.url}/health")
    checks, charts = page.locator("li.check"), page.locator("li.chart")
    checks.nth(SIX - 1).wait_for()
    charts.nth(EIGHT - 1).wait_for()

    assert checks.count() == SIX
    assert charts.count() == EIGHT
    for number in range(SIX):
        card = checks.nth(number)
        assert card.locator(".state").inner_text() in {"Pass", "Warn", "Fail"}
        assert len(card.locator(".reason").inner_text()) > 5
        assert re.match(r"for \d+", card.locator(".since").inner_text())
    assert "Calls to the broker, a minute" in (charts.first.locator("svg.plot").get_attribute("aria-label") or "")

    page.get_by_role("radio", name="7 days").click()
    page.wait_for_url("**health-range=7*")
    page.get_by_role("tab", name="Calls").click()
    page.get_by_text("Calls by operation").wait_for()
    page.get_by_role("tab", name="Latency").click()
    page.locator("li.hop").nth(3).wait_for()
    page.get_by_role("tab", name="System").click()
    page.get_by_role("button", name="Copy diagnostics").click()
    page.get_by_text(re.compile(r"Copied, \d+ lines")).wait_for()


def test_on_a_phone_nothing_is_wider_than_the_screen(desk: Desk, open_page: Open) -> None:
    page = open_page(f"{desk.url}/health", width=390, height=844, scheme="dark")
    page.locator("li.chart").nth(EIGHT - 1).wait_for()

    wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    widest = max(box["x"] + box["width"] for box in page.locator("li.check, li.chart").evaluate_all(
        "all => all.map(one => { const b = one.getBoundingClientRect(); return { x: b.x, width: b.width } })"
    ))  # fmt: skip

    assert wider <= 0
    assert widest <= 390


@pytest.mark.skipif(PROMETHEUS is None, reason="no Prometheus here (apt install prometheus)")
def test_every_expression_of_board_and_rules_returns_data_of_this_desk(
    desk: Desk, open_page: Open, tmp_path: Path
) -> None:
    page = open_page(f"{desk.url}/quotes")  # somebody looks at prices, so they come
    page.wait_for_function("globalThis.deskLive?.alive && deskLive.socket?.readyState === 1", timeout=PATIENCE_MS)
    with urllib.request.urlopen(f"{desk.url}/metrics", timeout=30) as answer:
        assert answer.headers["Content-Type"].startswith("text/plain; version=")

    with Prometheus(tmp_path, f"127.0.0.1:{desk.port}") as prometheus:
        assert prometheus.without_data(['up{job="desk"} == 1']) == []
        shipped = list(rules(prometheus))
        queries = board_queries()
        queries += [one["name"] for one in shipped if one["type"] == "recording"]
        queries += [always(one["query"]) for one in shipped if one["type"] == "alerting"]
        assert len(shipped) > 15
        assert prometheus.without_data(queries) == []
        assert {one["name"]: one["lastError"] for one in rules(prometheus) if one.get("lastError")} == {}
