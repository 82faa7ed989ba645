"""Passwords at rest: scrypt with a salt of their own, its parameters beside it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import unicodedata
from dataclasses import dataclass

from services.domain.errors import InvalidRequest, StorageError

SHORTEST = 12
LONGEST = 256
_LENGTH = 32


@dataclass(frozen=True, slots=True)
class Scrypt:
    """2**`cost` rounds over blocks of `blocks` * 128 bytes, `lanes` times: 32 MB and some tenths of a second."""

    cost: int = 15
    blocks: int = 8
    lanes: int = 3

    def hash(self, password: str) -> str:
        """What is kept in place of `password`."""
        salt = secrets.token_bytes(16)
        return f"scrypt${self.cost}${self.blocks}${self.lanes}${_text(salt)}${_text(self._key(password, salt))}"

    def matches(self, password: str, kept: str) -> bool:
        """Is it the password of which `kept` is the hash? Takes as long for a wrong one."""
        try:
            name, cost, blocks, lanes, salt, key = kept.split("$")
            made_with = Scrypt(int(cost), int(blocks), int(lanes))
            wanted = base64.b64decode(key, validate=True)
            found = made_with._key(password, base64.b64decode(salt, validate=True))
        except ValueError:
            name = ""
        if name != "scrypt":
            raise StorageError("the stored hash of a password is not understood; set the password anew")
        return hmac.compare_digest(found, wanted)

    def _key(self, password: str, salt: bytes) -> bytes:
        given = unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")
        memory = 128 * self.blocks * (2**self.cost + self.lanes + 2)
        return hashlib.scrypt(
            given, salt=salt, n=2**self.cost, r=self.blocks, p=self.lanes, maxmem=memory + 2**20, dklen=_LENGTH
        )


def require_good(password: str, name: str) -> None:
    """Refuses a password that is soon guessed. No text of the error holds it."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise InvalidRequest(f"a password has {SHORTEST} to {LONGEST} letters")
    if name.casefold() in password.casefold() and len(password) < len(name) + SHORTEST:
        raise InvalidRequest("a password is not the name with a little added")
    if len(set(password)) < 5:
        raise InvalidRequest("a password has at least five different letters")


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")
