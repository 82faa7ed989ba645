"""Login, token, profile, funds, logout, and the request for a token that a person approves."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from services.domain.errors import ConfigurationError
from tests.support.paper import Client, error_of, running
from tests.support.shared_data import shared

DIALOG = "/v2/login/authorization/dialog"
TOKEN = "/v2/login/authorization/token"
REDIRECT = "http://127.0.0.1:9/callback"
ASKED = {"response_type": "code", "client_id": "paper-desk", "redirect_uri": REDIRECT, "state": "a&b"}


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    with running(tmp_path) as made:
        yield made


def press(client: Client, page: str) -> requests.Response:
    """Press the one button of a page."""
    assert page.count("<button") == 1
    action = html.unescape(re.findall(r'action="([^"]+)"', page)[0])
    fields = {n: html.unescape(v) for n, v in re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page)}
    return requests.post(client.base + action, data=fields, allow_redirects=False, timeout=30)


def code_from(client: Client, **changed: str) -> str:
    page = requests.get(client.base + DIALOG, params=ASKED | changed, timeout=30)
    landed = press(client, page.text)
    assert landed.status_code == 302
    return parse_qs(urlsplit(landed.headers["Location"]).query)["code"][0]


def grant(code: str, **changed: str) -> dict[str, str]:
    return {
        "code": code,
        "client_id": "paper-desk",
        "client_secret": "paper-secret",
        "redirect_uri": REDIRECT,
        "grant_type": "authorization_code",
    } | changed


def exchange(client: Client, form: dict[str, str]) -> requests.Response:
    return requests.post(client.base + TOKEN, data=form, timeout=30)


def example(name: str) -> dict[str, object]:
    told: dict[str, object] = json.loads(shared(f"upstox/examples/{name}.json").read_bytes())
    return told


def test_a_login_goes_through_dialog_code_and_token(client: Client) -> None:
    page = requests.get(client.base + DIALOG, params=ASKED, timeout=30)
    assert page.headers["X-Frame-Options"] == "DENY"
    assert "<script" not in page.text

    landed = press(client, page.text)
    assert landed.headers["Location"].startswith(REDIRECT + "?code=")
    arrived = parse_qs(urlsplit(landed.headers["Location"]).query)
    assert arrived["state"] == ["a&b"]
    answer = exchange(client, grant(arrived["code"][0]))

    assert answer.status_code == 200
    assert answer.json().keys() == example("auth_token").keys()
    client.session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
    assert client.data("/v2/user/profile")["user_id"] == answer.json()["user_id"]


def test_the_button_works_once(client: Client) -> None:
    page = requests.get(client.base + DIALOG, params=ASKED, timeout=30).text

    assert press(client, page).status_code == 302
    assert press(client, page).status_code == 400


def test_a_post_from_another_page_logs_nobody_in(client: Client) -> None:
    answer = requests.post(client.base + DIALOG, data=ASKED, allow_redirects=False, timeout=30)

    assert answer.status_code == 400
    assert "Location" not in answer.headers


@pytest.mark.parametrize(
    "changed",
    [
        {"client_id": "somebody else"},
        {"client_id": ""},
        {"redirect_uri": "https://evil.example/callback"},
        {"redirect_uri": ""},
        {"response_type": "token"},
    ],
)
def test_the_dialog_checks_app_and_redirect(client: Client, changed: dict[str, str]) -> None:
    answer = requests.get(client.base + DIALOG, params=ASKED | changed, timeout=30)
    as_page = requests.get(client.base + DIALOG, params=ASKED | changed, headers={"Accept": "text/html"}, timeout=30)

    status, code = error_of(answer)
    assert status in {400, 401}
    assert code in as_page.text
    assert "<button" not in as_page.text


def test_what_the_url_says_is_not_run_by_the_page(client: Client) -> None:
    evil = '"><script>alert(1)</script>'
    refused = requests.get(
        client.base + DIALOG, params=ASKED | {"client_id": evil}, headers={"Accept": "text/html"}, timeout=30
    )
    opened = requests.get(client.base + DIALOG, params=ASKED | {"state": evil}, timeout=30)

    assert "<script" not in refused.text
    assert "<script" not in opened.text


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"client_secret": "wrong"}, "UDAPI100069"),
        ({"client_id": "somebody else"}, "UDAPI100069"),
        ({"redirect_uri": REDIRECT + "/"}, "UDAPI100070"),
        ({"grant_type": "password"}, "UDAPI100036"),
        ({"client_secret": ""}, "UDAPI100036"),
    ],
)
def test_a_code_is_spent_even_when_the_exchange_fails(client: Client, changed: dict[str, str], code: str) -> None:
    spent = code_from(client)

    assert error_of(exchange(client, grant(spent, **changed)))[1] == code
    assert error_of(exchange(client, grant(spent))) == (401, "UDAPI100057")


def test_a_code_works_once_and_for_its_own_app(client: Client) -> None:
    code = code_from(client)

    assert exchange(client, grant(code)).status_code == 200
    assert error_of(exchange(client, grant(code))) == (401, "UDAPI100057")
    assert error_of(exchange(client, grant("guessed"))) == (401, "UDAPI100057")
    other = "00000000-1111-2222-3333-444444444444"
    stolen = grant(code_from(client), client_id=other, client_secret="its own")
    assert error_of(exchange(client, stolen)) == (401, "UDAPI100057")


def test_a_desk_with_a_real_api_key_can_rehearse(client: Client) -> None:
    key = "00000000-1111-2222-3333-444444444444"
    code = code_from(client, client_id=key)

    assert exchange(client, grant(code, client_id=key, client_secret="any")).status_code == 200


def test_a_real_api_keys_secret_is_kept_from_its_first_login_on(client: Client) -> None:
    key = "00000000-1111-2222-3333-444444444444"
    path = f"/v3/login/auth/token/request/{key}"
    for secret in ("a stranger's", "another stranger's"):
        assert requests.post(client.base + path, json={"client_secret": secret}, timeout=30).status_code == 200
        assert error_of(exchange(client, grant("guessed", client_id=key, client_secret=secret))) == (401, "UDAPI100057")

    code = code_from(client, client_id=key)
    assert exchange(client, grant(code, client_id=key, client_secret="the owner's")).status_code == 200

    refused = requests.post(client.base + path, json={"client_secret": "a stranger's"}, timeout=30)
    assert error_of(refused) == (401, "UDAPI100069")
    code = code_from(client, client_id=key)
    assert exchange(client, grant(code, client_id=key, client_secret="the owner's")).status_code == 200


def test_a_code_of_another_app_makes_no_secret_known(client: Client) -> None:
    key = "00000000-1111-2222-3333-444444444444"
    stolen = code_from(client)
    assert exchange(client, grant(stolen, client_id=key, client_secret="a stranger's")).status_code == 401

    code = code_from(client, client_id=key)
    assert exchange(client, grant(code, client_id=key, client_secret="the owner's")).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
@pytest.mark.parametrize("path", [DIALOG, TOKEN, "/v3/login/auth/token/request/paper-desk", "/_paper/token-requests"])
def test_a_page_of_another_site_can_post_nothing(client: Client, path: str, headers: dict[str, str]) -> None:
    sent = {"Content-Type": "text/plain"} | headers

    answer = requests.post(client.base + path, data='{"client_secret": "paper-secret"}', headers=sent, timeout=30)

    assert error_of(answer) == (403, "UDAPI10000")
    assert "No app is asking" in requests.get(f"{client.base}/_paper/token-requests", timeout=30).text


@pytest.mark.parametrize("own", [{"Origin": "null", "Sec-Fetch-Site": "same-origin"}, {}])
def test_the_brokers_own_page_may_post(client: Client, own: dict[str, str]) -> None:
    headers = own or {"Origin": client.base}

    answer = requests.post(client.base + DIALOG, data=ASKED, headers=headers, timeout=30)

    assert answer.status_code == 400, "it was read, and the page of which it speaks is not open"
    assert "expired" in answer.text


def test_logout_kills_the_token_for_good(tmp_path: Path) -> None:
    with running(tmp_path) as client:
        answer = client.send("DELETE", "/v2/logout")
        assert answer.json() == {"status": "success", "data": True}
        dead = client.session.headers["Authorization"]
        assert client.error("/v2/user/profile") == (401, "UDAPI100050")

    with running(tmp_path) as client:
        assert client.data("/v2/user/profile")["user_id"] == "PAPER1"
        assert client.error("/v2/user/profile", headers={"Authorization": dead}) == (401, "UDAPI100050")


def test_profile_has_the_fields_of_the_example(client: Client) -> None:
    assert client.data("/v2/user/profile").keys() == example("profile")["data"].keys()  # type: ignore[attr-defined]


def names(value: object) -> object:
    return {name: names(member) for name, member in value.items()} if isinstance(value, dict) else None


@pytest.mark.parametrize("version", ["v2", "v3"])
def test_funds_have_the_fields_of_the_example_and_ten_lakh(client: Client, version: str) -> None:
    data = client.data(f"/{version}/user/get-funds-and-margin")

    assert names(data) == names(example(f"funds_{version}")["data"])
    available = data["equity"]["available_margin"] if version == "v2" else data["available_to_trade"]["total"]
    assert available == 1_000_000.0


def test_funds_v2_of_one_segment(client: Client) -> None:
    path = "/v2/user/get-funds-and-margin"

    assert client.data(path, params={"segment": "SEC"}).keys() == {"equity"}
    assert client.data(path, params={"segment": "COM"})["commodity"]["available_margin"] == 0.0
    assert client.error(path, params={"segment": "EQ"}) == (400, "UDAPI100036")


def test_the_funds_service_sleeps_at_night_but_not_in_a_practice_session(tmp_path: Path) -> None:
    with running(tmp_path, clock="2026-11-20T04:00:00+05:30x0.001") as night:
        assert night.error("/v3/user/get-funds-and-margin") == (423, "UDAPI100072")
        assert night.error("/v2/user/get-funds-and-margin") == (423, "UDAPI100072")
    with running(tmp_path, clock="always") as practice:
        assert practice.data("/v3/user/get-funds-and-margin")


# -- the token that a person approves --------------------------------------------------------------------------


def ask_for_token(client: Client, secret: str = "paper-secret") -> requests.Response:
    body = {"client_secret": secret}
    return requests.post(f"{client.base}/v3/login/auth/token/request/paper-desk", json=body, timeout=30)


def test_a_token_request_tells_when_the_token_would_end(client: Client) -> None:
    answer = ask_for_token(client).json()

    assert answer["data"]["authorization_expiry"] == "1795212000000"
    assert answer["data"].keys() == example("access_token_request")["data"].keys()  # type: ignore[attr-defined]
    assert error_of(ask_for_token(client, "wrong")) == (401, "UDAPI100069")
    assert error_of(ask_for_token(client, "")) == (400, "UDAPI100036")


@contextmanager
def notifier(status: int) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """An app's notifier that answers `status`: its URL, and what was delivered."""
    delivered: list[dict[str, str]] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            delivered.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Receiver)
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/notifier", delivered
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_an_approved_request_is_delivered_to_the_notifier(tmp_path: Path) -> None:
    with notifier(200) as (url, delivered), running(tmp_path, notifier_url=url) as client:
        assert ask_for_token(client).json()["data"]["notifier_url"] == url
        page = requests.get(f"{client.base}/_paper/token-requests", timeout=30).text
        answer = press(client, page)
        again = press(client, page)
        [message] = delivered
        token = {"Authorization": f"Bearer {message['access_token']}"}
        user_id = client.data("/v2/user/profile", headers=token)["user_id"]

    assert answer.status_code == 200
    assert again.status_code == 400
    assert message.keys() == example("notifier_webhook_payload").keys()
    assert (message["client_id"], message["user_id"]) == ("paper-desk", user_id)
    assert message["expires_at"] == "1795212000000"


def test_a_notifier_that_fails_is_said(tmp_path: Path) -> None:
    with notifier(500) as (url, _), running(tmp_path, notifier_url=url) as client:
        ask_for_token(client)
        answer = press(client, requests.get(f"{client.base}/_paper/token-requests", timeout=30).text)

    assert answer.status_code == 502
    assert "answered 500" in answer.text


def test_a_notifier_elsewhere_is_refused_at_the_start(tmp_path: Path) -> None:
    with (
        pytest.raises(ConfigurationError, match="on this machine"),
        running(tmp_path, notifier_url="https://a.example"),
    ):
        pass


def test_without_a_notifier_the_token_is_shown_to_be_pasted(client: Client) -> None:
    ask_for_token(client)

    shown = press(client, requests.get(f"{client.base}/_paper/token-requests", timeout=30).text).text

    token = re.findall(r"<textarea[^>]*>([^<]+)<", shown)[0]
    assert client.data("/v2/user/profile", headers={"Authorization": f"Bearer {token}"})
    assert "No app is asking" in requests.get(f"{client.base}/_paper/token-requests", timeout=30).text
