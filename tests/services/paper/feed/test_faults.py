from __future__ import annotations

from typing import Any

import pytest

from services.domain.errors import InvalidRequest
from services.paper.feed.faults import AT_FRAME, AT_HANDSHAKE, FeedFaultKind, FeedFaults, read_fault
from services.paper.feed.tickets import FeedName


def waiting(*wanted: dict[str, Any]) -> FeedFaults:
    faults = FeedFaults()
    for one in wanted:
        faults.add(read_fault(one))
    return faults


def test_every_kind_waits_at_one_place() -> None:
    assert AT_HANDSHAKE | AT_FRAME | {FeedFaultKind.USED_CODE} == set(FeedFaultKind)


@pytest.mark.parametrize("kind", sorted(AT_FRAME))
def test_a_fault_of_frames_is_met_by_frames_only(kind: FeedFaultKind) -> None:
    faults = waiting({"kind": kind.value})

    assert faults.at_handshake(FeedName.MARKET) is None
    assert faults.at_authorize(FeedName.MARKET) is None
    met = faults.at_frame(FeedName.MARKET)
    assert met is not None
    assert met.kind is kind
    assert faults.at_frame(FeedName.MARKET) is None


def test_a_fault_is_met_by_its_feed_only() -> None:
    faults = waiting({"kind": "drop", "feed": "portfolio"})

    assert faults.at_frame(FeedName.MARKET) is None
    assert faults.at_frame(FeedName.PORTFOLIO) is not None


def test_a_fault_waits_until_so_many_frames_have_passed() -> None:
    faults = waiting({"kind": "drop", "after": 2})

    assert [faults.at_frame(FeedName.MARKET) is None for _ in range(4)] == [True, True, False, True]


def test_a_lasting_fault_is_met_until_it_is_cleared() -> None:
    faults = waiting({"kind": "refuse", "times": None, "status": 401})

    assert all(faults.at_handshake(FeedName.MARKET) for _ in range(3))
    faults.clear()
    assert faults.at_handshake(FeedName.MARKET) is None


def test_what_is_left_of_a_fault_is_told() -> None:
    faults = waiting({"kind": "refuse", "times": 3, "after": 1})
    for _ in range(2):
        faults.at_handshake(FeedName.MARKET)

    [told] = faults.waiting()
    assert (told["times"], told["after"], told["status"]) == (2, 0, 403)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({}, "kind"),
        ({"kind": "explode"}, "kind"),
        ({"kind": 1}, "kind"),
        ({"kind": "drop", "feed": "news"}, "feed"),
        ({"kind": "drop", "color": 1}, "color"),
        ({"kind": "drop", "times": 0}, "times"),
        ({"kind": "drop", "times": True}, "times"),
        ({"kind": "refuse", "status": 200}, "status"),
        ({"kind": "slow", "ms": -1}, "ms"),
        ({"kind": "drop", "now": "yes"}, "now"),
        ({"kind": "refuse", "now": True}, "now"),
        ({"kind": "close", "code": 1}, "code"),
    ],
)
def test_a_wrong_fault_is_refused_by_name(wrong: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidRequest, match=named):
        read_fault(wrong)
