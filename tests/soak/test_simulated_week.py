"""A trading week on the paper broker at speed: five persons at the screen, one who trades by program, random faults,
three kills. At the end everything agrees. Long: `-m soak`.

`WEEK_SEED` (11) chooses all that is random, `WEEK_SPEED` (360) how many seconds of the week pass in a real one;
`WEEK_DAYS` (5) ends it earlier, for someone who looks for a fault.
"""

from __future__ import annotations

import os
from collections import Counter
from contextlib import ExitStack
from datetime import time, timedelta
from pathlib import Path

import pytest

from tests.support.chromium import browser_required, find_chromium
from tests.support.postgres import new_ledger_url, server_of_worker
from tests.support.week import AFTER, WEEK
from tests.support.week_audit import Audit, trouble_in, unexplained
from tests.support.week_pages import chromium
from tests.support.week_run import Plan, Week

pytestmark = [pytest.mark.soak, pytest.mark.timeout(1500)]
KILLS = {0: [(time(10, 15), "desk"), (time(11, 45), "all")], 2: [(time(13, 0), "broker")]}
"""The desk on the first day: the process that follows lives for all days but three hours of it."""


@pytest.mark.parametrize("engine", ["file", "server"])
def test_after_a_week_of_trading_with_faults_and_kills_everything_agrees(tmp_path: Path, engine: str) -> None:
    count = int(os.environ.get("WEEK_DAYS", "5"))
    after = (*WEEK, AFTER)[count]
    plan = Plan(
        days=WEEK[:count],
        after=after,
        speed=float(os.environ.get("WEEK_SPEED", "360")),
        seed=int(os.environ.get("WEEK_SEED", "11")),
        kills=KILLS,
    )
    print(f"\n{engine}: {count} days, seed {plan.seed}, speed {plan.speed:g}")
    program = find_chromium()
    assert program is not None or not browser_required(), "this run requires Chromium, and there is none"
    with ExitStack() as held:
        url = new_ledger_url() if engine == "server" else None
        if url is not None:
            held.callback(server_of_worker().drop, url)
        browser = held.enter_context(chromium(program)) if program is not None else None
        week = held.enter_context(Week(tmp_path, plan, ledger_url=url, browser=browser))
        week.live()
        audit = Audit(week.runtime, week.broker, WEEK[0], after - timedelta(days=1))
        alerts = week.runtime.alerts.all(limit=10_000)
        found = audit.disagreements()
        found["alerts"] = unexplained(alerts, week.broker)
        found["logs"] = trouble_in(week.all_logs())
        print(
            f"\n{len(audit.orders)} orders, {len(audit.fills)} fills, {len(audit.notes)} notes; {week.kills};",
            Counter(one.kind for one in week.broker.notebook), Counter(one.kind for one in alerts), week.memory,
            week.driver.counts(), week.pages and (week.pages.done, week.pages.missed, week.pages.script_errors),
            {name: "\n  ".join(lines) for name, lines in found.items() if lines}, sep="\n",
        )  # fmt: skip

        assert {name: lines for name, lines in found.items() if lines} == {}
        assert week.kills == [who for number in range(count) for _, who in KILLS.get(number, [])]
        assert len(audit.fills) > 20 * count
        for name in ("desk", "trader"):
            first, last = week.memory[name][0]["rss"], week.memory[name][-1]["rss"]
            assert last <= first * 1.1, (name, week.memory)
        assert week.pages is None or week.pages.script_errors == []
