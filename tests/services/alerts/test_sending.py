"""Over apprise, against a real server on this machine: a message arrives, a refusal comes with its reason, and no part
of an address is written anywhere."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import orjson
import pytest

from services.alerts.sending import AppriseSender, secret_pieces
from services.domain.errors import InvalidRequest, NoAnswer
from services.ledger.alerts import Severity

SECRET = "s3cr3t-p4ss-0f-webh00k"
PATH = "hooks-9f8e7d6c5b4a3210"


class Hook(HTTPServer):
    """A webhook that answers with `status` and remembers what it got."""

    def __init__(self) -> None:
        self.status = 200
        self.got: list[dict[str, object]] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                hook.got.append(orjson.loads(body) | {"path": self.path})
                self.send_response(hook.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: object) -> None:
                pass

        hook = self
        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"json://asha:{SECRET}@127.0.0.1:{self.server_port}/{PATH}"


@pytest.fixture
def hook() -> Iterator[Hook]:
    server = Hook()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_message_arrives_and_a_refusal_comes_with_its_reason_and_no_secret_anywhere(
    hook: Hook, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)  # the desk's own; below it urllib3 tells paths, which the log hides
    hidden: list[str] = []
    sender = AppriseSender(hidden.append)

    assert sender.service(hook.url) == "JSON"
    sender.send(hook.url, "Desk: Error rate", "24 errors\nin a minute", Severity.CRITICAL)
    (got,) = hook.got
    assert (got["title"], got["message"], got["type"]) == ("Desk: Error rate", "24 errors\nin a minute", "failure")
    assert got["path"] == f"/{PATH}"

    hook.status = 401
    with pytest.raises(NoAnswer, match="401"):
        sender.send(hook.url, "Desk", "again", None)
    nobody = hook.url.replace(str(hook.server_port), "9")
    with pytest.raises(NoAnswer, match="onnection error"):
        sender.send(nobody, "Desk", "again", None)

    assert SECRET not in caplog.text
    assert PATH not in caplog.text
    assert {hook.url, SECRET, PATH} <= set(hidden)


@pytest.mark.parametrize(
    "url", ["", "json://", "nonsense://my-secret-token", "https://example.com/my-secret-token", "x" * 2000]
)
def test_what_is_no_address_is_refused_without_repeating_it(url: str, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(InvalidRequest) as refused:
        AppriseSender().service(url)

    assert "my-secret-token" not in str(refused.value) + caplog.text


@pytest.mark.parametrize(
    ("url", "service"),
    [
        ("tgram://123456789:abcdefg_hijklmnop/12315544/", "Telegram"),
        ("mailtos://asha:pa55word@example.com", "E-Mail"),
        ("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#desk", "Slack"),
        ("pagerduty://integration-key@api-key-0000", "Pager Duty"),
        ("jsons://example.com/hook", "JSON"),
    ],
)
def test_the_services_that_people_use_are_known(url: str, service: str) -> None:
    assert AppriseSender().service(url) == service


def test_every_part_of_an_address_that_may_be_a_secret_is_known_as_one() -> None:
    assert set(secret_pieces("slack://T1JJ3T3L2/A1BRTD4JD?token=abc%20def")) >= {"T1JJ3T3L2", "A1BRTD4JD", "abc def"}
    assert "example.com" not in secret_pieces("mailtos://asha:pa55word@example.com")
    assert "pa55word" in secret_pieces("mailtos://asha:pa55word@example.com")
