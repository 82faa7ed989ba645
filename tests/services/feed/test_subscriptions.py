"""Who wants what, and what the broker is told of it."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from services.domain.errors import InvalidRequest
from services.feed.subscriptions import ORDINARY, PLUS, STRENGTH, Change, Limits, Subscriptions
from services.wire.feed.requests import FeedMethod, FeedMode

A, B, C = "NSE_EQ|INE002A01018", "NSE_EQ|INE009A01021", "NSE_INDEX|Nifty 50"


def _keys(count: int, start: int = 0) -> list[str]:
    return [f"NSE_FO|{number}" for number in range(start, start + count)]


def _said(changes: list[Change]) -> list[tuple[str, str | None, tuple[str, ...]]]:
    return [(change.method.value, change.mode and change.mode.value, change.keys) for change in changes]


class TestWanting:
    def test_what_is_held_is_subscribed_once(self) -> None:
        wanted = Subscriptions()
        wanted.hold("tab", [A, B, A], "full", 0.0)

        assert _said(wanted.changes(0.0)) == [("sub", "full", (A, B))]
        assert wanted.changes(1.0) == []

    def test_a_second_holder_costs_nothing_and_the_last_one_frees_it(self) -> None:
        wanted = Subscriptions(grace=10)
        wanted.hold("one", [A], "full", 0.0)
        wanted.hold("two", [A], "full", 0.0)
        wanted.changes(0.0)

        wanted.release("one", 1.0)
        assert wanted.changes(100.0) == []
        wanted.release("two", 100.0)
        assert wanted.changes(100.0) == []
        assert wanted.next_due() == 110.0
        assert _said(wanted.changes(110.0)) == [("unsub", None, (A,))]
        assert wanted.count() == 0

    def test_going_from_page_to_page_tears_nothing_down(self) -> None:
        wanted = Subscriptions(grace=10)
        wanted.hold("tab", [A, B], "full", 0.0)
        wanted.changes(0.0)

        wanted.release("tab", 5.0)
        wanted.changes(5.0)
        wanted.hold("next tab", [A], "full", 7.0)

        assert wanted.changes(7.0) == []
        assert _said(wanted.changes(15.0)) == [("unsub", None, (B,))]

    def test_the_strongest_mode_wins(self) -> None:
        wanted = Subscriptions()
        wanted.hold("overview", [A], "ltpc", 0.0)
        wanted.changes(0.0)

        wanted.hold("quotes", [A], "full", 1.0)
        assert _said(wanted.changes(1.0)) == [("change_mode", "full", (A,))]
        wanted.hold("chain", [A], "option_greeks", 2.0)
        assert wanted.changes(2.0) == []

    def test_a_weaker_mode_waits_for_its_grace(self) -> None:
        wanted = Subscriptions(grace=10)
        wanted.hold("overview", [A], "ltpc", 0.0)
        wanted.hold("quotes", [A], "full", 0.0)
        wanted.changes(0.0)

        wanted.release("quotes", 1.0)
        assert wanted.changes(1.0) == []
        assert _said(wanted.changes(11.0)) == [("change_mode", "ltpc", (A,))]

    def test_a_holder_changes_its_own_mode(self) -> None:
        wanted = Subscriptions(grace=0)
        wanted.hold("tab", [A], "full", 0.0)
        wanted.changes(0.0)

        wanted.hold("tab", [A], "ltpc", 1.0)

        assert _said(wanted.changes(1.0)) == [("change_mode", "ltpc", (A,))]
        assert wanted.holders() == {"tab": 1}

    def test_replacing_lets_go_of_the_rest(self) -> None:
        wanted = Subscriptions(grace=0)
        wanted.hold("tab", [A, B], "full", 0.0)
        wanted.changes(0.0)

        wanted.replace("tab", [B, C], "full", 1.0)

        assert _said(wanted.changes(1.0)) == [("unsub", None, (A,)), ("sub", "full", (C,))]

    def test_letting_go_of_what_one_does_not_hold_does_nothing(self) -> None:
        wanted = Subscriptions()
        wanted.hold("one", [A], "full", 0.0)

        wanted.drop("two", [A, B], 0.0)
        wanted.release("three", 0.0)

        assert wanted.wanted() == {A: FeedMode.FULL}
        assert wanted.holders() == {"one": 1}

    def test_what_came_and_went_between_two_looks_is_never_said(self) -> None:
        wanted = Subscriptions()
        wanted.hold("tab", [A], "full", 0.0)
        wanted.release("tab", 0.0)

        assert wanted.changes(0.0) == []


class TestLeases:
    def test_a_lease_that_is_not_renewed_falls_away(self) -> None:
        wanted = Subscriptions(grace=5)
        wanted.lease([A], "full", 15.0, 0.0)
        wanted.changes(0.0)

        assert wanted.next_due() == 15.0
        assert wanted.changes(15.0) == []
        assert wanted.count() == 0
        assert _said(wanted.changes(20.0)) == [("unsub", None, (A,))]

    def test_a_renewed_one_stands(self) -> None:
        wanted = Subscriptions(grace=0)
        wanted.lease([A], "full", 15.0, 0.0)
        wanted.changes(0.0)

        wanted.lease([A], "full", 25.0, 10.0)
        wanted.lease([A], "full", 20.0, 11.0)

        assert wanted.changes(24.9) == []
        assert _said(wanted.changes(25.0)) == [("unsub", None, (A,))]

    def test_a_stronger_lease_ends_by_itself(self) -> None:
        wanted = Subscriptions(grace=0)
        wanted.lease([A], "ltpc", 30.0, 0.0)
        wanted.lease([A], "full", 10.0, 0.0)

        assert _said(wanted.changes(0.0)) == [("sub", "full", (A,))]
        assert _said(wanted.changes(10.0)) == [("change_mode", "ltpc", (A,))]

    def test_leases_renewed_for_days_without_a_connection_do_not_pile_up(self) -> None:
        wanted = Subscriptions()

        for second in range(20_000):
            wanted.lease([A, B], "full", second + 15.0, float(second))

        assert len(wanted._ends) <= 32
        wanted.expire(30_000.0)
        assert wanted.count() == 0


class TestConnections:
    def test_after_a_loss_everything_wanted_is_said_again_by_mode(self) -> None:
        wanted = Subscriptions(grace=60)
        wanted.hold("one", [A, B], "full", 0.0)
        wanted.hold("two", [C], "ltpc", 0.0)
        wanted.hold("gone", _keys(1), "ltpc", 0.0)
        wanted.changes(0.0)
        wanted.release("gone", 1.0)
        wanted.changes(1.0)

        assert wanted.forget() == _keys(1)

        assert _said(wanted.changes(2.0)) == [("sub", "full", (A, B)), ("sub", "ltpc", (C,))]

    def test_what_is_wanted_without_a_connection_is_kept(self) -> None:
        wanted = Subscriptions()
        wanted.hold("tab", [A], "full", 0.0)
        wanted.forget()
        wanted.forget()

        assert _said(wanted.changes(1e6)) == [("sub", "full", (A,))]


class TestLimits:
    def test_five_thousand_alone_and_two_thousand_beside_others(self) -> None:
        wanted = Subscriptions()
        wanted.hold("table", _keys(5000), "ltpc", 0.0)

        with pytest.raises(InvalidRequest, match=r"takes 5,000 instruments in mode ltpc; .* it would be 5,001 \(table"):
            wanted.hold("more", [A], "ltpc", 0.0)
        with pytest.raises(InvalidRequest, match=r"takes 2,000 instruments in mode ltpc beside other modes"):
            wanted.hold("more", [A], "full", 0.0)

        assert wanted.count() == 5000

    def test_the_error_names_who_holds_most_and_changes_nothing(self) -> None:
        wanted = Subscriptions()
        wanted.hold("table 12", _keys(1900), "full", 0.0)
        wanted.hold("ladder", [A], "full", 0.0)
        wanted.changes(0.0)

        with pytest.raises(InvalidRequest, match="table 12 has 1900, ladder has 1"):
            wanted.hold("chain", _keys(200, 5000), "full", 0.0)
        with pytest.raises(InvalidRequest, match="2,000"):
            wanted.replace("ladder", _keys(200, 5000), "full", 0.0)
        with pytest.raises(InvalidRequest, match="2,000"):
            wanted.lease(_keys(200, 5000), "full", 99.0, 0.0)

        assert wanted.count() == 1901
        assert wanted.changes(0.0) == []
        assert wanted.holders() == {"table 12": 1900, "ladder": 1}

    def test_what_is_held_already_does_not_count_twice(self) -> None:
        wanted = Subscriptions()
        wanted.hold("one", _keys(2000), "full", 0.0)
        wanted.hold("two", _keys(2000), "full", 0.0)
        wanted.replace("two", _keys(1000), "full", 0.0)

        assert wanted.count() == 2000

    def test_what_falls_back_to_a_weaker_mode_has_its_place_there(self) -> None:
        wanted = Subscriptions(limits=TIGHT)
        wanted.hold("table", SOME[:4], "ltpc", 0.0)
        wanted.lease(SOME[:1], "full", 1.0, 0.0)

        with pytest.raises(InvalidRequest, match="takes 4"):
            wanted.hold("chart", SOME[4:5], "ltpc", 0.0)

        for now in (0.0, 20.0, 40.0):
            wanted.changes(now)
        assert wanted.sent() == dict.fromkeys(SOME[:4], FeedMode.LTPC)

    def test_thirty_levels_need_the_plus_plan(self) -> None:
        with pytest.raises(InvalidRequest, match="Plus plan"):
            Subscriptions().hold("ladder", [A], "full_d30", 0.0)

        plus = Subscriptions(limits=PLUS)
        plus.hold("ladder", _keys(50), "full_d30", 0.0)
        with pytest.raises(InvalidRequest, match="takes 50"):
            plus.hold("ladder", [A], "full_d30", 0.0)

    def test_keys_in_their_grace_make_room_for_wanted_ones_first(self) -> None:
        wanted = Subscriptions(grace=60)
        wanted.hold("tab", _keys(2000), "full", 0.0)
        wanted.changes(0.0)

        wanted.replace("tab", _keys(1500, 1000), "full", 1.0)
        changes = wanted.changes(1.0)

        assert [(change.method, len(change.keys)) for change in changes] == [
            (FeedMethod.UNSUBSCRIBE, 1000),
            (FeedMethod.SUBSCRIBE, 500),
        ]

    @pytest.mark.parametrize("keys", [["RELIANCE"], [""], [7], "NSE_EQ|INE002A01018"])
    def test_what_is_no_list_of_keys_is_refused(self, keys: list[str]) -> None:
        with pytest.raises(InvalidRequest):
            Subscriptions().hold("tab", keys, "full", 0.0)

    def test_what_is_no_mode_is_refused(self) -> None:
        with pytest.raises(InvalidRequest, match="ltpc, full, option_greeks, full_d30"):
            Subscriptions().hold("tab", [A], "quote", 0.0)


HOLDERS = ("one", "two", "three")
SOME = _keys(6)
TIGHT = Limits(
    {FeedMode.LTPC: 5, FeedMode.OPTION_GREEKS: 4, FeedMode.FULL: 3, FeedMode.FULL_D30: 1},
    {FeedMode.LTPC: 4, FeedMode.OPTION_GREEKS: 3, FeedMode.FULL: 2, FeedMode.FULL_D30: 1},
)
_some_keys = st.lists(st.sampled_from(SOME), max_size=4)
_modes = st.sampled_from(list(FeedMode))


class Machine(RuleBasedStateMachine):
    """A broker that does as it is told, a plain list of who holds what, and any order of events."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.wanted = Subscriptions(limits=TIGHT, grace=3.0)
        self.held: dict[str, dict[str, FeedMode]] = {holder: {} for holder in HOLDERS}
        self.leases: list[tuple[str, FeedMode, float]] = []
        self.broker: dict[str, FeedMode] = {}

    @rule(holder=st.sampled_from(HOLDERS), keys=_some_keys, mode=_modes, exactly=st.booleans())
    def hold(self, holder: str, keys: list[str], mode: FeedMode, exactly: bool) -> None:
        before = self.wanted.wanted()
        try:
            (self.wanted.replace if exactly else self.wanted.hold)(holder, keys, mode, self.now)
        except InvalidRequest:
            assert self.wanted.wanted() == {key: mode for key, mode in before.items() if self._want(key)}
            return
        if exactly:
            self.held[holder] = {}
        self.held[holder].update(dict.fromkeys(keys, mode))

    @rule(holder=st.sampled_from(HOLDERS), keys=_some_keys)
    def drop(self, holder: str, keys: list[str]) -> None:
        self.wanted.drop(holder, keys, self.now)
        for key in keys:
            self.held[holder].pop(key, None)

    @rule(holder=st.sampled_from(HOLDERS))
    def release(self, holder: str) -> None:
        self.wanted.release(holder, self.now)
        self.held[holder] = {}

    @rule(keys=_some_keys, mode=_modes, seconds=st.integers(1, 6))
    def lease(self, keys: list[str], mode: FeedMode, seconds: int) -> None:
        try:
            self.wanted.lease(keys, mode, self.now + seconds, self.now)
        except InvalidRequest:
            return
        self.leases += [(key, mode, self.now + seconds) for key in keys]

    @rule(seconds=st.integers(1, 4))
    def wait(self, seconds: int) -> None:
        self.now += seconds

    @rule()
    def lose(self) -> None:
        self.broker.clear()
        self.wanted.forget()

    @rule()
    def say(self) -> None:
        for change in self.wanted.changes(self.now):
            for key in change.keys:
                if change.mode is None:
                    del self.broker[key]
                else:
                    assert (key in self.broker) is (change.method is FeedMethod.CHANGE_MODE)
                    self.broker[key] = change.mode
        assert self.broker == self.wanted.sent()
        for key in SOME:
            want = self._want(key)
            if want is not None:
                assert STRENGTH[self.broker[key]] >= STRENGTH[want]
        counts = Counter(self.broker.values())
        limits = TIGHT.alone if len(counts) <= 1 else TIGHT.mixed
        assert all(count <= limits[mode] for mode, count in counts.items())

    @rule()
    def rest(self) -> None:
        """After the grace nothing is left that nobody wants."""
        self.say()
        self.now += 10
        self.leases.clear()
        self.say()
        self.now += 3
        self.say()
        assert self.broker == {key: want for key in SOME if (want := self._want(key))}

    @invariant()
    def wanted_is_what_is_held(self) -> None:
        self.wanted.expire(self.now)
        assert self.wanted.wanted() == {key: want for key in SOME if (want := self._want(key))}
        assert self.wanted.counts() == Counter(mode.value for mode in self.wanted.wanted().values())

    def _want(self, key: str) -> FeedMode | None:
        modes = [held[key] for held in self.held.values() if key in held]
        modes += [mode for leased, mode, until in self.leases if leased == key and until > self.now]
        return max(modes, key=STRENGTH.__getitem__, default=None)


TestAnyOrderOfEvents = Machine.TestCase
TestAnyOrderOfEvents.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


@given(st.sampled_from([ORDINARY, PLUS]))
def test_beside_other_modes_no_limit_is_wider(limits: Limits) -> None:
    assert all(limits.mixed[mode] <= limits.alone[mode] for mode in FeedMode)
