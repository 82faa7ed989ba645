"""Only pages of this process may listen."""

from __future__ import annotations

import pytest

from dashboard.push import tokens
from dashboard.push.tokens import PushTokens
from tests.support.clocks import FakeMonotonic


def test_an_issued_token_is_accepted_until_it_ends() -> None:
    clock = FakeMonotonic()
    known = PushTokens(life=60, monotonic=clock)
    token = known.issue()

    assert known.accepts(token)
    assert not known.accepts("guess")
    assert not known.accepts("")
    clock.now += 60
    assert not known.accepts(token)


def test_each_is_another_and_the_oldest_go_when_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "MOST", 3)
    known = PushTokens()

    issued = [known.issue() for _ in range(4)]

    assert len(set(issued)) == 4
    assert [known.accepts(token) for token in issued] == [False, True, True, True]


def test_a_page_that_stays_open_keeps_its_token_for_ever() -> None:
    clock = FakeMonotonic()
    known = PushTokens(life=60, monotonic=clock)
    token = known.renew(None)
    for _ in range(10):
        clock.now += 50
        assert known.renew(token) == token

    assert known.accepts(token)


def test_a_token_that_is_over_is_replaced_by_another() -> None:
    clock = FakeMonotonic()
    known = PushTokens(life=60, monotonic=clock)
    old = known.issue()
    clock.now += 60

    new = known.renew(old)

    assert (known.accepts(old), known.accepts(new)) == (False, True)
    assert known.renew("of a desk before the last restart") not in {old, new}


def test_what_is_renewed_outlives_what_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "MOST", 3)
    known = PushTokens()
    one, two, three = (known.issue() for _ in range(3))
    known.renew(one)
    known.issue()

    assert [known.accepts(token) for token in (one, two, three)] == [True, False, True]
