from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from services.domain.errors import RedisAway
from services.shared.lease import Lease
from services.shared.link import RedisLink
from tests.support.clocks import FakeMonotonic
from tests.support.redis import RedisServer, link_to, settle


class Room:
    """Processes of one desk, each with a clock of its own that a test moves; Redis' own clock goes on by itself."""

    def __init__(self, server: RedisServer, stack: ExitStack) -> None:
        self.server = server
        self._stack = stack
        self.clocks: dict[str, FakeMonotonic] = {}

    def process(self, name: str, *, ttl: float = 60.0) -> Lease:
        link = link_to(self.server, timeout=2.0)
        self._stack.callback(link.close)
        clock = self.clocks[name] = FakeMonotonic()
        return Lease(link, process=name, ttl=ttl, now=clock)

    def forget_lease(self, lease: Lease) -> None:
        """Let its time in Redis be over."""
        lease._link.client.delete(lease._link.key("lease"))


@pytest.fixture
def room(redis_server: RedisServer) -> Iterator[Room]:
    with ExitStack() as stack:
        link = link_to(redis_server)
        settle(link)
        link.close()
        yield Room(redis_server, stack)


def test_one_process_holds_it_and_the_others_know_who(room: Room) -> None:
    one, two = room.process("one"), room.process("two")
    one.step()
    two.step()

    assert (one.leads(), two.leads()) == (True, False)
    assert two.token is None
    holder = two.holder()
    assert holder is not None
    assert (holder.process, holder.token) == ("one", one.token)


def test_who_does_not_renew_holds_nothing_by_its_own_clock_before_redis_lets_another_in(room: Room) -> None:
    one, two = room.process("one"), room.process("two")
    one.step()
    first = one.token
    assert first is not None
    room.clocks["one"].now += 59.6  # of sixty
    assert one.token is None  # without asking anybody: it was paused, say

    two.step()
    assert not two.leads()  # Redis' minute is not over yet
    room.forget_lease(two)
    two.step()
    assert two.token is not None
    assert two.token > first


def test_a_holder_that_wakes_finds_itself_refused_and_follows(room: Room) -> None:
    one, two = room.process("one"), room.process("two")
    one.step()
    room.forget_lease(one)
    two.step()
    assert two.leads()

    one.step()  # renews, and is refused
    one.step()

    assert not one.leads()
    assert one.holder() == two.holder()


def test_it_steps_down_in_time_when_redis_does_not_answer(own_redis: RedisServer) -> None:
    link = link_to(own_redis, timeout=0.05, again=0.0)
    settle(link)
    clock = FakeMonotonic()
    lease = Lease(link, process="one", ttl=6, renew=1, now=clock)
    lease.step()
    assert lease.leads()
    own_redis.stop()

    told: list[bool] = []
    lease.listen(lambda: told.append(lease.leads()))
    while clock.now < 1005.3:  # 0.5 and the time of an answer before the lease's end
        assert lease.leads()
        clock.now += lease.step() or 0.1
    clock.now = 1005.45
    lease.step()

    assert not lease.leads()
    assert told == [True, False]
    assert lease.holder() is None
    link.close()


def test_given_back_it_goes_to_the_next_at_once(room: Room) -> None:
    one, two = room.process("one"), room.process("two")
    one.step()
    two.step()

    one.close()
    two.step()

    assert two.leads()
    assert not one.leads()


def test_a_redis_that_lost_its_data_gives_it_to_nobody_new_while_an_old_promise_may_hold(room: Room) -> None:
    one, two = room.process("one"), room.process("two")
    one.step()
    token = one.token
    one._link.client.flushall()

    two.step()
    assert not two.leads()
    one.step()
    two.step()

    assert one.token == token  # it goes on as if nothing had been
    assert two.holder() == one.holder()


def test_a_server_that_has_just_begun_keeps_quiet_for_one_term(redis_link: RedisLink) -> None:
    lease = Lease(redis_link, process="one", ttl=12, renew=0.1)
    assert not lease.leads()
    lease.step()
    assert not lease.leads()
    assert 0 < redis_link.client.pttl(redis_link.key("quiet")) <= 12_000

    redis_link.client.delete(redis_link.key("quiet"))  # its time is over
    lease.step()
    assert lease.leads()


def test_tokens_only_grow_even_where_redis_knows_of_no_earlier_one(room: Room) -> None:
    one, two = room.process("one"), room.process("two")
    one.step()
    two.step()
    first = one.token
    assert first is not None
    two._highest = first + 10**9  # of a clock that ran ahead
    two._link.client.flushall()
    settle(two._link)

    two.step()

    assert two.token == first + 10**9 + 1


def test_an_answer_that_was_lost_is_made_up_for_by_the_next(room: Room) -> None:
    one = room.process("one")
    one._take(one._keys, ["one", 60_000, 0])  # it was given, and nobody heard

    one.step()

    assert one.leads()


def test_one_that_must_not_wait_is_told_of_every_change_and_cannot_hurt(room: Room) -> None:
    one, seen = room.process("one"), []

    def fails() -> None:
        raise RuntimeError("of a listener")

    one.listen(fails)
    one.listen(lambda: seen.append(one.leads()))
    one.step()
    room.forget_lease(one)
    one.step()

    assert seen == [True, False]


def test_a_lease_shorter_than_a_question_is_refused(redis_link: RedisLink) -> None:
    with pytest.raises(ValueError, match="outlive"):
        Lease(redis_link, process="one", ttl=6)


def test_a_link_that_is_away_is_no_error_of_the_lease(own_redis: RedisServer) -> None:
    own_redis.stop()
    link = link_to(own_redis, timeout=0.1)
    lease = Lease(link, process="one")

    assert lease.step() > 0
    assert not lease.leads()
    with pytest.raises(RedisAway):
        link.run(lambda client: client.ping())
    link.close()
