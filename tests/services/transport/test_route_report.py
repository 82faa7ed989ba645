"""Counts and times of calls, and since when nothing succeeds."""

from __future__ import annotations

from services.transport.order_times import OrderPart, OrderTimes
from services.transport.route_report import BOUNDS_SECONDS, RouteReports
from tests.support.clocks import FakeMonotonic


def test_attempts_are_counted_by_version_and_outcome_and_answers_by_their_time() -> None:
    reports = RouteReports(monotonic=FakeMonotonic())
    reports.attempted("quotes", "v3", "2xx", 0.02)
    reports.attempted("quotes", "v3", "2xx", 0.03)
    reports.attempted("quotes", "v3", "no_answer", None)
    reports.attempted("quotes", "v2", "5xx", 99.0)
    reports.malformed("quotes", "v3")
    reports.retried("quotes", "v3")

    v3, v2 = reports.versions()

    assert v3.answers == {"2xx": 1, "no_answer": 1, "malformed": 1}
    assert (sum(v3.buckets), v3.seconds, v3.retries, v3.fallbacks) == (2, 0.05, 1, 0)
    assert v3.buckets[BOUNDS_SECONDS.index(0.025)] == 1
    assert v2.buckets[-1] == 1


def test_failures_count_from_the_first_that_no_success_has_followed() -> None:
    monotonic = FakeMonotonic()
    reports = RouteReports(monotonic=monotonic)
    assert (reports.reach().failing_for, reports.reach().succeeded_ago) == (None, None)

    reports.troubled("quotes: no answer")
    monotonic.now += 30
    reports.troubled("funds: HTTP 503")
    assert (reports.reach().failing_for, reports.reach().failure) == (30.0, "funds: HTTP 503")

    reports.succeeded()
    monotonic.now += 5
    reach = reports.reach()
    assert (reach.failing_for, reach.failure, reach.succeeded_ago) == (None, "", 5.0)


def test_an_order_s_time_is_told_in_its_three_parts() -> None:
    monotonic = FakeMonotonic()
    times = OrderTimes(monotonic=monotonic)

    times.began()
    monotonic.now += 0.2  # checks and the ledger: 20 ms; then 180 ms on the way
    times.answered(180.0, 30.0)
    times.answered(40.0, None)  # the second request of the same decision, and the broker tells nothing

    told = {part: (sum(counts), round(seconds, 3)) for part, (counts, seconds) in times.all().items()}
    assert told == {OrderPart.OWN: (1, 0.02), OrderPart.NETWORK: (2, 0.19), OrderPart.BROKER: (1, 0.03)}


def test_a_broker_that_counts_more_than_passed_makes_no_negative_time() -> None:
    times = OrderTimes(monotonic=FakeMonotonic())

    times.answered(10.0, 12.0)

    assert times.all()[OrderPart.NETWORK][1] == 0.0
