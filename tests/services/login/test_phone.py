from __future__ import annotations

import pytest

from services.domain.accounts import Profile
from services.domain.errors import (
    InvalidRequest,
    MalformedPayload,
    TokenRejected,
)
from tests.support.login import END, REFUSED, Desk, access


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
