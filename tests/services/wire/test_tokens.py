from __future__ import annotations

import base64
from datetime import UTC, datetime

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.domain.errors import InvalidRequest
from services.wire.tokens import REAL_ISSUER, UNREADABLE, Claims, bearer_text, read_claims
from tests.support.payloads import body


def test_the_claims_of_a_real_shape() -> None:
    claims = read_claims(orjson.loads(body("token"))["access_token"])

    assert claims == Claims(
        REAL_ISSUER, "4AB123", datetime.fromtimestamp(1795143600, UTC), datetime(2026, 11, 20, 22, 0, tzinfo=UTC)
    )


@pytest.mark.parametrize("secret", ["", "abc", "a.b", "a.b.c", "a.bnVsbA.c", "eyJ.\x00.x", "a.W10.c", "ü.ü.ü"])
def test_other_texts_tell_nothing(secret: str) -> None:
    assert read_claims(secret) == UNREADABLE


values = st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text() | st.floats(allow_nan=False)


@given(st.dictionaries(st.sampled_from(["iss", "sub", "iat", "exp"]), values))
def test_any_claims_are_read_without_an_error(told: dict[str, object]) -> None:
    packed = base64.urlsafe_b64encode(orjson.dumps(told)).decode().rstrip("=")

    assert isinstance(read_claims(f"h.{packed}.s"), Claims)


@pytest.mark.parametrize("given_text", ["Bearer abc.def", "  'abc.def' \n", '"abc.def"', "bearer   abc.def"])
def test_a_pasted_token_is_cleaned(given_text: str) -> None:
    assert bearer_text(given_text) == "abc.def"


@pytest.mark.parametrize("text", ["", "  ", "Bearer ", "abc def", "abc\ndef", "abcé", "a" * 9000])
def test_what_no_header_can_carry_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        bearer_text(text)

    assert not text.strip() or text.strip() not in str(caught.value)
