from __future__ import annotations

import pytest

from services.domain.errors import ConfigurationError, RedisAway
from services.shared.link import RedisLink
from tests.support.clocks import FakeMonotonic
from tests.support.redis import RedisServer, free_port, link_to


def test_what_redis_answers_is_handed_on_and_the_way_is_up(redis_link: RedisLink) -> None:
    assert not redis_link.state().up

    assert redis_link.run(lambda client: client.ping())

    state = redis_link.state()
    assert (state.up, state.problem) == (True, "")
    assert state.round_trip_ms is not None


def test_a_script_is_one_step_and_may_be_forgotten_by_redis(redis_link: RedisLink) -> None:
    script = redis_link.script("return redis.call('INCRBY', KEYS[1], ARGV[1])")
    assert script([redis_link.key("number")], [2]) == 2
    redis_link.client.script_flush()

    assert script([redis_link.key("number")], [3]) == 5


def test_one_that_is_away_is_an_error_in_words_without_the_password() -> None:
    link = RedisLink(f"redis://me:secret-word@127.0.0.1:{free_port()}/0", prefix="x")

    with pytest.raises(RedisAway) as caught:
        link.run(lambda client: client.ping())

    assert "Redis does not answer" in str(caught.value)
    assert "secret-word" not in str(caught.value) + repr(link.state())
    assert not link.state().up


def test_while_it_is_away_one_caller_a_second_finds_out_and_the_others_do_not_wait() -> None:
    time, asked = FakeMonotonic(), []
    link = RedisLink(f"redis://127.0.0.1:{free_port()}/0", prefix="x", monotonic=time)

    def call(client: object) -> None:
        asked.append(time.now)
        raise OSError("gone")

    for _ in range(3):
        with pytest.raises(RedisAway):
            link.run(call)
    time.now += 1.5
    for _ in range(3):
        with pytest.raises(RedisAway):
            link.run(call)
    with pytest.raises(RedisAway):
        link.run(call, probe=True)

    assert asked == [1000.0, 1001.5, 1001.5]


def test_a_refusal_is_an_error_and_the_way_stays_up(redis_link: RedisLink) -> None:
    redis_link.run(lambda client: client.set(redis_link.key("text"), "x"))

    with pytest.raises(RedisAway, match="refuses"):
        redis_link.run(lambda client: client.hget(redis_link.key("text"), "field"))

    assert redis_link.state().up
    assert "refuses" in redis_link.state().problem


def test_a_redis_that_is_mute_costs_one_bounded_wait_and_comes_back_by_itself(own_redis: RedisServer) -> None:
    link = link_to(own_redis, timeout=0.2, again=0.01)
    link.run(lambda client: client.ping())
    own_redis.pause()
    with pytest.raises(RedisAway):
        link.run(lambda client: client.ping())
    assert not link.state().up
    own_redis.wake()

    patient = link_to(own_redis)
    patient.run(lambda client: client.ping())  # it answers again
    patient.close()
    assert link.run(lambda client: client.ping(), probe=True)
    assert link.state().up
    link.close()


@pytest.mark.parametrize("address", ["localhost:6379", "http://localhost", "redis://host:port/x"])
def test_an_address_that_is_none_is_told_without_repeating_it(address: str) -> None:
    with pytest.raises(ConfigurationError, match="DESK_REDIS_URL") as caught:
        RedisLink(address, prefix="x")

    assert address not in str(caught.value)


def test_certificates_of_ones_own_may_be_named_in_the_address() -> None:
    link = RedisLink("rediss://host:6380/0?ssl_ca_certs=/etc/desk/ca.pem", prefix="x")

    assert link.client.connection_pool.connection_kwargs["ssl_ca_certs"] == "/etc/desk/ca.pem"
