from __future__ import annotations

import re
from collections import Counter
from datetime import timedelta

import orjson
import pytest

from services.domain.instruments import is_instrument_key, is_isin
from services.paper.model import Listing
from tests.support.paper_market import NIFTY, VIX, ist, practice_market
from tests.support.shared_data import shared

AT = ist("2026-11-20 11:15:04")
MARKET = practice_market()


def listed(text: str = "2026-11-20 11:15:04") -> dict[str, Listing]:
    return dict(MARKET.listings(ist(text)))


def options(listings: dict[str, Listing], symbol: str) -> Counter[tuple[object, object]]:
    rows = [listing.row for listing in listings.values() if listing.row.get("underlying_symbol") == symbol]
    return Counter((row["expiry"], row["instrument_type"]) for row in rows if row["instrument_type"] in {"CE", "PE"})


def test_there_are_hundreds_of_instruments_of_every_kind() -> None:
    kinds = Counter((listing.segment, listing.row["instrument_type"]) for listing in listed().values())

    assert kinds["NSE_EQ", "EQ"] >= 120
    assert kinds["NSE_INDEX", "INDEX"] >= 11
    assert kinds["BSE_INDEX", "INDEX"] >= 1
    assert kinds["BSE_EQ", "A"] >= 20
    assert kinds["NSE_FO", "FUT"] >= 100
    assert kinds["NCD_FO", "FUT"] >= 1
    assert {listing.row["name"] for listing in listed().values() if listing.segment == "MCX_FO"} == {
        "GOLD",
        "SILVER",
        "CRUDE OIL",
        "NATURALGAS",
    }


def test_the_names_that_other_software_stumbles_over_are_there() -> None:
    listings = listed()
    symbols = {listing.row["trading_symbol"] for listing in listings.values()}

    assert {"M&M", "BAJAJ-AUTO", "ARE&M", "J&KBANK", "NAM-INDIA", "IDEA", "MRF"} <= symbols
    assert {NIFTY, VIX, "NSE_INDEX|Nifty Bank", "BSE_INDEX|SENSEX"} <= set(listings)


def test_option_chains_are_wide_and_have_both_sides() -> None:
    nifty, bank = options(listed(), "NIFTY"), options(listed(), "BANKNIFTY")

    assert len({expiry for expiry, _ in nifty}) >= 2
    for chain in (nifty, bank):
        assert min(chain.values()) >= 31
        assert all(chain[expiry, "CE"] == chain[expiry, "PE"] for expiry, _ in chain)
    assert min(bank.values()) > 100  # as many as really trade of a month that is near: 141 on 14 November 2025


def test_keys_symbols_and_quote_names_never_collide() -> None:
    listings = listed()

    assert all(key == listing.key == listing.row["instrument_key"] for key, listing in listings.items())
    assert all(is_instrument_key(key) for key in listings)
    assert len({listing.quote_name for listing in listings.values()}) == len(listings)


def test_contracts_are_spelt_as_the_broker_spells_them() -> None:
    by_symbol = {listing.quote_symbol: listing.row["trading_symbol"] for listing in listed().values()}

    assert by_symbol["NIFTY26NOVFUT"] == "NIFTY FUT 23 NOV 26"
    assert by_symbol["NIFTY26NOV24500CE"] == "NIFTY 24500 CE 23 NOV 26"
    assert by_symbol["NIFTY26D0124500PE"] == "NIFTY 24500 PE 01 DEC 26"
    assert by_symbol["USDINR26NOVFUT"] == "USDINR FUT 26 NOV 26"


def test_a_contract_keeps_its_key_and_no_other_ever_has_it() -> None:
    seen: dict[str, object] = {}
    day = ist("2026-10-01 11:00:00")
    for _ in range(12):
        for key, listing in MARKET.listings(day).items():
            assert seen.setdefault(key, listing.row["trading_symbol"]) == listing.row["trading_symbol"]
        day += timedelta(days=6)


def test_a_strike_that_was_listed_stays_listed_until_it_ends() -> None:
    before: dict[str, Listing] = {}
    for days in range(0, 40, 2):
        at = ist("2026-10-20 11:00:00") + timedelta(days=days)
        now = dict(MARKET.listings(at))
        last_ms = int(at.timestamp() * 1000)
        missing = [
            key
            for key, listing in before.items()
            if key not in now and int(str(listing.row.get("expiry", 0))) > last_ms
        ]

        assert missing == []
        before = now


@pytest.mark.parametrize("text", ["2021-03-10 11:00:00", "2026-11-20 11:00:00", "2027-06-10 11:00:00"])
def test_no_contract_is_listed_long_before_it_ends(text: str) -> None:
    end = int((ist(text) + timedelta(days=130)).timestamp() * 1000)

    assert all(int(str(listing.row.get("expiry", 0))) < end for listing in listed(text).values())


def test_lots_follow_the_expiry() -> None:
    def lots(text: str) -> set[object]:
        rows = (listing.row for listing in listed(text).values())
        return {row["lot_size"] for row in rows if row.get("underlying_symbol") == "NIFTY"}

    assert lots("2026-11-20 11:00:00") == {65}
    assert lots("2025-12-20 11:00:00") == {65, 75}


def test_built_in_facts_are_those_of_the_real_masters() -> None:
    real = {
        row["instrument_key"]: row
        for name in ("upstox_bse_mcx_20251218_trimmed", "upstox_nse_20260821_trimmed")
        for row in orjson.loads(shared(f"data/instruments/{name}.json").read_bytes())
    }
    ours = {key: listing.row for key, listing in listed().items() if key in real}

    assert sum(key.startswith("NSE_EQ") for key in ours) >= 120
    assert all(real[key] == row for key, row in ours.items())


@pytest.mark.parametrize("segment", ["NSE_FO", "BSE_FO", "NCD_FO", "MCX_FO"])
def test_contract_rows_hold_the_masters_own_fields(segment: str) -> None:
    names = ("upstox_bse_mcx_20251218_trimmed", "upstox_nse_20260821_trimmed")
    rows = [row for name in names for row in orjson.loads(shared(f"data/instruments/{name}.json").read_bytes())]
    for kind in ("FUT", "CE", "PE"):
        ours = [
            listing.row
            for listing in listed().values()
            if listing.segment == segment and listing.row["instrument_type"] == kind
        ]
        symbols = {row["underlying_symbol"] for row in ours}
        real = [
            row
            for row in rows
            if row["segment"] == segment and row["instrument_type"] == kind and row["underlying_symbol"] in symbols
        ]
        for row in ours[:40] if real else []:
            twin = next((r for r in real if r["underlying_symbol"] == row["underlying_symbol"]), None)
            if twin is not None:
                assert set(row) == set(twin)
                changing = ("underlying_key", "underlying_type", "tick_size", "qty_multiplier", "name", "lot_size")
                assert {name: row.get(name) for name in changing} == {name: twin.get(name) for name in changing}


def test_isins_are_well_formed() -> None:
    isins = [str(listing.row["isin"]) for listing in listed().values() if "isin" in listing.row]

    assert all(is_isin(isin) for isin in isins)
    assert all(re.match(r"^(NSE|BSE)_EQ\|", key) for key, listing in listed().items() if "isin" in listing.row)
