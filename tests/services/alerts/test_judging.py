"""When an alert opens and when it is over: thresholds, hysteresis, patience, cool-down."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from services.alerts.judging import Finding, Judge, Verdict
from services.alerts.rules import RULES, Rule
from services.ledger.alerts import Severity

RULE = Rule("rate", "Rate", "", Severity.WARNING, 10.0, 5.0, "a minute")


def look(judge: Judge, value: float | None, at: float, rule: Rule = RULE) -> list[Verdict]:
    findings = [] if value is None else [Finding(value, "told")]
    return [verdict for verdict, _, _ in judge.look(rule, findings, at)]


def test_it_opens_above_the_threshold_and_closes_only_below_the_lower_one() -> None:
    judge = Judge("rate")

    assert look(judge, 10.0, 0) == [], "to reach it is not to exceed it"
    assert look(judge, 10.1, 1) == [Verdict.OPEN]
    assert look(judge, 7.0, 2) == [Verdict.STILL], "between the two nothing changes"
    assert look(judge, 5.0, 3) == [Verdict.CLOSE]
    assert look(judge, 7.0, 4) == []


def test_a_figure_that_is_bad_when_low_works_the_other_way_round() -> None:
    judge, rule = Judge("disk"), replace(RULE, falling=True, opens_at=500.0, closes_at=700.0)

    assert look(judge, 500.0, 0, rule) == []
    assert look(judge, 499.0, 1, rule) == [Verdict.OPEN]
    assert look(judge, 650.0, 2, rule) == [Verdict.STILL]
    assert look(judge, 700.0, 3, rule) == [Verdict.CLOSE]


def test_what_lasts_too_short_opens_nothing_and_a_short_calm_closes_nothing() -> None:
    judge, rule = Judge("rate"), replace(RULE, for_seconds=5.0, calm_seconds=10.0)

    assert look(judge, 20.0, 0, rule) == []
    assert look(judge, 1.0, 3, rule) == []
    assert look(judge, 20.0, 4, rule) == [], "the patience begins anew"
    assert look(judge, 20.0, 9, rule) == [Verdict.OPEN]
    assert look(judge, 1.0, 10, rule) == []
    assert look(judge, 20.0, 15, rule) == [Verdict.STILL]
    assert look(judge, 1.0, 20, rule) == []
    assert look(judge, 1.0, 30, rule) == [Verdict.CLOSE]


def test_after_it_closed_it_does_not_come_again_before_the_cool_down() -> None:
    judge, rule = Judge("rate"), replace(RULE, cool_down_seconds=300.0)
    look(judge, 20.0, 0, rule)
    assert look(judge, None, 10, rule) == [Verdict.CLOSE], "nothing found any more is over"

    assert look(judge, 20.0, 100, rule) == []
    assert look(judge, 20.0, 311, rule) == [Verdict.OPEN]


def test_subjects_stand_for_themselves() -> None:
    judge = Judge("rate")

    told = judge.look(RULE, [Finding(20.0, "a", "a"), Finding(1.0, "b", "b")], 0)
    assert [(verdict, subject) for verdict, subject, _ in told] == [(Verdict.OPEN, "a")]
    told = judge.look(RULE, [Finding(20.0, "b", "b")], 1)
    assert {(verdict, subject) for verdict, subject, _ in told} == {(Verdict.CLOSE, "a"), (Verdict.OPEN, "b")}


def test_a_rule_that_is_turned_off_ends_what_it_opened() -> None:
    judge = Judge("rate")
    look(judge, 20.0, 0)

    assert look(judge, 20.0, 1, replace(RULE, active=False, calm_seconds=60.0)) == [Verdict.CLOSE]
    assert look(judge, 20.0, 2, replace(RULE, active=False)) == []


def test_what_was_open_before_the_start_is_closed_and_not_opened_again() -> None:
    judge = Judge("rate")
    judge.adopt([""])

    assert look(judge, 20.0, 0) == [Verdict.STILL]
    assert look(judge, 1.0, 1) == [Verdict.CLOSE]


@settings(max_examples=50)
@given(
    values=st.lists(st.one_of(st.none(), st.floats(0, 30)), max_size=60),
    rule=st.sampled_from(RULES),
    step=st.floats(0.1, 200),
)
def test_openings_and_closings_take_turns_whatever_comes(values: list[float | None], rule: Rule, step: float) -> None:
    judge, is_open = Judge(rule.kind), False
    for place, value in enumerate(values):
        for verdict in look(judge, value, place * step, rule):
            if verdict is Verdict.STILL:
                assert is_open
            else:
                assert is_open is (verdict is Verdict.CLOSE)
                is_open = verdict is Verdict.OPEN
        assert is_open == bool(judge.open_subjects)
