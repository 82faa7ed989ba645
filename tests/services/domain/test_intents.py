"""What is known of an intent only moves forward; nonsense is refused when it is made."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.domain.errors import InvalidRequest
from services.domain.intents import OPEN_STATES, IntentKind, IntentState, Witness, may_follow
from tests.support.ledger import new_intent

PREPARED, ACCEPTED, UNKNOWN = IntentState.PREPARED, IntentState.ACCEPTED, IntentState.UNKNOWN
REFUSED, NOT_SENT = IntentState.REFUSED, IntentState.NOT_SENT
ABSENT, ABANDONED = IntentState.ABSENT, IntentState.ABANDONED


@given(
    steps=st.lists(
        st.tuples(st.sampled_from([one for one in IntentState if one != "PREPARED"]), st.sampled_from(Witness)),
        max_size=12,
    )
)
def test_what_is_known_never_goes_backwards(steps: list[tuple[IntentState, Witness]]) -> None:
    state, accepted, answered = IntentState.PREPARED, False, False
    for then, by in steps:
        if may_follow(state, then, by):
            assert state is not then
            state = then
        accepted = accepted or state is IntentState.ACCEPTED
        answered = answered or not state.is_open
        assert not accepted or state is IntentState.ACCEPTED
        assert not answered or state not in OPEN_STATES
        if by.saw_it and then is IntentState.ACCEPTED:
            assert accepted


@pytest.mark.parametrize(
    ("now", "then", "by", "may"),
    [
        (PREPARED, UNKNOWN, Witness.ANSWER, True),
        (PREPARED, NOT_SENT, Witness.ANSWER, True),
        (UNKNOWN, ABSENT, Witness.HISTORY, True),
        (UNKNOWN, ABANDONED, Witness.PERSON, True),
        (UNKNOWN, NOT_SENT, Witness.ANSWER, False),
        (UNKNOWN, UNKNOWN, Witness.ANSWER, False),
        (ABSENT, ACCEPTED, Witness.STREAM, True),
        (ABSENT, UNKNOWN, Witness.ANSWER, False),
        (REFUSED, ACCEPTED, Witness.ANSWER, False),
        (REFUSED, ACCEPTED, Witness.BOOK, True),
        (NOT_SENT, ACCEPTED, Witness.PERSON, False),
        (ACCEPTED, REFUSED, Witness.BOOK, False),
    ],
)
def test_who_tells_it_decides_what_may_follow(now: IntentState, then: IntentState, by: Witness, may: bool) -> None:
    assert may_follow(now, then, by) is may


def test_open_is_what_must_still_be_asked() -> None:
    assert {state for state in IntentState if state.is_open} == {PREPARED, UNKNOWN}


def test_kinds_know_what_they_count_as() -> None:
    assert [kind for kind in IntentKind if kind.opens] == [
        IntentKind.PLACE, IntentKind.PLACE_MANY, IntentKind.EXIT_ALL, IntentKind.GTT_PLACE,
    ]  # fmt: skip
    assert [kind for kind in IntentKind if not kind.is_order_call] == [IntentKind.CONVERT, IntentKind.KILL_SWITCH]


@pytest.mark.parametrize(
    "change",
    [
        {"intent_id": " "},
        {"intent_id": "x" * 81},
        {"intent_id": "a\nb"},
        {"tag": "t" * 41},
        {"target": "t" * 201},
        {"basket": "b" * 81},
        {"lines": 0},
    ],
)
def test_nonsense_is_refused_when_it_is_made(change: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest):
        new_intent(**change)
