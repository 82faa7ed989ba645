"""The gate before everything: what it lets through, what it closes, and when it shuts behind somebody."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from dashboard.door import door_of
from dashboard.locks import gate as module
from dashboard.locks.gate import FREE, Gate
from dashboard.locks.leash import ENDED
from dashboard.locks.passes import HEADER, read_pass, write_pass
from services.acting import acting
from services.domain.actors import Role
from services.domain.errors import ConfigurationError, StorageError
from tests.support.doors import OPERATOR, PASSWORD, House, ask, house, scope_of

HTML = {"accept": "text/html", "sec-fetch-mode": "navigate", "sec-fetch-site": "same-origin"}
FAR = "10.0.0.9"


async def behind(scope: Scope, receive: Receive, send: Send) -> None:
    """Tells who came through."""
    actor, door = acting(), door_of(scope)
    told = {"name": actor.name, "role": actor.role, "needed": door.needed, "owner": door.owner, "path": scope["path"]}
    await JSONResponse(told | {"headers": [name.decode() for name, _ in scope["headers"]]})(scope, receive, send)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[House]:
    with house(tmp_path) as made:
        yield made


@pytest.fixture
def gate(home: House) -> Gate:
    return Gate(behind, lambda: home.runtime)


def signed_in(home: House, name: str = "asha") -> dict[str, str]:
    return {"cookie": f"a=b; desk-session-8501={home.sign_ins.sign_in(name, PASSWORD).secret}; c=d"}


def test_a_person_at_this_machine_walks_in_as_the_desks_own_user(gate: Gate) -> None:
    answer = ask(gate, "/orders")

    assert answer.status == 200
    assert '"owner":"local"' in answer.text
    assert '"role":"operator"' in answer.text


@pytest.mark.parametrize(
    "path",
    ["/", "/orders", "/static/js/index.js", "/_stcore/health", "/_stcore/host-config", "/_stcore/upload_file/a/b",
     "/media/x.png", "/component/x/y.js", "/_stcore/bidi-components/x.js", "/calendar.ics", "/login/callback",
     "/login/done", "/sign-in/", "/SIGN-IN", "//sign-in", "/sign-in/../orders", "/sign-in%2f", "/%2e%2e/sign-in",
     "/sign-in;x", "/sign-in\x00", "/metrics/", "/livez/..", "/sign-in/issuer"],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"])
def test_whoever_has_not_signed_in_gets_the_gate_and_nothing_else(gate: Gate, path: str, method: str) -> None:
    plain = ask(gate, path, peer=FAR, method=method)
    page = ask(gate, path, peer=FAR, method=method, headers=HTML)

    assert plain.status == 401
    assert page.status == (303 if method in ("GET", "HEAD") else 401)
    assert page.headers.get("location", "/sign-in").startswith("/sign-in")


@settings(max_examples=300, deadline=None)
@given(path=st.text(max_size=40), method=st.sampled_from(["GET", "POST", "HEAD", "PUT", "WHAT"]))
def test_no_path_that_is_not_named_as_free_goes_past_it(path: str, method: str) -> None:
    passed: list[str] = []

    async def watch(scope: Scope, receive: Receive, send: Send) -> None:
        passed.append(scope["path"])
        await behind(scope, receive, send)

    scope = scope_of("/", method=method, peer=FAR) | {"path": path}
    answered: list[Any] = []

    async def send(message: Any) -> None:
        answered.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    asyncio.run(Gate(watch, _no_runtime)(scope, receive, send))

    free = path in FREE and method in FREE[path]
    assert bool(passed) == free
    assert free or answered[0]["status"] in (303, 401, 404)


def _no_runtime() -> Any:
    raise ConfigurationError("the settings are wrong")


@pytest.mark.parametrize(("path", "methods"), FREE.items())
def test_what_is_free_is_free_to_nobody_in_particular(gate: Gate, path: str, methods: tuple[str, ...]) -> None:
    answer = ask(gate, path, peer=FAR, method=methods[0])

    assert answer.status == 200
    assert '"owner":""' in answer.text
    assert '"role":"viewer"' in answer.text


@pytest.mark.parametrize(
    "path",
    ["/_stcore/metrics", "/x/_stcore/metrics", "/_stcore/agent/interact", "/auth/logout", "/auth/login",
     "/oauth2callback"],
)  # fmt: skip
def test_what_is_closed_is_closed_to_everybody(gate: Gate, home: House, path: str) -> None:
    assert ask(gate, path).status == 404
    assert ask(gate, path, peer=FAR, headers=signed_in(home)).status == 404


def test_whoever_signed_in_acts_by_name_and_role_of_this_moment(gate: Gate, home: House) -> None:
    cookie = signed_in(home)
    assert '"name":"asha","role":"trader"' in ask(gate, "/orders", peer=FAR, headers=cookie).text

    home.sign_ins.set_role("asha", Role.VIEWER, actor=OPERATOR)
    assert '"name":"asha","role":"viewer"' in ask(gate, "/orders", peer=FAR, headers=cookie).text

    home.sign_ins.remove("asha", actor=OPERATOR)
    assert ask(gate, "/orders", peer=FAR, headers=cookie).status == 401


@pytest.mark.parametrize("value", ["", "x", "a" * 5000, "\u00e9", '"; drop', "../../x", "'", "%00"])
def test_a_cookie_that_is_no_secret_of_ours_opens_nothing(gate: Gate, value: str) -> None:
    headers = {"cookie": f"desk-session-8501={value}"}

    assert ask(gate, "/orders", peer=FAR, headers=headers).status == 401


def test_a_pass_that_a_browser_brings_is_thrown_away(gate: Gate) -> None:
    answer = ask(gate, "/orders", headers={HEADER: write_pass("local")})

    assert HEADER not in answer.text
    assert ask(gate, "/orders", peer=FAR, headers={HEADER: write_pass("1")}).status == 401


def test_a_pass_is_sealed() -> None:
    assert read_pass(write_pass("7")) == "7"
    for forged in (None, "", "7", "7.", ".", "local", "8." + write_pass("7").partition(".")[2], "\u00e9.\u00e9"):
        assert read_pass(forged) in (None, "") or forged == write_pass("")


def test_over_tls_the_cookie_has_a_name_that_no_neighbour_can_set(gate: Gate, home: House) -> None:
    secret = home.sign_ins.sign_in("asha", PASSWORD).secret

    plain = {"cookie": f"desk-session-8501={secret}"}
    own = {"cookie": f"__Host-desk-session-8501={secret}"}
    assert ask(gate, "/orders", peer=FAR, scheme="https", headers=plain).status == 401
    assert ask(gate, "/orders", peer=FAR, scheme="https", headers=own).status == 200


def test_a_link_from_elsewhere_takes_one_step_on_our_own_page_and_no_more(gate: Gate, home: House) -> None:
    away = {**HTML, "sec-fetch-site": "cross-site"}

    first = ask(gate, "/login/callback?code=abc&state=x%22y", peer=FAR, headers=away)
    assert first.status == 401
    assert 'url=/login/callback?code=abc&amp;state=x%22y&amp;desk-step=1"' in first.text
    second = ask(gate, "/login/callback?code=abc&state=x&desk-step=1", peer=FAR, headers=away)
    assert (second.status, second.headers["location"]) == (303, "/sign-in?next=/login/callback")
    back = ask(gate, "/orders?confirm=x&desk-step=1", peer=FAR, headers=away | signed_in(home))
    assert (back.status, back.headers["location"]) == (303, "/orders?confirm=x")


@pytest.mark.parametrize("path", ["//evil.example/x", "/\\evil.example", "///evil.example", "/%5cevil.example"])
def test_no_step_leads_to_another_site(gate: Gate, home: House, path: str) -> None:
    away = {**HTML, "sec-fetch-site": "cross-site"}
    scope = scope_of("/", peer=FAR, headers=away) | {"path": path}
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(gate(scope, _nothing, send))
    assert b"url=/" in sent[1]["body"]
    assert b"url=//" not in sent[1]["body"]
    assert b"url=/\\" not in sent[1]["body"]


async def _nothing() -> Any:
    return {"type": "http.request", "body": b"", "more_body": False}


def test_where_the_ledger_cannot_be_read_nobody_comes_in(home: House, monkeypatch: pytest.MonkeyPatch) -> None:
    cookie = signed_in(home)

    def broken(secret: str) -> None:
        raise StorageError("disk gone")

    monkeypatch.setattr(home.sign_ins, "look", broken)
    answer = ask(Gate(behind, lambda: home.runtime), "/orders", peer=FAR, headers=cookie)
    assert answer.status == 503
    assert "disk" not in answer.text


# -- websockets ------------------------------------------------------------------------------------------------------


class Browser:
    """The other end of a websocket through the gate, to an application that echoes."""

    def __init__(self, gate_of: Any, headers: dict[str, str], peer: str = FAR) -> None:
        self.scope = scope_of("/_stcore/stream", kind="websocket", headers=headers, peer=peer)
        self.to_app: asyncio.Queue[Any] = asyncio.Queue()
        self.from_app: asyncio.Queue[Any] = asyncio.Queue()
        self.to_app.put_nowait({"type": "websocket.connect"})
        self.running = asyncio.ensure_future(gate_of(self.scope, self.to_app.get, self.from_app.put))

    async def heard(self) -> Any:
        async with asyncio.timeout(20):
            return await self.from_app.get()


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    given = dict(scope["headers"])
    await receive()
    await send({"type": "websocket.accept"})
    await send(
        {"type": "websocket.send", "text": f"{read_pass(given[HEADER.encode()].decode())} {given.get(b'cookie')}"}
    )
    while (message := await receive())["type"] != "websocket.disconnect":
        await send({"type": "websocket.send", "text": message["text"]})
    await send({"type": "websocket.send", "text": "too late"})


@pytest.mark.parametrize("path", ["/_stcore/stream", "/push", "/sign-in", "/metrics"])
def test_no_websocket_opens_without_a_sign_in(home: House, path: str) -> None:
    async def come() -> list[Any]:
        browser = Browser(Gate(echo, lambda: home.runtime), {"cookie": "desk-session-8501=guess"})
        browser.scope["path"] = path
        await browser.running
        return [await browser.heard()]

    assert asyncio.run(come()) == [{"type": "websocket.close", "code": 1008}]


def test_a_page_gets_a_pass_and_never_sees_the_secret(home: House) -> None:
    secret = home.sign_ins.sign_in("asha", PASSWORD).secret

    async def come() -> str:
        browser = Browser(
            Gate(echo, lambda: home.runtime),
            {"cookie": f"x=1; desk-session-8501={secret}", HEADER: write_pass("local")},
        )
        await browser.heard()
        said = await browser.heard()
        browser.to_app.put_nowait({"type": "websocket.disconnect", "code": 1000})
        await browser.running
        return str(said["text"])

    told = asyncio.run(come())
    assert told == "1 b'x=1'"
    assert secret not in told


def test_signing_out_closes_every_connection_of_that_sign_in_and_no_other(home: House) -> None:
    mine, other = home.sign_ins.sign_in("asha", PASSWORD), home.sign_ins.sign_in("vina", PASSWORD)

    async def come() -> None:
        the_gate = Gate(echo, lambda: home.runtime)
        tabs = [Browser(the_gate, {"cookie": f"desk-session-8501={mine.secret}"}) for _ in range(2)]
        stays = Browser(the_gate, {"cookie": f"desk-session-8501={other.secret}"})
        for one in (*tabs, stays):
            await one.heard()
            await one.heard()
        await asyncio.to_thread(home.sign_ins.end, mine.signed_in.number, actor=mine.signed_in.actor())
        for tab in tabs:
            assert await tab.heard() == {"type": "websocket.close", "code": ENDED, "reason": "signed out"}
            await tab.running
            assert tab.from_app.empty(), "what comes late is not sent"
        stays.to_app.put_nowait({"type": "websocket.receive", "text": "still here"})
        assert (await stays.heard())["text"] == "still here"
        stays.to_app.put_nowait({"type": "websocket.disconnect", "code": 1000})
        await stays.running
        assert the_gate._open == {}

    asyncio.run(come())


def test_a_connection_ends_when_its_time_is_over_or_another_process_ends_it(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.01)
    mine, other = home.sign_ins.sign_in("asha", PASSWORD), home.sign_ins.sign_in("vina", PASSWORD)

    async def come() -> None:
        the_gate = Gate(echo, lambda: home.runtime)
        one = Browser(the_gate, {"cookie": f"desk-session-8501={mine.secret}"})
        two = Browser(the_gate, {"cookie": f"desk-session-8501={other.secret}"})
        for browser in (one, two):
            await browser.heard()
            await browser.heard()
        home.users.remove("asha", actor=OPERATOR)
        home.monotonic.now += 5
        assert (await one.heard())["code"] == ENDED
        home.later(12 * 3600)
        assert (await two.heard())["code"] == ENDED
        await asyncio.gather(one.running, two.running)

    asyncio.run(come())


def closes(home: House, monkeypatch: pytest.MonkeyPatch, trouble: Callable[[], None]) -> Any:
    """What a page hears at last whose sign-in cannot be looked at any more, once `trouble` has come."""
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.01)
    mine = home.sign_ins.sign_in("asha", PASSWORD)

    async def come() -> Any:
        the_gate = Gate(echo, lambda: home.runtime)
        page = Browser(the_gate, {"cookie": f"desk-session-8501={mine.secret}"})
        await page.heard()
        await page.heard()
        trouble()
        said = await page.heard()
        await page.running
        assert the_gate._open == {}
        return said

    return asyncio.run(come())


def test_a_connection_ends_with_its_time_also_where_the_ledger_cannot_be_read(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def broken(secret: str) -> None:
        asked.append(secret)
        if len(asked) == 3:  # it was not let go at the first trouble
            home.later(12 * 3600)
        raise StorageError("disk gone")

    def trouble() -> None:
        monkeypatch.setattr(home.sign_ins, "look", broken)
        home.later(5)

    assert closes(home, monkeypatch, trouble)["code"] == ENDED
    assert len(asked) >= 3


def test_a_connection_that_nobody_watches_any_more_ends_and_the_log_says_why(
    home: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fault(secret: str) -> None:
        raise RuntimeError("a fault of our own")

    def trouble() -> None:
        monkeypatch.setattr(home.sign_ins, "look", fault)
        home.later(5)

    assert closes(home, monkeypatch, trouble)["code"] == ENDED
    assert "a fault of our own" in caplog.text
