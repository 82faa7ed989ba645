"""The real object graph: what it builds, whom it finds, and what it refuses."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from services.domain.clock import IST, HostClock
from services.domain.errors import ConfigurationError, ForeignToken, LoginRequired, NotSent
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
        assert isinstance(rt.clock, HostClock)
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


def test_a_paper_broker_elsewhere_is_used_with_its_token(tmp_path: Path, standalone: PaperServer) -> None:
    with paper(tmp_path, api_base=standalone.base_url, access_token=standalone.access_token()) as rt:
        assert rt.api.profile().is_active
        assert rt.broker.api == standalone.base_url


def test_no_broker_at_the_given_address_is_said_in_words(tmp_path: Path) -> None:
    with paper(tmp_path, api_base="http://127.0.0.1:9") as rt, pytest.raises(NotSent, match=r"127\.0\.0\.1:9"):
        _ = rt.clock


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
