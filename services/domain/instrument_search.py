"""What a trader means by a few words in a search box, and which match comes first. Pure: text in, order out.

A query names a thing ("reliance", "INE002A01018", "M&M") or a contract ("nifty 25000 ce nov", "banknifty fut"). Some
texts can be read in several ways ("nifty nov 26": the 26th or the year 2026?); the readings are given best first, and
whoever searches takes the first one that finds something.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date

from services.domain.instruments import Instrument

MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_LONG_MONTHS = (
    "JANUARY", "FEBRUARY", "MARCH", "APRIL", "MAY", "JUNE", "JULY", "AUGUST", "SEPTEMBER", "OCTOBER", "NOVEMBER",
    "DECEMBER",
)  # fmt: skip
_MONTH_NUMBER = {
    **{name: place for place, name in enumerate(_LONG_MONTHS, 1)},
    **{name: place for place, name in enumerate(MONTHS, 1)},
    "SEPT": 9,
}
OPTIONS = ("CE", "PE")
_KINDS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("FU", "FUT", "FUTU", "FUTUR", "FUTURE", "FUTURES"), ("FUT",)),
    **dict.fromkeys(("CE", "CALL", "CALLS"), ("CE",)),
    **dict.fromkeys(("PE", "PUT", "PUTS"), ("PE",)),
    **dict.fromkeys(("OPT", "OPTION", "OPTIONS"), OPTIONS),
}
_SIDE = {"C": ("CE",), "P": ("PE",)}

_MONTH = "|".join(sorted(_MONTH_NUMBER, key=len, reverse=True))
_QUOTE_SYMBOL = re.compile(rf"^([A-Z][A-Z0-9&-]*?)(\d{{2}})({'|'.join(MONTHS)})(\d+(?:\.\d+)?)?(CE|PE|FUT)$")
_NAME_STRIKE = re.compile(r"^([A-Z][A-Z&-]+)(\d{2,6}(?:\.\d+)?)(CE|PE)$")
_STRIKE_SIDE = re.compile(r"^(\d+(?:\.\d+)?)(CE|PE|CALL|PUT|C|P)$")
_GLUED_DATE = re.compile(rf"^(\d{{1,2}})?({_MONTH})(\d{{2}}|\d{{4}})?$")
_NUMBER = re.compile(r"^\d+(?:\.\d+)?$")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{2,3}(?:\D|$))")
_NOT_PLAIN = re.compile(r"[^A-Z0-9]+")


def fold(text: str) -> str:
    """`text` without case, blanks and punctuation: `M&M` is `MM`, and `bajaj auto` is `BAJAJ-AUTO`."""
    return _NOT_PLAIN.sub("", text.upper())


def search_words(*texts: str | None) -> list[str]:
    """The folded words under which something is found, each once: whole tokens, and their parts (`BAJAJ-AUTO`)."""
    words: dict[str, None] = {}
    for text in texts:
        for token in (text or "").upper().split():
            words[fold(token)] = None
            words.update(dict.fromkeys(_NOT_PLAIN.split(token)))
    words.pop("", None)
    return list(words)


@dataclass(frozen=True, slots=True)
class ContractQuery:
    """A reading of the query as a derivative. Empty `kinds` and `None` mean "any"."""

    words: tuple[str, ...]
    """Folded words that name the underlying."""
    kinds: tuple[str, ...] = ()
    strike: float | None = None
    strike_text: str = ""
    """As typed: strikes that begin like it are shown while somebody is still typing."""
    day: int | None = None
    month: int | None = None
    year: int | None = None

    def fits(self, expiry: date) -> bool:
        return (
            (self.month is None or expiry.month == self.month)
            and (self.day is None or expiry.day == self.day)
            and (self.year is None or expiry.year % 100 == self.year % 100)
        )


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """A text as it may be meant: by name, and as contracts (the likeliest reading first)."""

    text: str
    folded: str
    words: tuple[str, ...]
    contracts: tuple[ContractQuery, ...]

    @property
    def surely_contracts(self) -> bool:
        """Does the text hold more than a number beside the name (a side, a month)?"""
        return any(reading.kinds or reading.month for reading in self.contracts)


def parse_query(text: str) -> SearchQuery:
    """Read a search text. Case, punctuation and surplus blanks do not matter."""
    clean = " ".join(_THOUSANDS.sub("", text.upper()).split())
    tokens = [part for token in clean.split() for part in _unglued(token)]
    words = tuple(word for token in clean.split() if (word := fold(token)))
    return SearchQuery(clean, fold(clean), words, tuple(_readings(tokens)))


def _unglued(token: str) -> Iterable[str]:
    """The parts of a token that traders write in one piece: `NIFTY26NOV26000CE`, `25000CE`, `24NOV26`."""
    if symbol := _QUOTE_SYMBOL.match(token):  # the number in it is a year, as in quotes and at other brokers
        name, year, month, strike, kind = symbol.groups()
        return [part for part in (name, month, year, strike, kind) if part]
    for pattern in (_NAME_STRIKE, _STRIKE_SIDE, _GLUED_DATE):
        if match := pattern.match(token):
            return [part for part in match.groups() if part]
    return [token]


def _readings(tokens: list[str]) -> list[ContractQuery]:
    """How `tokens` may name a contract; nothing where no token speaks of one or none is left for the name."""
    kinds: tuple[str, ...] = ()
    month: int | None = None
    before: str | None = None
    after: str | None = None
    rest: list[str] = []
    has_number = any(_NUMBER.match(token) for token in tokens)
    skip = False
    for place, token in enumerate(tokens):
        if skip:
            skip = False
        elif token in _KINDS:
            kinds += _KINDS[token]
        elif has_number and token in _SIDE and place:
            kinds += _SIDE[token]
        elif token in _MONTH_NUMBER and month is None:
            month = _MONTH_NUMBER[token]
            if rest and place and rest[-1] == tokens[place - 1] and _is_day(rest[-1]):
                before = rest.pop()
            if place + 1 < len(tokens) and _is_year(tokens[place + 1]):
                after, skip = tokens[place + 1], True
        else:
            rest.append(token)
    numbers = [token for token in rest if _NUMBER.match(token)]
    names = [token for token in rest if not _NUMBER.match(token) and fold(token)]  # a lone colon names nothing
    if not names or not (kinds or month or numbers):
        return []
    base = ContractQuery(_folded(names), tuple(dict.fromkeys(kinds)), month=month)
    found: list[ContractQuery] = []
    for dated, spare in _dates(base, before, after):
        strikes = [*numbers, *spare]
        if base.kinds == ("FUT",):  # "nifty next 50 fut": a future has no strike
            found.append(replace(dated, words=_folded([*names, *strikes])))
        elif len(strikes) < 2:
            found.append(_with_strike(dated, strikes))
        else:  # "nifty 50 25000 ce": the last number is the strike, the others belong to the name
            found.append(_with_strike(replace(dated, words=_folded([*names, *strikes[:-1]])), strikes[-1:]))
    return found


def _dates(
    base: ContractQuery, before: str | None, after: str | None
) -> Iterable[tuple[ContractQuery, tuple[str, ...]]]:
    """The meanings of the numbers beside a month, and those left over that may be a strike."""
    if before is not None and after is not None:
        yield replace(base, day=int(before), year=int(after)), ()
        return
    meanings: list[tuple[str, str]] = []
    if before is not None:
        meanings = [(meaning, before) for meaning in ("day", "year", "strike")]
    elif after is not None:
        order = ("year", "day", "strike") if len(after) == 2 else ("year", "strike")
        meanings = [(meaning, after) for meaning in order]
    if not meanings:
        yield base, ()
    for meaning, number in meanings:
        if meaning == "strike":
            yield base, (number,)
        elif meaning == "year":
            yield replace(base, year=int(number)), ()
        elif 1 <= int(number) <= 31:
            yield replace(base, day=int(number)), ()


def _with_strike(reading: ContractQuery, strike: list[str]) -> ContractQuery:
    if not strike:
        return reading
    kinds = reading.kinds if set(reading.kinds) & set(OPTIONS) else (*reading.kinds, *OPTIONS)
    return replace(
        reading,
        strike=float(strike[0]),
        strike_text=strike[0],
        kinds=tuple(kind for kind in kinds if kind != "FUT") or OPTIONS,
    )


def _folded(tokens: Iterable[str]) -> tuple[str, ...]:
    return tuple(word for token in tokens if (word := fold(token)))


def _is_day(token: str) -> bool:
    return token.isdecimal() and 1 <= int(token) <= 31


def _is_year(token: str) -> bool:
    return token.isdecimal() and (len(token) == 2 or (len(token) == 4 and 2020 <= int(token) <= 2050))


# -- order ---------------------------------------------------------------------------------------------------------

EXACT = 1
"""Matches up to this quality are what was typed, not something that begins like it."""


def match_quality(query: SearchQuery, symbol: str, names: Iterable[str], codes: Iterable[str] = ()) -> int:
    """How well something fits, 0 best: symbol as typed; symbol, name or code but for punctuation; symbol begins so;
    name begins so; words somewhere in it."""
    if symbol.upper() == query.text:
        return 0
    folded, called = fold(symbol), [fold(name) for name in names]
    if query.folded == folded or query.folded in called or query.text in codes:
        return 1
    if folded.startswith(query.folded):
        return 2
    return 3 if any(name.startswith(query.folded) for name in called) else 4


DEBT = 8
"""The standing of bonds and the like; several may bear the symbol of a share."""
_SHARE_SERIES = {"EQ": 3, "BE": 6, "BZ": 6, "SM": 6, "ST": 6, "IV": 6, "RR": 6}
_BSE_GROUPS = {"A": 4, "B": 5, "E": 5, "F": DEBT, "G": DEBT}


def standing(instrument: Instrument, *, has_contracts: bool, twin_has_contracts: bool) -> int:
    """How likely something is meant, 0 most: what derivatives are written on, then other shares, indices, debt.

    `twin_has_contracts`: derivatives are written on the same ISIN at another exchange.
    """
    if instrument.is_index:
        return 0 if has_contracts else 5
    if has_contracts or twin_has_contracts:
        series = (_BSE_GROUPS if instrument.exchange == "BSE" else _SHARE_SERIES).get(instrument.type, DEBT)
        return (1 if has_contracts else 2) if series < DEBT else series
    if instrument.exchange == "BSE":
        return _BSE_GROUPS.get(instrument.type, 6)
    return _SHARE_SERIES.get(instrument.type, DEBT) + (0 if instrument.cas_eligible or instrument.type != "EQ" else 1)


UNDERLYING_STANDING = {"NSE_FO": 0, "BSE_FO": 1, "MCX_FO": 2, "NCD_FO": 3, "NSE_COM": 4, "BCD_FO": 5}
"""Which segment's contracts are meant first where an underlying is traded in several."""
EXCHANGE_ORDER = {"NSE": 0, "BSE": 1, "MCX": 2}
"""Where shares are meant first: the exchange with the greater turnover."""
