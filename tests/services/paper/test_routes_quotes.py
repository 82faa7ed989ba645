from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.paper import CALL, FUTURE, INFY, NIFTY, RELIANCE, Client, KnownMarket, error_of, running
from tests.support.shared_data import shared

MARKET = KnownMarket(spare=600)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with running(tmp_path_factory.mktemp("quotes"), market=MARKET, limits=False) as made:
        yield made


def ask(*keys: str, **more: str) -> dict[str, str]:
    return {"instrument_key": ",".join(keys), **more}


def shape(value: Any) -> Any:
    """The members and types of a payload, without its values; numbers of one JSON type are alike."""
    if isinstance(value, dict):
        return {name: shape(member) for name, member in value.items()}
    if isinstance(value, list):
        return [shape(member) for member in value]
    return type(value).__name__


@pytest.mark.parametrize(
    ("path", "params", "example"),
    [
        ("/v2/market-quote/quotes", ask(RELIANCE, NIFTY), "quote_full_v2"),
        ("/v3/market-quote/quotes", ask(RELIANCE), "quote_full_v3"),
        ("/v2/market-quote/ltp", ask(RELIANCE, INFY), "quote_ltp_v2"),
        ("/v3/market-quote/ltp", ask(RELIANCE, INFY, NIFTY), "quote_ltp_v3"),
        ("/v2/market-quote/ohlc", ask(RELIANCE, interval="1d"), "quote_ohlc_v2"),
        ("/v3/market-quote/ohlc", ask(RELIANCE, interval="1d"), "quote_ohlc_v3_1d"),
        ("/v3/market-quote/ohlc", ask(RELIANCE, interval="I1"), "quote_ohlc_v3_I1"),
        ("/v3/market-quote/option-greek", ask(CALL), "quote_option_greek_v3"),
    ],
)
def test_bodies_have_exactly_the_fields_of_the_examples(
    client: Client, path: str, params: dict[str, str], example: str
) -> None:
    expected = json.loads(shared(f"upstox/examples/{example}.json").read_bytes())

    answer = client.get(path, params=params).json()

    assert shape(answer) == shape(expected)


def test_the_example_share_is_told_value_by_value(client: Client) -> None:
    quote = client.data("/v3/market-quote/quotes", params=ask(RELIANCE))["NSE_EQ:RELIANCE"]

    assert quote["ohlc"] == {
        "open": 1468.0,
        "high": 1478.9,
        "low": 1462.1,
        "close": 1472.5,
        "volume": 4312876,
        "ts": 1795113000000,
    }
    assert quote["net_change"] == 7.3
    assert quote["prev_close_price"] == 1465.2
    assert quote["timestamp"] == "2026-11-20T11:15:00.000+05:30"
    assert quote["last_trade_time"] == "1795153499845"
    assert quote["instrument_token"] == RELIANCE
    assert quote["oi"] == 0.0
    assert quote["cas_eligible"] is True
    assert quote["depth"]["buy"][1] == {"quantity": 101, "price": 1472.4, "orders": 6}


def test_an_index_has_nulls_and_an_empty_depth(client: Client) -> None:
    quote = client.data("/v2/market-quote/quotes", params=ask(NIFTY))["NSE_INDEX:Nifty 50"]

    for name in ("volume", "average_price", "oi", "lower_circuit_limit", "upper_circuit_limit", "total_buy_quantity"):
        assert quote[name] is None
    assert quote["depth"]["sell"] == [{"quantity": 0, "price": 0.0, "orders": 0}] * 5


def test_v2_takes_the_older_parameter_name_and_v3_does_not(client: Client) -> None:
    for call in ("quotes", "ltp"):
        assert "NSE_EQ:RELIANCE" in client.data(f"/v2/market-quote/{call}", params={"symbol": RELIANCE})
        assert client.error(f"/v3/market-quote/{call}", params={"symbol": RELIANCE}) == (400, "UDAPI1009")
    assert client.data("/v2/market-quote/ohlc", params={"symbol": RELIANCE, "interval": "I30"})


def test_keys_asked_twice_are_told_once(client: Client) -> None:
    assert len(client.data("/v3/market-quote/ltp", params=ask(RELIANCE, INFY, RELIANCE))) == 2


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({}, "UDAPI1009"),
        ({"instrument_key": ""}, "UDAPI1009"),
        ({"instrument_key": "TECHM"}, "UDAPI1011"),
        ({"instrument_key": f"{RELIANCE},NSE_EQ|XXXX"}, "UDAPI1087"),
        ({"instrument_key": "NSE_INDEX|NIFTY 50"}, "UDAPI1087"),
    ],
)
@pytest.mark.parametrize("path", ["/v2/market-quote/quotes", "/v3/market-quote/quotes", "/v3/market-quote/ltp"])
def test_bad_keys_fail_the_whole_batch(client: Client, path: str, params: dict[str, str], code: str) -> None:
    assert client.error(path, params=params) == (400, code)


@pytest.mark.parametrize(
    ("path", "limit", "code"),
    [
        ("/v2/market-quote/quotes", 500, "UDAPI100042"),
        ("/v3/market-quote/quotes", 500, "UDAPI100042"),
        ("/v2/market-quote/ltp", 500, "UDAPI100043"),
        ("/v3/market-quote/ltp", 500, "UDAPI100043"),
        ("/v3/market-quote/ohlc", 500, "UDAPI100043"),
        ("/v3/market-quote/option-greek", 50, "UDAPI100076"),
    ],
)
def test_the_most_keys_are_served_and_one_more_is_refused(client: Client, path: str, limit: int, code: str) -> None:
    keys = MARKET.spare_keys[: limit + 1]

    assert len(client.data(path, params=ask(*keys[:-1], interval="1d"))) == limit
    assert client.error(path, params=ask(*keys, interval="1d")) == (400, code)


@pytest.mark.parametrize(("interval", "code"), [(None, "UDAPI1027"), ("", "UDAPI1027"), ("1m", "UDAPI1028")])
@pytest.mark.parametrize("version", ["v2", "v3"])
def test_the_ohlc_interval_is_checked(client: Client, version: str, interval: str | None, code: str) -> None:
    params = {"instrument_key": RELIANCE} | ({} if interval is None else {"interval": interval})

    assert client.error(f"/{version}/market-quote/ohlc", params=params) == (400, code)


def test_half_hours_are_made_of_the_days_minutes(client: Client) -> None:
    told = client.data("/v3/market-quote/ohlc", params=ask(RELIANCE, interval="I30"))["NSE_EQ:RELIANCE"]

    # 11:15 belongs to the bar that began at that minute, counted from 09:15.
    assert told["live_ohlc"]["ts"] == 1795153500000
    assert told["prev_ohlc"]["ts"] == 1795153500000 - 30 * 60_000
    assert told["prev_ohlc"]["volume"] == 300


def test_greeks_of_an_instrument_that_has_none_are_zero(client: Client) -> None:
    told = client.data("/v3/market-quote/option-greek", params=ask(FUTURE))["NSE_FO:NIFTY26NOVFUT"]

    assert (told["iv"], told["delta"]) == (0.0, 0.0)
    assert told["oi"] == 8573110.0


def test_the_guides_batch_call_takes_keys_in_a_json_body(client: Client) -> None:
    answer = client.send("POST", "/market-quote/quotes/v3/", json={"instrument_keys": [RELIANCE, NIFTY]})

    published = client.get("/v3/market-quote/quotes", params=ask(RELIANCE, NIFTY)).json()
    assert answer.json().keys() == published.keys()
    assert answer.json()["data"].keys() == published["data"].keys()
    assert answer.json()["data"]["NSE_EQ:RELIANCE"].keys() == published["data"]["NSE_EQ:RELIANCE"].keys()


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"not json", "UDAPI100038"),
        (b"[1]", "UDAPI100038"),
        (b"{}", "UDAPI1009"),
        (b'{"instrument_keys": "NSE_EQ|X"}', "UDAPI1009"),
        (b'{"instrument_keys": [7]}', "UDAPI1009"),
        (b'{"instrument_keys": ["NSE_EQ|XXXX"]}', "UDAPI1087"),
    ],
)
def test_the_guides_batch_call_refuses_nonsense(client: Client, body: bytes, code: str) -> None:
    assert error_of(client.send("POST", "/market-quote/quotes/v3/", data=body)) == (400, code)
