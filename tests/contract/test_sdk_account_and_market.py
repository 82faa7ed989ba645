"""The official SDK logs in, reads the account and the instrument search from the paper broker."""

from __future__ import annotations

import gzip
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest
import requests

from services.paper.model import Market
from services.paper.options import PaperOptions
from services.paper.server import PaperServer
from tests.contract.conftest import RELIANCE, STILL, upstox_client

REDIRECT = "http://127.0.0.1:9/login/callback"


def _log_in(base_url: str) -> str:
    """Press the dialog's one button, as a browser would, and return the code."""
    dialog = {
        "response_type": "code",
        "client_id": "paper-desk",
        "redirect_uri": REDIRECT,
        "state": "opaque",
    }
    page = requests.get(f"{base_url}/v2/login/authorization/dialog", params=dialog, timeout=30)
    assert page.status_code == 200
    assert page.text.count("<button") == 1
    action = page.text.split('action="')[1].split('"')[0].replace("&amp;", "&")
    fields = {
        part.split('name="')[1].split('"')[0]: part.split('value="')[1].split('"')[0]
        for part in page.text.split("<input")[1:]
    }
    answer = requests.post(f"{base_url}{action}", data=fields, allow_redirects=False, timeout=30)
    assert answer.status_code == 302
    arrived = parse_qs(urlsplit(answer.headers["location"]).query)
    assert arrived["state"] == ["opaque"]
    return arrived["code"][0]


def test_login_profile_funds_and_logout(tmp_path_factory: pytest.TempPathFactory) -> None:
    server = PaperServer(PaperOptions(folder=tmp_path_factory.mktemp("login"), clock=STILL, seed=7))
    server.start()
    try:
        configuration = upstox_client.Configuration()
        configuration.host = configuration.order_host = server.base_url
        client = upstox_client.ApiClient(configuration)
        code = _log_in(server.base_url)
        grant: dict[str, Any] = {
            "code": code,
            "client_id": "paper-desk",
            "client_secret": "paper-secret",
            "redirect_uri": REDIRECT,
            "grant_type": "authorization_code",
        }

        token = upstox_client.LoginApi(client).token("2.0", **grant)
        configuration.access_token = token.access_token
        client = upstox_client.ApiClient(configuration)
        user = upstox_client.UserApi(client)
        profile = user.get_profile("2.0").data
        funds = user.get_user_fund_margin_v3().data
        old_funds = user.get_user_fund_margin("2.0").data
        addresses = user.get_user_ips().data

        assert (addresses.primary_ip, addresses.secondary_ip) == ("127.0.0.1", None)
        assert profile.user_id == token.user_id
        assert profile.is_active is True
        assert funds.available_to_trade.total == 1_000_000.0
        assert old_funds["equity"].available_margin == 1_000_000.0
        assert old_funds["commodity"].available_margin == 0.0
        with pytest.raises(upstox_client.rest.ApiException, match=r"\((400|401)\)"):
            upstox_client.LoginApi(client).token("2.0", **grant)
        assert upstox_client.LoginApi(client).logout("2.0").data is True
        with pytest.raises(upstox_client.rest.ApiException) as caught:
            user.get_profile("2.0")
        assert caught.value.status == 401
        assert b"UDAPI100050" in caught.value.body
    finally:
        server.stop()


def test_the_access_token_request_is_answered(sdk: Any) -> None:
    body = upstox_client.IndieUserTokenRequest(client_secret="paper-secret")

    answer = upstox_client.LoginApi(sdk).init_token_request_for_indie_user(body, "paper-desk")

    assert answer.data.authorization_expiry == "1795212000000", "03:30 IST of the next morning"


def test_search_and_files_hold_the_same_rows(sdk: Any, broker: PaperServer, market: Market, instant: datetime) -> None:
    found = upstox_client.InstrumentsApi(sdk).search_instrument("RELIANCE", exchanges="NSE", segments="EQ")
    packed = requests.get(f"{broker.base_url}/market-quote/instruments/exchange/NSE.json.gz", timeout=30)

    rows = orjson.loads(gzip.decompress(packed.content))
    listed = market.listings(instant)
    assert {row["instrument_key"] for row in rows} == {key for key, item in listed.items() if item.exchange == "NSE"}
    reliance = next(row for row in rows if row["instrument_key"] == RELIANCE)
    assert reliance["tick_size"] == 10.0, "paise"
    first = found.data[0] if not isinstance(found.data[0], dict) else None
    key = first.instrument_key if first is not None else found.data[0]["instrument_key"]
    assert key == RELIANCE
