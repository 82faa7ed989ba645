"""Secrets that a test plants, and the search for any piece of them in whatever the desk has written or shown."""

from __future__ import annotations

import base64
import json
import sqlite3
import string
from collections.abc import Collection, Iterable, Mapping
from contextlib import closing, suppress
from pathlib import Path
from random import SystemRandom
from urllib.parse import quote

WINDOW = 8
ONLY = {"market_data.db": ("error_log",)}
_LETTERS = string.ascii_letters + string.digits


def random_secret(length: int = 48) -> str:
    """Letters and digits without any form that a pattern could know it by."""
    source = SystemRandom()
    return "".join(source.choice(_LETTERS) for _ in range(length))


class Planted:
    """The secrets of one run."""

    def __init__(self) -> None:
        self._windows: dict[str, str] = {}

    def add(self, what: str, secret: str) -> str:
        """Look for `secret` from now on; it is called `what`."""
        raw = secret.encode()
        spellings = [secret, quote(secret, safe=""), raw.hex()]
        for skipped in range(3):  # base64 looks different at each of three places in a longer text
            for encode in (base64.b64encode, base64.urlsafe_b64encode):
                text = encode(b"\0" * skipped + raw).decode().rstrip("=")
                spellings.append(text[-(-skipped * 8 // 6) : len(text) - 1])
        for spelling in spellings:
            for at in range(len(spelling) - WINDOW + 1):
                self._windows[spelling[at : at + WINDOW]] = what
        return secret

    def add_token(self, what: str, token: str) -> None:
        """The same for a JSON web token: its seal. Its other parts say openly what it is, and much the same in each."""
        self.add(what, token.rpartition(".")[2])

    def found_in(self, text: str) -> set[str]:
        """What of them stands in `text`, in whole or in a piece of eight characters, plain or encoded."""
        known = self._windows
        return {
            known[text[at : at + WINDOW]] for at in range(len(text) - WINDOW + 1) if text[at : at + WINDOW] in known
        }


def told_by_files(folder: Path) -> dict[str, str]:
    """Every log below `folder` and every row of every database that is meant to be read; not the encrypted tokens, nor
    the ring of keys that opens them."""
    told = {str(path.relative_to(folder)): path.read_text(errors="replace") for path in folder.rglob("*.log*")}
    for path in folder.rglob("*.db"):
        if path.name != "tokens.db":
            told[str(path.relative_to(folder))] = "\n".join(_rows(path))
    return told


def _rows(path: Path, only: Collection[str] | None = None) -> Iterable[str]:
    with closing(sqlite3.connect(path)) as connection, suppress(sqlite3.DatabaseError):  # some were damaged on purpose
        connection.text_factory = lambda raw: raw.decode(errors="replace")
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        small = [name for name in tables if not name.startswith(("instruments", "instrument_", "sqlite_", "ticks"))]
        for name in small if only is None else only:
            if name not in tables:
                continue
            for row in connection.execute(f'SELECT * FROM "{name}"'):
                yield repr(row)


def secrets_of(folder: Path, environment: Mapping[str, str]) -> Planted:
    """What the desk in `folder` must keep to itself: its keys, the paper broker's token, the secrets it was given."""
    planted = Planted()
    for path in folder.rglob("token.key"):
        for number, key in enumerate(path.read_text().split()):
            planted.add(f"key {number}", key)
    for path in folder.rglob("paper.json"):
        planted.add_token("token of the paper broker", str(json.loads(path.read_text()).get("access_token", "")))
    for name, value in environment.items():
        if name in ("UPSTOX_CLIENT_SECRET", "ENCRYPTION_KEY") and value != "paper-secret":
            for key in value.split(","):
                planted.add(name, key)
        elif name in ("DESK_ACCESS_TOKEN", "DESK_READ_TOKEN", "DESK_METRICS_TOKEN"):
            planted.add_token(name, value)
    return planted


def leaks(planted: Planted, folder: Path, said: str) -> dict[str, set[str]]:
    """Where the desk in `folder`, which is stopped, let out a piece of its own secrets: its logs, its ledger, the
    errors that it kept, what it said at the terminal. (The address card is there to tell programs of its owner.)"""
    told = {"what it said": said}
    for path in folder.rglob("*.log*"):
        told[str(path.relative_to(folder))] = path.read_text(errors="replace")
    for path in (*folder.rglob("ledger.db"), *folder.rglob("market_data.db")):
        told[str(path.relative_to(folder))] = "\n".join(_rows(path, ONLY.get(path.name)))
    return {where: found for where, text in told.items() if (found := planted.found_in(text))}
