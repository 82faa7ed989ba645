from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.domain.errors import InvalidRequest
from services.paper.feed.update_faults import UpdateFaults


def through(faults: UpdateFaults, *texts: str, kind: str = "order") -> list[str]:
    return [text for given in texts for _, text in faults.meet((kind, given))]


def test_without_a_fault_updates_pass() -> None:
    assert through(UpdateFaults(), "a", "b") == ["a", "b"]


def test_missing_ones_never_come() -> None:
    faults = UpdateFaults()
    faults.add({"kind": "missing", "times": 2})

    assert through(faults, "a", "b", "c") == ["c"]
    assert faults.told() == []


def test_duplicated_ones_come_twice() -> None:
    faults = UpdateFaults()
    faults.add({"kind": "duplicate", "times": 1})

    assert through(faults, "a", "b") == ["a", "a", "b"]


def test_three_out_of_order_come_together_the_last_one_first() -> None:
    faults = UpdateFaults()
    faults.add({"kind": "out_of_order", "times": 3})

    assert through(faults, "a", "b") == []
    assert through(faults, "c", "d") == ["c", "b", "a", "d"]


def test_a_fault_meets_its_own_type_only() -> None:
    faults = UpdateFaults()
    faults.add({"kind": "missing", "times": 1, "update_type": "position"})

    assert through(faults, "a") == ["a"]
    assert through(faults, "p", kind="position") == []


def test_clearing_lets_go_of_what_was_held_back() -> None:
    faults = UpdateFaults()
    faults.add({"kind": "out_of_order", "times": 5})
    assert through(faults, "a", "b") == []

    assert [text for _, text in faults.clear()] == ["b", "a"]
    assert through(faults, "c") == ["c"]


@pytest.mark.parametrize(
    "wanted",
    [
        {"kind": "late"},
        {"kind": 3},
        {},
        {"kind": "missing", "times": 0},
        {"kind": "missing", "times": True},
        {"kind": "out_of_order", "times": 1},
        {"kind": "missing", "update_type": "trade"},
        {"kind": "missing", "more": 1},
    ],
)
def test_nonsense_is_named(wanted: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest):
        UpdateFaults().add(wanted)


@given(st.lists(st.sampled_from(["duplicate", "out_of_order"]), max_size=4), st.integers(1, 30))
def test_nothing_is_lost_but_what_a_fault_takes(kinds: list[str], count: int) -> None:
    faults = UpdateFaults()
    for kind in kinds:
        faults.add({"kind": kind, "times": 3})
    sent = [str(n) for n in range(count)]

    came = through(faults, *sent) + [text for _, text in faults.clear()]

    assert sorted(set(came), key=int) == sent
