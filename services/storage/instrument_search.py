"""Search over the instrument master: from a few words to the instruments that a trader means, likeliest first."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from services.domain.instrument_search import (
    DEBT,
    EXACT,
    EXCHANGE_ORDER,
    OPTIONS,
    UNDERLYING_STANDING,
    ContractQuery,
    SearchQuery,
    match_quality,
)
from services.storage.instrument_names import Named, matching_names

_EXPIRIES = """
    SELECT DISTINCT expiry FROM instruments WHERE underlying_symbol = ? AND segment = ? AND expiry IS NOT NULL
"""
_OF_EXPIRY = """
    SELECT instrument_key, instrument_type, strike FROM instruments
    WHERE underlying_symbol = ? AND segment = ? AND expiry = ? AND expiry IS NOT NULL
"""
_FUTURES = ContractQuery((), kinds=("FUT",))
_OPTIONS = ContractQuery((), kinds=OPTIONS)
_CANDIDATES = 150
_UNDERLYINGS = 3
"""A contract query that names several underlyings ("bank fut") shows the likeliest ones."""
_FUTURES_SHOWN = 3
_OPTIONS_SHOWN = 6
"""Contracts shown below a thing that was named exactly."""


def search_keys(connection: sqlite3.Connection, query: SearchQuery, *, today: date, limit: int) -> list[str]:
    """Keys of what `query` may mean, best first. Expired contracts come last, and only where they were asked for."""
    named = _by_name(connection, query, today, limit)
    contracts = _by_contract(connection, query, today, limit)
    if query.surely_contracts and not (named and named[0][0] <= EXACT):
        found = [*contracts, *(key for _, key in named)]
    else:
        found = [*(key for _, key in named), *contracts]
    return list(dict.fromkeys(found))[:limit]


def _by_name(connection: sqlite3.Connection, query: SearchQuery, today: date, limit: int) -> list[tuple[int, str]]:
    """Quality and key of what is called like the whole text: exact matches, their contracts, then the rest."""
    found = _candidates(connection, query)
    with_cash = {thing.symbol for thing in found if thing.key is not None}
    exact: list[tuple[int, str]] = []
    below: list[tuple[int, str]] = []
    rest: list[tuple[int, str]] = []
    for thing in found:
        quality = _quality(query, thing)
        if thing.key is not None:
            (exact if quality <= EXACT and thing.standing < DEBT else rest).append((quality, thing.key))
        elif quality <= EXACT:
            below += [(quality, key) for key in _shown_below(connection, thing, today)]
        elif thing.symbol not in with_cash and len(rest) < limit:  # commodities, currencies: nothing else has the name
            rest += [(quality, key) for key in _next_futures(connection, thing, today)]
    return [*exact, *below, *rest]


def _candidates(connection: sqlite3.Connection, query: SearchQuery) -> list[Named]:
    """Everything that the text may name, best first."""
    if not query.folded:
        return []
    found: dict[tuple[str, str | None, str], Named] = {}
    for words, whole in (((query.folded,), True), ((query.folded,), False), (query.words, False)):
        for underlyings in (True, False):
            for thing in matching_names(connection, words, whole=whole, underlyings=underlyings, limit=_CANDIDATES):
                found[thing.segment, thing.key, thing.symbol] = thing
    return sorted(found.values(), key=lambda thing: _rank(query, thing))


def _quality(query: SearchQuery, thing: Named) -> int:
    return match_quality(query, thing.symbol, thing.names, thing.codes)


def _rank(query: SearchQuery, thing: Named) -> tuple[int, int, int, int, str]:
    return (
        _quality(query, thing),
        thing.standing,
        EXCHANGE_ORDER.get(thing.exchange, 9) if thing.key else UNDERLYING_STANDING.get(thing.segment, 9),
        len(thing.symbol),
        thing.symbol,
    )


def _shown_below(connection: sqlite3.Connection, underlying: Named, today: date) -> list[str]:
    """A few contracts of something that was named exactly: the next futures, and options about the middle strike."""
    return [
        *_next_futures(connection, underlying, today),
        *_contracts(connection, underlying, _OPTIONS, today, _OPTIONS_SHOWN, live_only=True),
    ]


def _next_futures(connection: sqlite3.Connection, underlying: Named, today: date) -> list[str]:
    return _contracts(connection, underlying, _FUTURES, today, _FUTURES_SHOWN, live_only=True)


def _by_contract(connection: sqlite3.Connection, query: SearchQuery, today: date, limit: int) -> list[str]:
    """Keys of the contracts that the text may mean, by the first reading that finds any."""
    for reading in query.contracts:
        found: list[str] = []
        for underlying in _underlyings(connection, reading.words):
            if len(found) < limit:
                found += _contracts(connection, underlying, reading, today, limit - len(found))
        if found:
            return found
    return []


def _underlyings(connection: sqlite3.Connection, words: Sequence[str]) -> list[Named]:
    """What contracts are written on, by its name: exact ones only where there are any."""
    joined = SearchQuery(" ".join(words), "".join(words), tuple(words), ())
    found = {
        (thing.segment, thing.symbol): thing
        for names in ((joined.folded,), words)
        for thing in matching_names(connection, names, underlyings=True, limit=_CANDIDATES)
    }
    ranked = sorted(found.values(), key=lambda thing: _quality(joined, thing))  # stable: the likeliest stay first
    exact = [thing for thing in ranked if _quality(joined, thing) <= EXACT]
    return exact or ranked[:_UNDERLYINGS]


def _contracts(
    connection: sqlite3.Connection,
    underlying: Named,
    reading: ContractQuery,
    today: date,
    limit: int,
    *,
    live_only: bool = False,
) -> list[str]:
    """Keys of the contracts on `underlying`: by expiry, the nearest first, those that have expired last."""
    place = (underlying.symbol, underlying.segment)
    days = [date.fromisoformat(day) for (day,) in connection.execute(_EXPIRIES, place)]
    fitting = [day for day in days if reading.fits(day) and not (live_only and day < today)]
    found: list[str] = []
    for typing in (False, True) if reading.strike is not None else (False,):
        for day in sorted(fitting, key=lambda day: (day < today, abs((day - today).days))):
            if len(found) < limit:
                rows = connection.execute(_OF_EXPIRY, (*place, day.isoformat())).fetchall()
                found += _in_order([_Contract(*row) for row in rows], reading, typing=typing)
        if found:
            break  # strikes that only begin like the number are for somebody who is still typing
    return found[:limit]


class _Contract(NamedTuple):
    key: str
    kind: str
    strike: float | None


def _in_order(contracts: list[_Contract], reading: ContractQuery, *, typing: bool) -> list[str]:
    """Keys of the contracts of one expiry that `reading` means: futures, then options from the middle strike outwards
    (upwards while a strike is being typed), calls before puts."""
    wanted = [contract for contract in contracts if _is_meant(contract, reading, typing=typing)]
    strikes = sorted({contract.strike for contract in wanted if contract.strike is not None})
    middle = strikes[0 if typing else len(strikes) // 2] if strikes else 0.0

    def order(contract: _Contract) -> tuple[bool, float, float, str]:
        strike = contract.strike or 0.0
        return contract.strike is not None, abs(strike - middle), strike, contract.kind

    return [contract.key for contract in sorted(wanted, key=order)]


def _is_meant(contract: _Contract, reading: ContractQuery, *, typing: bool) -> bool:
    if reading.kinds and contract.kind not in reading.kinds:
        return False
    if reading.strike is None:
        return True
    if typing:
        return contract.strike is not None and f"{contract.strike:g}".startswith(reading.strike_text)
    return contract.strike == reading.strike
