"""Calendar, options, instruments: everything of the market that is not a quote."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.paper import CALL, CRUDE, FAR_CALL, NIFTY, PUT, RELIANCE, Client, running
from tests.support.shared_data import shared

FILES = "/market-quote/instruments/exchange"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with running(tmp_path_factory.mktemp("market"), limits=False) as made:
        yield made


def example(name: str) -> Any:
    return json.loads(shared(f"upstox/examples/{name}.json").read_bytes())


def members(value: Any) -> Any:
    """Names of members all the way down, one element of each list."""
    if isinstance(value, dict):
        return {name: members(member) for name, member in value.items()}
    return [members(value[0])] if isinstance(value, list) and value else None


# -- status, holidays, timings ---------------------------------------------------------------------------------


def test_status_is_that_of_the_examples(client: Client) -> None:
    assert client.get("/v2/market/status/NSE").json() == example("market_status")
    assert client.get("/v2/market/status/MCX").json() == example("market_status_no_cas")


@pytest.mark.parametrize("exchange", ["NSE_EQ", "MCX_FO", "nse", "XNSE"])
def test_a_segment_is_no_exchange(client: Client, exchange: str) -> None:
    assert client.error(f"/v2/market/status/{exchange}") == (400, "UDAPI1089")


def test_holidays_of_the_year_and_of_one_day(client: Client) -> None:
    rows = client.data("/v2/market/holidays")

    assert members(rows)[0].keys() == members(example("market_holidays")["data"])[0].keys()
    assert client.data("/v2/market/holidays/2026-11-24") == [row for row in rows if row["date"] == "2026-11-24"]
    assert client.get("/v2/market/holidays/2026-11-20").json() == example("market_holiday_none")


def test_timings_of_a_day(client: Client) -> None:
    rows = client.data("/v2/market/timings/2026-11-20")

    assert [row["exchange"] for row in rows] == [row["exchange"] for row in example("market_timings")["data"]]
    assert client.data("/v2/market/timings/2026-12-25") == []


@pytest.mark.parametrize("date", ["2026-13-01", "20-11-2026", "20261120", "today"])
@pytest.mark.parametrize("call", ["holidays", "timings"])
def test_a_bad_date_is_refused(client: Client, call: str, date: str) -> None:
    assert client.error(f"/v2/market/{call}/{date}") == (400, "UDAPI1088")


def test_the_guides_paths_tell_the_same(client: Client) -> None:
    published = client.data("/v2/market/status/NSE")

    assert client.data("/market-status", params={"exchange": "NSE"}) == published
    assert published in client.data("/market-status")
    assert len(client.data("/market-status")) == 8
    assert client.error("/market-status", params={"exchange": "NSE_EQ"}) == (400, "UDAPI1089")
    assert client.data("/market-holidays") == client.data("/v2/market/holidays")
    assert client.data("/market-holidays", params={"date": "2026-11-24"})[0]["description"] == "Guru Nanak Jayanti"
    assert client.data("/market-timings") == client.data("/v2/market/timings/2026-11-20")
    assert client.data("/market-timings", params={"date": "2026-12-25"}) == []


def test_in_a_practice_session_everything_is_open(tmp_path: Path) -> None:
    with running(tmp_path, clock="always") as practice:
        for exchange in ("NSE", "NFO", "CDS", "MCX"):
            assert practice.data(f"/v2/market/status/{exchange}")["status"] == "NORMAL_OPEN"
        assert len(practice.data("/v2/market/timings/2026-12-25")) == 7
        assert practice.get("/_paper/clock").json()["mode"] == "always"


# -- options ---------------------------------------------------------------------------------------------------


def test_contracts_have_the_fields_of_the_example(client: Client) -> None:
    rows = client.data("/v2/option/contract", params={"instrument_key": NIFTY})

    assert [row["instrument_key"] for row in rows] == [CALL, PUT, FAR_CALL]
    assert rows[0].keys() == example("option_contract")["data"][0].keys()
    assert rows[0]["expiry"] == "2026-11-23"
    one = client.data("/v2/option/contract", params={"instrument_key": NIFTY, "expiry_date": "2026-12-29"})
    assert [row["instrument_key"] for row in one] == [FAR_CALL]


def test_the_chain_has_the_fields_of_the_example_and_the_markets_values(client: Client) -> None:
    answer = client.get("/v2/option/chain", params={"instrument_key": NIFTY, "expiry_date": "2026-11-23"}).json()

    assert members(answer) == members(example("option_chain"))
    [row] = answer["data"]
    assert row["pcr"] == 0.94
    assert row["underlying_spot_price"] == 25986.45
    assert row["call_options"]["market_data"]["ltp"] == 187.8
    assert row["call_options"]["option_greeks"]["iv"] == 11.24


def test_a_side_that_is_not_listed_is_null(client: Client) -> None:
    [row] = client.data("/v2/option/chain", params={"instrument_key": NIFTY, "expiry_date": "2026-12-29"})

    assert row["put_options"] is None
    assert row["call_options"]["instrument_key"] == FAR_CALL


@pytest.mark.parametrize("key", [RELIANCE, CRUDE])
def test_an_underlying_without_options_has_an_empty_chain(client: Client, key: str) -> None:
    assert client.data("/v2/option/contract", params={"instrument_key": key}) == []
    assert client.data("/v2/option/chain", params={"instrument_key": key, "expiry_date": "2026-11-23"}) == []


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"expiry_date": "2026-11-23"}, "UDAPI1026"),
        ({"instrument_key": NIFTY}, "UDAPI1088"),
        ({"instrument_key": NIFTY, "expiry_date": "23-11-2026"}, "UDAPI1088"),
        ({"instrument_key": "NIFTY", "expiry_date": "2026-11-23"}, "UDAPI1021"),
        ({"instrument_key": "NSE_EQ|XXXX", "expiry_date": "2026-11-23"}, "UDAPI100011"),
    ],
)
def test_bad_chain_requests_are_refused(client: Client, params: dict[str, str], code: str) -> None:
    assert client.error("/v2/option/chain", params=params) == (400, code)


# -- instruments -----------------------------------------------------------------------------------------------


def rows_of(client: Client, name: str) -> list[dict[str, Any]]:
    answer = client.get(f"{FILES}/{name}.json.gz")
    assert answer.headers["Content-Type"] == "application/gzip"
    rows: list[dict[str, Any]] = json.loads(gzip.decompress(answer.content))
    return rows


def test_files_hold_the_masters_own_fields_and_units(client: Client) -> None:
    rows = {row["instrument_key"]: row for row in rows_of(client, "NSE")}

    assert rows[RELIANCE]["tick_size"] == 10.0
    assert rows[CALL]["expiry"] == 1795458599000
    assert CRUDE not in rows
    master = {row["instrument_type"]: row for row in example("instruments_master")}
    assert rows[NIFTY].keys() == master["INDEX"].keys()
    assert rows[CALL].keys() == master["CE"].keys()


def test_each_exchange_has_its_file_and_all_are_in_complete(client: Client) -> None:
    parts = [row["instrument_key"] for name in ("NSE", "BSE", "MCX") for row in rows_of(client, name)]

    assert sorted(parts) == sorted(row["instrument_key"] for row in rows_of(client, "complete"))
    assert [row["instrument_key"] for row in rows_of(client, "MCX")] == [CRUDE]
    assert rows_of(client, "NSE_MIS")[0]["intraday_leverage"] == 5.0
    assert "mtf_enabled" not in rows_of(client, "NSE_MIS")[0]
    assert rows_of(client, "global") == []
    assert client.error(f"{FILES}/LSE.json.gz") == (404, "UDAPI100060")


def test_a_file_that_has_not_changed_is_not_sent_again(client: Client) -> None:
    first = client.get(f"{FILES}/NSE.json.gz")

    again = client.get(f"{FILES}/NSE.json.gz", headers={"If-None-Match": first.headers["ETag"]})
    weak = client.get(f"{FILES}/NSE.json.gz", headers={"If-None-Match": f'"x", W/{first.headers["ETag"]}'})
    other = client.get(f"{FILES}/NSE.json.gz", headers={"If-None-Match": '"something else"'})

    assert (again.status_code, again.content) == (304, b"")
    assert weak.status_code == 304
    assert (other.status_code, other.content) == (200, first.content)


def found(client: Client, **params: str | int) -> list[str]:
    return [row["instrument_key"] for row in client.data("/v2/instruments/search", params=params)]


def test_search_finds_by_symbol_name_isin_and_several_words(client: Client) -> None:
    assert found(client, query="RELIANCE")[0] == RELIANCE
    assert found(client, query="infosys") == ["NSE_EQ|INE009A01021"]
    assert found(client, query="INE009A01021") == ["NSE_EQ|INE009A01021"]
    assert found(client, query="nifty 26000 ce") == [CALL]
    assert found(client, query="nifty")[0] == NIFTY
    assert found(client, query="nothing of the kind") == []


def test_search_filters(client: Client) -> None:
    assert found(client, query="RELIANCE", exchanges="BSE") == ["BSE_EQ|INE002A01018"]
    assert found(client, query="NIFTY", segments="INDEX") == [NIFTY]
    assert set(found(client, query="NIFTY", segments="OPT")) == {CALL, PUT, FAR_CALL}
    assert set(found(client, query="NIFTY", instrument_types="CE,PE", expiry="2026-11-23")) == {CALL, PUT}
    assert found(client, query="NIFTY", segments="OPT", expiry="next_month") == [FAR_CALL]
    assert set(found(client, query="NIFTY", segments="OPT", expiry="next_week")) == {CALL, PUT}
    assert found(client, query="NIFTY", instrument_types="CE", expiry="current_month", atm_offset=0) == [CALL]
    assert found(client, query="CRUDE", segments="COMM,CURR") == [CRUDE]
    assert len(found(client, query="RELIANCE", exchanges="ALL", segments="ALL")) == 2


def test_search_rows_tell_the_expiry_as_a_date_and_pages_are_counted(client: Client) -> None:
    body = client.get("/v2/instruments/search", params={"query": "NIFTY", "records": 2, "page_number": 3}).json()

    assert body["meta_data"] == {"page": {"page_number": 3, "total_pages": 3, "records": 1, "total_records": 5}}
    assert body["data"][0]["expiry"] == "2026-12-29"
    assert members(body).keys() == members(example("instruments_search")).keys()


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({}, "UDAPI1169"),
        ({"query": "x" * 51}, "UDAPI1169"),
        ({"query": "x", "exchanges": "LSE"}, "UDAPI1170"),
        ({"query": "x", "segments": "NSE_EQ"}, "UDAPI1171"),
        ({"query": "x", "expiry": "soon"}, "UDAPI1173"),
        ({"query": "x", "page_number": "0"}, "UDAPI1174"),
        ({"query": "x", "records": "31"}, "UDAPI1175"),
        ({"query": "x", "records": "-"}, "UDAPI1175"),
    ],
)
def test_bad_searches_are_refused(client: Client, params: dict[str, str], code: str) -> None:
    assert client.error("/v2/instruments/search", params=params) == (400, code)
