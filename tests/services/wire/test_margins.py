from __future__ import annotations

from decimal import Decimal

import pytest

from services.domain.errors import MalformedPayload
from services.wire.margins import parse_charges, parse_margin
from tests.support.payloads import data


def test_margin_of_two_lines_that_hedge_each_other() -> None:
    margin = parse_margin(data("margin"))

    assert (margin.required, margin.final) == (Decimal("163622.05"), Decimal("151404.7525"))
    assert [line.total for line in margin.lines] == [Decimal("34086.0"), Decimal("129536.05")]
    assert (margin.lines[1].span, margin.lines[1].exposure) == (Decimal("98211.15"), Decimal("31204.4"))


def test_charges_sum_up_to_their_total() -> None:
    charges = parse_charges(data("brokerage"))

    parts = (
        charges.brokerage, charges.gst, charges.stt, charges.stamp_duty, charges.transaction, charges.clearing,
        charges.ipft, charges.sebi_turnover,
    )  # fmt: skip
    assert (charges.total, charges.dp_plan, charges.dp_min_expense) == (Decimal("47.93"), "DP3A", Decimal("18.5"))
    assert abs(sum(parts) - charges.total) < 1


@pytest.mark.parametrize("spelling", ["other_taxes", "otherTaxes"])
def test_charges_under_the_other_spellings(spelling: str) -> None:
    raw = data("brokerage")
    raw["charges"][spelling] = raw["charges"].pop("other_charges")
    raw["charges"]["dpPlan"] = raw["charges"].pop("dp_plan")

    assert parse_charges(raw) == parse_charges(data("brokerage"))


def test_a_part_that_is_null_counts_as_nothing_and_a_missing_total_does_not() -> None:
    raw = data("brokerage")
    raw["charges"]["other_charges"]["ipft"] = None
    raw["charges"]["dp_plan"] = None
    assert parse_charges(raw).ipft == 0

    del raw["charges"]["total"]
    with pytest.raises(MalformedPayload):
        parse_charges(raw)
