"""A team's desk as its people see it: four processes behind the real balancer, while the one that holds the feed is
killed, or stopped and woken, and while Redis is lost. Fifty such changes: `tests/soak/test_many.py`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.many import Team
from tests.support.many_changes import LONGEST_GAP, gap_of, lose_holder, lose_redis, pause
from tests.support.many_tabs import Tabs, longest_gap, place
from tests.support.many_upstream import Upstream
from tests.support.servers import until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]
TICKET = "orders?key=NSE_EQ%7CINE002A01018"


@pytest.fixture(scope="module")
def whole_team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    with Team(tmp_path_factory.mktemp("team")) as team:
        yield team


@pytest.fixture
def team(whole_team: Team) -> Team:
    """Every process runs, whatever the test before has ended."""
    for name in whole_team.names:
        if not whole_team.programs[name].runs:
            whole_team.start(name)
    until("every process is ready", whole_team.all_ready)
    return whole_team


@pytest.fixture
def tabs(team: Team, chromium: Any) -> Iterator[Tabs]:
    tabs = Tabs(team, chromium)
    yield tabs
    tabs.close()


def group(page: Any, name: str) -> None:
    """Show the orders of that group."""
    page.get_by_role("radio", name=re.compile(f"^{name} ")).or_(
        page.get_by_role("button", name=re.compile(f"^{name} [0-9]"))
    ).first.click()


def test_prices_and_orders_go_on_in_every_browser_when_the_process_that_holds_the_feed_is_killed(
    team: Team, tabs: Tabs
) -> None:
    assert [name for name in team.programs if not team.healthy(name)] == []
    holder = until("somebody holds the feed", team.holder)
    others = [name for name in team.names if name != holder]
    other = others[0]
    pages = {name: tabs.open(name, "quotes") for name in (holder, other)}
    for name, page in pages.items():
        page.wait_for_function("window.ticks.length > 3")
        assert place(page) == name
    until("the holder is connected", lambda: [len(team.upstream()[feed]) for feed in ("market", "portfolio")] == [1, 1])

    with Upstream(team) as upstream:
        heir = lose_holder(team, holder)
        for page in pages.values():
            page.evaluate("window.before = window.ticks.length")
            page.wait_for_function("window.ticks.length > window.before + 5")

    gaps = {name: longest_gap(page) for name, page in pages.items()}
    assert heir != holder
    assert place(pages[holder]) != holder
    assert place(pages[other]) == other
    assert max(gaps.values()) <= LONGEST_GAP, gaps
    assert upstream.most == {"market": 1, "portfolio": 1}
    until("the heir is connected", lambda: [len(team.upstream()[feed]) for feed in ("market", "portfolio")] == [1, 1])

    book, page = tabs.open(other, "orders"), tabs.open(next(name for name in others if name != other), TICKET)
    page.goto(f"{team.url}/{TICKET}")
    page.get_by_label("Quantity", exact=True).fill("5")
    page.get_by_label("Quantity", exact=True).press("Enter")
    page.get_by_role("button", name="Review: Buy 5 RELIANCE").click()
    page.get_by_role("dialog").get_by_role("button", name="Buy 5 RELIANCE").click()
    page.get_by_role("dialog").get_by_text("The broker has the order").wait_for()
    page.get_by_role("dialog").get_by_role("button", name="Close", exact=True).last.click()
    group(book, "All")
    book.locator('table[aria-label$="orders"] tbody tr').get_by_text("RELIANCE").first.wait_for()
    assert (place(book), len(team.orders())) == (other, 1)


def test_a_holder_that_wakes_and_a_redis_that_forgot_everything_leave_one_feed_and_every_browser_with_prices(
    team: Team, tabs: Tabs
) -> None:
    pages = [tabs.open(name, "quotes") for name in team.names[:2]]
    for page in pages:
        page.wait_for_function("window.ticks.length > 3")

    with Upstream(team) as upstream:
        gaps = [gap_of(change, team, pages) for change in (pause, lose_redis)]

    assert max(gaps) <= LONGEST_GAP, gaps
    assert upstream.most == {"market": 1, "portfolio": 1}
