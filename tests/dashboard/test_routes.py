"""The routes beside the pages, and the headers on every answer."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from threading import Event
from types import SimpleNamespace

import pytest
from ical.calendar_stream import IcsCalendarStream
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from dashboard import readiness
from dashboard import routes as module
from dashboard.headers import HEADERS, SecurityHeaders
from dashboard.readiness import Readiness, Ready
from dashboard.routes import RegisteredCallback, routes
from services.domain.accounts import Token, TokenKind
from services.domain.calendar.calendar import BUNDLED
from services.domain.errors import ConfigurationError, LoginRequired, NoAnswer, NotSent
from services.measures.checks import Check, CheckState
from tests.support.asgi import get

CODE = "secret-code-42"
TOKEN = Token(
    "t0ken", TokenKind.ACCESS, datetime(2026, 11, 20, tzinfo=UTC), datetime(2026, 11, 20, 22, tzinfo=UTC),
    user_id="AB1234", user_name="Asha <b>Rao</b>",
)  # fmt: skip


class Login:
    def __init__(self) -> None:
        self.outcome: Token | Exception = TOKEN
        self.asked = []

    def complete(self, code, state):
        self.asked.append((code, state))
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome

    def state(self):
        if not isinstance(self.outcome, Token):
            return SimpleNamespace(kind=None)
        return SimpleNamespace(kind=TOKEN.kind, user=TOKEN.user_name, expires=TOKEN.expires)


@pytest.fixture
def desk(monkeypatch):
    ready = Event()
    ready.set()
    desk = SimpleNamespace(
        login=Login(),
        settings=SimpleNamespace(redirect_uri=None, public_url=None, metrics_token=None),
        ready=ready,
        calendar=SimpleNamespace(current=BUNDLED),
        clock=SimpleNamespace(now=lambda: NOW),
    )
    monkeypatch.setattr(module, "desk", lambda: desk)
    monkeypatch.setattr(module, "opening", lambda: SimpleNamespace(ready=ready, problem=None))
    return desk


NOW = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)


async def anything_else(request):
    return PlainTextResponse(f"page {request.url.path}")


@pytest.fixture
def app(desk):
    return Starlette(
        routes=[*routes(), Route("/{rest:path}", anything_else)],
        middleware=[Middleware(SecurityHeaders), Middleware(RegisteredCallback)],
    )


def test_the_process_says_that_it_lives(app):
    assert get(app, "/livez").status == 200


def test_a_code_with_its_state_is_exchanged_and_never_shown(app, desk):
    answer = get(app, f"/login/callback?code={CODE}&state=s1")

    assert desk.login.asked == [(CODE, "s1")]
    assert (answer.status, answer.headers["location"]) == (303, "/login/done")

    done = get(app, "/login/done")
    assert done.status == 200
    assert "Logged in" in done.text
    assert "03:30 IST" in done.text
    assert 'href="/account"' in done.text
    assert "t0ken" not in done.text


def test_a_login_that_came_to_nothing_is_not_called_done(app, desk):
    desk.login.outcome = LoginRequired("x")

    assert "Not logged in" in get(app, "/login/done").text


def test_names_from_the_broker_are_not_taken_for_markup(app):
    assert "<b>Rao" not in get(app, "/login/done").text


def test_the_page_after_login_is_not_kept_and_runs_no_script(app):
    headers = get(app, "/login/done").headers

    assert get(app, f"/login/callback?code={CODE}&state=s1").headers["cache-control"] == "no-store"
    assert headers["cache-control"] == "no-store"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize(
    ("outcome", "status", "words"),
    [
        (LoginRequired("this login was not started here"), 400, "This login was not started here."),
        (NoAnswer("x"), 502, "The broker does not answer"),
        (ConfigurationError("set UPSTOX_CLIENT_ID"), 502, "Set UPSTOX_CLIENT_ID"),
    ],
)
def test_a_login_that_fails_is_told_in_plain_words(app, desk, outcome, status, words):
    desk.login.outcome = outcome
    answer = get(app, f"/login/callback?code={CODE}&state=s1")

    assert answer.status == status
    assert "Not logged in" in answer.text
    assert words in answer.text
    assert CODE not in answer.text


def test_a_callback_without_code_exchanges_nothing(app, desk):
    answer = get(app, "/login/callback?error=access_denied")

    assert answer.status == 400
    assert desk.login.asked == []


def test_a_code_of_absurd_length_is_not_passed_on(app, desk):
    assert get(app, f"/login/callback?code={'x' * 5000}&state=s").status == 503
    assert desk.login.asked == []


def test_before_the_desk_is_open_nobody_logs_in(app, desk):
    desk.ready.clear()

    assert get(app, f"/login/callback?code={CODE}&state=s").status == 503


@pytest.mark.parametrize("path", ["/", "/cb", "/auth/upstox/"])
def test_the_registered_path_is_served_whatever_it_is(app, desk, path):
    desk.settings.redirect_uri = f"http://127.0.0.1:8501{path}"

    assert get(app, f"{path}?code={CODE}&state=s").headers["location"] == "/login/done"
    assert get(app, path).text == f"page {path}"


def test_other_pages_with_a_code_in_their_address_are_left_alone(app, desk):
    desk.settings.redirect_uri = "http://127.0.0.1:8501/cb"

    assert get(app, f"/quotes?code={CODE}&state=s").text == "page /quotes"
    assert desk.login.asked == []


def test_every_answer_carries_the_security_headers(app):
    headers = get(app, "/anything").headers

    assert {name.lower(): value for name, value in HEADERS.items()}.items() <= headers.items()


def test_the_calendar_can_be_subscribed_to_and_is_read_by_a_calendar_program(app):
    answer = get(app, "/calendar.ics?market=NSE&kinds=holiday")

    assert answer.status == 200
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    assert answer.headers["content-disposition"] == 'inline; filename="market-calendar-nse.ics"'
    summaries = {event.summary for event in IcsCalendarStream.calendar_from_ics(answer.text).events}
    assert "Guru Nanak Jayanti: NSE shares closed" in summaries
    assert not any("Expiry" in summary for summary in summaries)


@pytest.mark.parametrize("query", ["market=NYSE", "kinds=holiday,<script>", "market=" + "x" * 3000])
def test_a_calendar_that_is_none_is_refused_in_words_that_repeat_nothing(app, query):
    answer = get(app, f"/calendar.ics?{query}")

    assert answer.status == 400
    assert "There " in answer.text
    assert "script" not in answer.text
    assert "xxx" not in answer.text


def test_before_the_desk_is_open_the_calendar_asks_for_patience(app, desk):
    desk.ready.clear()

    assert get(app, "/calendar.ics").status == 503


class Parts:
    """What readiness asks of a runtime: its checks, and whether the broker answers."""

    def __init__(self) -> None:
        self.measures = self
        self.broken = {}
        self.broker = SimpleNamespace(api="http://127.0.0.1:1")
        self.http = self
        self.down = None
        self.asked = 0

    def checks(self):
        names = ("feed", "storage", "token")
        return tuple(Check(name, self.broken.get(name, CheckState.PASS), "So it is.", NOW, 3.0) for name in names)

    def send(self, method, url):
        self.asked += 1
        if self.down:
            raise self.down


@pytest.fixture
def ready():
    parts, opened, now = Parts(), SimpleNamespace(ready=Event(), problem=None), [0.0]
    opened.ready.set()
    probe = Readiness(lambda: opened, lambda: parts, monotonic=lambda: now[0])
    return SimpleNamespace(parts=parts, opened=opened, probe=probe, now=now)


def test_a_desk_with_broker_and_storage_is_ready(ready):
    found = ready.probe.look()

    assert (found.ready, found.state, found.reasons) == (True, "pass", {})
    assert found.checks[0] == {
        "check": "feed", "state": "pass", "reason": "So it is.", "since": "2026-11-21T08:30:00+00:00", "seconds": 3.0,
    }  # fmt: skip


def test_a_broker_that_is_gone_and_storage_that_fails_are_both_named(ready):
    ready.parts.down = NotSent("refused")
    ready.parts.broken["storage"] = CheckState.FAIL

    found = ready.probe.look()

    assert not found.ready
    assert found.reasons == {"storage": "So it is.", "broker": "The broker cannot be reached"}


def test_a_desk_that_needs_a_login_is_ready_for_the_person_who_logs_in(ready):
    ready.parts.broken = {"token": CheckState.FAIL, "feed": CheckState.WARN}

    found = ready.probe.look()

    assert (found.ready, found.state, found.reasons) == (True, "fail", {})


def test_a_desk_that_is_starting_is_not_ready_and_asks_nobody(ready):
    ready.opened.ready.clear()

    assert set(ready.probe.look().reasons) == {"desk"}
    assert ready.parts.asked == 0


def test_probes_that_come_often_do_not_reach_the_broker(ready):
    for _ in range(50):
        ready.probe.look()
    assert ready.parts.asked == 1

    ready.now[0] += 5.0
    ready.probe.look()
    assert ready.parts.asked == 2


def test_readiness_is_told_by_status_and_reasons(app, monkeypatch):
    gone = Ready(False, CheckState.FAIL, {"broker": "gone"}, [])
    monkeypatch.setattr(module, "_readiness", SimpleNamespace(look=lambda: gone))
    answer = get(app, "/readyz")

    assert answer.status == 503
    assert answer.text == '{"ready":false,"state":"fail","reasons":{"broker":"gone"},"checks":[]}'

    monkeypatch.setattr(module, "_readiness", SimpleNamespace(look=lambda: replace(gone, ready=True)))
    assert get(app, "/readyz").status == 200


def test_measures_are_told_once_the_desk_is_open(app, desk, monkeypatch):
    monkeypatch.setattr(module, "exposition", lambda: SimpleNamespace(text=lambda accept: (b"desk 1\n", "text/plain")))

    assert get(app, "/metrics").text == "desk 1\n"

    desk.ready.clear()
    assert get(app, "/metrics").status == 503


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics"])
def test_whoever_asks_from_elsewhere_without_the_token_learns_nothing(app, path):
    answer = get(app, path, client="192.168.1.9", headers={"host": "desk.lan:8501"})

    assert answer.status == 401
    assert "token" in answer.text


def test_a_broker_that_hangs_is_told_of_and_keeps_no_probe_waiting(ready, monkeypatch):
    monkeypatch.setattr(readiness, "PATIENCE_SECONDS", 0.01)
    released = Event()
    ready.parts.send = lambda method, url: released.wait(60)

    assert ready.probe.look().ready  # asked just now: nothing is known against it
    ready.now[0] += 4.0
    found = ready.probe.look()

    assert (found.ready, found.reasons) == (False, {"broker": "The broker does not answer"})
    released.set()


def test_a_look_at_the_desk_that_takes_long_leaves_the_last_one_standing(ready, monkeypatch):
    assert ready.probe.look().ready
    monkeypatch.setattr(readiness, "PATIENCE_SECONDS", 0.01)
    released = Event()
    ready.parts.checks = lambda: released.wait(60) and ()

    ready.now[0] += 5.0
    assert [one["check"] for one in ready.probe.look().checks] == ["feed", "storage", "token"]
    ready.now[0] += 15.0
    assert "something hangs" in ready.probe.look().reasons["desk"]
    released.set()
