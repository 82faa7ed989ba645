from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from services.domain.accounts import Profile, TokenKind
from services.domain.clock import next_token_end
from services.domain.errors import (
    ConfigurationError,
    ForeignToken,
    LoginRequired,
    NoAnswer,
    StorageError,
    UpstoxError,
)
from services.login import DEFAULT_USER, READ_USER, read_token_text
from services.logs import redact
from tests.support.login import APP, END, MORNING, REFUSED, Desk, access, analytics, grant, state_of, token
from tests.support.tokens import PAPER, REAL, jwt

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
