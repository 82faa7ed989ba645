from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
import requests

from services.domain.errors import ConfigurationError
from services.paper.clock import PaperClock
from services.paper.options import PaperOptions
from services.paper.server import PaperServer
from tests.support.paper import NIFTY, STILL, Client, KnownMarket, running


def server_on(folder: Path, **given: object) -> PaperServer:
    options = PaperOptions(folder=folder, **{"clock": STILL, **given})  # type: ignore[arg-type]
    return PaperServer(options, market=KnownMarket(), clock=PaperClock.parse(options.clock))


def hang(client: Client, operation: str) -> threading.Thread:
    """A request that is never answered, in a thread of its own; returns once the broker has it."""
    client.send("POST", "/_paper/faults", json={"operation": operation, "kind": "no_answer_before"})

    def wait() -> None:
        with pytest.raises(requests.ConnectionError):
            requests.get(
                f"{client.base}/v2/user/profile",
                headers={"Authorization": client.session.headers["Authorization"]},
                timeout=30,
            )

    thread = threading.Thread(target=wait)
    thread.start()
    while client.data("/_paper/faults"):
        pass
    return thread


def test_stop_takes_less_than_a_second_even_with_open_requests(tmp_path: Path) -> None:
    server = server_on(tmp_path, faults=True).start()
    client = Client(server)
    waiting = [hang(client, "profile") for _ in range(3)]

    began = time.monotonic()
    server.stop()
    took = time.monotonic() - began
    client.session.close()
    for thread in waiting:
        thread.join(30)

    assert took < 1.0
    assert not any(thread.is_alive() for thread in waiting)
    assert not server.is_alive


def test_stop_can_be_repeated_and_comes_before_start(tmp_path: Path) -> None:
    server = server_on(tmp_path)
    server.stop()
    server.start()
    server.stop()
    server.stop()

    with pytest.raises(requests.ConnectionError):
        requests.get(f"{server.base_url}/_paper/clock", timeout=2)


def test_its_thread_has_a_name_and_lets_the_program_end(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    with running(tmp_path):
        [thread] = [one for one in threading.enumerate() if one not in before and one.name == "paper-broker"]
        assert thread.daemon

    assert not thread.is_alive()


def test_a_taken_port_is_said_and_nothing_is_left_open(tmp_path: Path) -> None:
    with running(tmp_path / "one") as client:
        port = int(client.base.rsplit(":", 1)[1])

        with pytest.raises(ConfigurationError, match=f"port {port}"):
            server_on(tmp_path / "two", port=port).start()


def test_the_port_of_last_time_is_taken_again_only_if_it_is_free(tmp_path: Path) -> None:
    first = server_on(tmp_path / "one").start()
    other = PaperServer(PaperOptions(tmp_path / "two", clock=STILL), market=KnownMarket(), old_port=first.port).start()
    assert other.port != first.port
    other.stop()
    first.stop()

    again = PaperServer(PaperOptions(tmp_path / "one", clock=STILL), market=KnownMarket(), old_port=first.port).start()
    assert again.port == first.port
    again.stop()


def test_two_brokers_share_nothing(tmp_path: Path) -> None:
    with running(tmp_path / "one") as one, running(tmp_path / "two") as two:
        foreign = one.session.headers["Authorization"]

        assert two.error("/v2/user/profile", headers={"Authorization": foreign}) == (401, "UDAPI100050")
        assert one.get("/_paper/clock").json()["instance"] != two.get("/_paper/clock").json()["instance"]


def test_a_token_is_good_after_a_restart(tmp_path: Path) -> None:
    with running(tmp_path) as client:
        token = client.session.headers["Authorization"]
    with running(tmp_path) as client:
        assert client.data("/v2/user/profile", headers={"Authorization": token})


def test_the_desks_token_is_renewed_when_the_brokers_clock_passes_half_past_three(tmp_path: Path) -> None:
    renewed = threading.Event()
    server = server_on(tmp_path, clock="2026-11-21T03:25:00+05:30x100")  # three seconds, for whoever begins before
    server.when_token_renewed(renewed.set)
    server.start()
    before = Client(server)

    assert renewed.wait(30)
    after = Client(server)
    answers = before.get("/v2/user/profile").status_code, after.get("/v2/user/profile").status_code
    for client in (before, after):
        client.session.close()
    server.stop()

    assert answers == (401, 200)


def test_a_server_that_is_not_running_says_so(tmp_path: Path) -> None:
    server = server_on(tmp_path)

    with pytest.raises(ConfigurationError, match="not running"):
        server.access_token()
    with pytest.raises(ConfigurationError, match="not running"):
        _ = server.instance


def test_bad_options_are_said_before_anything_is_opened(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="clock"):
        PaperServer(PaperOptions(tmp_path / "x", clock="noon"), market=KnownMarket()).start()


def test_a_client_that_keeps_its_connection_gets_small_answers_at_once(tmp_path: Path) -> None:
    """Headers and body are two packets: without TCP_NODELAY each answer took 40 ms."""
    with running(tmp_path, limits=False) as client:
        client.get("/v3/market-quote/ltp", params={"instrument_key": NIFTY})
        took = []
        for _ in range(10):
            began = time.perf_counter()
            client.get("/v3/market-quote/ltp", params={"instrument_key": NIFTY})
            took.append(time.perf_counter() - began)

    assert min(took) < 0.03
