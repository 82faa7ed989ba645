"""The answer of the calls that authorise a feed: an address that is good for one connection."""

from __future__ import annotations

from services.wire.fields import as_map, text, text_or_none


def parse_address(data: object) -> str:
    """The websocket address. The official SDK knows only the older of the two spellings; both are in use."""
    row = as_map(data, "data")
    return text_or_none(row, "authorized_redirect_uri", "data") or text(row, "authorizedRedirectUri", "data")
