"""An hour of a trading day at speed, with faults and a desk that is killed in the middle of a write: the short form of
the simulated week (`tests/soak/test_simulated_week.py`)."""

from __future__ import annotations

from datetime import date, time, timedelta
from pathlib import Path

import pytest

from tests.support.week_audit import Audit, trouble_in
from tests.support.week_run import Plan, Week

HOUR = Plan(
    days=(date(2026, 11, 20),), after=date(2026, 11, 23), speed=400, seed=5, opens=time(13, 50), closes=time(15, 45),
    kills={0: [(time(14, 10), "trader")]}, desk=False, pause=0.15, trouble_every=1.0,
)  # fmt: skip


@pytest.mark.soak
@pytest.mark.timeout(180)
def test_after_an_hour_of_trading_with_faults_everything_agrees(tmp_path: Path) -> None:
    with Week(tmp_path, HOUR) as week:
        week.live()
        audit = Audit(week.runtime, week.broker, HOUR.days[0], HOUR.after - timedelta(days=1))

        assert audit.disagreements() == {}
        assert trouble_in(week.all_logs()) == []
        assert week.kills == ["trader"]
        assert len(audit.fills) > 10
