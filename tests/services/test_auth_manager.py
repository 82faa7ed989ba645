from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from services.auth_manager import AuthManager, auth_manager
from services.domain.clock import epoch_ms
from services.domain.errors import ForeignToken, InvalidRequest, LoginRequired
from services.logs import _Literals
from services.runtime import Runtime, use_runtime
from tests.support.login import APP, END, MORNING, OUTSIDE, Desk, access, analytics, grant, state_of
from tests.support.tokens import PAPER


@pytest.fixture(autouse=True)
def as_outside_nothing_is_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setattr("services.logs._literals", _Literals())
    for name in OUTSIDE:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def live() -> Desk:
    return Desk(mode="live", **APP)


def test_the_guides_way_from_url_to_token(live: Desk) -> None:
    auth = AuthManager(login=live.login)

    url = auth.get_authorization_url()
    told = auth.exchange_code_for_token("c0de-1")

    assert url.startswith("https://api.upstox.com/v2/login/authorization/dialog?")
    assert told == {
        "access_token": access(),
        "token_type": "Bearer",
        "user_id": "4AB123",
        "user_name": "ASHA RAO",
        "issued_at": epoch_ms(MORNING),
        "expires_at": epoch_ms(END),
    }
    assert auth.get_valid_token() == access()
    assert auth.save_token("default", told)
    assert auth.get_valid_token("default", writes=True) == access()


def test_a_code_from_a_callback_is_checked_by_its_state(live: Desk) -> None:
    auth = AuthManager(login=live.login)
    state = state_of(auth.get_authorization_url())

    with pytest.raises(LoginRequired):
        auth.exchange_code_for_token("c0de-1", state="a guess")
    assert auth.exchange_code_for_token("c0de-2", state=state)["access_token"] == access()


def test_a_saved_token_belongs_to_its_user(live: Desk) -> None:
    auth = AuthManager(login=live.login)

    auth.save_token("asha", {"access_token": access(), "user_name": "ASHA RAO"})

    assert auth.get_valid_token("asha") == access()
    with pytest.raises(LoginRequired):
        auth.get_valid_token()


def test_a_saved_end_may_be_earlier_than_the_tokens_own_but_not_later(live: Desk) -> None:
    auth = AuthManager(login=live.login)

    auth.save_token("asha", {"access_token": access(), "expires_at": epoch_ms(MORNING + timedelta(hours=1))})
    auth.save_token("ravi", {"access_token": access(), "expires_at": str(epoch_ms(MORNING + timedelta(days=9)))})

    assert live.store.tokens["asha"].expires == MORNING + timedelta(hours=1)
    assert live.store.tokens["ravi"].expires == END


@pytest.mark.parametrize("data", [{}, {"access_token": None}, {"access_token": "two words"}])
def test_what_holds_no_token_is_not_saved(live: Desk, data: dict[str, object]) -> None:
    with pytest.raises(InvalidRequest):
        AuthManager(login=live.login).save_token("default", data)


def test_a_token_of_another_mode_is_not_saved(live: Desk) -> None:
    with pytest.raises(ForeignToken):
        AuthManager(login=live.login).save_token("default", {"access_token": access(PAPER)})


def test_an_ending_token_asks_for_a_login_with_its_url(live: Desk) -> None:
    auth = AuthManager(login=live.login)
    auth.save_token("default", {"access_token": access()})
    live.clock.instant = END - timedelta(minutes=4)

    with pytest.raises(LoginRequired) as caught:
        auth.get_valid_token()

    assert caught.value.login_url is not None


def test_the_read_only_token_is_good_for_reads() -> None:
    auth = AuthManager(login=Desk(mode="live", read_token=analytics(), **APP).login)

    assert auth.get_valid_token() == analytics()
    with pytest.raises(LoginRequired):
        auth.get_valid_token(writes=True)


def test_a_revoked_token_is_gone_here_and_at_the_broker(live: Desk) -> None:
    auth = AuthManager(login=live.login)
    live.broker.grant = lambda: grant(access())
    auth.exchange_code_for_token("c0de-1")

    assert auth.revoke_token()

    assert live.broker.logouts == 1
    with pytest.raises(LoginRequired):
        auth.get_valid_token()


def test_without_arguments_it_works_on_the_processs_runtime(live: Desk) -> None:
    live.login.save("default", live.login.read(access()))

    with use_runtime(cast(Runtime, SimpleNamespace(login=live.login))):
        assert auth_manager.get_valid_token() == access()
        assert AuthManager().get_valid_token() == access()
