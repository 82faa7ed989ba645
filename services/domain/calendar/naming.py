"""Markets by the words of people: an exchange as the broker names it, or `NSE` or `BSE` with a segment."""

from __future__ import annotations

from services.domain.calendar.calendar import market_of
from services.domain.errors import InvalidRequest, UnknownInstrument
from services.domain.phases import Market

_WITH_SEGMENTS: dict[str, dict[str, Market]] = {
    "NSE": {"EQ": Market.NSE, "INDEX": Market.NSE, "FO": Market.NFO, "CD": Market.CDS, "COM": Market.NSCOM},
    "BSE": {"EQ": Market.BSE, "INDEX": Market.BSE, "FO": Market.BFO, "CD": Market.BCD},
    "MCX": {"COM": Market.MCX, "FO": Market.MCX, "INDEX": Market.MCX},
}
_SEGMENTS = ("EQ", "INDEX", "FO", "CD", "COM")


def markets_named(exchange: str | None, segment: str | None) -> tuple[Market, ...]:
    """The one market that both words name; without an exchange all, or those of the segment."""
    if exchange is not None:
        return (market_named(exchange, segment),)
    if segment is None:
        return tuple(Market)
    word = _word(segment)
    found = {segments[word] for segments in _WITH_SEGMENTS.values() if word in segments and word in _SEGMENTS}
    if not found:
        raise InvalidRequest(f"{str(segment)[:40]!r} is not a segment: {', '.join(_SEGMENTS)}")
    return tuple(market for market in Market if market in found)


def market_named(exchange: str, segment: str | None) -> Market:
    """The market that both words name. `EQ`, which is everybody's default, says nothing beside an exchange without
    shares."""
    name, part = _word(exchange), "EQ" if segment is None else _word(segment)
    if part not in _SEGMENTS:
        raise InvalidRequest(f"{str(segment)[:40]!r} is not a segment: {', '.join(_SEGMENTS)}")
    segments = _WITH_SEGMENTS.get(name)
    if segments is None:
        try:
            market = market_of(name)
        except UnknownInstrument:
            raise InvalidRequest(f"{str(exchange)[:40]!r} is not an exchange: {', '.join(Market)}") from None
        fits = part == "EQ" or any(told.get(part) is market for told in _WITH_SEGMENTS.values())
    else:
        market = segments.get(part) or Market(name)
        fits = part in segments or part == "EQ"
    if not fits:
        raise InvalidRequest(f"{name} has no segment {part}")
    return market


def _word(given: str) -> str:
    return given.strip().upper() if isinstance(given, str) else str(given)
