from __future__ import annotations

import pytest

from services.domain.errors import SignInPaused
from services.shared.guesses import PER_MINUTE, SharedGuesses
from services.shared.link import RedisLink
from services.sign_in.attempts import Attempts
from tests.support.clocks import FakeMonotonic
from tests.support.redis import RedisServer, link_to

ANN = ("name ann", "address 10.0.0.7")


def guesses(link: RedisLink, name: str = "one") -> SharedGuesses:
    own = Attempts(monotonic=FakeMonotonic(), most_wrong=3)
    return SharedGuesses(link, own=own, most_wrong=3, name=name)


def wrong(at: SharedGuesses, keys: tuple[str, ...] = ANN) -> bool:
    at.admit(keys)
    return at.wrong(keys)


def test_who_guesses_at_two_processes_gets_no_more_tries_than_at_one(redis_link: RedisLink) -> None:
    one, two = guesses(redis_link), guesses(redis_link, "two")

    assert [wrong(one), wrong(two), wrong(one)] == [False, False, True]
    with pytest.raises(SignInPaused) as caught:
        two.admit(ANN)
    assert 800 < caught.value.wait_seconds <= 900
    with pytest.raises(SignInPaused):
        one.admit(("name bob", ANN[0]))
    two.admit(("browser 7",), stranger=False)  # a known browser waits for nobody


def test_a_right_attempt_wipes_the_name_and_spares_the_address(redis_link: RedisLink) -> None:
    one = guesses(redis_link)
    for _ in range(8):
        one.admit(ANN)
        one.right(ANN)

    assert not wrong(one)
    assert redis_link.client.hget(one._keys(ANN)[2], "wrong") == b"1"


def test_an_attempt_that_nobody_can_judge_is_held_against_nobody(redis_link: RedisLink) -> None:
    one = guesses(redis_link)
    for _ in range(8):
        one.admit(ANN)
        one.take_back(ANN)

    assert not wrong(one)
    assert [redis_link.client.hget(key, "wrong") for key in one._keys(ANN)[1:]] == [b"1", b"1"]


def test_many_under_way_at_once_are_counted_before_they_are_known_to_be_wrong(redis_link: RedisLink) -> None:
    one = guesses(redis_link)
    for _ in range(3):
        one.admit(ANN)

    with pytest.raises(SignInPaused) as caught:
        one.admit(ANN)
    assert caught.value.wait_seconds == 1.0


def test_strangers_are_few_in_a_minute_over_all_processes(redis_link: RedisLink) -> None:
    one, two = guesses(redis_link), guesses(redis_link, "two")
    for number in range(PER_MINUTE):
        (one if number % 2 else two).admit((f"name {number}",))

    with pytest.raises(SignInPaused, match="at once") as caught:
        one.admit(("name another",))
    assert 0 < caught.value.wait_seconds <= 60
    two.admit(("browser 1",), stranger=False)


def test_neither_names_nor_addresses_stand_in_redis(redis_link: RedisLink) -> None:
    wrong(guesses(redis_link))

    names = b" ".join(redis_link.client.keys("*"))
    assert b"ann" not in names
    assert b"10.0.0.7" not in names


def test_without_redis_each_process_counts_its_own(own_redis: RedisServer) -> None:
    link = link_to(own_redis, timeout=0.3)
    one = guesses(link)
    own_redis.stop()

    assert [wrong(one), wrong(one), wrong(one)] == [False, False, True]
    with pytest.raises(SignInPaused):
        one.admit(ANN)
    one.right(("name bob",))
    link.close()
