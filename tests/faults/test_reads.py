"""Every fault on every read ends in a right value or in the right error, within the stated time.

The broker is a real one on loopback with `--faults`; the client is the real one with shorter limits: it waits 0.3 s for
an answer, and a read as a whole may take two seconds.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import orjson
import pytest
import requests

from services.domain.candles import Interval, Unit
from services.domain.errors import (
    AccessDenied,
    BadInstrumentKey,
    BrokerFault,
    LoginRequired,
    MalformedPayload,
    NoAnswer,
    NotSent,
    RateLimited,
    RouteMissing,
    ServiceClosed,
    UpstoxError,
)
from services.paper.options import PaperOptions
from services.paper.server import PaperServer
from services.transport.http import HttpClient
from services.transport.rate_gate import RateGate
from services.transport.retry import RetryPolicy
from services.transport.upstox_api import UpstoxApi
from services.wire.endpoints import OPERATIONS, Base, Profile

RELIANCE, NIFTY = "NSE_EQ|INE002A01018", "NSE_INDEX|Nifty 50"
STILL = "2026-11-20T11:15:00+05:30x0.001"
ANSWER_SECONDS = 0.3
POLICY = RetryPolicy(total_seconds=2.0, first_pause=0.01, longest_pause=0.02, limited_first=0.05, limited_longest=0.2)
EXPIRY = date(2026, 11, 23)
DAILY, WEEK = Interval(Unit.DAYS, 1), (date(2026, 11, 16), date(2026, 11, 19))

READS: dict[str, Callable[[UpstoxApi], Any]] = {
    "quotes": lambda api: api.full_quotes([RELIANCE]).value[RELIANCE].ltp,
    "ltp": lambda api: api.ltp([RELIANCE]).value[RELIANCE].ltp,
    "ohlc": lambda api: api.ohlc([RELIANCE]).value[RELIANCE].ltp,
    "option_chain": lambda api: len(api.option_chain(NIFTY, EXPIRY)),
    "option_contracts": lambda api: len(api.option_contracts(NIFTY)),
    "option_greeks": lambda api: list(api.option_greeks([RELIANCE]).value),
    "intraday_bars": lambda api: api.intraday_bars(RELIANCE)[-1].close,
    "history_bars": lambda api: api.candles(RELIANCE, DAILY, *WEEK).value.bars()[-1].close,
    "market_status": lambda api: api.market_status("NSE").status,
    "market_holidays": lambda api: len(api.holidays()),
    "market_holiday": lambda api: api.holidays(date(2026, 11, 24))[0].description,
    "market_timings": lambda api: len(api.timings(date(2026, 11, 20))),
    "instrument_search": lambda api: api.search_instruments("RELIANCE")[0].symbol,
    "profile": lambda api: api.profile().user_id,
    "user_ip": lambda api: api.registered_addresses(),
    "funds": lambda api: api.funds().available,
    "instrument_file": lambda api: _first_bytes(api),
    "feed_authorize": lambda api: api.feed_authorize().partition("?")[0],
    "portfolio_feed_authorize": lambda api: api.portfolio_feed_authorize().partition("?")[0],
}
TWO_ROUTES = ("quotes", "ltp", "ohlc", "funds")

PASSING: dict[str, dict[str, object]] = {
    "status 500": {"kind": "status", "status": 500},
    "status 503": {"kind": "status", "status": 503},
    "status 429": {"kind": "status", "status": 429},
    "no answer, not done": {"kind": "no_answer_before"},
    "no answer, done": {"kind": "no_answer_after"},
    "slow": {"kind": "slow", "ms": 5000},
    "garbage": {"kind": "garbage"},
    "truncated": {"kind": "truncated"},
    "dropped": {"kind": "drop"},
}
LASTING: dict[str, tuple[dict[str, object], type[UpstoxError]]] = {
    "status 500": (PASSING["status 500"], BrokerFault),
    "status 429": (PASSING["status 429"], RateLimited),
    "status 423": ({"kind": "status", "status": 423, "code": "UDAPI100072"}, ServiceClosed),
    "status 400": ({"kind": "status", "status": 400, "code": "UDAPI1087"}, BadInstrumentKey),
    "no route": ({"kind": "status", "status": 404, "code": "UDAPI100060"}, RouteMissing),
    "no answer, not done": (PASSING["no answer, not done"], NoAnswer),
    "no answer, done": (PASSING["no answer, done"], NoAnswer),
    "slow": (PASSING["slow"], NoAnswer),
    "garbage": (PASSING["garbage"], MalformedPayload),
    "truncated": (PASSING["truncated"], NoAnswer),
    "dropped": (PASSING["dropped"], NoAnswer),
    "HTML 403": ({"kind": "html_403"}, AccessDenied),
}


def _first_bytes(api: UpstoxApi) -> bytes:
    with api.instrument_file("MCX") as file:
        assert file is not None
        return file.read(1)


class Bench:
    """A broker with faults, and a client that counts what it reports."""

    def __init__(self, server: PaperServer) -> None:
        self.server = server
        self.reported: list[str] = []
        self.dropped: list[str] = []
        self._http = HttpClient(read_timeout=ANSWER_SECONDS)
        self.api = UpstoxApi(
            http=self._http,
            gate=RateGate(),
            bases=dict.fromkeys(Base, server.base_url),
            profile=Profile.UPSTOX,
            token=self._token,
            token_rejected=self.dropped.append,
            error_sink=lambda error_type, *_, **__: self.reported.append(error_type),
            policy=POLICY,
        )

    def _token(self, writes: bool) -> str:
        if self.dropped:
            raise LoginRequired("log in", login_url="http://127.0.0.1/login")
        return self.server.access_token()

    def faults(self, method: str, **fault: object) -> None:
        answer = requests.request(
            method,
            f"{self.server.base_url}/_paper/faults",
            json=fault or None,
            headers={"Authorization": f"Bearer {self.server.access_token()}"},
            timeout=5,
        )
        assert answer.status_code == 200, answer.text

    def close(self) -> None:
        self._http.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PaperServer]:
    folder: Path = tmp_path_factory.mktemp("faults")
    made = PaperServer(PaperOptions(folder=folder, clock=STILL, faults=True, limits=False))
    made.start()
    yield made
    made.stop()


@pytest.fixture
def bench(server: PaperServer) -> Iterator[Bench]:
    made = Bench(server)
    made.faults("DELETE")
    yield made
    made.faults("DELETE")
    made.close()


@contextmanager
def bounded() -> Iterator[None]:
    """Within the stated time: what a read may take as a whole, one answer more, and room for a busy machine."""
    started = time.monotonic()
    yield
    assert time.monotonic() - started < POLICY.total_seconds + ANSWER_SECONDS + 5


def test_the_list_of_reads_is_complete() -> None:
    reads = {operation.name for operation in OPERATIONS if operation.published[0].method == "GET"}

    assert set(READS) == reads


@pytest.mark.parametrize("fault", PASSING)
@pytest.mark.parametrize("operation", READS)
def test_a_passing_fault_ends_in_the_right_value(bench: Bench, operation: str, fault: str) -> None:
    expected = READS[operation](bench.api)
    bench.faults("POST", operation=operation, times=1, **PASSING[fault])

    if operation == "instrument_file" and fault in {"garbage", "truncated"}:
        # A file is read piece by piece by the instrument master, which keeps its old copy; nothing is repeated here.
        with bounded(), pytest.raises((MalformedPayload, NoAnswer, orjson.JSONDecodeError)):
            _whole_file(bench.api)
        return
    with bounded():
        value = READS[operation](bench.api)

    assert value == expected
    assert bench.reported, "the failed attempt is on the record"


def _whole_file(api: UpstoxApi) -> None:
    with api.instrument_file("MCX") as file:
        assert file is not None
        orjson.loads(file.read())


@pytest.mark.parametrize("fault", LASTING)
@pytest.mark.parametrize("operation", [name for name in READS if name != "instrument_file"])
def test_a_lasting_fault_ends_in_the_right_error(bench: Bench, operation: str, fault: str) -> None:
    wanted, error = LASTING[fault]
    bench.faults("POST", operation=operation, times=None, **wanted)

    with bounded(), pytest.raises(error) as caught:
        READS[operation](bench.api)

    assert "<" not in str(caught.value), "no markup in a message"
    assert bench.server.access_token() not in str(caught.value)


@pytest.mark.parametrize(
    "fault", [name for name in LASTING if name not in {"status 400", "status 423", "HTML 403", "status 429"}]
)
@pytest.mark.parametrize("operation", TWO_ROUTES)
def test_where_v3_fails_for_good_v2_answers(bench: Bench, operation: str, fault: str) -> None:
    expected = READS[operation](bench.api)
    bench.faults("POST", operation=operation, times=None, version="v3", **LASTING[fault][0])

    with bounded():
        value = READS[operation](bench.api)

    assert value == expected
    if operation == "funds":
        assert bench.api.funds().api_version == "v2"


@pytest.mark.parametrize("operation", [op.name for op in OPERATIONS if op.needs_token and op.name in READS])
def test_a_dead_token_is_dropped_once_and_a_login_is_asked_for(bench: Bench, operation: str) -> None:
    bench.faults("POST", operation=operation, times=None, kind="status", status=401)

    with bounded(), pytest.raises(LoginRequired) as caught:
        READS[operation](bench.api)

    assert caught.value.login_url == "http://127.0.0.1/login"
    assert len(bench.dropped) == 1


def test_a_broker_that_is_gone_is_named_as_such(server: PaperServer, bench: Bench) -> None:
    api = UpstoxApi(
        http=HttpClient(connect_timeout=ANSWER_SECONDS),
        gate=RateGate(),
        bases=dict.fromkeys(Base, "http://127.0.0.1:9"),
        profile=Profile.UPSTOX,
        token=lambda writes: "secret-token",
        token_rejected=lambda secret: None,
        error_sink=lambda *_, **__: None,
        policy=POLICY,
    )

    with bounded(), pytest.raises(NotSent) as caught:
        api.full_quotes([RELIANCE])

    assert "127.0.0.1:9" in str(caught.value)
    assert not caught.value.outcome_unknown
