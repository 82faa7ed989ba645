"""Fifty changes of who holds the feed, before real browsers: killed, stopped and woken, Redis lost. Long: `-m soak`."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tests.support.chromium import LAUNCH_ARGUMENTS, find_chromium
from tests.support.many import Team
from tests.support.many_changes import CHANGES, LONGEST_GAP, gap_of
from tests.support.many_tabs import Tabs
from tests.support.many_upstream import Upstream
from tests.support.servers import until

pytestmark = [pytest.mark.soak, pytest.mark.timeout(7200)]
NUMBER = int(os.environ.get("LEASE_CHANGES", "50"))


@pytest.mark.browser
def test_fifty_lease_changes_leave_one_upstream_socket_and_every_browser_with_prices(tmp_path: Path) -> None:
    sync_api = pytest.importorskip("playwright.sync_api")
    gaps: list[tuple[str, float]] = []
    with Team(tmp_path / "team") as team, sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=find_chromium(), args=list(LAUNCH_ARGUMENTS))
        tabs = Tabs(team, chromium)
        pages = [tabs.open(name, "quotes") for name in team.names[:2]]
        for page in pages:
            page.wait_for_function("window.ticks.length > 3")
        with Upstream(team) as upstream:
            for number in range(NUMBER):
                kind = list(CHANGES)[number % len(CHANGES)]
                gaps.append((kind, gap_of(CHANGES[kind], team, pages)))
                print(number, *gaps[-1], upstream.most, flush=True)
        tabs.close()
        chromium.close()
        stale = sum(team.labelled(name, "desk_fanout_stale_total") for name in team.names)

    print(f"{NUMBER} changes, {upstream.looks} looks, batches of a stale holder refused: {stale:.0f}")
    assert upstream.most == {"market": 1, "portfolio": 1}
    assert upstream.looks > NUMBER * 20
    assert [gap for gap in gaps if gap[1] > LONGEST_GAP] == []


def test_with_postgresql_away_every_process_goes_on_and_says_so_and_needs_no_restart(tmp_path: Path) -> None:
    def shared(name: str) -> dict[str, str]:
        answer = team.own(name, "/readyz")
        assert answer.status_code == 200  # no process would do better than another
        return next(one for one in answer.json()["checks"] if one["check"] == "shared")  # type: ignore[no-any-return]

    with Team(tmp_path / "team") as team, team.browser() as browser:
        team.sign_in(browser)
        assert browser.get(f"{team.url}/orders").status_code == 200
        before = {name: team.programs[name].pid for name in team.names}

        team.programs["postgres"].stop()
        for name in team.names:
            until("it is noticed", lambda name=name: shared(name)["state"] == "fail")  # type: ignore[misc]
            assert "Orders are refused until it answers" in shared(name)["reason"]
            assert team.figures(name)["desk_orders_ready"] == 0.0
        time.sleep(8.0)  # longer than a look at a sign-in is good for
        assert browser.get(f"{team.url}/orders").status_code == 200
        with team.browser() as stranger:
            assert team.sign_in(stranger).status_code == 503

        team.start("postgres")
        for name in team.names:
            until("it is back", lambda name=name: shared(name)["state"] == "pass")  # type: ignore[misc]
            until("orders go", lambda name=name: team.figures(name)["desk_orders_ready"] == 1.0)  # type: ignore[misc]
        assert {name: team.programs[name].pid for name in team.names} == before
        with team.browser() as stranger:
            assert team.sign_in(stranger).status_code == 303
