"""When watched quotes are fetched, and together with which others."""

from __future__ import annotations

import math

from services.domain.refresh_plan import LONGEST_WAIT, SHORTEST_WAIT, plan_refresh


def test_nothing_is_fetched_long_before_it_expires() -> None:
    plan = plan_refresh({"a": 1.0, "b": 2.0}, ttl=5, fetch_seconds=0.1, chunk=500)

    assert plan.keys == ()
    assert plan.wait == LONGEST_WAIT


def test_the_wait_ends_when_the_oldest_falls_due() -> None:
    plan = plan_refresh({"a": 4.5}, ttl=5, fetch_seconds=0.1, chunk=500)

    assert plan.keys == ()
    assert math.isclose(plan.wait, 0.2)


def test_one_that_is_about_to_expire_takes_the_others_along() -> None:
    plan = plan_refresh({"young": 0.5, "due": 4.8, "older": 2.0}, ttl=5, fetch_seconds=0.1, chunk=500)

    assert plan.keys == ("due", "older", "young")


def test_no_request_is_made_for_the_sake_of_the_others() -> None:
    ages = {"due": 4.8, "x": 1.0, "y": 3.0, "z": 2.0}

    assert plan_refresh(ages, ttl=5, fetch_seconds=0.1, chunk=2).keys == ("due", "y")
    assert plan_refresh(ages, ttl=5, fetch_seconds=0.1, chunk=1).keys == ("due",)


def test_a_slow_broker_is_asked_earlier() -> None:
    assert plan_refresh({"a": 3.2}, ttl=5, fetch_seconds=1.0, chunk=500).keys == ("a",)
    assert plan_refresh({"a": 2.0}, ttl=5, fetch_seconds=60.0, chunk=500).keys == ()


def test_what_was_never_told_and_what_comes_from_the_future_is_due() -> None:
    assert plan_refresh({"a": math.inf}, ttl=5, fetch_seconds=0, chunk=500).keys == ("a",)
    assert plan_refresh({"a": -3600.0}, ttl=5, fetch_seconds=0, chunk=500).keys == ("a",)


def test_nobody_is_kept_busy() -> None:
    assert plan_refresh({}, ttl=5, fetch_seconds=0, chunk=500).wait == LONGEST_WAIT
    assert plan_refresh({"a": 4.69999}, ttl=5, fetch_seconds=0, chunk=500).wait == SHORTEST_WAIT
