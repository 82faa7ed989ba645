from __future__ import annotations

import base64

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from services.wire.redaction import HIDDEN, remove_secrets

JWT = "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI3WFgxMjMifQ.c2FtcGxlLXNpZ25hdHVyZQ"
SECRET = "hunter2-Secret_9"


@pytest.mark.parametrize(
    "text",
    [
        f"Authorization: Bearer {JWT}",
        f"token {JWT} in the open",
        f"half a token {JWT[:40]}",
        f"Authorization: {SECRET}",
        f"authorization: Basic {SECRET}",
        f"{{'Authorization': 'Bearer {SECRET}'}}",
        f"{{'authorization': b'Bearer {SECRET}'}}",
        f"[('Authorization', 'Bearer {SECRET}')]",
        f"[(b'authorization', b'{SECRET}')]",
        f"send: b'GET / HTTP/1.1\\r\\nAuthorization: Bearer {SECRET}\\r\\n\\r\\n'",
        f"Bearer%20{SECRET}",
        f"GET /login/callback?code={SECRET}&state=x HTTP/1.1",
        f"GET /login/callback?state=x&code={SECRET}",
        f"https://a.b/c?access_token={SECRET}#frag",
        f"redirect=https%3A%2F%2Fa.b%2Fc%3Fcode%3D{SECRET}%26state%3Dx",
        f'{{"access_token": "{SECRET}", "user_id": "7XX123"}}',
        f'{{"access_token":"{SECRET}"}}',
        f'{{\\"access_token\\": \\"{SECRET}\\"}}',
        f"{{'client_secret': '{SECRET}'}}",
        f"{{'code': ['{SECRET}']}}",
        f"[('code', '{SECRET}'), ('grant_type', 'x')]",
        f"client_secret={SECRET}&grant_type=authorization_code",
        f"UPSTOX_CLIENT_SECRET={SECRET}",
        f"DESK_READ_TOKEN = {SECRET}",
        f"DESK_ACCESS_TOKEN={SECRET}",
        f"accessToken: {SECRET}",
        f"extended_token={SECRET}",
        f"password='{SECRET} with a blank'",
        f"ENCRYPTION_KEY={base64.urlsafe_b64encode(b'k' * 32).decode()}",
    ],
)
def test_what_has_the_form_of_a_secret_is_removed(text: str) -> None:
    cleaned = remove_secrets(text)

    assert SECRET not in cleaned
    assert "with a blank" not in cleaned
    assert "eyJ" not in cleaned
    assert HIDDEN in cleaned


def test_a_bare_fernet_key_is_removed() -> None:
    key = base64.urlsafe_b64encode(bytes(range(32))).decode()

    assert key[:20] not in remove_secrets(f"the key is {key}, keep it")
    assert key[:20] not in remove_secrets(f"{key},{key}")


@pytest.mark.parametrize(
    "text",
    [
        "quotes over v3 failed: BrokerFault: Something went wrong (UDAPI100500, HTTP 500)",
        "status_code=500 error_code=UDAPI1087 instrument_token=NSE_EQ|INE002A01018",
        '{"errorCode": "UDAPI1087", "error_code": "UDAPI1087", "code": "UDAPI1087"}',
        "exit code: 1",
        "exchange_token: 2885, postcode=560001",
        "GET /v3/market-quote/quotes?instrument_key=NSE_EQ%7CINE002A01018: HTTP 200 in 12 ms, request id 1b2c-33",
        "the token ends at 20 Nov 2026, 03:30 IST",
        "a code review",
        "the broker refuses the token: log in again",
    ],
)
def test_ordinary_lines_stay_as_they_are(text: str) -> None:
    assert remove_secrets(text) == text


@given(st.text(max_size=300))
def test_removing_twice_changes_nothing(text: str) -> None:
    once = remove_secrets(text)

    assert remove_secrets(once) == once


@given(
    st.sampled_from(["access_token", "client_secret", "code", "extended_token"]),
    st.text(alphabet="abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.~", min_size=8, max_size=40),
    st.sampled_from(["{n}={s}", "?a=1&{n}={s}&b=2", '"{n}": "{s}"', "'{n}': '{s}'", "{n}%3D{s}", "('{n}', '{s}')"]),
)
def test_a_named_value_never_survives(name: str, secret: str, form: str) -> None:
    assume(secret not in name)

    assert secret not in remove_secrets("before " + form.format(n=name, s=f"{secret}Q9") + " after")
