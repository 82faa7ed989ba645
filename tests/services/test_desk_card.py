"""A program beside the desk finds it by its lock, and what it says of itself is told in words."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from services.commands.health import ask
from services.desk_card import CARD, LOCK, DeskCard, desk_on, known
from services.domain.errors import StorageError
from services.measures.checks import CheckState
from services.settings import Settings
from tests.support.tls import tls_in_front

HERE = DeskCard("http://127.0.0.1:8501", 12)
SINCE = "2026-11-20T05:45:00+00:00"
FEED = {"check": "feed", "state": "warn", "reason": "Quiet.", "since": SINCE, "seconds": 3}
WELL = {"ready": True, "state": "warn", "reasons": {}, "checks": [FEED]}
ILL = {"ready": False, "state": "fail", "reasons": {"broker": "Nobody answers"}, "checks": []}
TOKEN = "a-token-of-24-characters"


def test_a_desk_is_found_while_it_lives_and_its_card_alone_says_nothing(tmp_path: Path) -> None:
    assert desk_on(tmp_path) is None
    assert list(tmp_path.iterdir()) == []  # looking leaves no trace

    with known(tmp_path, HERE):
        assert desk_on(tmp_path) == HERE
        with known(tmp_path, DeskCard("http://127.0.0.1:8502", 13)):
            assert desk_on(tmp_path) == HERE
        assert desk_on(tmp_path) == HERE

    assert (tmp_path / CARD).exists()
    assert desk_on(tmp_path) is None


def test_a_desk_whose_card_cannot_be_read_is_trouble_and_not_no_desk(tmp_path: Path) -> None:
    with known(tmp_path, HERE):
        (tmp_path / CARD).write_text("{")
        with pytest.raises(StorageError, match=r"its card .* cannot be read"):
            desk_on(tmp_path)


def test_a_folder_that_takes_no_file_does_not_keep_the_desk_from_starting(tmp_path: Path) -> None:
    (tmp_path / LOCK).mkdir()

    with known(tmp_path, HERE):
        pass


@pytest.mark.parametrize(
    ("status", "body", "states", "words"),
    [
        (200, json.dumps(WELL), ["pass", "warn"], "is ready."),
        (503, json.dumps(ILL), ["fail"], "is not ready. broker: Nobody answers"),
        (401, "{}", ["fail"], "DESK_METRICS_TOKEN"),
        (200, "<html>", ["fail"], "nothing that can be read"),
        (200, '{"ready": true, "reasons": {}, "checks": [{}]}', ["fail"], "nothing that can be read"),
    ],
)
def test_what_the_desk_says_of_itself(status: int, body: str, states: list[str], words: str) -> None:
    with _desk(status, body) as (card, asked):
        found = ask(card, Settings(metrics_token=TOKEN))

    assert [one.state.value for one in found] == states
    assert words in found[0].reason
    assert TOKEN not in found[0].reason
    assert asked == [("/readyz", f"Bearer {TOKEN}")]


def test_a_desk_that_is_gone_or_has_another_certificate_fails(tmp_path: Path) -> None:
    with _desk(200, json.dumps(WELL)) as (card, asked):
        with tls_in_front(card.url, tmp_path) as (port, _):
            own = str(tmp_path / "localhost.pem")
            (tmp_path / "other").mkdir()
            with tls_in_front(card.url, tmp_path / "other"):
                other = str(tmp_path / "other" / "localhost.pem")
            url = f"https://127.0.0.1:{port}"
            trusted = ask(DeskCard(url, 12, own), Settings())
            foreign = ask(DeskCard(url, 12, other), Settings())
        assert len(asked) == 1
    gone = ask(card, Settings())

    assert trusted[0].state is CheckState.PASS
    for told in (foreign, gone):
        assert [one.state for one in told] == [CheckState.FAIL]
        assert "does not answer" in told[0].reason


@contextmanager
def _desk(status: int, body: str) -> Iterator[tuple[DeskCard, list[tuple[str, str | None]]]]:
    """A server that answers so, its card, and what it was asked with which token."""
    asked: list[tuple[str, str | None]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append((self.path, self.headers.get("Authorization")))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield DeskCard(f"http://127.0.0.1:{server.server_address[1]}", 12), asked
    finally:
        server.shutdown()
        thread.join(30)
        server.server_close()
