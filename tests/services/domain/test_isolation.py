"""Bad keys are found without losing the good ones, and at a bounded price."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.domain.errors import BadInstrumentKey, BrokerFault, NoAnswer
from services.domain.isolation import fetch_isolating
from tests.support.quotes import FakeBroker, keys


def test_a_good_batch_is_one_call() -> None:
    broker = FakeBroker()

    result = fetch_isolating(broker, keys(500))

    assert (result.calls, len(result.asked), result.bad, result.failed) == (1, 500, {}, {})


def test_the_first_key_that_the_broker_names_is_asked_for_alone_before_it_is_called_bad() -> None:
    broker = FakeBroker()
    broker.bad = {keys(500)[123]}

    result = fetch_isolating(broker, keys(500))

    assert set(result.bad) == broker.bad
    assert len(result.asked) == 499
    assert result.calls == 3


def test_further_names_cost_no_call_of_their_own() -> None:
    broker = FakeBroker()
    broker.bad = set(keys(500)[100:140])

    result = fetch_isolating(broker, keys(500))

    assert set(result.bad) == broker.bad
    assert len(result.asked) == 460
    assert result.calls == 42


def test_a_broker_that_names_the_wrong_key_costs_no_good_one() -> None:
    broker = FakeBroker()
    broker.bad = {keys(9)[7]}

    def misnaming(asked: Sequence[str]) -> object:
        try:
            return broker(asked)
        except BadInstrumentKey as error:
            raise BadInstrumentKey("bad", status=400, invalid_value=asked[0]) from error

    result = fetch_isolating(misnaming, keys(9))

    assert set(result.bad) == broker.bad
    assert sorted([*result.asked, *result.bad]) == sorted(keys(9))


def test_a_key_that_is_not_named_is_found_by_halving() -> None:
    broker = FakeBroker()
    broker.bad, broker.names_the_bad = {keys(500)[123]}, False

    result = fetch_isolating(broker, keys(500))

    assert set(result.bad) == broker.bad
    assert len(result.asked) == 499
    assert result.calls <= 19


@given(
    total=st.integers(1, 40),
    bad=st.sets(st.integers(0, 39), max_size=5),
    named=st.booleans(),
)
def test_every_key_is_accounted_for_once(total: int, bad: set[int], named: bool) -> None:
    broker = FakeBroker()
    broker.bad = {keys(40)[place] for place in bad if place < total}
    broker.names_the_bad = named

    result = fetch_isolating(broker, keys(total), most_calls=1000)

    assert set(result.bad) == broker.bad
    assert sorted([*result.asked, *result.bad]) == sorted(keys(total))
    assert not result.failed


def test_very_many_bad_keys_end_in_failures_not_in_endless_calls() -> None:
    broker = FakeBroker()
    broker.bad, broker.names_the_bad = set(keys(500)), False

    result = fetch_isolating(broker, keys(500), most_calls=20)

    assert result.calls == 20
    assert sorted([*result.asked, *result.bad, *result.failed]) == sorted(keys(500))


@pytest.mark.parametrize("error", [NoAnswer("silence"), BrokerFault("trouble", status=500)])
def test_a_failure_that_is_not_about_one_key_stops_the_asking(error: Exception) -> None:
    broker = FakeBroker()
    broker.failure = error  # type: ignore[assignment]

    result = fetch_isolating(broker, keys(3))

    assert result.calls == 1
    assert result.failed == dict.fromkeys(keys(3), error)
