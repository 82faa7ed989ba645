"""A desk as it is served beyond this machine, in a process of its own: who gets what without a sign-in, what happens to
forged, replayed, oversized and malformed requests, and that no piece of a secret is written or shown anywhere."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import orjson
import pytest
import requests
import websocket
from cryptography.fernet import Fernet
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from services.acting import local_user
from services.domain.actors import Role
from services.runtime.doors import sign_ins_in
from services.settings import Settings
from tests.support.desk import Desk
from tests.support.planted import Planted, random_secret, told_by_files
from tests.support.servers import until

pytestmark = pytest.mark.timeout(300)
FUZZ = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
FORM = "application/x-www-form-urlencoded"
OWN = [
    "/sign-in",
    "/login/notice",
    "/login/callback",
    "/login/done",
    "/calendar.ics",
    "/metrics",
    "/readyz",
    "/livez",
    "/graphql",
]


class Locked:
    """The desk, its users' passwords, and everything that it answered."""

    def __init__(self, folder: Path) -> None:
        self.planted = Planted()
        self.folder = folder / "data"
        self.passwords = {
            name: self.planted.add(f"password of {name}", random_secret(20)) for name in ("asha", "vina", "zoe")
        }
        self.probe = self.planted.add("token of the probes", random_secret())
        secrets = {
            "UPSTOX_CLIENT_SECRET": random_secret(),
            "ENCRYPTION_KEY": Fernet.generate_key().decode(),
            "DESK_READ_TOKEN": random_secret(),
            "DESK_METRICS_TOKEN": self.probe,
        }
        for name, secret in secrets.items():
            self.planted.add(name, secret)
        with sign_ins_in(Settings(_env_file=None, data_dir=self.folder)) as sign_ins:  # type: ignore[call-arg]
            sign_ins.add("asha", Role.TRADER, self.passwords["asha"], actor=local_user())
            sign_ins.add("vina", Role.VIEWER, self.passwords["vina"], actor=local_user())
            sign_ins.add("zoe", Role.VIEWER, self.passwords["zoe"], actor=local_user())
        # Every address: whoever asks by 127.0.0.1 has to sign in like everybody.
        self.desk = Desk(
            self.folder, "--host", "0.0.0.0", "--name", "desk.test", "--plain-http", environment=secrets, timeout=120
        )
        self.url = self.desk.url
        self.said: list[str] = []

    def ask(self, method: str, path: str, *, session: requests.Session | None = None, **given) -> requests.Response:
        with requests.Session() as nobody:
            asked = session or nobody
            asked.trust_env = False
            answer = asked.request(method, self.url + path, timeout=30, allow_redirects=False, **given)
        self.said.append(
            f"{answer.headers}\n{answer.text[:200_000]}" if "set-cookie" not in answer.headers else answer.text
        )
        return answer

    def form(self, session: requests.Session) -> str:
        page = self.ask("GET", "/sign-in", session=session).text
        found = re.search(r'name="form" value="([0-9a-f]{64})"', page)
        assert found is not None
        return found.group(1)

    def sign_in(self, name: str, password: str | None = None, *, session: requests.Session | None = None):
        session = session or requests.Session()
        fields = {"form": self.form(session), "next": "/orders", "name": name}
        fields["password"] = self.passwords[name] if password is None else password
        answer = self.ask(
            "POST", "/sign-in", session=session, data=urlencode(fields),
            headers={"Origin": self.url, "Content-Type": FORM},
        )  # fmt: skip
        if secret := session.cookies.get(f"desk-session-{self.desk.port}"):
            self.planted.add(f"cookie of {name}", secret)
        return session, answer

    def open_socket(self, path: str, *, session: requests.Session | None = None, **given) -> websocket.WebSocket:
        cookies = "; ".join(f"{name}={value}" for name, value in (session.cookies.items() if session else ()))
        opened = websocket.WebSocket()
        given.setdefault("origin", self.url)
        try:
            opened.connect(self.url.replace("http", "ws") + path, timeout=30, cookie=cookies or None, **given)
        except BaseException:
            opened.shutdown()
            raise
        return opened

    def lives(self) -> None:
        assert self.ask("GET", "/livez").status_code == 200


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Locked]:
    made = Locked(tmp_path_factory.mktemp("locked"))
    with made.desk:
        yield made
        told = {**told_by_files(made.folder), "what it said": made.desk.log}
        told |= {f"answer {number}": text for number, text in enumerate(made.said)}
        assert {where: found for where, text in told.items() if (found := made.planted.found_in(text))} == {}
        assert "Traceback" not in made.desk.log


@pytest.fixture(scope="module")
def trader(locked: Locked) -> Iterator[requests.Session]:
    session, answer = locked.sign_in("asha")
    assert answer.status_code == 303, answer.text
    with session:
        yield session


STREAMLITS = (
    "/", "/orders", "/account", "/health", "/index.html", "/static/js/index.js", "/favicon.png", "/_stcore/health",
    "/healthz", "/_stcore/host-config", "/_stcore/allowed-message-origins", "/_stcore/stream", "/_stcore/message",
    "/media/abc.png", "/component/streamlit_autorefresh.st_autorefresh/index.html", "/_stcore/bidi-components/x/y.js",
    "/_stcore/upload_file/s/f", "/_stcore/script-health-check", "/app/static/x", "/calendar.ics", "/login/callback",
    "/login/done", "/push", "/graphql",
)  # fmt: skip


@pytest.mark.parametrize("path", STREAMLITS)
def test_without_a_sign_in_there_is_the_gate(locked: Locked, path: str) -> None:
    for method in ("GET", "POST", "PUT", "DELETE", "OPTIONS"):
        assert locked.ask(method, path).status_code in (401, 403, 404), method
    assert locked.ask("GET", path, headers={"Accept": "text/html"}).status_code in (303, 401, 404)


@pytest.mark.parametrize("path", ["/_stcore/metrics", "/_stcore/agent/interact", "/auth/logout", "/auth/login"])
def test_streamlits_own_measures_and_programs_are_closed_even_to_those_who_signed_in(
    locked: Locked, trader: requests.Session, path: str
) -> None:
    assert locked.ask("GET", path, session=trader).status_code == 404
    assert locked.ask("POST", path, session=trader).status_code == 404


@pytest.mark.parametrize("path", ["/metrics", "/readyz", "/livez"])
def test_measures_are_for_this_machine_or_who_brings_the_token(locked: Locked, path: str) -> None:
    elsewhere = {"Host": "desk.test"}
    assert locked.ask("GET", path, headers=elsewhere).status_code == 401
    assert locked.ask("GET", path, headers={"X-Forwarded-For": "10.0.0.9"}).status_code == 401
    assert locked.ask("GET", path, headers=elsewhere | {"Authorization": "Bearer guess"}).status_code == 401
    with_token = elsewhere | {"Authorization": f"Bearer {locked.probe}"}
    assert locked.ask("GET", path, headers=with_token).status_code in (200, 503)


@pytest.mark.parametrize("host", ["evil.example", "desk.test.evil.example", "", "127.0.0.1@evil.example", "10.0.0.5"])
def test_a_forged_host_is_refused_with_and_without_a_sign_in(
    locked: Locked, trader: requests.Session, host: str
) -> None:
    assert locked.ask("GET", "/sign-in", headers={"Host": host}).status_code in (400, 403)
    assert locked.ask("GET", "/orders", headers={"Host": host}, session=trader).status_code in (400, 403)


@pytest.mark.parametrize("path", ["/_stcore/stream", "/push"])
def test_no_websocket_opens_from_another_site_or_without_a_sign_in(
    locked: Locked, trader: requests.Session, path: str
) -> None:
    with pytest.raises(websocket.WebSocketBadStatusException):
        locked.open_socket(path)
    for origin in ("https://evil.example", "null", f"{locked.url}.evil.example", "http://127.0.0.1:1", "http://["):
        with pytest.raises(websocket.WebSocketBadStatusException):
            locked.open_socket(path, session=trader, origin=origin)
    with requests.Session() as forger:
        forger.cookies.set(f"desk-session-{locked.desk.port}", random_secret(43))
        forger.headers["x-desk-pass"] = "local.0000"
        with pytest.raises(websocket.WebSocketBadStatusException):
            locked.open_socket(path, session=forger, header=["x-desk-pass: local.0000"])


def drawn(locked: Locked, session: requests.Session, page: str = "orders") -> tuple[websocket.WebSocket, str]:
    """A page's own connection after its first run, as the browser opens it, and all that it was told."""
    opened = locked.open_socket("/_stcore/stream", session=session, subprotocols=["streamlit"])
    wish = BackMsg()
    wish.rerun_script.page_name = page
    opened.send_binary(wish.SerializeToString())
    told = []
    while True:
        message = ForwardMsg.FromString(opened.recv())
        told.append(str(message))
        if message.WhichOneof("type") == "script_finished":
            break
    text = "\n".join(told)
    locked.said.append(text)
    return opened, text


def push_token(text: str) -> str:
    found = re.search(r'token\\*": ?\\*"([0-9]+\.[A-Za-z0-9_-]{24}\.[0-9a-f]{64})', text)
    assert found is not None, "the page has a push token"
    return found.group(1)


def listening(locked: Locked, session: requests.Session, token: str) -> tuple[websocket.WebSocket, int]:
    """A connection that has asked for prices, and the answer: 0 for let in, else the close code."""
    opened = locked.open_socket("/push", session=session)
    opened.send(orjson.dumps({"t": "hello", "token": token, "rows": [], "depth": []}).decode())
    code, data = opened.recv_data()
    return opened, int.from_bytes(data[:2]) if code == websocket.ABNF.OPCODE_CLOSE else 0


def listeners(locked: Locked) -> float:
    """How many the hub of the prices knows of, as the measures tell within seconds."""
    told = locked.ask("GET", "/metrics", headers={"Authorization": f"Bearer {locked.probe}"}).text
    found = re.search(r"^desk_push_clients (\S+)$", told, re.MULTILINE)
    assert found is not None
    return float(found.group(1))


def push_answer(locked: Locked, session: requests.Session, token: str) -> int:
    opened, answer = listening(locked, session, token)
    opened.shutdown()
    return answer


def test_a_push_token_is_good_for_the_sign_in_that_it_was_made_for_alone(
    locked: Locked, trader: requests.Session
) -> None:
    page, text = drawn(locked, trader)
    page.shutdown()
    token = push_token(text)
    other, _ = locked.sign_in("vina")
    with other:
        assert push_answer(locked, trader, token) == 0
        assert push_answer(locked, other, token) == 4401, "replayed by somebody else"
        assert push_answer(locked, other, random_secret(32)) == 4401, "forged"


def test_a_viewer_cannot_empty_the_caches_in_which_the_desk_lives(locked: Locked, trader: requests.Session) -> None:
    page, text = drawn(locked, trader)
    page.shutdown()
    listener, answer = listening(locked, trader, push_token(text))
    assert answer == 0
    viewer, _ = locked.sign_in("vina")
    with viewer:
        theirs, _ = drawn(locked, viewer)
        theirs.send_binary(BackMsg(clear_cache=True).SerializeToString())
        theirs.send_binary(BackMsg(app_heartbeat=True).SerializeToString())
        while ForwardMsg.FromString(theirs.recv()).WhichOneof("type") != "heartbeat_ack":
            pass  # until both have been read
        theirs.shutdown()
    until("the hub of the prices is the one that it was", lambda: listeners(locked) >= 1)
    listener.shutdown()


def test_signing_out_ends_every_tab_and_what_they_had_opens_nothing(locked: Locked) -> None:
    session, _ = locked.sign_in("vina")
    with session:
        page, text = drawn(locked, session)
        second, _ = drawn(locked, session)
        token = push_token(text)
        with sign_ins_in(Settings(_env_file=None, data_dir=locked.folder)) as sign_ins:  # type: ignore[call-arg]
            sign_ins.sign_out("vina", actor=local_user())  # as from the command line, in another process
        for tab in (page, second):
            while True:
                code, data = tab.recv_data()
                if code == websocket.ABNF.OPCODE_CLOSE:
                    assert int.from_bytes(data[:2]) == 4403
                    break
            tab.shutdown()
        with pytest.raises(websocket.WebSocketBadStatusException):
            push_answer(locked, session, token)
        assert locked.ask("GET", "/orders", session=session).status_code == 401


def test_a_program_asks_the_running_desk(locked: Locked, trader: requests.Session) -> None:
    pytest.importorskip("strawberry")
    asked = {"query": "{ desk { mode } }"}
    headers = {"Origin": locked.url, "Content-Type": "application/json"}

    answer = locked.ask("POST", "/graphql", session=trader, data=orjson.dumps(asked), headers=headers)

    assert answer.status_code == 200, answer.text
    assert answer.json()["data"]["desk"]["mode"].lower() == "paper"
    assert "type Query" in locked.ask("GET", "/graphql", session=trader).text


def test_a_sign_in_form_from_another_site_is_refused(locked: Locked) -> None:
    with requests.Session() as session:
        fields = {"form": locked.form(session), "next": "/", "name": "asha", "password": "x"}
        for origin in ("https://evil.example", "null", "http://[", "://", "http://[::1"):
            headers = {"Origin": origin, "Content-Type": FORM}
            answer = locked.ask("POST", "/sign-in", session=session, data=urlencode(fields), headers=headers)
            assert answer.status_code == 403


@pytest.mark.parametrize(
    "query", ["code=abc&state=forged", "code=abc", "state=x", "code=" + "a" * 3000, "code=%00&state=%ff"]
)
def test_a_login_that_the_desk_did_not_begin_is_refused(locked: Locked, trader: requests.Session, query: str) -> None:
    assert locked.ask("GET", f"/login/callback?{query}").status_code == 401
    assert locked.ask("GET", f"/login/callback?{query}", session=trader).status_code in (400, 503)


@FUZZ
@given(
    path=st.sampled_from(OWN),
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "BREW"]),
    query=st.text(max_size=60),
    body=st.binary(max_size=400) | st.sampled_from([b"x" * 100_000, b"[" * 5000, b'{"a":' * 900, b"\xff" * 300]),
    kind=st.sampled_from([FORM, "application/json", "text/plain", "multipart/form-data; boundary=x", ""]),
    signed=st.booleans(),
)  # fmt: skip
def test_whatever_is_sent_to_an_own_route_is_answered_and_the_desk_goes_on(
    locked: Locked, trader: requests.Session, path: str, method: str, query: str, body: bytes, kind: str, signed: bool
) -> None:
    headers = {"Origin": locked.url, "Content-Type": kind}
    target = f"{path}?{urlencode({'q': query, 'code': query, 'market': query, 'next': query})}"

    answer = locked.ask(method, target, data=body, headers=headers, session=trader if signed else None)

    assert answer.status_code < 500 or (answer.status_code, path) == (503, "/readyz"), (answer.status_code, target)


@FUZZ
@given(
    raw=st.binary(min_size=1, max_size=300), target=st.sampled_from([b"/sign-in", b"/push", b"/../../etc/passwd", b"*"])
)
def test_what_is_no_http_at_all_does_not_hurt(locked: Locked, raw: bytes, target: bytes) -> None:
    with socket.create_connection(("127.0.0.1", locked.desk.port), timeout=10) as line:
        line.sendall(b"GET " + target + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n" + raw + b"\r\n\r\n")


@pytest.mark.parametrize(
    "path",
    ["/../../../../etc/passwd", "/static/../../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/media/..%2f..%2fetc",
     "/component/x/..%2f..%2f..%2fetc/passwd", "/_stcore/bidi-components/x/../../../../etc/passwd", "//etc/passwd",
     "/static/%00", "/\\\\evil\\share", "/.streamlit/secrets.toml", "/.env", "/pages/account.py"],
)  # fmt: skip
def test_no_path_leads_to_a_file(locked: Locked, trader: requests.Session, path: str) -> None:
    line = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{locked.desk.port}\r\nConnection: close\r\n"
    cookie = f"Cookie: desk-session-{locked.desk.port}={trader.cookies[f'desk-session-{locked.desk.port}']}\r\n"
    for head in (line, line + cookie):
        with socket.create_connection(("127.0.0.1", locked.desk.port), timeout=10) as opened:
            opened.sendall(f"{head}\r\n".encode())
            answer = b"".join(iter(lambda line=opened: line.recv(65536), b""))
        assert b"root:" not in answer
        assert b"DESK_" not in answer
        assert b"import streamlit" not in answer


def test_a_body_that_never_ends_is_cut_off(locked: Locked) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(1000):
            yield b"x" * 1000

    for path, kind in (("/sign-in", FORM), ("/login/notice", "application/json")):
        try:
            answer = locked.ask("POST", path, data=endless(), headers={"Origin": locked.url, "Content-Type": kind})
        except requests.ConnectionError:
            continue  # refused before it was read to its end
        assert answer.status_code in (403, 413)
    locked.lives()


def test_ten_wrong_passwords_lock_and_are_in_the_audit(locked: Locked) -> None:
    guess = locked.planted.add("a wrong password", random_secret(20))
    with requests.Session() as stranger:
        answers = [locked.sign_in("zoe", guess, session=stranger)[1].status_code for _ in range(11)]
        right = locked.sign_in("zoe", session=stranger)[1]

    assert answers == [401] * 10 + [429]
    assert right.status_code == 429
    assert int(right.headers["retry-after"]) > 0
    told = told_by_files(locked.folder)["paper/ledger.db"]
    assert told.count("'sign-in refused', 'zoe'") == 10
    assert told.count("'sign-in paused', 'zoe'") == 1


def test_every_page_is_drawn_without_a_piece_of_a_secret(locked: Locked, trader: requests.Session) -> None:
    for page in ("overview", "quotes", "candles", "calendar", "orders", "portfolio", "health", "account"):
        opened, text = drawn(locked, trader, "" if page == "overview" else page)
        opened.shutdown()
        assert "asha" in text, page


def test_every_answer_carries_the_security_headers(locked: Locked, trader: requests.Session) -> None:
    for path, session in (("/sign-in", None), ("/orders", trader), ("/nothing", None), ("/livez", None)):
        headers = locked.ask("GET", path, session=session).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "frame-ancestors" in headers["Content-Security-Policy"]
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"


def test_it_still_runs(locked: Locked) -> None:
    locked.lives()
