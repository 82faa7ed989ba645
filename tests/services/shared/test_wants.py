"""What the processes of a desk want of a stream, as Redis keeps it."""

from __future__ import annotations

from services.shared.link import RedisLink
from services.shared.wants import Wants


def wants_of(link: RedisLink, process: str) -> Wants:
    return Wants(link, stream="market", process=process)


def test_each_process_reads_what_all_the_others_want(redis_link: RedisLink) -> None:
    one, two, three = (wants_of(redis_link, name) for name in ("one", "two", "three"))
    one.say({"NSE_EQ|A": "full", "NSE_EQ|B": "ltpc"})
    two.say({})
    three.say({"NSE_EQ|C": "full"})

    assert one.of_others() == {"two": {}, "three": {"NSE_EQ|C": "full"}}
    three.withdraw()
    assert two.of_others() == {"one": {"NSE_EQ|A": "full", "NSE_EQ|B": "ltpc"}}


def test_what_a_process_does_not_renew_is_forgotten_and_it_is_told_so(redis_link: RedisLink) -> None:
    one, two = wants_of(redis_link, "one"), wants_of(redis_link, "two")
    one.say({"NSE_EQ|A": "full"})
    assert one.renew()
    redis_link.client.delete(redis_link.key("wants", "market", "one"))  # its time has come

    assert two.of_others() == {}
    assert not one.renew()


def test_what_another_version_says_does_not_keep_the_others_from_being_served(
    redis_link: RedisLink,
) -> None:
    one, two, three = (wants_of(redis_link, name) for name in ("one", "two", "three"))
    two.say({"NSE_EQ|A": "full"})
    three.say({})
    redis_link.client.set(redis_link.key("wants", "market", "three"), b'{"full": 7}')

    assert one.of_others() == {"two": {"NSE_EQ|A": "full"}}
