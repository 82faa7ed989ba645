"""Keys that seal what a browser brings back: of this process alone, or the same on every process of a desk that has an
`ENCRYPTION_KEY`, so that a form or a cookie of one is good on the others."""

from __future__ import annotations

import secrets

from services.settings import Settings

_own: dict[str, bytes] = {}


def key_for(purpose: str, settings: Settings) -> bytes:
    """The key of that purpose. What is sealed with it is out of date after a restart, unless the key is in common."""
    common = settings.common_key(purpose)
    return _own.setdefault(purpose, secrets.token_bytes(32)) if common is None else common
