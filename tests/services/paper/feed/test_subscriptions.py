from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.paper.feed.requests import FeedRequest, Method, Mode
from services.paper.feed.subscriptions import ALONE, MIXED, Subscriptions


def keys(count: int, start: int = 0) -> tuple[str, ...]:
    return tuple(f"NSE_EQ|{n}" for n in range(start, start + count))


def sub(held: Subscriptions, mode: Mode, wanted: tuple[str, ...], method: Method = Method.SUB) -> list[str]:
    return held.apply(FeedRequest(method, wanted, mode), lambda key: True)


@pytest.fixture
def held() -> Subscriptions:
    return Subscriptions(plus=False, limited=True)


def test_new_keys_are_due(held: Subscriptions) -> None:
    assert sub(held, Mode.FULL, keys(3)) == list(keys(3))
    assert held.counts() == {"full": 3}
    assert held.mode_of("NSE_EQ|1") is Mode.FULL


def test_unknown_keys_are_passed_over(held: Subscriptions) -> None:
    due = held.apply(FeedRequest(Method.SUB, keys(3), Mode.LTPC), lambda key: key == "NSE_EQ|1")

    assert due == ["NSE_EQ|1"]
    assert len(held) == 1


def test_a_repeated_subscription_brings_the_snapshot_again(held: Subscriptions) -> None:
    sub(held, Mode.LTPC, keys(2))

    assert sub(held, Mode.LTPC, keys(1)) == list(keys(1))
    assert held.counts() == {"ltpc": 2}


def test_a_repeated_subscription_in_another_mode_changes_it(held: Subscriptions) -> None:
    sub(held, Mode.LTPC, keys(2))

    assert sub(held, Mode.FULL, keys(1)) == list(keys(1))
    assert held.counts() == {"ltpc": 1, "full": 1}


def test_change_mode_touches_subscribed_keys_only(held: Subscriptions) -> None:
    sub(held, Mode.LTPC, keys(1))

    assert sub(held, Mode.FULL, keys(2), Method.CHANGE_MODE) == list(keys(1))
    assert held.counts() == {"full": 1}


def test_unsubscribed_keys_are_gone(held: Subscriptions) -> None:
    sub(held, Mode.FULL, keys(3))

    assert sub(held, Mode.LTPC, (*keys(2), "NSE_EQ|never"), Method.UNSUB) == []
    assert held.by_key() == {"NSE_EQ|2": Mode.FULL}
    assert held.counts() == {"full": 1}


@pytest.mark.parametrize("mode", [Mode.LTPC, Mode.OPTION_GREEKS, Mode.FULL])
def test_keys_beyond_the_limit_of_a_mode_are_passed_over(held: Subscriptions, mode: Mode) -> None:
    due = sub(held, mode, keys(ALONE[mode] + 5))

    assert len(due) == ALONE[mode]


def test_the_limits_are_lower_when_modes_are_mixed(held: Subscriptions) -> None:
    sub(held, Mode.LTPC, ("NSE_EQ|other",))

    assert len(sub(held, Mode.FULL, keys(1600))) == MIXED[Mode.FULL] == 1500
    assert len(sub(held, Mode.LTPC, keys(2100, 5000))) == MIXED[Mode.LTPC] - 1


def test_room_comes_back_with_each_key_that_goes(held: Subscriptions) -> None:
    sub(held, Mode.FULL, keys(2000))
    sub(held, Mode.LTPC, keys(10), Method.UNSUB)

    assert len(sub(held, Mode.FULL, keys(20, 9000))) == 10


def test_a_change_of_mode_beyond_the_limit_leaves_the_old_mode(held: Subscriptions) -> None:
    sub(held, Mode.FULL, keys(1500))
    sub(held, Mode.LTPC, ("NSE_EQ|light", "NSE_EQ|other"))

    assert sub(held, Mode.FULL, ("NSE_EQ|light",), Method.CHANGE_MODE) == []
    assert held.mode_of("NSE_EQ|light") is Mode.LTPC
    assert held.counts() == {"full": 1500, "ltpc": 2}


def test_thirty_levels_are_for_plus_accounts(held: Subscriptions) -> None:
    plus = Subscriptions(plus=True, limited=True)

    assert sub(held, Mode.FULL_D30, keys(1)) == []
    assert len(sub(plus, Mode.FULL_D30, keys(60))) == 50


def test_without_limits_everything_fits() -> None:
    free = Subscriptions(plus=False, limited=False)

    assert len(sub(free, Mode.FULL, keys(6000))) == 6000


requests = st.builds(
    FeedRequest,
    st.sampled_from(Method),
    st.lists(st.sampled_from(keys(12)), max_size=8, unique=True).map(tuple),
    st.sampled_from(Mode),
)


@given(st.lists(requests, max_size=30))
def test_counts_always_match_the_keys(asked: list[FeedRequest]) -> None:
    held = Subscriptions(plus=True, limited=True)
    for request in asked:
        due = held.apply(request, lambda key: True)
        assert set(due) <= set(request.keys)
        assert all(held.mode_of(key) is request.mode for key in due)
    by_mode: dict[str, int] = {}
    for mode in held.by_key().values():
        by_mode[mode.value] = by_mode.get(mode.value, 0) + 1
    assert held.counts() == by_mode
