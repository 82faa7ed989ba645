"""A token that one process asked for on the phone is taken by whichever it is posted to."""

from __future__ import annotations

from datetime import timedelta

from services.shared.asking import FRESH_SECONDS, SharedAsking
from services.shared.link import RedisLink
from tests.support.clocks import FakeMonotonic
from tests.support.measures import NOW
from tests.support.redis import RedisServer, link_to

END = NOW + timedelta(minutes=10)


def test_what_one_process_asked_for_every_process_awaits_until_it_has_come(redis_link: RedisLink) -> None:
    time = FakeMonotonic()
    one, other = SharedAsking(redis_link), SharedAsking(redis_link, monotonic=time)
    assert other.until() is None

    one.tell(END, 600.0)
    assert other.until() is None  # asked just now
    time.now += FRESH_SECONDS
    assert other.until() == END

    other.tell(None, 0.0)
    assert (one.until(), other.until()) == (None, None)


def test_with_redis_away_nobody_awaits_what_another_asked_for(own_redis: RedisServer) -> None:
    link = link_to(own_redis, timeout=0.5)
    own_redis.stop()

    SharedAsking(link).tell(END, 600.0)
    assert SharedAsking(link).until() is None
