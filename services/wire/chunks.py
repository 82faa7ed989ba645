"""Cuts a list of instrument keys into requests that the broker and every box on the way accept."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote_plus

MAX_KEYS = 500
"""Keys in one full, LTP or OHLC quote call (documented)."""
MAX_QUERY_CHARS = 15_000
"""Encoded length of the key list. 500 share keys take about 12,000; common proxies stop a request line at 16,384."""

_COMMA = len("%2C")


def chunk_keys(
    keys: Iterable[str], max_keys: int = MAX_KEYS, max_chars: int = MAX_QUERY_CHARS
) -> list[tuple[str, ...]]:
    """`keys` in their order, in pieces of at most `max_keys` keys and `max_chars` characters once percent-encoded.

    A single key longer than `max_chars` still gets a piece of its own: refusing it is the broker's affair.
    """
    if max_keys < 1:
        raise ValueError("a chunk holds at least one key")
    chunks: list[tuple[str, ...]] = []
    piece: list[str] = []
    length = 0
    for key in keys:
        cost = len(quote_plus(key)) + _COMMA
        if piece and (len(piece) >= max_keys or length + cost > max_chars + _COMMA):
            chunks.append(tuple(piece))
            piece, length = [], 0
        piece.append(key)
        length += cost
    if piece:
        chunks.append(tuple(piece))
    return chunks
