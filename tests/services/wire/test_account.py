from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import orjson
import pytest

from services.domain.accounts import Funds
from services.domain.errors import MalformedPayload
from services.wire.account import (
    parse_addresses,
    parse_funds,
    parse_profile,
    parse_token_grant,
    parse_token_notice,
    parse_token_request,
)
from tests.support.payloads import body, data


def test_the_profile() -> None:
    person = parse_profile(data("profile"))

    assert (person.user_id, person.user_name, person.exchanges) == ("4AB123", "ASHA RAO", ("NSE", "BSE"))


def test_funds_of_both_versions_say_the_same_to_the_paisa() -> None:
    assert parse_funds(data("funds_v3")) == Funds(Decimal("91250.4"), Decimal("9749.7"), "v3")
    assert parse_funds(data("funds_v2")) == Funds(Decimal("91250.4"), Decimal("9749.7"), "v2")


def test_an_account_without_pledges_has_funds() -> None:
    funds = data("funds_v3")
    del funds["available_to_trade"]["pledge_available_to_trade"]

    assert parse_funds(funds).used == Decimal("8749.6")


@pytest.mark.parametrize("raw", [{}, {"equity": None}, {"equity": {}}, {"available_to_trade": []}, None, True])
def test_funds_of_another_shape_are_malformed(raw: object) -> None:
    with pytest.raises(MalformedPayload):
        parse_funds(raw)


def test_a_token_grant_shows_no_token() -> None:
    grant = parse_token_grant(orjson.loads(body("token")))

    assert grant.access_token.startswith("eyJ")
    assert "eyJ" not in repr(grant)
    assert grant.extended_token is None


def test_a_grant_without_a_token_is_malformed() -> None:
    with pytest.raises(MalformedPayload) as caught:
        parse_token_grant({"user_id": "4AB123"})

    assert caught.value.field == "token.access_token"


def test_an_access_token_request_ends_at_half_past_three() -> None:
    assert parse_token_request(data("token_request")).expires == datetime(2026, 11, 20, 22, 0, tzinfo=UTC)


def test_a_notice_is_read_and_shows_no_token() -> None:
    notice = parse_token_notice(orjson.loads(body("token_notice")))

    assert (notice.client_id, notice.expires) == ("app-1", datetime(2026, 11, 20, 22, 0, tzinfo=UTC))
    assert "eyJ" not in repr(notice)


def test_registered_addresses_are_read_and_may_be_missing() -> None:
    told = parse_addresses(
        {"user_id": "AB1234", "primary_ip": "203.0.113.7", "primary_ip_updated_at": "2026-11-02 10:15:00"}
    )

    assert (told.primary, told.primary_since) == ("203.0.113.7", "2026-11-02 10:15:00")
    assert (told.secondary, told.secondary_since) == ("", "")
    assert parse_addresses({}).primary == ""
