"""The real object graph: what it builds, whom it finds, and what it refuses."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from services.broker_link import BrokerTime, Told
from services.domain.actors import Actor, Role
from services.domain.clock import IST, HostClock
from services.domain.errors import ConfigurationError, ForeignToken, InvalidRequest, LoginRequired, NotSent
from services.domain.orders import OrderRequest, OrderType, Product, Side
from services.domain.phases import Phase
from services.domain.quotes import PriceSource
from services.paper.finding import claim
from services.paper.options import PaperOptions
from services.paper.server import PaperServer
from services.runtime import Runtime, get_runtime, use_runtime
from services.settings import load_settings
from tests.support.browserless import press_login

RELIANCE = "NSE_EQ|INE002A01018"
CALLBACK = "http://127.0.0.1:9/login/callback"


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import os

    for name in list(os.environ):
        if name.startswith(("DESK_", "UPSTOX_")) or name == "ENCRYPTION_KEY":
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def paper(folder: Path, **given: object) -> Runtime:
    return Runtime(load_settings(data_dir=folder, **given))


@pytest.fixture
def standalone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PaperServer]:
    server = PaperServer(PaperOptions(folder=tmp_path_factory.mktemp("standalone")))
    server.start()
    yield server
    server.stop()


def test_asking_for_the_error_log_starts_no_broker_in_live_mode(tmp_path: Path) -> None:
    with Runtime(load_settings(data_dir=tmp_path, mode="live")) as rt:
        rt.errors.add("Some", "thing")

        assert not rt.built("http")
        assert abs((rt.clock.now() - datetime.now(UTC)).total_seconds()) < 60
        assert rt.source.label == "Upstox"
        assert rt.broker.api == "https://api.upstox.com"
        assert rt.broker.order == "https://api-hft.upstox.com"


def test_paper_quotes_come_from_a_broker_of_its_own(tmp_path: Path) -> None:
    with paper(tmp_path) as rt:
        quote = rt.quotes.get([RELIANCE]).quotes[RELIANCE]

        assert quote["ltp"] > 0
        assert quote["source"] == "simulated"
        assert rt.source.practice
        assert rt.broker.api.startswith("http://127.0.0.1:")


def test_a_simulated_clock_is_taken_over_from_the_broker(tmp_path: Path) -> None:
    with paper(tmp_path, paper_clock="2026-11-20T11:15:00+05:30x0.001") as rt:
        assert rt.clock.now().astimezone(IST).strftime("%Y-%m-%d %H:%M") == "2026-11-20 11:15"
        assert rt.phase().phase == "open"
        assert not rt.source.practice


def test_the_calendar_asks_nobody_before_it_is_started(tmp_path: Path) -> None:
    with Runtime(load_settings(data_dir=tmp_path, mode="live")) as rt:
        assert rt.phase("MCX_FO").reason
        assert rt.calendar is rt.calendar_in("market_data.db")
        assert rt.calendar.broker == "Upstox"
        assert rt.calendar.state().source("holidays").fetched_at is None
        assert not rt.built("http") or not rt.api.caller.reports.versions()


def test_the_calendar_hears_the_paper_broker_and_does_not_follow_its_practice(tmp_path: Path) -> None:
    with paper(tmp_path) as rt:
        rt.calendar.refresh()

        state = rt.calendar.state()
        assert (state.practice, state.contradictions, rt.alerts.all()) == (True, (), [])
        assert {source.error for source in state.sources} == {None}
        assert all(source.fetched_at for source in state.sources if source.name != "table")


def test_a_script_can_send_orders_on_a_day_whose_hours_only_the_broker_knows(tmp_path: Path) -> None:
    with paper(tmp_path, paper_clock="2026-11-08T18:40:00+05:30x0.001") as rt:
        rt.instruments.refresh_if_due()
        order = OrderRequest(
            key=RELIANCE, side=Side.BUY, quantity=1, order_type=OrderType.MARKET, product=Product.DELIVERY
        )
        before = rt.phase().phase

        told = rt.orders.place(order, intent_id="muhurat", actor=Actor("asha", Role.OPERATOR, "script"))

        assert (before, rt.phase().phase) == (Phase.UNKNOWN, Phase.OPEN)
        assert told.accepted


def test_a_second_program_uses_the_running_broker_and_leaves_it_running(tmp_path: Path) -> None:
    with paper(tmp_path) as desk:
        address = desk.broker.api
        with paper(tmp_path) as notebook:
            assert notebook.broker.api == address
            assert notebook.quotes.get([RELIANCE]).quotes

        assert desk.quotes.get([RELIANCE], use_cache=False).quotes


def test_a_guest_takes_the_brokers_place_when_its_owner_is_gone(tmp_path: Path) -> None:
    desk = paper(tmp_path)
    with paper(tmp_path) as notebook:
        assert desk.broker.api == notebook.broker.api
        before = notebook.quotes.get([RELIANCE]).quotes[RELIANCE]
        desk.close()

        after = notebook.quotes.get([RELIANCE], use_cache=False).quotes[RELIANCE]

        assert after["prev_close"] == before["prev_close"]


def test_a_broker_that_begins_its_day_again_is_followed(tmp_path: Path) -> None:
    morning, late = "2026-11-20T09:15:00+05:30x0.001", "2026-11-21T04:00:00+05:30x0.001"
    first = paper(tmp_path, paper_clock=late)
    with paper(tmp_path, paper_clock=morning) as guest:
        first.clock.now()
        assert guest.quotes.get([RELIANCE]).quotes
        held = guest.clock
        first.close()

        found = guest.quotes.get([RELIANCE], use_cache=False)

        assert found.quotes
        assert held.now().astimezone(IST).strftime("%m-%d %H:%M") == "11-20 09:15"
        assert guest.api.profile().is_active, "the new broker's token is alive by its own clock"


def test_a_broker_that_was_replaced_between_two_requests_is_followed(tmp_path: Path) -> None:
    first = paper(tmp_path, paper_clock="2026-11-20T14:00:00+05:30x0.001")
    with paper(tmp_path) as guest:
        first.clock.now()
        assert guest.quotes.get([RELIANCE]).quotes
        first.close()
        with paper(tmp_path, paper_clock="2026-11-20T09:15:00+05:30x0.001") as second:
            assert second.broker.api == guest.broker.api

            assert guest.quotes.get([RELIANCE], use_cache=False).quotes

            assert guest.clock.now().astimezone(IST).strftime("%H:%M") == "09:15"
            assert not guest.errors.statistics()["by_type"], "no request failed that could have told"


def test_a_broker_at_a_given_address_that_was_restarted_is_followed(tmp_path: Path) -> None:
    def start(clock: str, port: int = 0) -> PaperServer:
        return PaperServer(PaperOptions(folder=tmp_path / "elsewhere", clock=clock, port=port)).start()

    server = start("2026-11-20T14:00:00+05:30x0.001")
    with paper(tmp_path, api_base=server.base_url, access_token=server.access_token()) as rt:
        assert rt.quotes.get([RELIANCE]).quotes
        server.stop()
        assert isinstance(rt.quotes.get([RELIANCE], use_cache=False).problems[RELIANCE], NotSent)
        server = start("2026-11-20T09:15:00+05:30x0.001", server.port)
        rt._broker_time._not_before = 0.0  # a few seconds later

        assert rt.quotes.get([RELIANCE], use_cache=False).quotes

        assert rt.clock.now().astimezone(IST).strftime("%H:%M") == "09:15"
        server.stop()


def test_a_broker_that_cannot_be_found_leaves_the_requests_own_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.runtime.core.SINK_SECONDS", 0.02)
    desk = paper(tmp_path)
    with paper(tmp_path) as guest:
        assert desk.quotes.get([RELIANCE]).quotes
        assert guest.quotes.get([RELIANCE]).quotes
        desk.close()
        lock = claim(guest.folder)  # somebody holds the folder and does not answer
        assert lock is not None

        problem = guest.quotes.get([RELIANCE], use_cache=False).problems[RELIANCE]

        assert type(problem) is NotSent
        assert "takes no connection" in str(problem)
        assert guest.errors.statistics()["by_type"]["NotSent"] > 0
        lock.release()


@pytest.mark.parametrize(
    ("given", "trusted"),
    [
        ({"mode": "paper"}, False),
        ({"mode": "live"}, True),
        ({"mode": "live", "live_rehearsal": True, "api_base": "http://127.0.0.1:9"}, False),
    ],
)
def test_no_proxy_sees_what_stays_on_this_machine(tmp_path: Path, given: dict[str, object], trusted: bool) -> None:
    with paper(tmp_path, use_system_proxy=True, **given) as rt:
        assert rt.http._session.trust_env is trusted


@pytest.mark.parametrize("place", ["../paper/market_data.db", "../rehearsal/new.db"])
def test_a_file_in_another_modes_folder_is_refused(tmp_path: Path, place: str) -> None:
    with paper(tmp_path, mode="live") as rt, pytest.raises(InvalidRequest, match="this desk runs in live mode"):
        rt.pool(place)


def test_a_live_desk_shows_no_paper_prices_out_of_a_shared_file(tmp_path: Path) -> None:
    shared = tmp_path / "shared.db"
    with paper(tmp_path) as rt:
        assert rt.quotes_in(shared).get([RELIANCE]).quotes
    with paper(tmp_path) as rt:
        assert rt.quotes_in(shared).last_known([RELIANCE]), "its own mode goes on with it"

    with paper(tmp_path, mode="live") as rt, pytest.raises(InvalidRequest, match="belongs to paper mode"):
        rt.quotes_in(shared)


def test_other_pools_are_had_while_the_broker_is_sought(tmp_path: Path) -> None:
    with paper(tmp_path) as rt:
        known = rt.market_pool
        del rt._made["_broker_time"]
        entered, go = threading.Event(), threading.Event()

        def slow(http: object) -> BrokerTime:
            entered.set()
            assert go.wait(30)
            return BrokerTime(Told(HostClock(time.time), PriceSource("simulated", "simulated")))

        rt.link.ask_time = slow  # type: ignore[method-assign]
        thread = threading.Thread(target=rt.pool, args=("other.db",))
        thread.start()
        assert entered.wait(30)
        assert rt._registry.acquire(timeout=5), "whoever asks for the broker holds up nobody else"
        assert rt._pools[known.path] is known
        rt._registry.release()
        go.set()
        thread.join(30)


def test_failures_after_the_end_are_not_looked_into(tmp_path: Path) -> None:
    rt = paper(tmp_path)
    rt.close()

    rt._broker_failed("NotSent", "refused")

    assert not rt.built("link")


def test_a_paper_broker_elsewhere_is_used_with_its_token(tmp_path: Path, standalone: PaperServer) -> None:
    with paper(tmp_path, api_base=standalone.base_url, access_token=standalone.access_token()) as rt:
        assert rt.api.profile().is_active
        assert rt.broker.api == standalone.base_url


def test_no_broker_at_the_given_address_is_said_in_words(tmp_path: Path) -> None:
    with paper(tmp_path, api_base="http://127.0.0.1:9") as rt, pytest.raises(NotSent, match=r"127\.0\.0\.1:9"):
        _ = rt.clock


def test_a_401_to_an_order_alone_signs_nobody_out(tmp_path: Path) -> None:
    with Runtime(load_settings(data_dir=tmp_path)) as rt:
        secret = rt.login.token().secret

        rt.api.caller._drop(secret)

        assert rt.login.token(writes=True).secret == secret, "its profile call succeeded"
        assert "order call" in str(rt.login.state().problem)


def test_a_paper_process_refuses_a_real_token(tmp_path: Path) -> None:
    def part(claims: dict[str, object]) -> str:
        return base64.urlsafe_b64encode(orjson.dumps(claims)).rstrip(b"=").decode()

    real = f"{part({'alg': 'HS256'})}.{part({'iss': 'udapi-gateway-service', 'sub': 'X', 'exp': 4102444800})}.c2ln"
    with paper(tmp_path) as rt, pytest.raises(ForeignToken):
        rt.login.accept_pasted(real)


def test_the_live_way_is_rehearsed_login_and_all(tmp_path: Path, standalone: PaperServer) -> None:
    given = {
        "mode": "live",
        "live_rehearsal": True,
        "api_base": standalone.base_url,
        "client_id": "paper-desk",
        "client_secret": "paper-secret",
        "redirect_uri": CALLBACK,
    }
    with paper(tmp_path, **given) as rt:
        with pytest.raises(LoginRequired) as asked:
            rt.api.profile()
        assert asked.value.login_url is not None
        back = press_login(asked.value.login_url)

        token = rt.login.complete(back["code"], back["state"])

        assert rt.api.profile().user_id == token.user_id
        assert rt.quotes.get([RELIANCE]).quotes[RELIANCE]["source"] == "rehearsal broker"
        assert rt.settings.folder.name == "rehearsal"

    with paper(tmp_path, **given) as again:
        assert again.api.profile().user_id == token.user_id, "the token outlives the process, encrypted"


def test_a_login_that_was_not_started_here_is_refused(tmp_path: Path) -> None:
    with paper(tmp_path) as rt, pytest.raises(LoginRequired, match="not started here"):
        rt.login.complete("some-code", "some-state")


def test_one_pool_for_one_file_and_relative_names_live_in_the_data_folder(tmp_path: Path) -> None:
    with paper(tmp_path) as rt:
        assert rt.pool("market_data.db") is rt.market_pool
        assert rt.pool("other.db") is not rt.market_pool
        assert rt.pool("other.db").path == rt.folder / "other.db"


def test_a_folder_of_a_newer_version_is_refused_in_words(tmp_path: Path) -> None:
    import sqlite3

    with paper(tmp_path) as rt:
        path = rt.market_pool.path
    with sqlite3.connect(path) as conn:
        conn.execute("PRAGMA user_version = 999")
    conn.close()

    with paper(tmp_path) as rt, pytest.raises(ConfigurationError, match="newer"):
        _ = rt.market_pool


def test_a_closed_runtime_builds_nothing_more(tmp_path: Path) -> None:
    rt = paper(tmp_path)
    rt.close()

    with pytest.raises(RuntimeError, match="closed"):
        _ = rt.ledger


def test_tests_can_put_their_own_runtime_in_place(tmp_path: Path) -> None:
    with paper(tmp_path) as rt, use_runtime(rt):
        assert get_runtime() is rt


def test_the_guides_paths_serve_quotes_in_its_profile(tmp_path: Path) -> None:
    with paper(tmp_path, route_profile="guide") as rt:
        quote = rt.quotes.get([RELIANCE]).quotes[RELIANCE]

        assert quote["api_version"] == "guide"
        assert rt.api.market_status("NSE").exchange == "NSE"
        assert rt.api.holidays()


def test_a_fast_clock_does_not_make_every_read_a_request(tmp_path: Path) -> None:
    with paper(tmp_path, paper_clock="2026-11-20T10:00:00+05:30x600") as rt:
        rt.quotes.get([RELIANCE])
        for _ in range(20):
            rt.quotes.get([RELIANCE])

        assert rt.quotes.stats().api_calls_1h <= 2
