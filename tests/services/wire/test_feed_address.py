"""The authorised address of a feed."""

from __future__ import annotations

import orjson
import pytest

from services.domain.errors import MalformedPayload
from services.wire.feed_address import parse_address
from tests.support.shared_data import shared


@pytest.mark.parametrize("name", ["feed_authorize_market_v3", "feed_authorize_portfolio"])
def test_the_documented_answers_are_read(name: str) -> None:
    sample = orjson.loads((shared("upstox/examples") / f"{name}.json").read_bytes())

    address = parse_address(sample["data"])

    assert address.startswith("wss://")
    assert "code=" in address


def test_the_older_spelling_alone_will_do() -> None:
    assert parse_address({"authorizedRedirectUri": "wss://x/y?code=1"}) == "wss://x/y?code=1"


@pytest.mark.parametrize("data", [None, [], {}, {"authorized_redirect_uri": 7}, {"authorized_redirect_uri": ""}])
def test_an_answer_without_an_address_is_malformed(data: object) -> None:
    with pytest.raises(MalformedPayload):
        parse_address(data)
