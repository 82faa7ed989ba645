"""Which instrument a person means by a bare symbol, where money is at stake: one, or a refusal that names them all."""

from __future__ import annotations

from typing import Protocol

from services.domain.errors import InvalidRequest, UnknownInstrument
from services.domain.instruments import Instrument, clean_symbol, is_instrument_key

_LOOK_AT = 100
_SHOWN = 6


class Master(Protocol):
    """What is asked of the instrument master."""

    def get(self, key: str) -> Instrument: ...
    def search(self, text: str, *, limit: int = 20) -> list[Instrument]: ...


def instrument_named(text: str, master: Master) -> Instrument:
    """The instrument that an order for `text` is about: an instrument key, or a trading symbol. A bare symbol means the
    share of series EQ on NSE, else the share on BSE, else the only instrument of that name.

    Raises `UnknownInstrument`, or `InvalidRequest` with the candidates where several remain.
    """
    if is_instrument_key(text.strip()):
        return master.get(text.strip())
    symbol = clean_symbol(text)
    found = master.search(symbol, limit=_LOOK_AT)
    named = [one for one in found if one.symbol.upper() == symbol and not one.is_index]
    for choice in (
        [one for one in named if one.segment == "NSE_EQ" and one.type == "EQ"],
        [one for one in named if one.segment == "BSE_EQ"],
        named,
    ):
        if len(choice) == 1:
            return choice[0]
        if choice:
            raise InvalidRequest(f"{symbol} is ambiguous; say which by its instrument key: {_listed(choice)}")
    if found:
        raise UnknownInstrument(f"nothing that can be traded is called {symbol!r}; near it: {_listed(found)}")
    raise UnknownInstrument(f"nothing that can be traded is called {symbol!r}")


def _listed(found: list[Instrument]) -> str:
    shown = "; ".join(f"{one.key} ({one.symbol}, {one.exchange}, {one.type})" for one in found[:_SHOWN])
    return f"{shown} and {len(found) - _SHOWN} more" if len(found) > _SHOWN else shown
