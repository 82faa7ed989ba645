"""Only pages of this process may listen."""

from __future__ import annotations

import pytest

from dashboard.push import tokens
from dashboard.push.tokens import TELL_SECONDS, PushTokens
from services.domain.errors import RedisAway
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


class Elsewhere:
    """What the processes share, in memory; away when a test says so."""

    def __init__(self) -> None:
        self.owners: dict[str, str] = {}
        self.times_told = 0
        self.away = False

    def keep(self, digest: str, owner: str, seconds: float) -> None:
        if self.away:
            raise RedisAway("away")
        self.times_told += 1
        self.owners[digest] = owner

    def owner(self, digest: str) -> str | None:
        if self.away:
            raise RedisAway("away")
        return self.owners.get(digest)


def test_a_token_of_one_process_is_good_on_the_others_for_its_owner_alone() -> None:
    shared = Elsewhere()
    one, two = PushTokens(elsewhere=lambda: shared), PushTokens(elsewhere=lambda: shared)
    token = one.issue("7")

    assert not two.accepts(token, "7")
    assert two.accepts_from_elsewhere(token, "7")
    assert not two.accepts_from_elsewhere(token, "8")
    assert not two.accepts_from_elsewhere("guess", "7")
    assert not two.accepts_from_elsewhere("", "")
    assert token not in shared.owners


def test_a_token_in_use_is_told_again_before_the_others_forget_it_and_not_with_every_run() -> None:
    clock, shared = FakeMonotonic(), Elsewhere()
    known = PushTokens(life=7200, monotonic=clock, elsewhere=lambda: shared)
    token = known.issue()
    for _ in range(10):
        clock.now += TELL_SECONDS / 2.5
        assert known.renew(token) == token

    assert shared.times_told == 4


def test_without_what_they_share_each_process_knows_its_own_and_says_no_to_the_rest() -> None:
    shared = Elsewhere()
    shared.away = True
    known = PushTokens(elsewhere=lambda: shared)
    token = known.issue()

    assert known.accepts(token)
    assert not known.accepts_from_elsewhere(token)
    shared.away = False
    known.renew(token)
    assert known.accepts_from_elsewhere(token)  # told as soon as it can be
