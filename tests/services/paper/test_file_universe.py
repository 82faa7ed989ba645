"""The two trimmed real masters as the universe."""

from __future__ import annotations

import gzip
from pathlib import Path

import orjson
import pytest

from services.domain.errors import ConfigurationError
from services.paper.model import Snapshot
from tests.support.paper_market import NIFTY, RELIANCE, ist, practice_market
from tests.support.shared_data import shared

AT = ist("2026-08-20 11:15:04")
NAMES = ["upstox_nse_20260821_trimmed.json", "upstox_bse_mcx_20251218_trimmed.json"]


@pytest.mark.parametrize("name", NAMES)
def test_no_row_is_lost_and_every_row_is_quoted(name: str) -> None:
    path = shared(f"data/instruments/{name}")
    rows = {row["instrument_key"]: row for row in orjson.loads(path.read_bytes())}
    market = practice_market("2026-08-20T11:15:04+05:30", instruments=path)

    listings = market.listings(AT)
    snapshots = market.snapshots(rows, AT)

    assert {key: listing.row for key, listing in listings.items()} == rows
    assert len({listing.quote_name for listing in listings.values()}) == len(rows)
    for snapshot in snapshots:
        _check(snapshot)


def _check(snapshot: Snapshot) -> None:
    row = snapshot.listing.row
    assert 0 < snapshot.low <= snapshot.ltp <= snapshot.high, row
    if "tick_size" in row:
        ticks = snapshot.ltp / (float(str(row["tick_size"])) / 100)
        assert abs(ticks - round(ticks)) < 1e-3, row
    if snapshot.lower_circuit is not None and snapshot.upper_circuit is not None:
        assert snapshot.lower_circuit <= snapshot.low, row
        assert snapshot.high <= snapshot.upper_circuit, row
    if snapshot.bids and snapshot.asks:
        assert snapshot.bids[0].price < snapshot.asks[0].price, row


def test_prices_are_real_where_known_and_options_follow_their_underlying() -> None:
    market = practice_market("2026-08-20T11:15:04+05:30", instruments=shared(f"data/instruments/{NAMES[0]}"))
    listings = market.listings(AT)
    chain = {
        listing.quote_symbol: key for key, listing in listings.items() if listing.quote_symbol.startswith("NIFTY26AUG")
    }

    spot, reliance, call, put = market.snapshots(
        [NIFTY, RELIANCE, chain["NIFTY26AUG24250CE"], chain["NIFTY26AUG24250PE"]], AT
    )

    assert spot.ltp == pytest.approx(24252, rel=0.05)
    assert reliance.ltp == pytest.approx(1316, rel=0.1)
    assert call.ltp - put.ltp == pytest.approx(spot.ltp - 24250, abs=25)


def test_shares_and_bonds_of_one_symbol_are_told_apart_in_quotes() -> None:
    market = practice_market(instruments=shared(f"data/instruments/{NAMES[0]}"))

    names = [item.quote_symbol for item in market.listings(AT).values() if item.row["trading_symbol"] == "CHOLAFIN"]

    assert "CHOLAFIN" in names
    assert len(names) == len(set(names)) >= 2


def test_a_packed_file_is_read_too(tmp_path: Path) -> None:
    row = {"instrument_key": "NSE_EQ|INE000A01010", "segment": "NSE_EQ", "trading_symbol": "ODD"}
    packed = tmp_path / "NSE.json.gz"
    packed.write_bytes(gzip.compress(orjson.dumps([row, {"no": "instrument"}])))

    market = practice_market(instruments=packed)

    (snapshot,) = market.snapshots(["NSE_EQ|INE000A01010"], AT)
    assert snapshot.ltp > 0


@pytest.mark.parametrize("content", [b"", b"not json", b"{}", b"[]", b"[1, 2]", b"\x1f\x8bbroken"])
def test_a_file_that_is_no_master_is_refused_in_words(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "master.json"
    file.write_bytes(content)

    with pytest.raises(ConfigurationError, match="instrument"):
        practice_market(instruments=file)


def test_a_missing_file_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        practice_market(instruments=tmp_path / "nowhere.json")
