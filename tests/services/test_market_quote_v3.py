"""`MarketQuoteV3` as the guide promises it, over a broker that is a function."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from services.domain.errors import BadInstrumentKey, InvalidRequest, NoAnswer, NoData, UpstoxError
from services.market_quote_v3 import MarketQuoteV3
from services.quote_book import QuoteBook
from services.runtime import Runtime, use_runtime
from tests.support.clocks import FakeClock
from tests.support.quotes import INFY, NOW, RELIANCE, TCS, FakeBroker, keys, open_book, open_store


@pytest.fixture
def broker() -> FakeBroker:
    return FakeBroker()


@pytest.fixture
def book(tmp_path: Path, broker: FakeBroker) -> Iterator[QuoteBook]:
    with open_store(tmp_path) as store, open_book(broker, store, FakeClock(NOW)) as made:
        yield made


@pytest.fixture
def quotes(book: QuoteBook) -> Iterator[MarketQuoteV3]:
    only_quotes = cast(Any, SimpleNamespace(quotes_in=lambda db_path: book))  # the part of a runtime that is used
    with use_runtime(cast(Runtime, only_quotes)):
        yield MarketQuoteV3()


def test_the_promised_constants() -> None:
    assert (MarketQuoteV3.BATCH_SIZE, MarketQuoteV3.QUOTE_CACHE_TTL_SECONDS) == (500, 5)


def test_a_quote_reads_as_the_guide_reads_it(quotes: MarketQuoteV3) -> None:
    assert quotes.get_quote(INFY)["ltp"] == 100.0


def test_a_batch_is_keyed_as_asked_whatever_its_size(quotes: MarketQuoteV3, broker: FakeBroker) -> None:
    assert list(quotes.get_batch_quotes([TCS, INFY])) == [TCS, INFY]
    assert len(quotes.get_batch_quotes(keys(1100))) == 1100
    assert max(len(chunk) for chunk in broker.asked) == 500


def test_the_cache_is_used_unless_told_otherwise(quotes: MarketQuoteV3, broker: FakeBroker) -> None:
    quotes.get_batch_quotes([TCS])
    quotes.get_batch_quotes([TCS])
    assert broker.calls == 1

    quotes.get_batch_quotes([TCS], False)

    assert broker.calls == 2


def test_v2_can_be_insisted_on(book: QuoteBook, quotes: MarketQuoteV3, broker: FakeBroker) -> None:
    assert MarketQuoteV3(use_v3=False).get_quote(TCS)["api_version"] == "v2"
    assert broker.versions == [False]


def test_a_quote_that_cannot_be_had_raises_its_reason(quotes: MarketQuoteV3, broker: FakeBroker) -> None:
    broker.bad, broker.silent = {INFY}, {TCS}

    for key, error in (("INFY", InvalidRequest), (INFY, BadInstrumentKey), (TCS, NoData)):
        with pytest.raises(error):
            quotes.get_quote(key)
    broker.failure = NoAnswer("silence")
    with pytest.raises(NoAnswer):
        quotes.get_quote(RELIANCE)


def test_an_error_that_is_told_again_and_again_does_not_grow(quotes: MarketQuoteV3) -> None:
    def frames() -> int:
        with pytest.raises(InvalidRequest) as told:
            quotes.get_quote("no key")
        return len(told.traceback)

    assert frames() == frames() == frames()


def test_a_batch_gives_what_came_and_tells_of_the_rest(quotes: MarketQuoteV3, broker: FakeBroker) -> None:
    broker.bad = {INFY}
    problems: dict[str, UpstoxError] = {}

    assert list(quotes.get_batch_quotes([TCS, INFY])) == [TCS]
    assert list(quotes.get_batch_quotes([TCS, INFY], problems=problems)) == [TCS]
    assert {key: type(error) for key, error in problems.items()} == {INFY: BadInstrumentKey}


def test_a_batch_of_which_nothing_came_raises_the_error_that_says_most(
    quotes: MarketQuoteV3, broker: FakeBroker
) -> None:
    broker.failure = NoAnswer("silence")

    with pytest.raises(NoAnswer):
        quotes.get_batch_quotes(["nonsense", RELIANCE])


def test_whoever_asks_for_the_problems_gets_them_instead(quotes: MarketQuoteV3, broker: FakeBroker) -> None:
    broker.failure = NoAnswer("silence")
    problems: dict[str, UpstoxError] = {}

    assert quotes.get_batch_quotes([RELIANCE], problems=problems) == {}
    assert isinstance(problems[RELIANCE], NoAnswer)


def test_no_keys_are_an_empty_answer(quotes: MarketQuoteV3) -> None:
    assert quotes.get_batch_quotes([]) == {}


def test_the_figures_are_those_the_guide_names(quotes: MarketQuoteV3) -> None:
    assert quotes.get_cache_stats() == {
        "avg_cache_hit_rate_pct": 0.0,
        "avg_fetch_time_ms": 0.0,
        "memory_cache_entries": 0,
        "db_cache_entries": 0,
        "total_api_calls_1h": 0,
    }
    quotes.get_batch_quotes([TCS, INFY])
    for _ in range(3):
        quotes.get_batch_quotes([TCS, INFY])

    stats = quotes.get_cache_stats()

    assert stats["avg_cache_hit_rate_pct"] == 75.0
    assert stats["avg_fetch_time_ms"] > 0
    assert (stats["memory_cache_entries"], stats["db_cache_entries"], stats["total_api_calls_1h"]) == (2, 2, 1)


def test_clearing_forgets_the_quotes(quotes: MarketQuoteV3, broker: FakeBroker) -> None:
    quotes.get_quote(TCS)

    quotes.clear_cache()

    assert quotes.get_cache_stats()["memory_cache_entries"] == 0
    quotes.get_quote(TCS)
    assert broker.calls == 2
