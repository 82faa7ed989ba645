from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from services.domain.accounts import Profile, Token, TokenKind
from services.domain.clock import next_token_end
from services.domain.errors import (
    AccessDenied,
    ConfigurationError,
    ForeignToken,
    InvalidRequest,
    LoginRequired,
    MalformedPayload,
    NoAnswer,
    RequestRefused,
    StorageError,
    TokenRejected,
    UpstoxError,
)
from services.login import DEFAULT_USER, READ_USER, read_token_text
from services.logs import _Literals, redact
from services.wire.account import TokenGrant
from tests.support.login import APP, END, MORNING, OUTSIDE, REFUSED, Desk, access, analytics, grant, state_of, token
from tests.support.tokens import PAPER, REAL, jwt


@pytest.fixture(autouse=True)
def forgotten_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    """What one test hides from the log must not be hidden in the next one's texts."""
    monkeypatch.setattr("services.logs._literals", _Literals())


@pytest.fixture(autouse=True)
def nothing_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    for name in OUTSIDE:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def live() -> Desk:
    return Desk(mode="live", **APP)


@pytest.fixture
def paper() -> Desk:
    return Desk(mode="paper", paper_token=lambda: token(access(PAPER)))


# -- reading a token's text ------------------------------------------------------------


@pytest.mark.parametrize(
    ("issued", "end"),
    [
        ("2026-11-19T14:30:00", "2026-11-19T22:00:00"),  # 20:00 IST
        ("2026-11-19T21:00:00", "2026-11-19T22:00:00"),  # 02:30 IST
        ("2026-11-19T22:00:00", "2026-11-20T22:00:00"),  # 03:30 IST sharp
        ("2026-11-19T18:30:00", "2026-11-19T22:00:00"),  # midnight IST
    ],
)
def test_an_opaque_token_ends_at_the_next_half_past_three(issued: str, end: str) -> None:
    now = datetime.fromisoformat(issued).replace(tzinfo=UTC)

    read = read_token_text("opaque-token-text", now=now)

    assert read.expires == datetime.fromisoformat(end).replace(tzinfo=UTC) == next_token_end(now)
    assert (read.kind, read.issuer) == (TokenKind.ACCESS, "")


def test_a_tokens_own_end_goes_before_the_rule() -> None:
    own_end = MORNING + timedelta(hours=2)

    assert read_token_text(jwt(issuer=REAL, expires=own_end), now=MORNING).expires == own_end


def test_a_token_that_lives_for_a_year_is_read_only() -> None:
    assert token(analytics()).kind is TokenKind.READ_ONLY
    assert token(access()).kind is TokenKind.ACCESS


def test_a_token_that_was_read_is_hidden_from_the_log() -> None:
    token("opaque-token-text")

    assert "opaque-token-text" not in redact("it was opaque-token-text")


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


# -- which token ------------------------------------------------------------


def test_without_any_token_a_login_is_asked_for_with_its_url(live: Desk) -> None:
    with pytest.raises(LoginRequired) as caught:
        live.login.token()

    assert caught.value.login_url is not None
    assert caught.value.login_url.startswith("https://api.upstox.com/v2/login/authorization/dialog?")


@pytest.mark.parametrize(("left", "good"), [(301, True), (300, False), (10, False), (-5, False)])
def test_a_token_counts_as_over_five_minutes_early(live: Desk, left: float, good: bool) -> None:
    live.login.save(DEFAULT_USER, token(access()))
    live.clock.instant = END - timedelta(seconds=left)

    if good:
        assert live.login.token().secret == access()
        assert live.login.state().seconds_left == left
    else:
        with pytest.raises(LoginRequired):
            live.login.token()


def test_a_token_is_read_from_the_store_once(live: Desk) -> None:
    live.store.tokens[DEFAULT_USER] = token(access())

    for _ in range(5):
        live.login.token()

    assert live.store.loads == 1


def test_a_login_in_another_process_is_seen(live: Desk) -> None:
    with pytest.raises(LoginRequired):
        live.login.token()

    live.store.save(DEFAULT_USER, token(access()))

    assert live.login.token().secret == access()


def test_a_read_token_serves_reads_and_never_a_write() -> None:
    desk = Desk(mode="live", read_token=analytics(), **APP)

    assert desk.login.token().secret == analytics()
    assert desk.login.state().kind is TokenKind.READ_ONLY
    with pytest.raises(LoginRequired):
        desk.login.token(writes=True)


def test_a_read_only_token_saved_as_ones_own_still_serves_no_write(live: Desk) -> None:
    live.login.save(DEFAULT_USER, token(analytics()))

    assert live.login.token().secret == analytics()
    with pytest.raises(LoginRequired):
        live.login.token(writes=True)


def test_the_access_token_goes_before_the_read_token() -> None:
    desk = Desk(mode="live", read_token=analytics(), **APP)
    desk.login.save(DEFAULT_USER, token(access()))

    assert desk.login.token().secret == access()
    desk.clock.instant = END
    assert desk.login.token().secret == analytics()


def test_a_read_token_that_is_none_is_a_configuration_fault() -> None:
    desk = Desk(mode="live", read_token="no token at all", **APP)

    with pytest.raises(ConfigurationError, match="DESK_READ_TOKEN") as caught:
        desk.login.token()
    assert "no token at all" not in str(caught.value)
    assert desk.login.state().kind is None


def test_paper_uses_the_brokers_own_token_up_to_its_last_second(paper: Desk) -> None:
    paper.clock.instant = END - timedelta(seconds=1)

    assert paper.login.token(writes=True).secret == access(PAPER)


def test_paper_takes_up_the_brokers_next_token() -> None:
    current = [access(PAPER)]
    desk = Desk(mode="paper", paper_token=lambda: token(current[0]))
    assert desk.login.token().secret == access(PAPER)

    desk.clock.instant = END
    current[0] = jwt(issuer=PAPER, expires=END + timedelta(days=1))

    assert desk.login.token().secret == current[0]


def test_a_login_goes_before_the_paper_brokers_own_token(paper: Desk) -> None:
    paper.login.save(DEFAULT_USER, token(access(PAPER, "login")))

    assert paper.login.token().secret == access(PAPER, "login")


def test_signing_out_of_paper_lasts_until_the_next_login(paper: Desk) -> None:
    paper.login.token()

    paper.login.sign_out()

    assert paper.broker.logouts == 1
    with pytest.raises(LoginRequired):
        paper.login.token()
    paper.broker.grant = lambda: grant(access(PAPER, "login"))
    paper.login.complete("c0de-1", state_of(paper.login.authorization_url()))
    assert paper.login.token().secret == access(PAPER, "login")


def test_signing_out_forgets_the_token_even_if_the_broker_cannot_be_reached(live: Desk) -> None:
    live.login.save(DEFAULT_USER, token(access()))

    def fail() -> None:
        raise NoAnswer("gone")

    live.login._logout = fail
    live.login.sign_out()

    assert live.store.tokens == {}
    with pytest.raises(LoginRequired):
        live.login.token()


def test_signing_out_in_another_process_is_seen_and_a_new_login_there_too(live: Desk) -> None:
    other = Desk(mode="live", **APP)
    other.login._tokens._store = live.store
    live.login.save(DEFAULT_USER, token(access()))
    assert other.login.state().kind is TokenKind.ACCESS

    live.login.sign_out()
    other.monotonic.now += 3.0
    assert other.login.state().kind is None
    with pytest.raises(LoginRequired):
        other.login.token(writes=True)

    live.login.save(DEFAULT_USER, token(access(salt="new")))
    assert other.login.token().secret == access(salt="new")


def test_a_store_that_cannot_be_read_signs_nobody_out(live: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    live.login.save(DEFAULT_USER, token(access()))

    def away(user_id: str) -> bool:
        raise StorageError("the ledger does not answer")

    monkeypatch.setattr(live.store, "signed_out", away)

    assert live.login.state().kind is TokenKind.ACCESS


def test_signing_out_without_a_token_asks_the_broker_nothing(live: Desk) -> None:
    live.login.sign_out()

    assert live.broker.logouts == 0


def test_users_have_tokens_of_their_own(live: Desk) -> None:
    live.login.save("asha", token(access(salt="a")))
    live.login.save("ravi", token(access(salt="r")))

    assert live.login.token(user_id="asha").secret == access(salt="a")
    live.login.sign_out(user_id="asha")
    assert live.login.token(user_id="ravi").secret == access(salt="r")
    with pytest.raises(LoginRequired):
        live.login.token(user_id="asha")


# -- whose token ------------------------------------------------------------


@pytest.mark.parametrize("foreign", [access(REAL), analytics(REAL), jwt(issuer="", expires=END), "opaque-token-text"])
def test_a_paper_process_takes_no_token_but_a_paper_brokers(foreign: str) -> None:
    desk = Desk(mode="paper")

    with pytest.raises(ForeignToken):
        desk.login.accept_pasted(foreign)
    with pytest.raises(ForeignToken):
        desk.login.save(DEFAULT_USER, token(foreign))
    desk.broker.grant = lambda: grant(foreign)
    with pytest.raises(ForeignToken):
        desk.login.complete_typed("c0de-1")

    assert desk.store.tokens == {}
    assert desk.broker.profiled == []


def test_a_real_token_in_a_paper_store_is_not_used() -> None:
    desk = Desk(mode="paper")
    desk.store.tokens[DEFAULT_USER] = token(access(REAL))

    with pytest.raises(ForeignToken):
        desk.login.token()
    assert "paper" in str(desk.login.state().problem)


def test_a_real_token_handed_out_as_the_paper_brokers_is_refused() -> None:
    desk = Desk(mode="paper", paper_token=lambda: token(access(REAL)))

    with pytest.raises(ForeignToken):
        desk.login.token()


def test_a_real_read_token_is_not_sent_to_a_paper_broker() -> None:
    desk = Desk(mode="paper", read_token=analytics())

    with pytest.raises(LoginRequired):
        desk.login.token()


def test_a_live_process_takes_no_paper_token(live: Desk) -> None:
    with pytest.raises(ForeignToken):
        live.login.accept_pasted(access(PAPER))


def test_a_rehearsal_takes_a_paper_brokers_token_and_no_real_one() -> None:
    desk = Desk(mode="live", live_rehearsal=True, api_base="http://127.0.0.1:7000", **APP)

    assert desk.login.accept_pasted(access(PAPER)).user_name == "ASHA RAO"
    with pytest.raises(ForeignToken):
        desk.login.accept_pasted(access(REAL))


# -- pasted, and by phone ------------------------------------------------------------


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


def test_the_phone_is_asked_with_the_apps_registration(live: Desk) -> None:
    assert live.login.request_on_phone().expires == END
    assert live.broker.phoned == [("app-1", "the-apps-secret")]


def notice(**changes: str) -> dict[str, str]:
    return {
        "client_id": "app-1",
        "user_id": "4AB123",
        "access_token": access(),
        "issued_at": "1795143600000",
        "expires_at": "1795212000000",
        "message_type": "access_token",
    } | changes


def test_a_notice_for_our_app_that_the_broker_confirms_is_kept(live: Desk) -> None:
    live.login.accept_notice(notice())

    assert live.broker.profiled == [access()]
    assert live.login.token(writes=True).secret == access()


def test_a_notice_that_is_forged_is_not_kept(live: Desk) -> None:
    with pytest.raises(InvalidRequest, match="another app"):
        live.login.accept_notice(notice(client_id="app-2"))
    with pytest.raises(MalformedPayload):
        live.login.accept_notice({"client_id": "app-1"})

    def refuse(secret: str) -> Profile:
        raise REFUSED

    live.broker.person = refuse
    with pytest.raises(TokenRejected):
        live.login.accept_notice(notice())
    assert live.store.tokens == {}


# -- refused by the broker ------------------------------------------------------------


def test_a_refused_token_is_dropped_once(live: Desk) -> None:
    live.login.save(DEFAULT_USER, token(access()))

    live.login.rejected(access())
    live.login.rejected(access())

    assert live.store.tokens == {}
    with pytest.raises(LoginRequired, match="refused the token: log in again"):
        live.login.token()
    assert "refused" in str(live.login.state().problem)


def test_a_late_refusal_of_an_old_token_does_not_drop_the_new_one(live: Desk) -> None:
    live.login.save(DEFAULT_USER, token(access(salt="old")))
    live.login.save(DEFAULT_USER, token(access(salt="new")))

    live.login.rejected(access(salt="old"))

    assert live.login.token().secret == access(salt="new")


def test_a_refused_token_of_the_paper_broker_is_not_taken_again_but_the_next_is() -> None:
    current = [access(PAPER)]
    desk = Desk(mode="paper", paper_token=lambda: token(current[0]))
    desk.login.rejected(desk.login.token().secret)

    with pytest.raises(LoginRequired):
        desk.login.token()
    current[0] = access(PAPER, "renewed")
    assert desk.login.token().secret == current[0]
    assert desk.login.state().problem is None


def test_a_refused_read_token_is_not_taken_again() -> None:
    desk = Desk(mode="live", read_token=analytics(), **APP)

    desk.login.rejected(desk.login.token().secret)

    with pytest.raises(LoginRequired):
        desk.login.token()


def test_one_401_on_an_order_call_does_not_drop_a_token_that_still_works(live: Desk) -> None:
    live.login.save(DEFAULT_USER, token(access()))

    live.login.rejected(access(), verify=live.login.still_works)

    assert live.login.token(writes=True).secret == access()
    assert live.broker.profiled == [access()]
    assert "order call" in str(live.login.state().problem)


@pytest.mark.parametrize(("error", "kept"), [(REFUSED, False), (NoAnswer("mute"), True)])
def test_only_a_profile_call_that_is_refused_too_proves_the_token_dead(
    live: Desk, error: UpstoxError, kept: bool
) -> None:
    live.login.save(DEFAULT_USER, token(access()))

    def fail(secret: str) -> Profile:
        raise error

    live.broker.person = fail
    live.login.rejected(access(), verify=live.login.still_works)

    assert (DEFAULT_USER in live.store.tokens) is kept


def test_a_token_that_is_given_again_after_a_refusal_is_taken(live: Desk) -> None:
    live.login.save(DEFAULT_USER, token(access()))
    live.login.rejected(access())

    live.login.accept_pasted(access())

    assert live.login.token().secret == access()


def test_no_repr_shows_a_token(live: Desk) -> None:
    got = live.login.accept_pasted(access())

    assert "eyJ" not in repr(got)
    assert "eyJ" not in repr(live.login.state())
    assert "the-apps-secret" not in repr(live.login._app(None))


def test_threads_that_meet_one_401_drop_one_token(live: Desk) -> None:
    live.login.save(DEFAULT_USER, token(access()))
    asked: list[str] = []
    drop = live.store.drop
    live.store.drop = lambda user, secret: (asked.append(user), drop(user, secret))[1]  # type: ignore[method-assign]
    start = threading.Barrier(8)

    def refuse() -> None:
        start.wait(30)
        live.login.rejected(access())

    threads = [threading.Thread(target=refuse) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert sorted(asked) == sorted([DEFAULT_USER, READ_USER])
    assert live.store.tokens == {}
