"""Tokens at rest: encrypted, in a file of their own that only its owner may read, safe between processes. Where several
machines share a ledger they lie there, sealed with a key that all of them are given: one login serves all."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import orjson
from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from services.domain.accounts import Token, TokenKind
from services.domain.clock import Clock
from services.domain.errors import ConfigurationError, StorageError, TokenStoreLocked
from services.storage.token_key import KEY_FILE, add_key, given_keys, make_key, ring
from services.storage.token_rows import TokenFile, TokenPlace, TokenRows


class TokenStore:
    """`tokens.db` in `folder`, unless they lie in a `place` that machines share: then `ConfigurationError` without a
    `key`. `key`: Fernet keys separated by commas, the newest first, or None for `token.key`.

    With more than one key the older ones open what is stored, and it is sealed anew with the first. Stored tokens
    whose key is missing or wrong end in `TokenStoreLocked`: never in a fresh key, never in silence. No text of an
    error holds a token or a key.
    """

    def __init__(self, folder: Path, *, key: str | None, clock: Clock, place: TokenPlace | None = None) -> None:
        self._folder = folder
        self._given = given_keys(key)
        self._clock = clock
        self._place: TokenPlace = TokenFile(folder, clock) if place is None else place
        if place is not None and not self._given:
            raise ConfigurationError(
                "DESK_LEDGER_URL needs ENCRYPTION_KEY, the same on every machine: the broker's tokens lie in that "
                'ledger, sealed with it. One is made by python -c "from cryptography.fernet import Fernet; '
                'print(Fernet.generate_key().decode())"'
            )

    def __repr__(self) -> str:
        return f"TokenStore({self._place.name!r})"

    def save(self, user_id: str, token: Token) -> None:
        """Keep `token` for `user_id` in the place of an earlier one; the user is signed in again."""
        with self._place.write() as rows:
            now = self._clock.now()
            rows.put(user_id, self._keys(rows).encrypt_at_time(_packed(token), int(now.timestamp())), now)
            rows.came_back(user_id)

    def load(self, user_id: str) -> Token | None:
        """The token of `user_id`, None if none is stored. Whether it has ended is for the caller to see."""
        with self._place.read() as rows:
            sealed = rows.get(user_id)
        return None if sealed is None else _unpacked(self._opened(sealed), self._place)

    def delete(self, user_id: str) -> None:
        """Forget the token of `user_id`, if there is one. Needs no key."""
        with self._place.write() as rows:
            rows.forget(user_id)

    def drop(self, user_id: str, secret: str) -> None:
        """Forget the token of `user_id` where it is that one still: another process may just have stored a new one."""
        with self._place.read() as rows:
            sealed = rows.get(user_id)
        if sealed is None or _unpacked(self._opened(sealed), self._place).secret != secret:
            return
        with self._place.write() as rows:
            if rows.get(user_id) == sealed:
                rows.forget(user_id)

    def mark_signed_out(self, user_id: str) -> None:
        """Forget the token of `user_id` and remember that it was on purpose, until the next `save`. Needs no key."""
        with self._place.write() as rows:
            rows.forget(user_id)
            rows.went_out(user_id, self._clock.now())

    def signed_out(self, user_id: str) -> bool:
        """Did `user_id` sign out on purpose, and not come back?"""
        with self._place.read() as rows:
            return rows.is_out(user_id)

    # -- secrets that are kept elsewhere ---------------------------------------------------------------------------

    def seal(self, text: bytes) -> bytes:
        """`text` encrypted with the key that tokens are kept under; the key is made if there is none yet."""
        with self._place.write() as rows:
            return self._keys(rows).encrypt_at_time(text, int(self._clock.now().timestamp()))

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
        with self._place.write() as rows:
            self._keys(rows)  # what cannot be opened now is not made worse
            add_key(self._folder)
            self._keys(rows)
            return len(rows.all())

    # -- keys --------------------------------------------------------------------------------------------------

    def _keys(self, rows: TokenRows) -> MultiFernet:
        """The keys to seal with, inside a write transaction. Everything stored is opened once, so that one store never
        holds tokens of two keys that do not know each other, and what an older key sealed is sealed with the first."""
        keys = ring(self._folder, self._given)
        stored = rows.all()
        if not keys:
            if stored:
                raise self._locked()
            keys = [make_key(self._folder)]
        every = MultiFernet(keys)
        for user_id, sealed in stored.items():
            if not _opens(keys[0], sealed):
                try:
                    fresh = every.rotate(sealed)
                except InvalidToken:
                    raise self._locked() from None
                rows.reseal(user_id, fresh)
        return every

    def _opened(self, sealed: bytes) -> bytes:
        keys = ring(self._folder, self._given)
        if not keys:
            raise self._locked()
        if not _opens(keys[0], sealed):
            with self._place.write() as rows:
                self._keys(rows)  # an older key, or none that fits: then this says so
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
            f"{self._place.name} holds tokens, but {reason}. Either {remedy}, or {self._place.emptying} and log in "
            "again."
        )


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


def _unpacked(text: bytes, place: TokenPlace) -> Token:
    try:
        fields = orjson.loads(text)
        fields["kind"] = TokenKind(fields["kind"])
        fields["issued"] = datetime.fromisoformat(fields["issued"])
        fields["expires"] = datetime.fromisoformat(fields["expires"])
        return Token(**fields)
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        pass  # the cause would carry the opened text into a traceback
    raise StorageError(f"{place.name}: a stored token cannot be read; {place.emptying} and log in again")
