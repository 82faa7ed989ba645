"""The paper account's SQLite file: who it belongs to, apps, revoked tokens. What is traded lies there too, and is the
business of `services.paper.trading`.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
import sqlite3
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from threading import Lock

from services.domain.errors import ConfigurationError, DataFolderTooNew
from services.paper.trading.tables import VERSION_2, VERSION_3

FILE = "paper_broker.db"
VERSION = 3
OPENING_PAISE = 10_00_000_00
"""The demo account starts with Rs 10,00,000."""
DEMO_CLIENT_ID = "paper-desk"
DEMO_CLIENT_SECRET = "paper-secret"  # noqa: S105  # opens nothing but a paper account on this machine

MOST_APPS = 20
"""So many real API keys are remembered besides the demo app; beyond it the one that came first is forgotten."""

_API_KEY = re.compile(r"^[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$")
_SCHEMA = """
CREATE TABLE secrets (name TEXT PRIMARY KEY, value BLOB NOT NULL);
CREATE TABLE account (user_id TEXT PRIMARY KEY, user_name TEXT NOT NULL, email TEXT NOT NULL,
                      opening_paise INTEGER NOT NULL, used_paise INTEGER NOT NULL);
CREATE TABLE apps (client_id TEXT PRIMARY KEY, secret_digest BLOB NOT NULL);
CREATE TABLE revoked_tokens (token_id TEXT PRIMARY KEY, expires_at_ms INTEGER NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class Account:
    """The account's owner and money. Exact: paise inside, rupees as `Decimal` outside."""

    user_id: str
    user_name: str
    email: str
    opening_paise: int
    used_paise: int

    @property
    def opening(self) -> Decimal:
        return Decimal(self.opening_paise).scaleb(-2)

    @property
    def used(self) -> Decimal:
        return Decimal(self.used_paise).scaleb(-2)

    @property
    def available(self) -> Decimal:
        return self.opening - self.used


class AccountBook:
    """The file behind one broker. One connection behind one lock: few, short calls from the server's thread and from
    whoever asks for a token."""

    def __init__(self, folder: Path) -> None:
        path = folder / FILE
        self._lock = Lock()
        if os.name == "posix" and not path.exists():
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))  # it holds the signing secret
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5)
        try:
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            self._create_or_check(path)
        except sqlite3.DatabaseError as error:
            self._db.close()
            raise ConfigurationError(
                f"the paper account {path} cannot be opened ({error}); move that file away to begin with a new account"
            ) from error
        except BaseException:
            self._db.close()
            raise

    def _create_or_check(self, path: Path) -> None:
        self._db.execute("BEGIN IMMEDIATE")
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version > VERSION:
            self._db.execute("ROLLBACK")
            raise DataFolderTooNew(f"{path} was written by a newer version of the desk")
        if version == 0:
            for statement in _SCHEMA.split(";\n"):
                self._db.execute(statement)
            self._db.execute("INSERT INTO secrets VALUES ('signing', ?)", (secrets.token_bytes(32),))
            self._db.execute(
                "INSERT INTO account VALUES ('PAPER1', 'PAPER TRADER', 'paper.trader@example.com', ?, 0)",
                (OPENING_PAISE,),
            )
            self._db.execute("INSERT INTO apps VALUES (?, ?)", (DEMO_CLIENT_ID, _digest(DEMO_CLIENT_SECRET)))
        if version < 2:  # orders, trades, positions, holdings
            for statement in VERSION_2:
                self._db.execute(statement)
        if version < 3:  # contract notes; the desk writes those of the days before when it opens the account
            for statement in VERSION_3:
                self._db.execute(statement)
        if version < VERSION:
            self._db.execute(f"PRAGMA user_version={VERSION}")
        self._db.execute("COMMIT")

    def signing_secret(self) -> bytes:
        """The key that signs this broker's tokens: made once, kept."""
        with self._lock:
            return bytes(self._db.execute("SELECT value FROM secrets WHERE name = 'signing'").fetchone()[0])

    def account(self) -> Account:
        with self._lock:
            row = self._db.execute("SELECT user_id, user_name, email, opening_paise, used_paise FROM account")
            return Account(*row.fetchone())

    def knows_app(self, client_id: str) -> bool:
        """Is this the demo app, or does it have the form of an Upstox API key?"""
        return client_id == DEMO_CLIENT_ID or _API_KEY.match(client_id) is not None

    def opens(self, client_id: str, client_secret: str, *, remember: bool = False) -> bool:
        """Does the secret belong to the app? To a real API key that is not known yet any secret does, so that a desk's
        own settings can be rehearsed here; with `remember` that one is kept, hashed, and no other opens from then on.

        `remember` only what a person stands behind: whoever can reach this port could else lock the owner out.
        """
        if not client_secret or not self.knows_app(client_id):
            return False
        given = _digest(client_secret)
        with self._lock:
            known = self._db.execute("SELECT secret_digest FROM apps WHERE client_id = ?", (client_id,)).fetchone()
            if known is not None:
                return hmac.compare_digest(given, known[0])
            if remember:
                self._db.execute("INSERT OR IGNORE INTO apps VALUES (?, ?)", (client_id, given))
                self._db.execute(
                    "DELETE FROM apps WHERE client_id != ?1 AND rowid NOT IN "
                    "(SELECT rowid FROM apps WHERE client_id != ?1 ORDER BY rowid DESC LIMIT ?2)",
                    (DEMO_CLIENT_ID, MOST_APPS),
                )
        return True

    def revoke(self, token_id: str, *, expires_at_ms: int, now_ms: int) -> None:
        """Remember a dead token until it would have ended anyway."""
        with self._lock:
            self._db.execute("DELETE FROM revoked_tokens WHERE expires_at_ms < ?", (now_ms,))
            self._db.execute("INSERT OR IGNORE INTO revoked_tokens VALUES (?, ?)", (token_id, expires_at_ms))

    def revoked(self) -> set[str]:
        with self._lock:
            return {row[0] for row in self._db.execute("SELECT token_id FROM revoked_tokens")}

    def close(self) -> None:
        with self._lock:
            self._db.close()


def _digest(secret: str) -> bytes:
    return hashlib.sha256(b"upstox-desk paper app:" + secret.encode()).digest()
