"""Rates and plans of one's own: dated, over the published ones, for everybody of the ledger, and back again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa

from services.domain.errors import Forbidden, InvalidRequest, StorageError
from services.domain.orders import Side
from services.ledger.audit import Audit
from services.ledger.engine import Ledger
from services.ledger.pnl_tables import charge_settings
from services.pnl.rates import ChargeRates
from services.portfolio.charges.kinds import Kind, Line
from services.portfolio.charges.plan import PLUS_PLAN, STANDARD_PLAN
from services.portfolio.charges.table import STANDARD
from services.portfolio.records import PlanChoice, RateKey, RuleOf
from tests.support.clocks import FakeClock
from tests.support.ledger import NOW, OPERATOR, TRADER, new_ledger

ON_BOTH = True

STT = RateKey(Line.STT, Kind.OPTION, side=Side.SELL)
DAY = date(2026, 11, 20)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with closing(new_ledger(tmp_path)) as made:
        yield made


@pytest.fixture
def rates(ledger: Ledger) -> ChargeRates:
    return ChargeRates(ledger, FakeClock(NOW))


def stt(rates: ChargeRates, on: date) -> Decimal:
    return rates.current().rates.rate(Line.STT, Kind.OPTION, "NSE", Side.SELL, on).percent


def test_while_nothing_is_set_the_published_rates_and_the_standard_plan_hold(rates: ChargeRates) -> None:
    now = rates.current()

    assert (now.rates, now.plan, now.published) == (STANDARD, STANDARD_PLAN, True)
    assert rates.current() is now


def test_a_rate_of_ones_own_holds_from_its_day_until_the_next_one_begins(rates: ChargeRates) -> None:
    rates.set_rate(STT, date(2025, 7, 1), Decimal("0.1234567"), OPERATOR, source=" my broker's  letter ")

    assert [stt(rates, on) for on in (date(2025, 6, 30), date(2025, 7, 1), date(2026, 3, 31), date(2026, 4, 1))] == [
        Decimal("0.1"), Decimal("0.1234567"), Decimal("0.1234567"), Decimal("0.15"),
    ]  # fmt: skip
    (override,) = rates.current().overrides
    assert (override.rate.source, override.rate.percent, override.actor) == (
        "my broker's letter", Decimal("0.1234567"), OPERATOR,
    )  # fmt: skip
    assert not rates.current().published


def test_a_second_rate_of_the_same_day_takes_the_place_of_the_first_and_the_audit_keeps_both(
    rates: ChargeRates, ledger: Ledger
) -> None:
    first = rates.set_rate(STT, DAY, Decimal("0.2"), OPERATOR, source="a")
    second = rates.set_rate(STT, DAY, Decimal("0.3"), OPERATOR, source="b")
    same = rates.set_rate(STT, DAY, Decimal("0.30"), OPERATOR, source="b")

    assert (rates.current().overrides, stt(rates, DAY)) == ((second,), Decimal("0.3"))
    assert (same.id, second.id) == (second.id, first.id + 1)
    with pytest.raises(InvalidRequest, match="reset already"):
        rates.reset_rate(first.id, OPERATOR)
    rates.reset_rate(second.id, OPERATOR)
    assert stt(rates, DAY) == Decimal("0.15")
    acts = Audit(ledger, FakeClock(NOW)).about("stt of equity option")
    assert [act.what for act in acts] == ["charge rate reset", "charge rate set", "charge rate set"]
    assert acts[1].before is not None
    assert acts[1].before["percent"] == "0.2"


def test_a_plan_is_chosen_and_rules_of_ones_own_come_last(rates: ChargeRates) -> None:
    rates.choose(PlanChoice(PLUS_PLAN.name, gst_on_sebi=False), OPERATOR)
    assert rates.current().plan.brokerage_of(Kind.OPTION, DAY).flat == 30

    rates.set_brokerage([Kind.DELIVERY], date(2025, 6, 1), Decimal("15.5"), None, OPERATOR, source="offer")
    rates.set_brokerage(
        [Kind.OPTION, Kind.DELIVERY], date(2024, 6, 1), Decimal(10), Decimal("0.03"), OPERATOR, source="offer"
    )
    rates.set_fee(RuleOf.DEPOSITORY, date(2025, 1, 1), Decimal("13.25"), OPERATOR, source="schedule")
    rates.set_fee(RuleOf.ASSISTED, DAY, Decimal(0), OPERATOR, source="schedule")

    plan = rates.current().plan
    assert (plan.gst_on_sebi, plan.gst_on_dp, plan.name) == (False, True, PLUS_PLAN.name)
    delivery = [plan.brokerage_of(Kind.DELIVERY, on) for on in (date(2024, 5, 31), date(2024, 6, 1), date(2025, 6, 1))]
    assert [(one.flat, one.percent) for one in delivery] == [
        (20, Decimal("2.5")), (10, Decimal("0.03")), (Decimal("15.5"), None),
    ]  # fmt: skip
    assert plan.depository_of(date(2024, 12, 31)).amount == Decimal("18.5")
    assert plan.depository_of(date(2026, 1, 1)).amount == Decimal("13.25"), "also where the plan changes later"
    assert [plan.assisted_of(on).amount for on in (date(2026, 11, 19), DAY)] == [50, 0]


def test_everything_goes_back_at_once(rates: ChargeRates) -> None:
    rates.set_rate(STT, DAY, Decimal("0.2"), OPERATOR, source="a")
    rates.choose(PlanChoice(PLUS_PLAN.name), OPERATOR)
    (rule,) = rates.set_brokerage([Kind.OPTION], DAY, Decimal(5), None, OPERATOR, source="a")
    fee = rates.set_fee(RuleOf.DEPOSITORY, DAY, Decimal(5), OPERATOR, source="a")
    assert rates.reset_rule(rule.id, OPERATOR) == rule
    assert rates.current().rules == (fee,)

    now = rates.reset_all(OPERATOR)

    assert (now.published, now.plan, now.rates) == (True, STANDARD_PLAN, STANDARD)


def test_another_window_sees_a_change_at_once_and_equal_settings_have_one_version(
    rates: ChargeRates, ledger: Ledger
) -> None:
    told: list[int] = []
    other = ChargeRates(ledger, FakeClock(NOW), changed=lambda: told.append(1))
    before, stamp = rates.current(), rates.stamp()

    for choice in (PlanChoice(PLUS_PLAN.name), PlanChoice(PLUS_PLAN.name), PlanChoice(gst_percent=20)):
        other.choose(choice, OPERATOR)

    assert rates.stamp() != stamp
    assert rates.current().plan.gst_percent == 20
    assert rates.current().version != before.version
    assert rates.choose(PlanChoice(), OPERATOR).version == before.version
    assert len(told) == 2


@pytest.mark.parametrize("line", [Line.GST, Line.BROKERAGE, Line.DP])
def test_a_line_that_is_no_share_of_a_value_is_set_elsewhere(rates: ChargeRates, line: Line) -> None:
    with pytest.raises(InvalidRequest, match="plan"):
        rates.set_rate(RateKey(line, Kind.OPTION), DAY, Decimal(1), OPERATOR, source="a")


def test_nonsense_is_refused_and_nothing_changes(rates: ChargeRates) -> None:
    before = rates.current()

    for key, since, percent, source in (
        (STT, date(2020, 1, 1), "0.1", "a"),
        (STT, DAY, "100.1", "a"),
        (STT, DAY, "-0.1", "a"),
        (STT, DAY, "0.00000001", "a"),
        (STT, DAY, "NaN", "a"),
        (STT, DAY, "0.1", " "),
        (STT, DAY, "0.1", "a" * 201),
        (RateKey(Line.STT, Kind.OPTION, "LSE"), DAY, "0.1", "a"),
    ):
        with pytest.raises(InvalidRequest):
            rates.set_rate(key, since, Decimal(percent), OPERATOR, source=source)
    for flat, share in (("-1", None), ("20.00001", None), ("1e6", None), ("20", Decimal(101))):
        with pytest.raises(InvalidRequest):
            rates.set_brokerage([Kind.OPTION], DAY, Decimal(flat), share, OPERATOR, source="a")
    with pytest.raises(InvalidRequest):
        rates.set_brokerage([], DAY, Decimal(1), None, OPERATOR, source="a")
    with pytest.raises(InvalidRequest):
        rates.set_fee(RuleOf.BROKERAGE, DAY, Decimal(1), OPERATOR, source="a")
    with pytest.raises(InvalidRequest):
        PlanChoice("Zerodha")

    assert rates.current() is before


def test_settings_that_cannot_be_understood_are_an_error_until_they_are_reset(
    rates: ChargeRates, ledger: Ledger
) -> None:
    rates.choose(PlanChoice(PLUS_PLAN.name), OPERATOR)
    with ledger.write() as connection:
        connection.execute(sa.update(charge_settings).values(value={"name": "a plan of tomorrow"}))

    with pytest.raises(StorageError, match="choose it anew"):
        rates.current()

    assert rates.reset_all(OPERATOR).published


def test_only_an_operator_changes_what_trades_are_charged(rates: ChargeRates) -> None:
    with pytest.raises(Forbidden, match="only an operator may change what trades are charged"):
        rates.set_rate(STT, DAY, Decimal("0.2"), TRADER, source="a")

    assert rates.current().overrides == ()
