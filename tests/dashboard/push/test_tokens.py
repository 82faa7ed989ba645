"""Only pages of this desk may listen."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from dashboard.push.tokens import PushTokens
from tests.support.clocks import FakeMonotonic

KEY = b"k" * 32


def clock() -> FakeMonotonic:
    found = FakeMonotonic()
    found.now = datetime(2026, 11, 20, tzinfo=UTC).timestamp()
    return found


def test_an_issued_token_is_accepted_until_it_ends() -> None:
    now = clock()
    known = PushTokens(KEY, life=60, clock=now)
    token = known.issue()

    assert known.accepts(token)
    now.now += 60
    assert not known.accepts(token)


@pytest.mark.parametrize("text", ["", ".", "..", "guess", "1.2.3", "é.ö.ü", "\ud800", "9999999999.x." + "0" * 64])
def test_what_nobody_issued_is_refused(text: str) -> None:
    assert not PushTokens(KEY).accepts(text)


def test_each_is_another() -> None:
    known = PushTokens(KEY)

    assert len({known.issue() for _ in range(20)}) == 20


def test_nobody_makes_a_token_last_longer() -> None:
    now = clock()
    known = PushTokens(KEY, life=60, clock=now)
    end, _, rest = known.issue().partition(".")

    assert not known.accepts(f"{int(end) + 3600}.{rest}")


def test_a_page_that_stays_open_never_ends_up_outside() -> None:
    now = clock()
    known = PushTokens(KEY, life=60, clock=now)
    token, seen = known.renew(None), set()
    for _ in range(100):
        now.now += 5
        token = known.renew(token)
        seen.add(token)
        assert known.accepts(token)
        assert known.accepts(token + "x") is False

    assert len(seen) == pytest.approx(500 / 30, abs=2)  # another at half its life, not with every run


def test_a_token_that_is_over_is_replaced_by_another() -> None:
    now = clock()
    known = PushTokens(KEY, life=60, clock=now)
    old = known.issue()
    now.now += 60

    assert known.renew(old) != old
    assert known.accepts(known.renew(old))
    assert known.renew("of a desk before the last restart") != old


def test_a_token_is_good_for_its_owner_alone() -> None:
    known = PushTokens(KEY)
    token = known.issue("7")

    assert known.accepts(token, "7")
    assert not known.accepts(token, "8")
    assert not known.accepts(token)
    assert known.renew(token, "8") != token
    assert "7" not in token.split(".")


def test_a_token_of_one_process_is_good_on_every_other_with_the_same_key_and_after_a_restart() -> None:
    token = PushTokens(KEY).issue("7")

    assert PushTokens(KEY).accepts(token, "7")
    assert not PushTokens(b"x" * 32).accepts(token, "7")
