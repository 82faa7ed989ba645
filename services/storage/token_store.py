"""Tokens at rest: encrypted, in a file of their own that only its owner may read, safe between processes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import orjson
from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from services.domain.accounts import Token, TokenKind
from services.domain.clock import Clock, epoch_ms
from services.domain.errors import ConfigurationError, StorageError, TokenStoreLocked
from services.sqlite.opening import in_words, open_file
from services.sqlite.upgrade import Migration, upgrade
from services.storage.token_key import KEY_FILE, add_key, given_keys, make_key, make_private, ring

STORE_FILE = "tokens.db"


def _create_tokens(connection: sqlite3.Connection) -> None:
    connection.execute(
        "CREATE TABLE tokens (user_id TEXT PRIMARY KEY, sealed BLOB NOT NULL, saved_at_ms INTEGER NOT NULL)"
        " WITHOUT ROWID"
    )
    connection.execute("CREATE TABLE signed_out (user_id TEXT PRIMARY KEY, at_ms INTEGER NOT NULL) WITHOUT ROWID")


MIGRATIONS: list[Migration] = [_create_tokens]


class TokenStore:
    """`tokens.db` in `folder`. `key`: Fernet keys separated by commas, the newest first, or None for `token.key`.

    With more than one key the older ones open what is stored, and it is sealed anew with the first. Stored tokens
    whose key is missing or wrong end in `TokenStoreLocked`: never in a fresh key, never in silence. No text of an
    error holds a token or a key.
    """

    def __init__(self, folder: Path, *, key: str | None, clock: Clock) -> None:
        self._folder = folder
        self._path = folder / STORE_FILE
        self._given = given_keys(key)
        self._clock = clock

    def __repr__(self) -> str:
        return f"TokenStore({str(self._path)!r})"

    def save(self, user_id: str, token: Token) -> None:
        """Keep `token` for `user_id` in the place of an earlier one; the user is signed in again."""
        with self._write() as connection:
            sealed = self._keys(connection).encrypt_at_time(_packed(token), int(self._clock.now().timestamp()))
            connection.execute(
                "INSERT OR REPLACE INTO tokens (user_id, sealed, saved_at_ms) VALUES (?, ?, ?)",
                (user_id, sealed, self._now_ms()),
            )
            connection.execute("DELETE FROM signed_out WHERE user_id = ?", (user_id,))

    def load(self, user_id: str) -> Token | None:
        """The token of `user_id`, None if none is stored. Whether it has ended is for the caller to see."""
        with self._read() as connection:
            row = connection.execute("SELECT sealed FROM tokens WHERE user_id = ?", (user_id,)).fetchone()
        if row is None:
            return None
        return _unpacked(self._opened(row["sealed"]), self._path)

    def delete(self, user_id: str) -> None:
        """Forget the token of `user_id`, if there is one. Needs no key."""
        with self._write() as connection:
            connection.execute("DELETE FROM tokens WHERE user_id = ?", (user_id,))

    def mark_signed_out(self, user_id: str) -> None:
        """Forget the token of `user_id` and remember that it was on purpose, until the next `save`. Needs no key."""
        with self._write() as connection:
            connection.execute("DELETE FROM tokens WHERE user_id = ?", (user_id,))
            connection.execute(
                "INSERT OR REPLACE INTO signed_out (user_id, at_ms) VALUES (?, ?)", (user_id, self._now_ms())
            )

    def signed_out(self, user_id: str) -> bool:
        """Did `user_id` sign out on purpose, and not come back?"""
        with self._read() as connection:
            return connection.execute("SELECT 1 FROM signed_out WHERE user_id = ?", (user_id,)).fetchone() is not None

    # -- secrets that are kept elsewhere ---------------------------------------------------------------------------

    def seal(self, text: bytes) -> bytes:
        """`text` encrypted with the key that tokens are kept under; the key is made if there is none yet."""
        with self._write() as connection:
            return self._keys(connection).encrypt_at_time(text, int(self._clock.now().timestamp()))

    def unseal(self, sealed: bytes) -> tuple[bytes, bool]:
        """What `seal` was given, and whether an older key was needed: then it is to be sealed anew. Raises
        `TokenStoreLocked` if no key opens it."""
        keys = ring(self._folder, self._given)
        for place, key in enumerate(keys):
            try:
                return key.decrypt(sealed), place > 0
            except InvalidToken:
                continue
        raise TokenStoreLocked("no key that is known here opens what was sealed; enter it anew")

    def rotate(self) -> int:
        """Make a new key and seal every token with it; how many there were. The key of before stays behind it for what
        is sealed elsewhere. Raises `ConfigurationError` where the key comes from the settings."""
        if self._given:
            raise ConfigurationError(
                "the key comes from ENCRYPTION_KEY: put a new one before it, separated by a comma, and start the desk; "
                "after that the old one may go"
            )
        with self._write() as connection:
            self._keys(connection)  # what cannot be opened now is not made worse
            add_key(self._folder)
            self._keys(connection)
            return int(connection.execute("SELECT count(*) FROM tokens").fetchone()[0])

    # -- keys --------------------------------------------------------------------------------------------------

    def _keys(self, connection: sqlite3.Connection) -> MultiFernet:
        """The keys to seal with, inside a write transaction. Everything stored is opened once, so that one store never
        holds tokens of two keys that do not know each other, and what an older key sealed is sealed with the first."""
        keys = ring(self._folder, self._given)
        rows = connection.execute("SELECT user_id, sealed FROM tokens").fetchall()
        if not keys:
            if rows:
                raise self._locked()
            keys = [make_key(self._folder)]
        every = MultiFernet(keys)
        for row in rows:
            if not _opens(keys[0], row["sealed"]):
                try:
                    fresh = every.rotate(row["sealed"])
                except InvalidToken:
                    raise self._locked() from None
                connection.execute("UPDATE tokens SET sealed = ? WHERE user_id = ?", (fresh, row["user_id"]))
        return every

    def _opened(self, sealed: bytes) -> bytes:
        keys = ring(self._folder, self._given)
        if not keys:
            raise self._locked()
        if not _opens(keys[0], sealed):
            with self._write() as connection:
                self._keys(connection)  # an older key, or none that fits: then this says so
        try:
            return MultiFernet(keys).decrypt(sealed)
        except InvalidToken:
            raise self._locked() from None

    def _locked(self) -> TokenStoreLocked:
        if self._given:
            reason = "ENCRYPTION_KEY is not the key that they were stored with"
            remedy = "put the earlier key behind the new one, separated by a comma"
        elif (self._folder / KEY_FILE).exists():
            reason = f"{KEY_FILE} is not the key that they were stored with, and ENCRYPTION_KEY is not set"
            remedy = f"set ENCRYPTION_KEY as it was, or put the earlier {KEY_FILE} back"
        else:
            reason = f"their key is missing: there is no {KEY_FILE} beside them, and ENCRYPTION_KEY is not set"
            remedy = f"put {KEY_FILE} back, or set ENCRYPTION_KEY as it was"
        return TokenStoreLocked(
            f"{self._path} holds tokens, but {reason}. Either {remedy}, or delete {STORE_FILE} and log in again."
        )

    # -- the file ----------------------------------------------------------------------------------------------

    def _now_ms(self) -> int:
        return epoch_ms(self._clock.now())

    @contextmanager
    def _read(self) -> Iterator[sqlite3.Connection]:
        with self._open() as connection:
            yield connection

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        with self._open() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """A connection for one operation: they are rare, and so every process sees what another stored or deleted."""
        make_private(self._path)
        try:
            with closing(open_file(self._path, sqlite3.Connection, synchronous="FULL")) as connection:
                if connection.execute("PRAGMA user_version").fetchone()[0] != len(MIGRATIONS):
                    upgrade(self._path, MIGRATIONS, backups=self._folder / "backups", now=self._clock.now(), keep=1)
                yield connection
        except sqlite3.Error as error:
            raise in_words(error, self._path) or StorageError(f"{self._path}: {error}") from error


def _opens(key: Fernet, sealed: bytes) -> bool:
    try:
        key.decrypt(sealed)
    except InvalidToken:
        return False
    return True


def _packed(token: Token) -> bytes:
    return orjson.dumps(
        {
            "secret": token.secret,
            "kind": token.kind.value,
            "issued": token.issued.astimezone(UTC).isoformat(),
            "expires": token.expires.astimezone(UTC).isoformat(),
            "user_id": token.user_id,
            "user_name": token.user_name,
            "issuer": token.issuer,
        }
    )


def _unpacked(text: bytes, path: Path) -> Token:
    try:
        fields = orjson.loads(text)
        fields["kind"] = TokenKind(fields["kind"])
        fields["issued"] = datetime.fromisoformat(fields["issued"])
        fields["expires"] = datetime.fromisoformat(fields["expires"])
        return Token(**fields)
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        pass  # the cause would carry the opened text into a traceback
    raise StorageError(f"{path}: a stored token cannot be read; delete the file and log in again")
