"""Two processes of a desk, each with its own book and file, over one real Redis and one broker."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from services.domain.errors import BrokerFault, NoData
from services.quote_book import QuoteBook
from services.shared.lease import Lease
from services.shared.processes import Processes
from services.shared.quotes import QuoteTier
from tests.support.clocks import FakeClock, FakeMonotonic
from tests.support.quotes import INFY, NOW, RELIANCE, TCS, FakeBroker, open_book, open_store, wait_until
from tests.support.redis import RedisServer, link_to, settle


class Process:
    """One of them. Its clock is the one they share; its thread `shared` is stepped by the test."""

    def __init__(self, room: Room, name: str, *, timeout: float, claim: float) -> None:
        self.link = link_to(room.server, timeout=timeout, again=0.0)
        room.stack.callback(self.link.close)
        settle(self.link)
        self.broker = FakeBroker()
        self.monotonic = FakeMonotonic()
        self.lease = Lease(self.link, process=name, ttl=120)
        self.processes = Processes(self.link, process=name, name=name, leads=self.lease.leads)
        self.tier = QuoteTier(self.link, lease=self.lease, processes=self.processes, ttl=120, claim=claim)
        store = room.stack.enter_context(open_store(room.folder / name))
        self.book: QuoteBook = room.stack.enter_context(
            open_book(self.broker, store, room.clock, monotonic=self.monotonic, shared=self.tier)
        )

    def handed_on(self) -> None:
        """Own readers have their quotes a moment before the other processes do."""
        wait_until(lambda: not self.link.client.keys("*:f"))

    def beat(self) -> None:
        self.lease.step()
        self.processes.beat()
        self.tier.exchange()


class Room:
    def __init__(self, server: RedisServer, folder: Path, stack: ExitStack) -> None:
        self.server, self.folder, self.stack = server, folder, stack
        self.clock = FakeClock(NOW)

    def process(self, name: str, *, timeout: float = 5.0, claim: float = 60.0) -> Process:
        (self.folder / name).mkdir()
        return Process(self, name, timeout=timeout, claim=claim)


@pytest.fixture
def room(redis_server: RedisServer, tmp_path: Path) -> Iterator[Room]:
    with ExitStack() as stack:
        yield Room(redis_server, tmp_path, stack)


@pytest.fixture
def own_room(own_redis: RedisServer, tmp_path: Path) -> Iterator[Room]:
    with ExitStack() as stack:
        yield Room(own_redis, tmp_path, stack)


def test_what_one_process_was_told_the_other_does_not_ask_for(room: Room) -> None:
    one, two = room.process("one"), room.process("two")
    one.broker.silent = {TCS}
    first = one.book.get([RELIANCE, TCS])
    one.handed_on()

    second = two.book.get([RELIANCE, TCS, INFY])

    assert one.broker.asked == [(RELIANCE, TCS)]
    assert two.broker.asked == [(INFY,)]
    assert second.quotes[RELIANCE] == first.quotes[RELIANCE]
    assert isinstance(second.problems[TCS], NoData)
    assert (two.book.counts().shared, two.book.counts().broker) == (2, 1)
    two.book.get([RELIANCE])
    assert two.book.counts().memory == 1  # it stays in memory


def test_a_key_that_one_process_asks_for_is_waited_for_by_the_other(room: Room) -> None:
    one, two = room.process("one"), room.process("two")
    asking, answer = threading.Event(), threading.Event()

    def hold() -> None:
        asking.set()
        assert answer.wait(60)

    one.broker.before_answer = hold
    got: dict[str, object] = {}
    threads = [threading.Thread(target=lambda: got.update(one=one.book.get([RELIANCE]).quotes[RELIANCE]))]
    threads[0].start()
    assert asking.wait(60)
    threads.append(threading.Thread(target=lambda: got.update(two=two.book.get([RELIANCE, INFY]).quotes[RELIANCE])))
    threads[1].start()
    wait_until(lambda: two.broker.asked == [(INFY,)])  # its own part is not held up
    answer.set()
    for thread in threads:
        thread.join(60)

    assert got["one"] == got["two"]
    assert one.broker.calls == 1
    assert two.broker.asked == [(INFY,)]


def test_a_dead_asker_is_waited_for_only_so_long(room: Room) -> None:
    dead, two = room.process("dead"), room.process("two", claim=0.3)
    two.tier._claim_ms = dead.tier._claim_ms = 300
    assert dead.tier.claim([RELIANCE], again=False).ours == (RELIANCE,)

    assert RELIANCE in two.book.get([RELIANCE]).quotes
    assert two.broker.asked == [(RELIANCE,)]


def test_what_failed_there_is_asked_for_here_at_once(room: Room) -> None:
    one, two = room.process("one"), room.process("two")
    one.broker.failure = BrokerFault("trouble", status=500)

    assert isinstance(one.book.get([RELIANCE]).problems[RELIANCE], BrokerFault)
    one.handed_on()
    assert RELIANCE in two.book.get([RELIANCE]).quotes


def test_whoever_wants_it_anew_gets_it_anew_and_so_do_the_others(room: Room) -> None:
    one, two = room.process("one"), room.process("two")
    one.book.get([RELIANCE])
    one.handed_on()
    two.broker.ltp = 200.0
    two.book.get([RELIANCE], use_cache=False)
    two.handed_on()
    three = room.process("three")

    assert three.book.get([RELIANCE]).quotes[RELIANCE]["ltp"] == 200.0
    assert three.broker.calls == 0


def test_only_the_holder_refreshes_what_is_watched_anywhere(room: Room) -> None:
    holder, other = room.process("holder"), room.process("other")
    other.book.watch("page", [INFY], seconds=1e6)
    for process in (holder, other):
        process.beat()
    assert holder.lease.leads()
    other.book.get([INFY])
    other.book.refresh_watched()  # tells what it watches
    for process in (other, holder):
        process.beat()
    assert holder.tier.watched_elsewhere() == [INFY]
    holder.broker.ltp = 300.0
    room.clock.move(seconds=4.9)  # about to expire

    assert holder.book.refresh_watched() is not None
    assert holder.broker.asked == [(INFY,)]
    holder.handed_on()
    other.book.refresh_watched()

    assert other.book.last_known([INFY])[INFY]["ltp"] == 300.0
    assert other.broker.asked == [(INFY,)]  # its own first question
    assert holder.book.look_for_others() is None


def test_what_the_holder_leaves_to_expire_is_asked_for_where_it_is_watched(room: Room) -> None:
    holder, other = room.process("holder"), room.process("other")
    for process in (holder, other):
        process.beat()
    other.book.watch("page", [INFY], seconds=1e6)
    other.book.get([INFY])
    room.clock.move(seconds=4.9)
    assert other.book.refresh_watched() is not None
    assert other.broker.calls == 1  # the holder may still do it
    room.clock.move(seconds=3.0)

    other.book.refresh_watched()

    assert other.broker.calls == 2


def test_nobody_watches_for_a_process_that_is_gone(room: Room) -> None:
    holder, other = room.process("holder"), room.process("other")
    other.book.watch("page", [INFY], seconds=1e6)
    other.book.refresh_watched()
    for process in (holder, other, holder):
        process.beat()
    assert holder.tier.watched_elsewhere() == [INFY]

    other.link.client.delete(other.link.key("watched", "other"))  # ten seconds later
    holder.beat()

    assert holder.tier.watched_elsewhere() == []
    assert holder.book.refresh_watched() is None


def test_a_process_whose_clock_runs_behind_serves_what_the_others_were_told(room: Room) -> None:
    one, two = room.process("one"), room.process("two")
    one.book.get([RELIANCE])
    one.handed_on()
    room.clock.move(seconds=-3)

    assert RELIANCE in two.book.get([RELIANCE]).quotes
    assert two.broker.calls == 0


def test_without_redis_each_process_asks_by_itself(own_room: Room) -> None:
    one = own_room.process("one", timeout=0.3)
    one.book.get([RELIANCE])
    own_room.server.stop()

    assert INFY in one.book.get([INFY]).quotes
    one.book.watch("page", [RELIANCE], seconds=1e6)
    own_room.clock.move(seconds=10)
    one.book.refresh_watched()

    assert one.broker.asked == [(RELIANCE,), (INFY,), (RELIANCE,)]


def test_a_quote_that_cannot_be_read_is_asked_for(room: Room) -> None:
    one = room.process("one")
    one.link.client.set(one.tier.prefix + RELIANCE, b"\x93of another time")

    assert RELIANCE in one.book.get([RELIANCE]).quotes
    assert one.broker.calls == 1
