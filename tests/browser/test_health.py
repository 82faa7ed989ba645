"""The health page in a browser, and a real Prometheus beside the same desk."""

from __future__ import annotations

import re
import urllib.request
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from dashboard.components.health_now import checks_data
from dashboard.health_series import Range, chart_data
from services.domain.clock import epoch_ms
from services.domain.health_row import HealthRow
from services.measures.checks import Check, CheckState
from tests.support.components import put, without_errors
from tests.support.desk import Desk
from tests.support.measures import NOW
from tests.support.prometheus import PROMETHEUS, Prometheus, always, board_queries, rules
from tests.support.widths import sideways

pytestmark = pytest.mark.browser
Open = Callable[..., Any]
PATIENCE_MS = 60_000
SIX, EIGHT = 6, 8
Draw = Callable[[str, Any], Any]


@pytest.fixture
def draw(chromium: Any) -> Iterator[Draw]:
    """`draw(name, data)`: a component by itself, without a desk; the page. Its time stands still but for `run_for`."""
    page = chromium.new_page()
    page.clock.install()
    with without_errors(page):
        yield partial(put, page, width=1200)
    page.close()


def test_checks_that_stay_away_are_no_pass(draw: Draw) -> None:
    page = draw("health_checks", checks_data([Check("feed", CheckState.PASS, "Prices come.", NOW, 40.0)]))
    card = page.locator("li.check")
    assert (card.locator(".state").inner_text(), card.locator(".since").inner_text()) == ("Pass", "for 40 s")

    page.clock.run_for(20_000)
    assert card.get_attribute("class") == "check old"
    assert card.locator(".state").inner_text() == "Not known"
    assert card.locator(".since").inner_text().startswith('it was "Pass" 2')
    assert page.get_by_role("status").inner_text() == "The checks do not come any more"

    page.evaluate("mount(component)")
    assert card.get_attribute("class") == "check pass"


def test_a_figure_of_the_charts_tells_how_old_it_may_be_and_is_never_called_the_present(draw: Draw) -> None:
    half_an_hour_ago = epoch_ms(NOW - timedelta(minutes=30))
    data = chart_data([HealthRow(half_an_hour_ago, 10.0, errors=7.0)], Range.WEEK, NOW, {"error_rate": 4.0})
    page = draw("health_charts", {**data, "speed": 1.0, "label": "A week"})
    errors, memory = (page.locator("li.chart", has_text=name) for name in ("Errors", "Memory"))

    told = errors.locator("svg").get_attribute("aria-label")
    found = re.search(r"errors: 7\.0, up to (\d+) min old, 7\.0 at most; an alert opens above 4\.0", told)
    assert found is not None, told
    assert 30 <= int(found[1]) <= 3 * 42
    assert errors.locator("time").inner_text() == f"up to {found[1]} min old"
    assert errors.locator("line.limit").count() == 1
    assert page.locator("line.limit").count() == 1
    assert errors.locator(".legend .limit").inner_text() == "alert above 4"
    assert page.locator(".legend .limit").count() == 1
    assert "memory: no figures in this time" in memory.locator("svg").get_attribute("aria-label")
    assert memory.locator("time").inner_text() == ""
    page.clock.run_for(600_000)
    assert errors.locator("time").inner_text() == f"up to {int(found[1]) + 10} min old"


def test_the_page_tells_how_the_desk_does_and_where_to_look_further(desk: Desk, open_page: Open) -> None:
    page = open_page(f"{desk.url}/health")
    checks, charts = page.locator("li.check"), page.locator("li.chart")
    checks.nth(SIX - 1).wait_for()
    charts.nth(EIGHT - 1).wait_for()

    assert checks.count() == SIX
    assert charts.count() == EIGHT
    for number in range(SIX):
        card = checks.nth(number)
        card.locator(".state", has_text=re.compile("^(Pass|Warn|Fail)$")).wait_for()
        assert len(card.locator(".reason").inner_text()) > 5
        card.locator(".since", has_text=re.compile(r"^for \d+")).wait_for()
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

    wider = sideways(page)
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
