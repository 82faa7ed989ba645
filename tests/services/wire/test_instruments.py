from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import orjson
import pytest

from services.domain.errors import MalformedPayload
from services.wire.instruments import parse_instrument, parse_search
from tests.support.payloads import data
from tests.support.shared_data import shared

SHARE: dict[str, Any] = {
    "segment": "NSE_EQ", "name": "MAHINDRA & MAHINDRA LTD", "exchange": "NSE", "isin": "INE101A01026",
    "instrument_type": "EQ", "instrument_key": "NSE_EQ|INE101A01026", "lot_size": 1, "freeze_quantity": 100000.0,
    "exchange_token": "2031", "tick_size": 10.0, "trading_symbol": "M&M", "cas_eligible": True, "mtf_enabled": True,
}  # fmt: skip
FUTURE: dict[str, Any] = {
    "weekly": False, "segment": "NSE_FO", "name": "NIFTY", "exchange": "NSE", "expiry": 1795544999000,
    "instrument_type": "FUT", "underlying_symbol": "NIFTY", "instrument_key": "NSE_FO|54012", "lot_size": 65,
    "freeze_quantity": 1755.0, "exchange_token": "54012", "tick_size": 10.0, "trading_symbol": "NIFTY FUT 24 NOV 26",
    "strike_price": 0.0, "underlying_key": "NSE_INDEX|Nifty 50", "qty_multiplier": 1.0,
}  # fmt: skip


def test_a_share_has_its_tick_in_rupees() -> None:
    share = parse_instrument(SHARE)

    assert share.tick_size == Decimal("0.1")
    assert (share.symbol, share.isin, share.freeze_quantity, share.cas_eligible) == (
        "M&M",
        "INE101A01026",
        100000,
        True,
    )
    assert (share.expiry, share.strike, share.weekly, share.short_name) == (None, None, None, None)


def test_a_quarter_paisa_tick_stays_exact() -> None:
    assert parse_instrument(SHARE | {"tick_size": 0.25}).tick_size == Decimal("0.0025")


def test_a_future_has_its_expiry_in_india_and_no_strike() -> None:
    future = parse_instrument(FUTURE)

    assert future.expiry == date(2026, 11, 24)
    assert future.strike is None
    assert future.underlying_key == "NSE_INDEX|Nifty 50"


@pytest.mark.parametrize(
    ("spelt", "expiry"),
    [("2026-11-24", date(2026, 11, 24)), ("", None), (None, None), (1795544999000, date(2026, 11, 24))],
)
def test_every_spelling_of_an_expiry_is_read(spelt: object, expiry: date | None) -> None:
    assert parse_instrument(FUTURE | {"expiry": spelt}).expiry == expiry


def test_an_index_has_no_lot_and_no_tick() -> None:
    index = parse_instrument(
        {"segment": "NSE_INDEX", "name": "Nifty 50", "exchange": "NSE", "instrument_type": "INDEX",
         "instrument_key": "NSE_INDEX|Nifty 50", "exchange_token": "26000", "trading_symbol": "NIFTY"}
    )  # fmt: skip

    assert index.is_index
    assert (index.lot_size, index.tick_size, index.freeze_quantity) == (None, None, None)


@pytest.mark.parametrize(
    ("member", "value"),
    [("instrument_key", None), ("segment", 5), ("trading_symbol", ""), ("tick_size", "10"), ("lot_size", 1.5),
     ("expiry", "tomorrow"), ("expiry", True), ("expiry", [1]), ("isin", 7), ("weekly", "no"), ("exchange_token", [])],
)  # fmt: skip
def test_a_wrong_member_is_named(member: str, value: object) -> None:
    with pytest.raises(MalformedPayload) as caught:
        parse_instrument(FUTURE | {member: value})

    assert caught.value.field.endswith(member)


def test_search_rows_are_instruments_and_a_numeric_token_stays_opaque() -> None:
    share, option = parse_search(data("search"))

    assert share.symbol == "TCS"
    assert (option.exchange_token, option.expiry) == ("70001", date(2026, 11, 24))


@pytest.mark.parametrize("name", ["upstox_nse_20260821_trimmed.json", "upstox_bse_mcx_20251218_trimmed.json"])
def test_no_row_of_a_real_master_is_lost(name: str) -> None:
    rows = orjson.loads(shared(f"data/instruments/{name}").read_bytes())

    instruments = {parse_instrument(row).key: row for row in rows}

    assert len(instruments) == len(rows)
    ticks = [parse_instrument(row).tick_size for row in rows]
    assert all(tick is None or Decimal("0.0025") <= tick <= 10 for tick in ticks)
