"""Put/call ratio, max pain, the strike at the money: worked by hand, and against the plain definition."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.domain.option_figures import (
    Strike,
    around,
    at_parity,
    at_the_money,
    max_pain,
    put_call_ratio,
    total,
)

LADDER = [24_000.0 + 50 * step for step in range(21)]

# Worked by hand. Pain at 100: puts 110 pay 10 x 30, puts 120 pay 20 x 50 = 1,300; at 110: calls 100 pay 10 x 40, puts
# 120 pay 10 x 50 = 900; at 120: calls 100 pay 20 x 40, calls 110 pay 10 x 20 = 1,000.
SMALL = [Strike(100, 40, 10), Strike(110, 20, 30), Strike(120, 5, 50)]


def test_max_pain_of_a_chain_worked_by_hand():
    assert max_pain(SMALL) == 110


def test_max_pain_does_not_mind_the_order_of_the_strikes():
    assert max_pain(reversed(SMALL)) == 110


def test_open_calls_alone_pull_max_pain_to_the_bottom_and_puts_alone_to_the_top():
    assert max_pain([Strike(k, 100, None) for k in (90, 100, 110)]) == 90
    assert max_pain([Strike(k, None, 100) for k in (90, 100, 110)]) == 110


def test_of_equal_pains_the_lowest_strike_is_told():
    assert max_pain([Strike(100, 10, 10), Strike(110, 10, 10)]) == 100


@pytest.mark.parametrize("strikes", [[], [Strike(100, None, None)], [Strike(100, 0, 0), Strike(110, 0, None)]])
def test_where_nothing_is_open_there_is_no_max_pain(strikes):
    assert max_pain(strikes) is None


@given(
    st.lists(
        st.tuples(
            st.integers(1, 1000).map(lambda n: n * 50),
            st.integers(0, 10**7) | st.none(),
            st.integers(0, 10**7) | st.none(),
        ),
        max_size=40,
        unique_by=lambda told: told[0],
    )
)
def test_max_pain_is_what_its_definition_says(told):
    strikes = [Strike(*one) for one in told]

    def pain(price):
        calls = sum((one.call_oi or 0) * max(price - one.strike, 0) for one in strikes)
        return calls + sum((one.put_oi or 0) * max(one.strike - price, 0) for one in strikes)

    found = max_pain(strikes)

    if found is None:
        assert not any(one.call_oi or one.put_oi for one in strikes)
    else:
        assert (pain(found), found) == min((pain(one.strike), one.strike) for one in strikes)


def test_the_ratio_is_puts_for_each_call():
    assert put_call_ratio(90.0, 65.0) == pytest.approx(1.3846, abs=1e-4)
    assert put_call_ratio(0.0, 65.0) == 0.0


@pytest.mark.parametrize(("puts", "calls"), [(None, 1.0), (1.0, None), (1.0, 0.0), (0.0, 0.0)])
def test_a_ratio_to_nothing_is_not_known(puts, calls):
    assert put_call_ratio(puts, calls) is None


def test_a_total_leaves_out_what_is_not_known_and_is_unknown_without_anything():
    assert total([1.0, None, 2.0, float("nan")]) == 3.0
    assert total([0.0, None]) == 0.0
    assert total([None, None]) is None
    assert total([]) is None


def test_at_the_money_is_the_nearest_strike_and_of_two_the_lower():
    assert at_the_money(LADDER, 24_512.35) == 24_500
    assert at_the_money(LADDER, 24_525.0) == 24_500
    assert at_the_money(LADDER, 24_525.05) == 24_550
    assert at_the_money(LADDER, 10.0) == 24_000
    assert at_the_money(LADDER, None) is None
    assert at_the_money([], 24_500.0) is None


def test_without_a_price_of_the_underlying_parity_tells_where_the_money_is():
    assert at_parity([(100, 12.0, 2.0), (110, 6.0, 5.5), (120, 2.0, 11.0), (130, None, 20.0)]) == 110
    assert at_parity([(100, None, 1.0)]) is None


def test_a_window_has_its_centre_in_the_middle():
    window = around(LADDER, 24_500.0, 10)

    assert len(window) == 10
    assert window[5] == 24_500.0


def test_a_window_at_an_end_is_as_long_as_any_other():
    assert around(LADDER, 24_000.0, 10) == LADDER[:10]
    assert around(LADDER, 30_000.0, 10) == LADDER[-10:]


def test_a_window_without_a_centre_is_in_the_middle_and_a_wide_one_is_everything():
    assert around(LADDER, None, 5) == LADDER[8:13]
    assert around(LADDER, 24_500.0, None) == LADDER
    assert around(LADDER, 24_500.0, 50) == LADDER
    assert around([], 1.0, 5) == []
