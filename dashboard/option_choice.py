"""What can be chosen of option chains, as it stands in the menus and in links, and what is said of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date

from dashboard.option_chains import ChainLook
from dashboard.option_data import Chain
from dashboard.words import in_words
from services.domain.instruments import Underlying, is_instrument_key

COUNTS: dict[str, int | None] = {"10": 10, "20": 20, "50": 50, "All": None}
"""How many strikes are shown, as it stands on the button; `None`: all."""
USUAL_COUNT = "20"
_FIRST = ("NIFTY", "BANKNIFTY", "SENSEX", "FINNIFTY", "MIDCPNIFTY")
_PLACES = {
    "NSE_FO": "NSE", "BSE_FO": "BSE", "NCD_FO": "NSE currency", "BCD_FO": "BSE currency", "MCX_FO": "MCX",
    "NSE_COM": "NSE commodities",
}  # fmt: skip
_FROM_LIST = (
    "This one is put together from the instrument list and the quotes of its contracts; greeks come from the live feed "
    "alone."
)


def labels(underlyings: Sequence[Underlying]) -> dict[str, Underlying]:
    """Every underlying by the name under which it is chosen: what is traded most first, then as the master has them.
    Its symbol, and where that is, if several have it."""
    count = Counter(one.symbol for one in underlyings)
    ranked = sorted(underlyings, key=lambda one: _FIRST.index(one.symbol) if one.symbol in _FIRST else len(_FIRST))
    return {
        one.symbol if count[one.symbol] == 1 else f"{one.symbol} ({_PLACES.get(one.segment, one.segment)})": one
        for one in ranked
    }


def until(expiry: date, today: date) -> str:
    """How far away an expiry is: today, tomorrow, in 5 days."""
    days = (expiry - today).days
    return {0: "today", 1: "tomorrow"}.get(days, f"in {days} days" if days > 0 else "over")


def can_be_asked(underlying: Underlying) -> bool:
    """Does the broker have chains of it at all? It has none for MCX, and asks for the key of the underlying."""
    return underlying.segment != "MCX_FO" and underlying.key is not None and is_instrument_key(underlying.key)


def note_of(chain: Chain, look: ChainLook) -> str | None:
    """What has to be said of where a chain comes from; `None` where it is the broker's and is renewed."""
    underlying, why = chain.underlying, None if look.problem is None else in_words(look.problem).title
    if chain.at is not None:
        return None if why is None else f"The broker's chain is not renewed now: {why}."
    if underlying.segment == "MCX_FO":
        return f"The broker has no option chains for MCX. {_FROM_LIST}"
    if not can_be_asked(underlying):
        return f"The instrument list names nothing that the broker could be asked for this chain by. {_FROM_LIST}"
    if why is not None:
        return f"The broker's chain could not be had: {why}. {_FROM_LIST}"
    if look.rows is not None:
        return f"The broker has no chain for this expiry. {_FROM_LIST}"
    return "The broker's chain is on its way."


def not_there(asked: Mapping[str, str | None], offered: Mapping[str, Sequence[str]]) -> str | None:
    """What a link asked for that is not offered any more, by its name (`underlying`, `expiry`), in words."""
    for what, wanted in asked.items():
        if wanted and wanted not in offered[what]:
            return (
                f"The link asks for the {what} {wanted[:40]}, which today's instrument list does not have options for."
            )
    return None
