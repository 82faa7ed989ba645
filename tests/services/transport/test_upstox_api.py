from __future__ import annotations

import gzip
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

import orjson
import pytest

from services.domain.candles import DAY, MINUTE, Interval
from services.domain.errors import (
    AccessDenied,
    BadInstrumentKey,
    BrokerFault,
    InvalidRequest,
    LoginRequired,
    MalformedPayload,
    NoAnswer,
    NotSent,
    RateBudgetSpent,
    RateLimited,
    RequestRefused,
    RouteMissing,
    StorageError,
    TokenRejected,
    UpstoxError,
)
from services.transport.http import HttpClient
from services.transport.rate_gate import RateGate
from services.transport.retry import RetryPolicy
from services.transport.upstox_api import UpstoxApi
from services.wire.endpoints import OPERATIONS, RATE_LIMITS, Base, Limit, Profile
from tests.support.clocks import SkippingMonotonic
from tests.support.fake_upstox import (
    FakeUpstox,
    Fault,
    dropped,
    fake_upstox,
    garbage,
    html_403,
    silence,
    status,
    truncated,
    wrong_types,
)
from tests.support.sockets import answer, refusing, serving

TCS = "NSE_EQ|INE467B01029"
WEEK = date(2026, 11, 16), date(2026, 11, 19)
READ_TIMEOUT, PATIENT = 0.2, 10.0
"""Seconds until no answer is one; of a broker that does answer, however busy this machine is."""
MARGIN = 2.0
STATED_SECONDS = RetryPolicy().total_seconds

READS: dict[str, Callable[[UpstoxApi], Any]] = {
    "quotes": lambda api: api.full_quotes([TCS]).value[TCS].ltp,
    "ltp": lambda api: api.ltp([TCS]).value[TCS].ltp,
    "ohlc": lambda api: api.ohlc([TCS]).value[TCS].ltp,
    "option_greeks": lambda api: api.option_greeks(["NSE_FO|70001"]).value["NSE_FO|70001"].iv_percent,
    "option_chain": lambda api: len(api.option_chain("NSE_INDEX|Nifty Bank", date(2026, 11, 24))),
    "option_contracts": lambda api: len(api.option_contracts("NSE_INDEX|Nifty Bank")),
    "intraday_bars": lambda api: len(api.intraday_bars(TCS)),
    "history_bars": lambda api: len(api.candles(TCS, DAY, *WEEK).value),
    "market_status": lambda api: api.market_status("NSE").status,
    "market_holidays": lambda api: len(api.holidays()),
    "market_holiday": lambda api: len(api.holidays(date(2026, 11, 24))),
    "market_timings": lambda api: len(api.timings(date(2026, 11, 20))),
    "instrument_search": lambda api: len(api.search_instruments("tcs")),
    "profile": lambda api: api.profile().user_id,
    "funds": lambda api: api.funds().available,
}
VALUES = {
    "quotes": 2844.6, "ltp": 2844.6, "ohlc": 2844.6, "option_greeks": 13.42, "option_chain": 2, "option_contracts": 1,
    "intraday_bars": 2, "history_bars": 2, "market_status": "NORMAL_OPEN", "market_holidays": 1, "market_holiday": 1,
    "market_timings": 1, "instrument_search": 2, "profile": "4AB123", "funds": Decimal("91250.4"),
}  # fmt: skip
TWO_ROUTES = {"quotes", "ltp", "ohlc", "funds", "history_bars"}
WITHOUT_TOKEN = {"market_holidays", "market_holiday", "market_timings"}


@dataclass
class Desk:
    """An api in front of a fake broker, with everything that it was handed written down."""

    api: UpstoxApi
    broker: FakeUpstox
    tokens: list[str]
    rejected: list[str]
    sunk: list[dict[str, Any]]
    slept: list[float]
    gate: RateGate
    asked_for: list[bool] = field(default_factory=list)


@contextmanager
def a_desk(
    *,
    profile: Profile = Profile.UPSTOX,
    tokens: list[str] | None = None,
    limits: dict[str, tuple[Limit, ...]] = RATE_LIMITS,
    base: str | None = None,
    sink_error: Exception | None = None,
    read_timeout: float = PATIENT,
    **options: Any,
) -> Iterator[Desk]:
    http = HttpClient(connect_timeout=1, read_timeout=read_timeout)
    held = ["token-1"] if tokens is None else tokens
    rejected: list[str] = []
    sunk: list[dict[str, Any]] = []
    skipping = SkippingMonotonic()
    asked_for: list[bool] = []

    def token(writes: bool) -> str:
        asked_for.append(writes)
        if not held:
            raise LoginRequired("log in", login_url="http://login.test/")
        return held[0]

    def token_rejected(secret: str) -> None:
        rejected.append(secret)
        if secret in held:
            held.remove(secret)

    def sink(error_type: str, message: str, **more: Any) -> None:
        sunk.append({"type": error_type, "message": message, **more})
        if sink_error is not None:
            raise sink_error

    with fake_upstox() as broker:
        gate = RateGate(limits, clock=skipping, sleep=skipping.sleep)
        api = UpstoxApi(
            http=http,
            gate=gate,
            bases=dict.fromkeys(Base, base or broker.base),
            profile=profile,
            token=token,
            token_rejected=token_rejected,
            error_sink=sink,
            sleep=skipping.sleep,
            monotonic=skipping,
            **options,
        )
        yield Desk(api, broker, held, rejected, sunk, skipping.slept, gate, asked_for)
    http.close()


@pytest.fixture
def desk(request: pytest.FixtureRequest) -> Iterator[Desk]:
    mute = any(word in request.node.name for word in ("no answer", "silence"))
    with a_desk(read_timeout=READ_TIMEOUT if mute else PATIENT) as made:
        yield made


# -- what is asked ------------------------------------------------------------


@pytest.mark.parametrize("name", READS)
def test_every_read_gives_its_value(desk: Desk, name: str) -> None:
    assert READS[name](desk.api) == VALUES[name]
    assert desk.sunk == []
    assert [(one.operation, one.answers) for one in desk.api.caller.reports.versions()] == [(name, {"2xx": 1})]


@pytest.mark.parametrize("name", READS)
def test_reads_carry_a_read_token_where_one_is_needed_and_none_where_not(desk: Desk, name: str) -> None:
    READS[name](desk.api)

    needed = name not in WITHOUT_TOKEN
    assert desk.broker.asked[0].token == ("Bearer token-1" if needed else None)
    assert desk.asked_for == ([False] if needed else [])


def test_keys_travel_in_the_query_and_path_members_are_encoded_once(desk: Desk) -> None:
    desk.api.full_quotes([TCS, "NSE_INDEX|Nifty Bank", "NSE_FO|71234"])
    desk.api.intraday_bars("NSE_INDEX|Nifty 50", "minutes", 5)

    quotes, bars = desk.broker.asked
    assert quotes.query == {"instrument_key": f"{TCS},NSE_INDEX|Nifty Bank,NSE_FO|71234"}
    assert bars.target == "/v3/historical-candle/intraday/NSE_INDEX%7CNifty%2050/minutes/5"


def test_the_last_day_of_candles_stands_before_the_first_and_nothing_else_travels_along(desk: Desk) -> None:
    desk.api.candles(TCS, Interval.parse("5m"), *WEEK)
    desk.api.candles(TCS, DAY, *WEEK, use_v3=False)
    desk.api.candles_today(TCS, MINUTE, use_v3=False)

    key = TCS.replace("|", "%7C")
    assert [asked.target for asked in desk.broker.asked] == [
        f"/v3/historical-candle/{key}/minutes/5/2026-11-19/2026-11-16",
        f"/v2/historical-candle/{key}/day/2026-11-19/2026-11-16",
        f"/v2/historical-candle/intraday/{key}/1minute",
    ]


def test_the_guides_candle_path_takes_the_rest_as_a_query() -> None:
    with a_desk(profile=Profile.GUIDE) as desk:
        desk.broker.standing = lambda asked: status(404, "error_404") if "market-quote" in asked.path else None

        assert desk.api.candles(TCS, DAY, *WEEK).api_version == "v3"

        first, second = desk.broker.asked
        assert first.query == {
            "unit": "days", "interval": "1", "from_date": "2026-11-16", "to_date": "2026-11-19", "v2_interval": "day",
        }  # fmt: skip
        assert second.query == {}


def test_v2_is_no_second_way_for_what_it_does_not_have(desk: Desk) -> None:
    desk.broker.standing = lambda asked: status(500, "error_500")

    for ask in (
        lambda: desk.api.candles(TCS, Interval.parse("5m"), *WEEK),
        lambda: desk.api.candles(TCS, DAY, date(2020, 1, 1), date(2026, 1, 1)),
        lambda: desk.api.candles_today(TCS, DAY),
    ):
        with pytest.raises(BrokerFault):
            ask()

    assert {asked.path.split("/")[1] for asked in desk.broker.asked} == {"v3"}
    with pytest.raises(InvalidRequest):
        desk.api.candles(TCS, Interval.parse("5m"), *WEEK, use_v3=False)


def test_parameters_are_named_as_the_api_names_them(desk: Desk) -> None:
    desk.api.ohlc([TCS], "I1")
    desk.api.option_chain("NSE_INDEX|Nifty Bank", date(2026, 11, 24))
    desk.api.option_contracts("NSE_INDEX|Nifty Bank", date(2026, 11, 24))
    desk.api.search_instruments("tata", exchanges="NSE", records=30, page_number=2)
    desk.api.timings(date(2026, 11, 20))

    ohlc, chain, contracts, search, timings = desk.broker.asked
    assert ohlc.query == {"instrument_key": TCS, "interval": "I1"}
    assert chain.query == {"instrument_key": "NSE_INDEX|Nifty Bank", "expiry_date": "2026-11-24"}
    assert contracts.query == chain.query
    assert search.query == {"query": "tata", "exchanges": "NSE", "records": "30", "page_number": "2"}
    assert timings.path == "/v2/market/timings/2026-11-20"


def test_the_guides_routes_come_first_in_its_profile() -> None:
    with a_desk(profile=Profile.GUIDE) as desk:
        served = desk.api.full_quotes([TCS])
        desk.api.market_status("NSE")
        desk.api.holidays()
        desk.api.timings(date(2026, 11, 20))

        quotes, market_status, holidays, timings = desk.broker.asked
    assert (served.api_version, served.value[TCS].ltp) == ("guide", 2844.6)
    assert (quotes.method, quotes.path) == ("POST", "/market-quote/quotes/v3/")
    assert orjson.loads(quotes.body) == {"instrument_keys": [TCS]}
    assert (market_status.path, market_status.query) == ("/market-status", {"exchange": "NSE"})
    assert holidays.path == "/market-holidays"
    assert (timings.path, timings.query) == ("/market-timings", {"date": "2026-11-20"})


def test_the_guides_routes_fall_back_to_the_published_ones_and_are_left_alone_for_a_while() -> None:
    with a_desk(profile=Profile.GUIDE) as desk:
        desk.broker.standing = lambda asked: None if asked.path.startswith("/v") else status(404, "error_404")

        first, second = desk.api.full_quotes([TCS]), desk.api.full_quotes([TCS])

        assert desk.broker.paths() == ["/market-quote/quotes/v3/"] + ["/v3/market-quote/quotes"] * 2
    assert (first.api_version, second.api_version) == ("v3", "v3")


def test_v3_can_be_declined_for_one_call_or_for_all(desk: Desk) -> None:
    assert desk.api.full_quotes([TCS], use_v3=False).api_version == "v2"
    assert desk.api.option_greeks(["NSE_FO|70001"]).api_version == "v3"  # there is no other
    with a_desk(use_v3=False) as declining:
        assert declining.api.full_quotes([TCS]).api_version == "v2"
        assert declining.api.full_quotes([TCS], use_v3=True).api_version == "v3"
        assert declining.api.funds().api_version == "v2"


@pytest.mark.parametrize("interval", ["1d", "I1", "I30"])
def test_a_bar_that_v2_serves_is_not_dated_by_the_desk(interval: str) -> None:
    with a_desk(use_v3=False) as desk:
        served = desk.api.ohlc([TCS], interval)

    live = served.value[TCS].live
    assert served.api_version == "v2"
    assert live is not None
    assert (live.start, live.volume, live.close) == (None, None, 2844.6)


@pytest.mark.parametrize(
    "ask",
    [
        lambda api: api.full_quotes([]),
        lambda api: api.full_quotes([f"NSE_EQ|{number}" for number in range(501)]),
        lambda api: api.option_greeks([f"NSE_FO|{number}" for number in range(51)]),
        lambda api: api.full_quotes(["NSE_EQ|A,NSE_EQ|B"]),
        lambda api: api.full_quotes([" "]),
        lambda api: api.ohlc([TCS], "5m"),
        lambda api: api.market_status(".."),
        lambda api: api.intraday_bars(""),
        lambda api: api.instrument_file("../etc/passwd").__enter__(),
    ],
)
def test_nonsense_is_refused_before_anything_is_sent(desk: Desk, ask: Callable[[UpstoxApi], object]) -> None:
    with pytest.raises(InvalidRequest):
        ask(desk.api)

    assert desk.broker.asked == []


# -- the fault table ------------------------------------------------------------

ONCE: dict[str, Fault] = {
    "http 500": status(500, "error_500"),
    "http 503": status(503, "error_500"),
    "no answer": silence,
    "garbage": garbage,
    "wrong types": wrong_types,
    "truncated": truncated,
    "dropped": dropped,
}
ALWAYS: dict[str, tuple[Fault, type[UpstoxError]]] = {
    "http 500": (status(500, "error_500"), BrokerFault),
    "no answer": (silence, NoAnswer),
    "garbage": (garbage, MalformedPayload),
    "wrong types": (wrong_types, MalformedPayload),
    "truncated": (truncated, NoAnswer),
    "html 403": (html_403, AccessDenied),
    "dropped": (dropped, NoAnswer),
    "http 400": (status(400, "error_camel_only"), RequestRefused),
    "one bad key": (status(400, "error_key"), BadInstrumentKey),
    "http 404": (status(404, "error_404"), RouteMissing),
}


@pytest.mark.parametrize("fault", ONCE)
@pytest.mark.parametrize("name", READS)
def test_a_read_gets_over_a_single_fault(desk: Desk, name: str, fault: str) -> None:
    desk.broker.faults.append(ONCE[fault])
    began = time.monotonic()

    assert READS[name](desk.api) == VALUES[name]

    assert time.monotonic() - began < STATED_SECONDS
    assert [told["retry_count"] for told in desk.sunk] == [0]
    assert sum(one.retries for one in desk.api.caller.reports.versions()) == 1


@pytest.mark.parametrize("fault", ALWAYS)
@pytest.mark.parametrize("name", READS)
def test_a_lasting_fault_ends_in_the_right_error(desk: Desk, name: str, fault: str) -> None:
    made, kind = ALWAYS[fault]
    desk.broker.standing = lambda asked: made
    began = time.monotonic()

    with pytest.raises(kind) as caught:
        READS[name](desk.api)

    assert type(caught.value) is kind
    assert time.monotonic() - began < STATED_SECONDS
    attempts = (3 if kind.retryable else 1) * (2 if name in TWO_ROUTES and kind.other_route else 1)
    assert len(desk.broker.asked) == attempts == len(desk.sunk)
    assert desk.sunk[-1]["type"] == kind.__name__
    assert desk.sunk[-1]["context"]["then"] == "given up"


@pytest.mark.parametrize(
    "fault", ["http 500", "no answer", "garbage", "wrong types", "truncated", "dropped", "http 404"]
)
@pytest.mark.parametrize("name", sorted(TWO_ROUTES))
def test_a_fault_of_v3_alone_is_served_by_v2(desk: Desk, name: str, fault: str) -> None:
    made, kind = ALWAYS[fault]
    desk.broker.standing = lambda asked: made if asked.path.startswith("/v3") else None

    assert READS[name](desk.api) == VALUES[name]

    attempts = {one.version: one for one in desk.api.caller.reports.versions()}
    assert (attempts["v2"].answers, attempts["v3"].fallbacks) == ({"2xx": 1}, 1)
    assert sum(attempts["v3"].answers.values()) == attempts["v3"].retries + 1
    assert "2xx" not in attempts["v3"].answers or not attempts["v3"].answers["2xx"]
    assert desk.api.caller.reports.reach().failing_for is None
    assert desk.sunk[-1]["context"]["then"] == "asking v2"
    assert desk.sunk[-1]["retry_count"] == (2 if kind.retryable else 0)


@pytest.mark.parametrize("name", READS)
def test_a_broker_that_is_gone_is_not_sent_to(name: str) -> None:
    with refusing() as nobody, a_desk(base=nobody) as desk, pytest.raises(NotSent):
        READS[name](desk.api)


def test_what_went_wrong_where_the_call_is_served_is_told_rather_than_that_v2_lacks_it(desk: Desk) -> None:
    fault, missing = status(500, "error_500"), status(404, "error_404")
    desk.broker.standing = lambda asked: fault if asked.path.startswith("/v3") else missing

    with pytest.raises(BrokerFault):
        desk.api.full_quotes([TCS])


def test_a_mute_v3_leaves_time_for_v2() -> None:
    policy = RetryPolicy(total_seconds=0.3)
    with a_desk(policy=policy, read_timeout=READ_TIMEOUT) as desk:
        desk.broker.standing = lambda asked: silence if asked.path.startswith("/v3") else None
        began = time.monotonic()

        assert desk.api.full_quotes([TCS]).api_version == "v2"

        assert time.monotonic() - began < 0.3 + READ_TIMEOUT + MARGIN


def test_a_broker_that_is_mute_altogether_is_given_up_within_the_stated_time() -> None:
    policy = RetryPolicy(total_seconds=0.3)
    with a_desk(policy=policy, read_timeout=READ_TIMEOUT) as desk:
        desk.broker.standing = lambda asked: silence
        began = time.monotonic()

        with pytest.raises(NoAnswer):
            desk.api.full_quotes([TCS])

        assert time.monotonic() - began < 0.3 + READ_TIMEOUT + MARGIN


def test_a_malformed_answer_names_the_member_and_an_extra_one_does_no_harm(desk: Desk) -> None:
    desk.broker.standing = lambda asked: wrong_types

    with pytest.raises(MalformedPayload) as caught:
        desk.api.ltp([TCS])

    assert caught.value.field == "data[a].instrument_token"


# -- 429 ------------------------------------------------------------


def test_a_429_without_a_word_waits_a_second_and_asks_again(desk: Desk) -> None:
    desk.broker.faults.append(status(429, "error_429"))

    assert desk.api.full_quotes([TCS]).api_version == "v3"

    assert 1.0 <= desk.slept[0] <= 1.25
    assert desk.sunk[0]["type"] == "RateLimited"
    assert desk.sunk[0]["status_code"] == 429


def test_a_429_with_retry_after_waits_so_long(desk: Desk) -> None:
    desk.broker.faults.append(status(429, "error_429", headers="Retry-After: 3\r\n"))

    desk.api.full_quotes([TCS])

    assert desk.slept[0] == 3.0


def test_lasting_429_ends_and_closes_the_budget_for_a_while(desk: Desk) -> None:
    desk.broker.standing = lambda asked: status(429, "error_429")

    with pytest.raises(RateLimited):
        desk.api.full_quotes([TCS])

    assert len(desk.broker.asked) == 3  # not over v2 as well: the limit is the user's
    assert desk.gate.wait_for(_operation("quotes")) > 3.5
    assert desk.gate.wait_for(_operation("ltp")) == 0


def test_a_429_that_asks_for_too_much_patience_is_told_at_once_and_kept_to(desk: Desk) -> None:
    desk.broker.faults.append(status(429, "error_429", headers="Retry-After: 900\r\n"))

    with pytest.raises(RateLimited):
        desk.api.full_quotes([TCS])
    with pytest.raises(RateBudgetSpent) as caught:
        desk.api.full_quotes([TCS])

    assert caught.value.wait_seconds == pytest.approx(900, abs=5)
    assert len(desk.broker.asked) == 1
    assert desk.slept == []


def test_our_own_limit_is_told_before_anything_is_sent() -> None:
    with a_desk(limits={"standard": (Limit(1, 1800),)}) as desk:
        desk.api.full_quotes([TCS])
        with pytest.raises(RateBudgetSpent) as caught:
            desk.api.full_quotes([TCS])

        assert caught.value.wait_seconds == pytest.approx(1800, abs=5)
        assert len(desk.broker.asked) == 1


# -- 401 ------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(set(READS) - WITHOUT_TOKEN))
def test_a_401_drops_the_token_once_and_asks_for_a_login_without_a_loop(desk: Desk, name: str) -> None:
    desk.broker.standing = lambda asked: status(401, "error_401")

    with pytest.raises(LoginRequired) as caught:
        READS[name](desk.api)

    assert caught.value.login_url == "http://login.test/"
    assert isinstance(caught.value.__cause__, TokenRejected)
    assert desk.rejected == ["token-1"]
    assert len(desk.broker.asked) == 1
    assert [told["type"] for told in desk.sunk] == ["TokenRejected"]


def test_after_a_401_another_token_is_tried_once() -> None:
    with a_desk(tokens=["old", "new"]) as desk:
        desk.broker.faults.append(status(401, "error_401"))

        assert desk.api.full_quotes([TCS]).value[TCS].ltp == 2844.6

        assert [asked.token for asked in desk.broker.asked] == ["Bearer old", "Bearer new"]
        assert desk.rejected == ["old"]


def test_two_dead_tokens_are_two_requests_and_no_more() -> None:
    with a_desk(tokens=["old", "older", "oldest"]) as desk:
        desk.broker.standing = lambda asked: status(401, "error_401")

        with pytest.raises(TokenRejected):
            desk.api.full_quotes([TCS])

        assert desk.rejected == ["old", "older"]
        assert len(desk.broker.asked) == 2


def test_a_token_that_is_kept_in_spite_of_a_401_is_not_sent_again() -> None:
    kept: list[str] = []
    with a_desk() as desk:
        desk.api._caller._token_rejected = kept.append
        desk.broker.standing = lambda asked: status(401, "error_401")

        with pytest.raises(TokenRejected):
            desk.api.full_quotes([TCS])

        assert kept == ["token-1"]
        assert len(desk.broker.asked) == 1


def test_a_token_that_is_only_tried_out_is_neither_kept_nor_dropped(desk: Desk) -> None:
    desk.broker.standing = lambda asked: status(401, "error_401")

    with pytest.raises(TokenRejected):
        desk.api.profile(token="another")

    assert desk.rejected == []
    assert desk.broker.asked[0].token == "Bearer another"


def test_without_a_token_nothing_is_sent() -> None:
    with a_desk(tokens=[]) as desk:
        with pytest.raises(LoginRequired):
            desk.api.full_quotes([TCS])

        assert desk.broker.asked == []
        assert desk.sunk == []


# -- what is sent once ------------------------------------------------------------

GRANT = {"client_id": "app-1", "client_secret": "s3cr3t-of-the-app", "redirect_uri": "http://127.0.0.1/back"}


def test_a_code_is_exchanged_as_a_form_without_a_token(desk: Desk) -> None:
    grant = desk.api.exchange_code(code="c0de", **GRANT)

    (asked,) = desk.broker.asked
    assert grant.user_id == "4AB123"
    assert asked.token is None
    assert asked.headers["content-type"] == "application/x-www-form-urlencoded"
    assert asked.body == (
        b"code=c0de&client_id=app-1&client_secret=s3cr3t-of-the-app&redirect_uri=http%3A%2F%2F127.0.0.1%2Fback"
        b"&grant_type=authorization_code"
    )


@pytest.mark.parametrize(
    "fault", [silence, dropped, garbage, truncated, status(500, "error_500"), status(429, "error_429")]
)
def test_a_code_is_never_sent_twice(desk: Desk, fault: Fault) -> None:
    desk.broker.faults.append(fault)

    with pytest.raises(UpstoxError):
        desk.api.exchange_code(code="c0de", **GRANT)

    assert len(desk.broker.asked) == 1
    assert len(desk.sunk) == 1
    assert "c0de" not in orjson.dumps(desk.sunk).decode()
    assert "s3cr3t" not in orjson.dumps(desk.sunk).decode()


def test_a_token_request_names_the_app_in_its_path(desk: Desk) -> None:
    request = desk.api.request_token("app/1", "s3cr3t")

    (asked,) = desk.broker.asked
    assert request.notifier_url == "https://desk.example.com/notifier"
    assert asked.target == "/v3/login/auth/token/request/app%2F1"
    assert orjson.loads(asked.body) == {"client_secret": "s3cr3t"}


def test_logout_is_sent_once_with_the_token(desk: Desk) -> None:
    desk.api.logout()
    desk.broker.faults.append(dropped)
    with pytest.raises(NoAnswer):
        desk.api.logout()

    assert [(asked.method, asked.token) for asked in desk.broker.asked] == [("DELETE", "Bearer token-1")] * 2


# -- instrument files ------------------------------------------------------------

ROWS = orjson.dumps([{"instrument_key": f"NSE_EQ|{number}"} for number in range(20_000)])


@contextmanager
def a_file_host(raw: bytes, *faults: bytes) -> Iterator[tuple[Desk, list[bytes]]]:
    waiting, heads = list(faults), []

    def behave(connection: Any, head: bytes) -> None:
        heads.append(head)
        connection.sendall(waiting.pop(0) if waiting else raw)

    with serving(behave) as base, a_desk(base=base) as desk:
        yield desk, heads


def file_answer(packed: bytes, **more: Any) -> bytes:
    return answer(packed, headers='ETag: "v7"\r\nConnection: close\r\n' + more.pop("headers", ""), **more)


def test_an_instrument_file_is_unpacked_on_the_way() -> None:
    with a_file_host(file_answer(gzip.compress(ROWS))) as (desk, heads), desk.api.instrument_file("NSE") as file:
        assert file is not None
        assert file.read(0) == b""
        pieces = [file.read(7)]
        while piece := file.read(10_000):
            pieces.append(piece)

    assert b"".join(pieces) == ROWS
    assert file.etag == '"v7"'
    assert heads[0].startswith(b"GET /market-quote/instruments/exchange/NSE.json.gz HTTP/1.1")
    assert b"Authorization" not in heads[0]


@pytest.mark.parametrize(
    "raw",
    [
        file_answer(ROWS),
        file_answer(gzip.compress(gzip.compress(ROWS)), headers="Content-Encoding: gzip\r\n"),
        file_answer(gzip.compress(ROWS), headers="Content-Encoding: gzip\r\n"),
        file_answer(gzip.compress(ROWS[:1000]) + gzip.compress(ROWS[1000:])),
    ],
    ids=["plain", "packed twice", "packed by the host", "packed in parts"],
)
def test_every_way_of_packing_is_understood(raw: bytes) -> None:
    with a_file_host(raw) as (desk, _), desk.api.instrument_file("NSE") as file:
        assert file is not None
        assert file.read() == ROWS


def test_an_unchanged_file_is_not_sent_again() -> None:
    raw = b'HTTP/1.1 304 Not Modified\r\nETag: "v7"\r\nConnection: close\r\n\r\n'

    with a_file_host(raw) as (desk, heads), desk.api.instrument_file("NSE", etag='"v7"') as file:
        assert file is None

    assert b'If-None-Match: "v7"' in heads[0]


def test_opening_a_file_is_tried_again() -> None:
    broken = answer(b"<html>busy</html>", status="503 Busy", headers="Connection: close\r\n")

    with (
        a_file_host(file_answer(gzip.compress(ROWS)), broken) as (desk, heads),
        desk.api.instrument_file("NSE") as file,
    ):
        assert file is not None
        assert file.read() == ROWS

    assert len(heads) == 2


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (answer(b"<Error>no</Error>", status="404 Not Found", headers="Connection: close\r\n"), RouteMissing),
        (answer(b"<Error>no</Error>", status="403 Forbidden", headers="Connection: close\r\n"), AccessDenied),
        (
            answer(b'{"status":"success","data":1}', status="202 Soon", headers="Connection: close\r\n"),
            MalformedPayload,
        ),
    ],
)
def test_a_file_that_is_refused_says_so(raw: bytes, kind: type[UpstoxError]) -> None:
    with a_file_host(raw) as (desk, _), pytest.raises(kind), desk.api.instrument_file("NSE"):
        pass


def test_a_file_that_breaks_off_is_no_answer() -> None:
    packed = gzip.compress(ROWS)

    for raw in (file_answer(packed[: len(packed) // 2]), file_answer(packed[: len(packed) // 2], length=len(packed))):
        with a_file_host(raw) as (desk, _), desk.api.instrument_file("NSE") as file:
            assert file is not None
            with pytest.raises(NoAnswer):
                file.read()


def test_a_file_that_cannot_be_unpacked_is_malformed() -> None:
    packed = bytearray(gzip.compress(ROWS))
    packed[200:300] = bytes(100)

    with a_file_host(file_answer(bytes(packed))) as (desk, _), desk.api.instrument_file("NSE") as file:
        assert file is not None
        with pytest.raises(MalformedPayload):
            file.read()


# -- the books ------------------------------------------------------------


def test_the_sink_hears_of_every_failed_attempt_with_its_facts(desk: Desk) -> None:
    desk.broker.faults.extend([status(500, "error_500"), dropped])

    desk.api.full_quotes([TCS])

    first, second = desk.sunk
    assert (first["type"], first["status_code"], first["endpoint"], first["retry_count"]) == (
        "BrokerFault", 500, "GET /v3/market-quote/quotes", 0,
    )  # fmt: skip
    assert first["context"]["request_id"] == "req-42"
    assert first["context"]["error_code"] == "UDAPI100500"
    assert first["context"]["operation"] == "quotes"
    assert first["context"]["then"].startswith("again in")
    assert (second["type"], second["status_code"], second["retry_count"]) == ("NoAnswer", None, 1)


def test_a_sink_that_is_full_does_not_break_a_read() -> None:
    with a_desk(sink_error=StorageError("disk full")) as desk:
        desk.broker.faults.append(dropped)

        assert desk.api.full_quotes([TCS]).value[TCS].ltp == 2844.6


def test_request_ids_are_logged(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    desk.broker.standing = lambda asked: status(400, "error_key")

    with caplog.at_level(logging.DEBUG, logger="services"), pytest.raises(BadInstrumentKey):
        desk.api.full_quotes([TCS])

    assert "req-42" in caplog.text
    assert "token-1" not in caplog.text


def test_calls_are_counted_by_version(desk: Desk) -> None:
    desk.api.full_quotes([TCS])
    desk.api.full_quotes([TCS], use_v3=False)

    counted = [(one.version, one.answers, one.fallbacks, one.retries) for one in desk.api.caller.reports.versions()]
    assert counted == [("v3", {"2xx": 1}, 0, 0), ("v2", {"2xx": 1}, 0, 0)]


def _operation(name: str) -> Any:
    return next(operation for operation in OPERATIONS if operation.name == name)
