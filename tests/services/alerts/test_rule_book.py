"""Rules as people set them."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from services.alerts import rules as r
from services.domain.errors import InvalidRequest
from services.ledger.audit import Audit
from services.measures.snapshot import ErrorsNow
from tests.support.alerts import OPERATOR, Bench, alerting


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with alerting(tmp_path) as made:
        yield made


def test_an_operator_changes_a_rule_and_it_holds_after_a_restart(bench: Bench) -> None:
    bench.desk.set_rule(r.ERROR_RATE, OPERATOR, opens_at=Decimal(2), closes_at=Decimal(1))
    bench.close()
    bench.start()

    bench.round(errors=ErrorsNow(3.0, 5.0, {"NoAnswer": 15}))
    assert ("error_rate", "") in bench.open()
    bench.desk.set_rule(r.ERROR_RATE, OPERATOR, active=Decimal(0))
    bench.round()
    assert bench.open() == {}

    acts = [(act.what, act.target) for act in Audit(bench.ledger, bench.clock).recent()]
    assert acts == [("alert rule", "error_rate")] * 2


def test_a_rule_that_makes_no_sense_is_refused(bench: Bench) -> None:
    with pytest.raises(InvalidRequest, match="other way round"):
        bench.desk.set_rule(r.ERROR_RATE, OPERATOR, opens_at=Decimal(2), closes_at=Decimal(3))
    with pytest.raises(InvalidRequest, match="no alert rule"):
        bench.desk.set_rule("nonsense", OPERATOR, active=Decimal(0))
