"""The search for planted secrets finds what it should."""

from __future__ import annotations

import base64
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.support.planted import WINDOW, Planted, leaks, random_secret, secrets_of


@pytest.mark.parametrize("skipped", [0, 1, 2, 5])
@pytest.mark.parametrize("way", ["plain", "base64", "url", "hex", "basic"])
def test_a_piece_of_a_secret_is_found_in_whatever_spelling(skipped: int, way: str) -> None:
    planted = Planted()
    secret = planted.add("it", random_secret(20) + "/+ ")
    piece = secret[skipped : skipped + 16] if way in ("plain", "hex") else secret
    told = {
        "plain": piece,
        "base64": base64.b64encode(b"x" * skipped + piece.encode()).decode(),
        "url": quote(piece, safe=""),
        "hex": piece.encode().hex(),
        "basic": base64.urlsafe_b64encode(f"{'u' * skipped}:{piece}".encode()).decode(),
    }[way]

    assert planted.found_in(f"before {told} after") == {"it"}
    assert planted.found_in("before and after") == set()
    assert planted.found_in(f"only {secret[: WINDOW - 1]} of it") == set()


def test_a_desk_that_lets_something_out_is_caught(tmp_path: Path) -> None:
    secret = random_secret()
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "desk.log").write_text(f"calling with {secret[3:13]}")
    with closing(sqlite3.connect(tmp_path / "ledger.db")) as ledger:
        ledger.execute("CREATE TABLE audit (after TEXT)")
        ledger.execute("INSERT INTO audit VALUES (?)", (secret,))
        ledger.commit()
    (tmp_path / "market_data.db").write_bytes(b"no database")
    planted = secrets_of(tmp_path, {"UPSTOX_CLIENT_SECRET": secret})

    assert leaks(planted, tmp_path, "nothing") == {
        "logs/desk.log": {"UPSTOX_CLIENT_SECRET"},
        "ledger.db": {"UPSTOX_CLIENT_SECRET"},
    }
