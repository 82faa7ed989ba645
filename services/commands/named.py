"""Which instruments a person means on a command line."""

from __future__ import annotations

from collections.abc import Sequence

from services.domain.errors import UnknownInstrument
from services.domain.instruments import clean_symbol, is_instrument_key
from services.orders.symbols import Master, instrument_named


def keys_of(texts: Sequence[str], master: Master) -> list[str]:
    """The instrument keys of `texts`, each once: keys as they are, symbols as an order takes them, and of indices too.

    Raises `UnknownInstrument`, or `InvalidRequest` where several are called so.
    """
    return list(dict.fromkeys(key_of(text, master) for text in texts))


def key_of(text: str, master: Master) -> str:
    """The key of one; see `keys_of`."""
    if is_instrument_key(text.strip()):
        return text.strip()
    try:
        return instrument_named(text, master).key
    except UnknownInstrument:
        symbol = clean_symbol(text)
        for found in master.search(symbol):
            if found.is_index and symbol in (found.symbol.upper(), found.name.upper()):
                return found.key
        raise
