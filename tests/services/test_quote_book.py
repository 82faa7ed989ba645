"""The quote book: asked once, shared by all, never an empty answer for a failure."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from services.domain.errors import (
    AccessDenied,
    BadInstrumentKey,
    InvalidRequest,
    NoAnswer,
    NoData,
    NotSent,
    PoolExhausted,
    TooManyBadKeys,
    UpstoxError,
)
from services.domain.quote_batch import ReadCounts
from services.domain.quote_row import QuoteRow
from services.quote_book import QuoteBook
from services.storage.quote_fetcher import START_WITHIN, Served
from services.storage.quote_store import QuoteStore
from tests.support.clocks import FakeClock, FakeMonotonic
from tests.support.quotes import INFY, NOW, RELIANCE, TCS, FakeBroker, keys, open_book, open_store, row, wait_until

THREADS = 32


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOW)


@pytest.fixture
def monotonic() -> FakeMonotonic:
    return FakeMonotonic()


@pytest.fixture
def broker() -> FakeBroker:
    return FakeBroker()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[QuoteStore]:
    with open_store(tmp_path) as opened:
        yield opened


@pytest.fixture
def book(broker: FakeBroker, store: QuoteStore, clock: FakeClock, monotonic: FakeMonotonic) -> Iterator[QuoteBook]:
    with open_book(broker, store, clock, monotonic=monotonic) as made:
        yield made


# -- reading -------------------------------------------------------------------------------------------------------


def test_quotes_come_keyed_and_ordered_as_asked(book: QuoteBook) -> None:
    result = book.get([TCS, RELIANCE, INFY, RELIANCE])

    assert list(result.quotes) == [TCS, RELIANCE, INFY]
    assert result.problems == {}
    assert all(row["instrument_key"] == key for key, row in result.quotes.items())
    row = result.quotes[TCS]
    assert (row["source"], row["api_version"], row["received_at"]) == ("simulated", "v3", NOW)


def test_within_the_ttl_nobody_is_asked_again(book: QuoteBook, broker: FakeBroker, clock: FakeClock) -> None:
    book.get([RELIANCE, INFY])
    clock.move(seconds=4.9)
    book.get([RELIANCE, INFY])
    book.get((INFY,))
    assert broker.calls == 1

    clock.move(seconds=0.2)
    book.get([RELIANCE])

    assert broker.asked[1:] == [(RELIANCE,)]


def test_only_what_is_missing_is_asked_for(book: QuoteBook, broker: FakeBroker) -> None:
    book.get([RELIANCE])

    book.get([INFY, RELIANCE, TCS])

    assert broker.asked == [(RELIANCE,), (INFY, TCS)]


def test_the_cache_can_be_passed_by(book: QuoteBook, broker: FakeBroker) -> None:
    book.get([RELIANCE])
    broker.ltp = 200.0

    assert book.get([RELIANCE], use_cache=False).quotes[RELIANCE]["ltp"] == 200.0
    assert book.get([RELIANCE]).quotes[RELIANCE]["ltp"] == 200.0
    assert broker.calls == 2


def test_a_caller_can_insist_on_the_v2_call(book: QuoteBook, broker: FakeBroker) -> None:
    result = book.get([RELIANCE], use_v3=False)

    assert broker.versions == [False]
    assert result.quotes[RELIANCE]["api_version"] == "v2"


def test_nothing_asked_is_nothing_found(book: QuoteBook, broker: FakeBroker) -> None:
    assert book.get([]).quotes == {}
    assert broker.calls == 0


def test_a_single_text_is_refused_as_a_list_of_keys(book: QuoteBook) -> None:
    with pytest.raises(InvalidRequest):
        book.get(RELIANCE)


def test_what_cannot_be_a_key_is_never_sent_and_harms_no_other(book: QuoteBook, broker: FakeBroker) -> None:
    result = book.get(["TECHM", RELIANCE, "NSE_EQ:RELIANCE", 7])  # type: ignore[list-item]

    assert list(result.quotes) == [RELIANCE]
    assert {type(problem) for problem in result.problems.values()} == {InvalidRequest}
    assert broker.asked == [(RELIANCE,)]


def test_chunks_hold_500_keys_at_most(book: QuoteBook, broker: FakeBroker) -> None:
    result = book.get(keys(1201))

    assert len(result.quotes) == 1201
    assert sorted(len(chunk) for chunk in broker.asked) == [201, 500, 500]


def test_chunks_are_bounded_in_length_too(book: QuoteBook, broker: FakeBroker) -> None:
    long_keys = [f"NSE_INDEX|Nifty Long Name With Blanks & Signs {number:04d}" for number in range(400)]

    assert len(book.get(long_keys).quotes) == 400
    assert broker.calls == 2


def test_chunks_are_fetched_at_the_same_time_but_four_at_most(book: QuoteBook, broker: FakeBroker) -> None:
    inside, most, guard, enough = [0], [0], threading.Lock(), threading.Event()

    def count() -> None:
        with guard:
            inside[0] += 1
            most[0] = max(most[0], inside[0])
            if most[0] == 4:
                enough.set()
        enough.wait(30)
        with guard:
            inside[0] -= 1

    broker.before_answer = count
    book.get(keys(3500))

    assert (most[0], broker.calls) == (4, 7)


# -- one request for each key --------------------------------------------------------------------------------------


def test_a_cold_stampede_is_one_call(book: QuoteBook, broker: FakeBroker) -> None:
    gate = threading.Barrier(THREADS)
    results: list[int] = []

    def read() -> None:
        gate.wait()
        results.append(len(book.get(keys(500)).quotes))

    threads = [threading.Thread(target=read) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert results == [500] * THREADS
    assert broker.calls == 1


def test_whoever_comes_while_a_key_is_on_its_way_joins_and_asks_for_the_rest(
    book: QuoteBook, broker: FakeBroker
) -> None:
    started, go_on = threading.Event(), threading.Event()
    broker.before_answer = lambda: (started.set(), go_on.wait(30))
    first = threading.Thread(target=book.get, args=([RELIANCE, INFY],))
    first.start()
    assert started.wait(30)
    second_result: list[dict[str, object]] = []
    second = threading.Thread(target=lambda: second_result.append(dict(book.get([INFY, TCS]).quotes)))
    second.start()
    wait_until(lambda: broker.calls == 2)

    go_on.set()
    first.join()
    second.join()

    assert broker.asked == [(RELIANCE, INFY), (TCS,)]
    assert list(second_result[0]) == [INFY, TCS]


def test_a_failure_is_shared_by_those_who_wait_and_not_remembered(book: QuoteBook, broker: FakeBroker) -> None:
    broker.failure = NoAnswer("silence")
    assert isinstance(book.get([RELIANCE]).problems[RELIANCE], NoAnswer)

    broker.failure = None

    assert book.get([RELIANCE]).problems == {}


# -- what goes wrong -----------------------------------------------------------------------------------------------


def test_a_failed_fetch_is_told_for_each_key(book: QuoteBook, broker: FakeBroker) -> None:
    broker.failure = NoAnswer("silence")

    result = book.get([RELIANCE, INFY])

    assert result.quotes == {}
    assert list(result.problems) == [RELIANCE, INFY]
    assert str(result.problems[INFY]) == "silence"


def test_one_bad_key_loses_no_other_and_is_not_asked_for_again_soon(
    book: QuoteBook, broker: FakeBroker, clock: FakeClock
) -> None:
    broker.bad = {keys(500)[77]}

    result = book.get(keys(500))

    assert len(result.quotes) == 499
    assert {key: type(error) for key, error in result.problems.items()} == {keys(500)[77]: BadInstrumentKey}
    calls = broker.calls
    clock.move(seconds=10)
    again = book.get(keys(500))
    assert isinstance(again.problems[keys(500)[77]], BadInstrumentKey)
    assert broker.calls == calls + 1
    assert book.stats().bad_keys == (keys(500)[77],)


def test_a_bad_key_is_tried_again_a_quarter_of_an_hour_later(
    book: QuoteBook, broker: FakeBroker, clock: FakeClock
) -> None:
    broker.bad = {RELIANCE}
    book.get([RELIANCE])
    broker.bad = set()
    clock.move(minutes=16)

    assert list(book.get([RELIANCE]).quotes) == [RELIANCE]


def test_who_passes_the_cache_by_has_a_bad_key_asked_for_again(book: QuoteBook, broker: FakeBroker) -> None:
    broker.bad = {RELIANCE}
    book.get([RELIANCE])
    broker.bad = set()

    assert list(book.get([RELIANCE], use_cache=False).quotes) == [RELIANCE]
    assert book.stats().bad_keys == ()


def test_a_list_full_of_expired_contracts_costs_the_good_ones_one_more_read(
    book: QuoteBook, broker: FakeBroker
) -> None:
    broker.bad = set(keys(230)[150:])

    first = book.get(keys(230))
    second = book.get(keys(230))

    assert {type(error) for error in first.problems.values()} == {BadInstrumentKey, TooManyBadKeys}
    assert list(second.quotes) == list(keys(230)[:150])
    assert broker.calls <= 64 + 20


def test_silence_about_a_key_is_a_problem_and_not_asked_again_within_the_ttl(
    book: QuoteBook, broker: FakeBroker, clock: FakeClock
) -> None:
    broker.silent = {INFY}

    assert isinstance(book.get([RELIANCE, INFY]).problems[INFY], NoData)
    assert isinstance(book.get([RELIANCE, INFY]).problems[INFY], NoData)
    assert broker.calls == 1
    clock.move(seconds=6)
    broker.silent = set()
    assert book.get([INFY]).problems == {}


def test_a_part_that_failed_leaves_the_parts_that_came(broker: FakeBroker, store: QuoteStore, clock: FakeClock) -> None:
    failing = keys(4)[2:]

    def fail(asked: tuple[str, ...]) -> UpstoxError | None:
        return NoAnswer("silence") if asked[0] in failing else None

    class HalfBroken(FakeBroker):
        def __call__(self, keys, *, use_v3=None):  # type: ignore[no-untyped-def]
            self.failure = fail(tuple(keys))
            return super().__call__(keys, use_v3=use_v3)

    with open_book(HalfBroken(), store, clock, max_keys=2, fetchers=1) as book:
        result = book.get(keys(4))

    assert list(result.quotes) == keys(4)[:2]
    assert list(result.problems) == failing


def test_a_fault_inside_never_looks_like_silence(
    book: QuoteBook, broker: FakeBroker, caplog: pytest.LogCaptureFixture
) -> None:
    def break_down() -> None:
        raise RuntimeError("a mistake of ours")

    broker.before_answer = break_down

    result = book.get([RELIANCE])

    assert isinstance(result.problems[RELIANCE], NoAnswer)
    wait_until(lambda: "a mistake of ours" in caplog.text)


# -- the SQLite tier -----------------------------------------------------------------------------------------------


def test_after_a_restart_fresh_quotes_come_from_sqlite(broker: FakeBroker, store: QuoteStore, clock: FakeClock) -> None:
    with open_book(broker, store, clock) as before:
        before.get([RELIANCE, INFY])
    clock.move(seconds=3)

    with open_book(broker, store, clock) as after:
        result = after.get([RELIANCE, INFY])
        after.get([RELIANCE])
        assert after.counts() == ReadCounts(live=0, memory=1, store=2, broker=0)
        stats = after.stats()

    assert broker.calls == 1
    assert result.quotes[RELIANCE]["received_at"] == NOW
    assert (stats.hits_1h, stats.misses_1h) == (3, 2)


def test_after_a_restart_stale_quotes_are_asked_for_anew(
    broker: FakeBroker, store: QuoteStore, clock: FakeClock
) -> None:
    with open_book(broker, store, clock) as before:
        before.get([RELIANCE])
    clock.move(seconds=6)

    with open_book(broker, store, clock) as after:
        after.get([RELIANCE])

    assert broker.calls == 2


def test_sqlite_is_read_only_for_what_this_process_has_not_seen(
    book: QuoteBook, store: QuoteStore, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    book.get([RELIANCE])
    clock.move(seconds=6)
    loads: list[object] = []
    monkeypatch.setattr(store, "load", lambda keys, **_: loads.append(keys) or {})

    book.get([RELIANCE])

    assert loads == []


def test_a_disk_that_cannot_be_read_costs_no_quotes(
    book: QuoteBook, store: QuoteStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def busy(keys: object, **_: object) -> None:
        raise PoolExhausted("no connection")

    monkeypatch.setattr(store, "load", busy)

    assert list(book.get([RELIANCE]).quotes) == [RELIANCE]
    assert "could not be read" in caplog.text


def test_one_damaged_row_hides_no_other(broker: FakeBroker, store: QuoteStore, clock: FakeClock) -> None:
    with open_book(broker, store, clock) as before:
        before.get([RELIANCE, INFY])
    [stored] = store.load([RELIANCE], not_before_ms=0).values()
    store.save([replace(stored, payload=b"not json")])

    with open_book(broker, store, clock) as after:
        assert list(after.last_known([RELIANCE, INFY])) == [INFY]


def test_readers_do_not_queue_up_behind_a_mute_broker(
    broker: FakeBroker, store: QuoteStore, clock: FakeClock, monotonic: FakeMonotonic
) -> None:
    entered, fetcher_gate = threading.Event(), threading.Event()
    answers: list[UpstoxError] = []

    def mute(asked: Sequence[str], **_: object) -> Served:
        entered.set()
        fetcher_gate.wait(30)
        raise NoAnswer("silence")

    with open_book(mute, store, clock, monotonic=monotonic, fetchers=1) as book:
        readers = [
            threading.Thread(target=lambda key=key: answers.extend(book.get([key]).problems.values()))
            for key in keys(4)
        ]
        for reader in readers:
            reader.start()
        assert entered.wait(30)
        wait_until(lambda: len(book._fetcher._flights.all()) == 4)
        monotonic.now += START_WITHIN + 1
        fetcher_gate.set()
        for reader in readers:
            reader.join(30)

    assert sorted("did not start" in str(error) for error in answers) == [False, True, True, True]


def test_the_last_known_are_told_without_a_request_whatever_their_age(
    broker: FakeBroker, store: QuoteStore, clock: FakeClock
) -> None:
    with open_book(broker, store, clock) as before:
        before.get([RELIANCE])
    clock.move(days=3)
    broker.failure = NotSent("the broker is away")

    with open_book(broker, store, clock) as after:
        assert isinstance(after.get([RELIANCE]).problems[RELIANCE], NotSent)
        known = after.last_known([INFY, RELIANCE])

    assert list(known) == [RELIANCE]
    assert known[RELIANCE]["received_at"] == NOW


def test_clear_forgets_everywhere(book: QuoteBook, broker: FakeBroker, store: QuoteStore) -> None:
    broker.bad = {INFY}
    book.get([RELIANCE, INFY])
    broker.bad = set()

    book.clear()

    assert store.count(0) == 0
    assert book.last_known([RELIANCE]) == {}
    assert list(book.get([RELIANCE, INFY]).quotes) == [RELIANCE, INFY]


# -- watching ------------------------------------------------------------------------------------------------------


def test_nobody_watches_nothing_is_asked(book: QuoteBook, broker: FakeBroker, monotonic: FakeMonotonic) -> None:
    assert book.refresh_watched() is None
    book.watch("page", [RELIANCE], seconds=15)
    monotonic.now += 15

    assert book.refresh_watched() is None
    assert broker.calls == 0


def test_watchers_always_find_their_keys_in_memory(
    book: QuoteBook, broker: FakeBroker, clock: FakeClock, monotonic: FakeMonotonic
) -> None:
    lists = {"one": keys(40)[:25], "two": keys(40)[15:]}
    reads = 0
    for tick in range(600):  # a minute, in tenths of a second
        if tick % 20 == 0:
            for holder, wanted in lists.items():
                book.watch(holder, wanted)
                assert book.get(wanted).problems == {}
                reads += len(wanted)
        book.refresh_watched()
        clock.move(seconds=0.1)
        monotonic.now += 0.1

    stats = book.stats()
    assert stats.hits_1h + stats.misses_1h == reads
    assert stats.misses_1h == 40, "only the first look"
    assert broker.calls <= 2 + 60 / 4.5
    assert set(broker.asked[-1]) == set(keys(40)), "the union, in one call"


def test_a_failing_broker_is_asked_less_often_by_the_refresher(
    book: QuoteBook, broker: FakeBroker, monotonic: FakeMonotonic
) -> None:
    broker.failure = NoAnswer("silence")
    book.watch("page", [RELIANCE], seconds=1000)
    for _ in range(1200):  # two minutes
        book.refresh_watched()
        monotonic.now += 0.1

    assert 4 <= broker.calls <= 10


def test_the_refresher_survives_a_night_of_failures(
    book: QuoteBook, broker: FakeBroker, monotonic: FakeMonotonic
) -> None:
    broker.failure = NoAnswer("silence")
    book.watch("page", [RELIANCE], seconds=1e9)
    for _ in range(1100):
        book.refresh_watched()
        monotonic.now += 31

    assert broker.calls == 1100


def test_the_refresher_stays_within_the_rate_budget_however_much_is_watched(
    book: QuoteBook, broker: FakeBroker, clock: FakeClock, monotonic: FakeMonotonic
) -> None:
    book.watch("page", keys(5000), seconds=1e9)
    for _ in range(120):  # two minutes of the half hour in which 2,000 calls are allowed
        book.refresh_watched()
        clock.move(seconds=1)
        monotonic.now += 1

    assert broker.calls <= 2000 * 120 / 1800 + 10


def test_a_clock_that_runs_fast_does_not_make_more_requests_than_one_a_second(
    book: QuoteBook, broker: FakeBroker, clock: FakeClock, monotonic: FakeMonotonic
) -> None:
    book.watch("page", [RELIANCE], seconds=1000)
    for _ in range(100):  # ten seconds, in which ten minutes pass
        book.refresh_watched()
        clock.move(seconds=6)
        monotonic.now += 0.1

    assert broker.calls <= 11


def test_bad_keys_are_not_refreshed(book: QuoteBook, broker: FakeBroker) -> None:
    broker.bad = {RELIANCE}
    book.get([RELIANCE])
    calls = broker.calls

    book.watch("page", [RELIANCE])

    assert book.refresh_watched() is None
    assert broker.calls == calls


def test_the_refresher_runs_only_while_somebody_watches(
    broker: FakeBroker, store: QuoteStore, clock: FakeClock, monotonic: FakeMonotonic
) -> None:
    others = set(threading.enumerate())  # a desk that another test keeps open has a refresher too

    def running() -> bool:
        return any(thread.name == "quote-refresher" for thread in threading.enumerate() if thread not in others)

    with open_book(broker, store, clock, monotonic=monotonic, refresh_in_background=True) as book:
        assert not running()
        book.watch("page", [RELIANCE])
        wait_until(lambda: broker.calls == 1)
        assert running()
        monotonic.now += 16

        wait_until(lambda: not running())
        book.watch("page", [INFY])
        wait_until(lambda: broker.calls == 2)
    wait_until(lambda: not running())


# -- the live feed -------------------------------------------------------------------------------------------------


class FakeLive:
    """A feed that keeps `served` current at `ltp`, over whatever was asked for once."""

    def __init__(self, *served: str) -> None:
        self.served, self.ltp = set(served), 2000.0
        self.wanted: list[tuple[list[str], float]] = []

    def over(self, underlying: Mapping[str, QuoteRow]) -> dict[str, QuoteRow]:
        return {key: row(key, self.ltp) if key in self.served else under for key, under in underlying.items()}

    def current(self, underlying: Mapping[str, QuoteRow]) -> dict[str, QuoteRow]:
        return self.over({key: under for key, under in underlying.items() if key in self.served})

    def keeps(self, underlying: Mapping[str, QuoteRow]) -> Collection[str]:
        return self.current(underlying).keys()

    def want(self, keys: Collection[str], seconds: float) -> None:
        self.wanted.append((list(keys), seconds))


def test_what_the_feed_keeps_current_is_asked_for_once_only(
    broker: FakeBroker, store: QuoteStore, clock: FakeClock, monotonic: FakeMonotonic
) -> None:
    live = FakeLive(RELIANCE)
    with open_book(broker, store, clock, monotonic=monotonic, live=live) as book:
        assert book.get([RELIANCE, INFY]).quotes[RELIANCE]["ltp"] == 100.0
        clock.move(seconds=60)

        later = book.get([INFY, RELIANCE]).quotes

        assert broker.asked == [(RELIANCE, INFY), (INFY,)]
        assert list(later) == [INFY, RELIANCE]
        assert later[RELIANCE]["ltp"] == 2000.0
        assert book.last_known([RELIANCE])[RELIANCE]["ltp"] == 2000.0
        assert book.get([RELIANCE], use_cache=False).quotes[RELIANCE]["ltp"] == 100.0, "who insists is served"


def test_the_refresher_is_silent_while_the_feed_tells_all_that_is_watched(
    broker: FakeBroker, store: QuoteStore, clock: FakeClock, monotonic: FakeMonotonic
) -> None:
    live = FakeLive()
    with open_book(broker, store, clock, monotonic=monotonic, live=live) as book:
        book.watch("page", [RELIANCE, INFY])
        book.refresh_watched()
        assert broker.asked == [(RELIANCE, INFY)]
        live.served = {RELIANCE, INFY}
        clock.move(seconds=60)
        monotonic.now += 10

        assert book.refresh_watched() == 1.0
        live.served = {RELIANCE}  # the feed has lost the other one
        book.watch("page", [RELIANCE, INFY])
        book.refresh_watched()

    assert broker.asked == [(RELIANCE, INFY), (INFY,)]
    assert live.wanted[0] == ([RELIANCE, INFY], 15.0), "who watches wants it from the feed"


def test_who_must_not_wait_is_told_what_memory_has(broker: FakeBroker, store: QuoteStore, clock: FakeClock) -> None:
    with open_book(broker, store, clock) as before:
        before.get([RELIANCE])

    with open_book(broker, store, clock) as after:
        assert after.last_known([RELIANCE], disk=False) == {}
        assert list(after.last_known([RELIANCE])) == [RELIANCE]
        assert list(after.last_known([RELIANCE], disk=False)) == [RELIANCE]


def test_the_first_answer_after_an_outage_is_told_on_once(
    broker: FakeBroker, store: QuoteStore, clock: FakeClock, monotonic: FakeMonotonic
) -> None:
    told: list[float] = []
    with open_book(broker, store, clock, monotonic=monotonic, back_in_reach=lambda: told.append(monotonic.now)) as book:
        for error in (None, NotSent("nobody"), AccessDenied("no", status=403), NotSent("nobody"), None, None):
            broker.failure = error
            book.watch("page", [RELIANCE])
            book.refresh_watched()
            clock.move(seconds=60)
            monotonic.now += 60

    assert told == [1000.0 + 4 * 60]


# -- figures -------------------------------------------------------------------------------------------------------


def test_hits_and_misses_are_counted_by_key(book: QuoteBook, clock: FakeClock) -> None:
    book.get([RELIANCE, INFY])
    book.get([RELIANCE, INFY])
    book.get([RELIANCE, INFY, TCS])
    clock.move(seconds=1)

    stats = book.stats()

    assert (stats.hits_1h, stats.misses_1h, stats.api_calls_1h) == (4, 3, 2)
    assert stats.hit_rate == pytest.approx(4 / 7)
    assert (stats.memory_entries, stats.db_entries) == (3, 3)


def test_a_call_that_fetched_leaves_one_row_of_metrics(book: QuoteBook, store: QuoteStore, broker: FakeBroker) -> None:
    book.get(keys(700))
    book.stats()
    assert store.metrics_since(0).batches == 1
    assert store.metrics_since(0).api_calls == 2

    for _ in range(100):
        book.get(keys(700))
    book.stats()

    assert store.metrics_since(0).batches == 2, "pure hits are summed up"
    assert store.metrics_since(0).memory_hits == 70_000


def test_the_figures_are_of_the_last_hour(book: QuoteBook, clock: FakeClock) -> None:
    book.get([RELIANCE])
    clock.move(hours=1, seconds=1)

    assert book.stats().hit_rate is None


def test_errors_are_counted(book: QuoteBook, broker: FakeBroker) -> None:
    broker.failure = NoAnswer("silence")
    book.get([RELIANCE])

    assert book.stats().errors_1h == 1


# -- the end -------------------------------------------------------------------------------------------------------


def test_close_writes_what_waits_and_ends_the_threads(broker: FakeBroker, store: QuoteStore, clock: FakeClock) -> None:
    others = set(threading.enumerate())

    def of_the_book() -> list[str]:
        begun = (thread.name for thread in threading.enumerate() if thread not in others)
        return [name for name in begun if name.startswith("quote-")]

    with open_book(broker, store, clock, refresh_in_background=True) as book:
        book.watch("page", [RELIANCE])
        book.get([RELIANCE, INFY])
        assert of_the_book()

    assert store.count(0) == 2
    assert not of_the_book()


def test_after_close_a_read_says_so_and_does_not_hang(broker: FakeBroker, store: QuoteStore, clock: FakeClock) -> None:
    with open_book(broker, store, clock) as book:
        pass

    assert isinstance(book.get([RELIANCE]).problems[RELIANCE], NotSent)
    assert broker.calls == 0


def test_whoever_waits_at_close_is_told(
    broker: FakeBroker, store: QuoteStore, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    started, never = threading.Event(), threading.Event()
    broker.before_answer = lambda: (started.set(), never.wait(30))
    results: list[object] = []
    with open_book(broker, store, clock) as book:
        close = book._fetcher._workers.close
        monkeypatch.setattr(book._fetcher._workers, "close", lambda: None)  # no patience with the one that hangs
        reader = threading.Thread(target=lambda: results.append(book.get([RELIANCE]).problems[RELIANCE]))
        reader.start()
        assert started.wait(30)
    reader.join(30)

    assert isinstance(results[0], NotSent)
    never.set()
    close()
