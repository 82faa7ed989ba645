from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from services.domain.accounts import Profile, Token, TokenKind
from services.domain.errors import (
    AccessDenied,
    ConfigurationError,
    InvalidRequest,
    LoginRequired,
    RequestRefused,
    TokenRejected,
)
from services.login import DEFAULT_USER, READ_USER
from services.wire.account import TokenGrant
from tests.support.login import APP, END, REFUSED, Desk, access, analytics, grant, state_of
from tests.support.tokens import PAPER

# -- the way through the browser ------------------------------------------------------------


def test_the_login_url_names_app_redirect_and_state(live: Desk) -> None:
    url = urlsplit(live.login.authorization_url())

    assert f"{url.scheme}://{url.netloc}{url.path}" == "https://api.upstox.com/v2/login/authorization/dialog"
    assert parse_qs(url.query) == {
        "response_type": ["code"],
        "client_id": ["app-1"],
        "redirect_uri": ["https://desk.test/back"],
        "state": ["nonce-1"],
    }


def test_a_code_becomes_a_token_that_is_kept(live: Desk) -> None:
    state = state_of(live.login.authorization_url())

    got = live.login.complete("c0de-1", state)

    assert live.broker.exchanged == [{"code": "c0de-1", **APP}]
    assert (got.secret, got.user_id, got.user_name, got.expires) == (access(), "4AB123", "ASHA RAO", END)
    assert live.login.token(writes=True) == got
    assert live.store.tokens[DEFAULT_USER] == got
    assert live.login.state().kind is TokenKind.ACCESS


def test_a_page_that_runs_again_gets_the_same_token_and_sends_nothing(live: Desk) -> None:
    state = state_of(live.login.authorization_url())

    first = live.login.complete("c0de-1", state)
    second = live.login.complete("c0de-1", state)

    assert second == first
    assert len(live.broker.exchanged) == 1


def test_two_runs_at_once_are_one_exchange(live: Desk) -> None:
    state = state_of(live.login.authorization_url())
    under_way, go_on = threading.Event(), threading.Event()

    def slow_grant() -> TokenGrant:
        under_way.set()
        assert go_on.wait(30)
        return grant(access())

    live.broker.grant = slow_grant
    got: list[Token] = []
    runs = [threading.Thread(target=lambda: got.append(live.login.complete("c0de-1", state))) for _ in range(4)]
    for run in runs:
        run.start()
    assert under_way.wait(30)
    go_on.set()
    for run in runs:
        run.join(30)

    assert len(live.broker.exchanged) == 1
    assert len(got) == 4
    assert len(set(got)) == 1


def test_a_code_that_failed_is_not_sent_again(live: Desk) -> None:
    state = state_of(live.login.authorization_url())

    def refuse() -> TokenGrant:
        raise RequestRefused("Invalid Auth code", status=401, code="UDAPI100057")

    live.broker.grant = refuse
    for _ in range(2):
        with pytest.raises(RequestRefused):
            live.login.complete("c0de-1", state)

    assert len(live.broker.exchanged) == 1
    with pytest.raises(LoginRequired):
        live.login.token()


def test_an_exchange_that_breaks_in_an_unforeseen_way_releases_whoever_waits(live: Desk) -> None:
    state = state_of(live.login.authorization_url())

    def break_down() -> TokenGrant:
        raise ZeroDivisionError

    live.broker.grant = break_down
    with pytest.raises(ZeroDivisionError):
        live.login.complete("c0de-1", state)
    with pytest.raises(InvalidRequest, match="start it again"):
        live.login.complete("c0de-1", state)


@pytest.mark.parametrize("state", ["", "guess", "nonce-2", "nonce-1 ", "NONCE-1", "nönce", "\udcff"])
def test_a_state_that_is_not_ours_is_refused(live: Desk, state: str) -> None:
    live.login.authorization_url()

    with pytest.raises(LoginRequired, match="not started here"):
        live.login.complete("c0de-1", state)

    assert live.broker.exchanged == []


def test_a_state_serves_one_login(live: Desk) -> None:
    state = state_of(live.login.authorization_url())
    live.login.complete("c0de-1", state)

    with pytest.raises(LoginRequired):
        live.login.complete("c0de-2", state)

    assert len(live.broker.exchanged) == 1


def test_a_used_code_with_another_state_is_refused(live: Desk) -> None:
    live.login.complete("c0de-1", state_of(live.login.authorization_url()))

    with pytest.raises(LoginRequired, match="used already"):
        live.login.complete("c0de-1", state_of(live.login.authorization_url()))


def test_a_state_is_good_for_ten_minutes(live: Desk) -> None:
    state = state_of(live.login.authorization_url())
    live.monotonic.now += 599

    assert live.login.complete("c0de-1", state)

    late = state_of(live.login.authorization_url())
    live.monotonic.now += 600
    with pytest.raises(LoginRequired, match="ten minutes"):
        live.login.complete("c0de-2", late)


def test_a_simulated_clock_does_not_shorten_the_ten_minutes(live: Desk) -> None:
    state = state_of(live.login.authorization_url())
    live.clock.move(hours=5)

    assert live.login.complete("c0de-1", state)


def test_a_url_that_is_asked_for_again_and_again_keeps_its_state_for_five_minutes(live: Desk) -> None:
    first = live.login.authorization_url()
    live.monotonic.now += 299
    assert live.login.authorization_url() == first
    live.monotonic.now += 2
    second = live.login.authorization_url()

    assert second != first
    assert live.login.complete("c0de-1", state_of(first))


def test_a_code_that_a_person_typed_needs_no_state(live: Desk) -> None:
    got = live.login.complete_typed("  c0de-1\n")

    assert got.secret == access()
    assert live.broker.exchanged[0]["code"] == "c0de-1"
    assert live.login.complete_typed("c0de-1") == got
    assert len(live.broker.exchanged) == 1


@pytest.mark.parametrize("code", ["", "   ", "x" * 3000])
def test_what_cannot_be_a_code_is_not_sent(live: Desk, code: str) -> None:
    with pytest.raises(InvalidRequest):
        live.login.complete_typed(code)

    assert live.broker.exchanged == []


def test_a_rerun_after_signing_out_does_not_pretend_to_be_logged_in(live: Desk) -> None:
    state = state_of(live.login.authorization_url())
    live.login.complete("c0de-1", state)
    live.login.sign_out()

    with pytest.raises(LoginRequired):
        live.login.complete("c0de-1", state)


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({}, "UPSTOX_CLIENT_ID, UPSTOX_CLIENT_SECRET, UPSTOX_REDIRECT_URI"),
        (APP | {"client_id": None}, "UPSTOX_CLIENT_ID"),
        (APP | {"redirect_uri": None}, "UPSTOX_REDIRECT_URI"),
    ],
)
def test_live_without_its_registration_says_what_to_set(given: dict[str, Any], missing: str) -> None:
    desk = Desk(mode="live", **given)

    with pytest.raises(ConfigurationError, match=missing):
        desk.login.authorization_url()
    with pytest.raises(LoginRequired) as caught:
        desk.login.token()
    assert caught.value.login_url is None


def test_paper_needs_no_registration_and_names_its_own_way_back(paper: Desk) -> None:
    query = parse_qs(urlsplit(paper.login.authorization_url("http://127.0.0.1:9999/login/callback")).query)
    paper.broker.grant = lambda: grant(access(PAPER, "login"))

    paper.login.complete("c0de-1", query["state"][0])

    assert query["client_id"] == ["paper-desk"]
    assert paper.broker.exchanged == [
        {
            "code": "c0de-1",
            "client_id": "paper-desk",
            "client_secret": "paper-secret",
            "redirect_uri": "http://127.0.0.1:9999/login/callback",
        }
    ]
    assert paper.login.token().secret == access(PAPER, "login")


def test_the_way_back_of_a_real_app_cannot_be_changed(live: Desk) -> None:
    query = parse_qs(urlsplit(live.login.authorization_url("https://evil.test/")).query)

    assert query["redirect_uri"] == ["https://desk.test/back"]


def test_paper_never_points_at_the_real_login_page() -> None:
    desk = Desk(mode="paper")
    desk.login._base = desk.login._configured_base

    with pytest.raises(ConfigurationError, match="DESK_API_BASE"):
        desk.login.authorization_url()


# -- pasted ------------------------------------------------------------


def test_a_pasted_token_is_kept_after_the_broker_confirmed_it(live: Desk) -> None:
    got = live.login.accept_pasted(f"  Bearer {access()}\n")

    assert live.broker.profiled == [access()]
    assert (got.user_id, got.user_name) == ("4AB123", "ASHA RAO")
    assert live.login.token(writes=True) == got


def test_a_pasted_token_that_the_broker_refuses_is_not_kept(live: Desk) -> None:
    def refuse(secret: str) -> Profile:
        raise REFUSED

    live.broker.person = refuse
    with pytest.raises(TokenRejected):
        live.login.accept_pasted(access())

    assert live.store.tokens == {}


def test_a_pasted_token_that_is_over_is_told_so(live: Desk) -> None:
    live.clock.instant = END - timedelta(minutes=2)

    with pytest.raises(InvalidRequest, match=r"21 Nov 2026, 03:30 IST"):
        live.login.accept_pasted(access())


def test_a_pasted_read_only_token_stands_beside_the_access_token(live: Desk) -> None:
    def deny(secret: str) -> Profile:
        raise AccessDenied("blocked due to static IP restrictions", status=403, code="UDAPI1154")

    live.broker.person = deny
    live.login.accept_pasted(analytics())

    assert live.store.tokens[READ_USER].secret == analytics()
    assert live.login.token().secret == analytics()
    with pytest.raises(LoginRequired):
        live.login.token(writes=True)
    with pytest.raises(AccessDenied):
        live.login.accept_pasted(access())
