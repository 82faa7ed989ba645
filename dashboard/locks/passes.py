"""How a page learns whose browser it runs for: the gate writes it into the headers of the connection, sealed with a key
that lives and dies with this process. Whatever a browser sends under that name is thrown away."""

from __future__ import annotations

import hashlib
import hmac
import secrets

HEADER = "x-desk-pass"

_key = secrets.token_bytes(32)


def write_pass(owner: str) -> str:
    """The pass of `owner`: the number of a sign-in, or "local"."""
    return f"{owner}.{_seal(owner)}"


def read_pass(text: str | None) -> str | None:
    """Whose pass it is; `None` if it is none of ours."""
    owner, _, seal = (text or "").partition(".")
    return owner if hmac.compare_digest(seal.encode("utf-8", "replace"), _seal(owner).encode()) else None


def _seal(owner: str) -> str:
    return hmac.new(_key, owner.encode("utf-8", "replace"), hashlib.sha256).hexdigest()
