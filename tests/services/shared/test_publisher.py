"""The holder's way out: in batches, numbered without a gap, refused without the lease."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from services.domain.errors import RedisAway
from services.shared.batches import Batch, decode
from services.shared.lag import RedisTime
from services.shared.lease import LEASE
from services.shared.link import RedisLink
from services.shared.publisher import Publisher
from services.shared.subscription import Subscription
from tests.support.redis import RedisServer, link_to

TOKEN = 100


class Out:
    """A publisher that the test drives, and what others hear of it."""

    def __init__(self, link: RedisLink, **given: int) -> None:
        self.link = link
        self.token: int | None = TOKEN
        self.refused: list[int] = []
        channel = link.key("frames")
        link.client.hset(link.key(LEASE), mapping={"token": TOKEN})
        self.publisher = Publisher(
            link,
            channel=channel,
            token=lambda: self.token,
            redis_time=RedisTime(link),
            refused=self.refused.append,
            why=lambda: "there is no login",
            **given,
        )
        self._subscription = Subscription(link, channel)
        self._subscription.open()

    def heard(self) -> list[Batch]:
        """All that has come."""
        found = []
        while (message := self._subscription.next(0.2)) is not None:
            found.append(decode(message))
        return found

    def close(self) -> None:
        self._subscription.close()


@pytest.fixture
def out(redis_link: RedisLink) -> Iterator[Out]:
    with made(redis_link) as found:
        yield found


@contextmanager
def made(link: RedisLink, **given: int) -> Iterator[Out]:
    found = Out(link, **given)
    yield found
    found.close()


def test_what_came_since_the_last_batch_is_the_next_one(out: Out) -> None:
    out.publisher.opened(TOKEN)
    out.publisher.put(b"one")
    out.publisher.put(b"two")
    out.publisher.send()
    out.publisher.put(b"three")
    out.publisher.send()

    first, second = out.heard()
    assert (first.token, list(first.frames), list(second.frames)) == (TOKEN, [b"one", b"two"], [b"three"])
    assert second.number == first.number + 1


def test_without_a_connection_the_reason_is_told_and_no_frame(out: Out) -> None:
    out.publisher.opened(TOKEN)
    out.publisher.put(b"late")
    out.publisher.ended()
    out.publisher.send()

    (batch,) = out.heard()
    assert (batch.connection, list(batch.frames)) == (0, [b"there is no login"])


def test_each_connection_to_the_broker_has_a_number_of_its_own(out: Out) -> None:
    for _ in range(2):
        out.publisher.opened(TOKEN)
        out.publisher.send()

    first, second = out.heard()
    assert first.connection != second.connection


def test_frames_that_redis_cannot_keep_up_with_are_dropped_and_whoever_follows_notices(redis_link: RedisLink) -> None:
    with made(redis_link, most_waiting=10) as out:
        out.publisher.opened(TOKEN)
        out.publisher.send()
        for frame in (b"123456", b"abcdef", b"ABCDEF"):
            out.publisher.put(frame)
        out.publisher.send()

        before, after = out.heard()
        assert list(after.frames) == [b"ABCDEF"]
        assert after.number > before.number + 1
        assert out.publisher.now().dropped == 2


@pytest.mark.parametrize("lease", [{"token": TOKEN + 1}, None], ids=["another's", "nobody's"])
def test_without_the_lease_nothing_is_published(out: Out, lease: dict[str, int] | None) -> None:
    key = out.link.key(LEASE)
    out.link.client.delete(key)
    if lease is not None:
        out.link.client.hset(key, mapping=lease)
    out.publisher.opened(TOKEN)
    out.publisher.put(b"stale")
    out.publisher.send()

    assert out.heard() == []
    assert out.refused == ([TOKEN] if lease is not None else [])


def test_without_a_token_nothing_is_said_and_nothing_waits(out: Out) -> None:
    out.publisher.opened(TOKEN)
    out.publisher.put(b"stale")
    out.token = None
    out.publisher.send()
    out.token = TOKEN + 1
    out.publisher.send()

    assert all(b"stale" not in batch.frames for batch in out.heard())


def test_a_subscription_that_was_cut_says_so_instead_of_coming_back_unasked(own_redis: RedisServer) -> None:
    link = link_to(own_redis)
    subscription = Subscription(link, "anything")
    subscription.open()
    own_redis.stop()
    own_redis.start()
    with pytest.raises(RedisAway):
        subscription.next(30.0)
    subscription.close()
    link.close()
