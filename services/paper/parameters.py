"""What requests bring along, read and checked as the API documents say."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from starlette.requests import Request

from services.domain.instruments import is_instrument_key
from services.paper.envelope import refusal
from services.paper.model import Listing


def listed_keys(
    text: str | None, listings: Mapping[str, Listing], *, limit: int, over_limit: str, name: str = "instrument_key"
) -> list[str]:
    """The comma-separated instrument keys in `text`, all of them listed; one bad key refuses the whole request."""
    asked = [key for key in (text or "").split(",") if key]
    return check_keys(asked, listings, limit=limit, over_limit=over_limit, name=name)


def check_keys(
    asked: list[str], listings: Mapping[str, Listing], *, limit: int, over_limit: str, name: str = "instrument_key"
) -> list[str]:
    """`asked` without repetitions, if there are not too many and each is listed today."""
    if not asked:
        raise refusal("UDAPI1009", property_path=name)
    if len(asked) > limit:
        raise refusal(over_limit, property_path=name)
    for key in asked:
        if key not in listings:
            code = "UDAPI1087" if is_instrument_key(key) else "UDAPI1011"
            raise refusal(code, property_path=name, invalid_value=key)
    return list(dict.fromkeys(asked))


def one_key(text: str | None, listings: Mapping[str, Listing]) -> str:
    """The single instrument key of a chain, contract or candle call: listed, or at least of the right form (an
    underlying commodity is not listed itself)."""
    if not text:
        raise refusal("UDAPI1026", property_path="instrument_key")
    if text not in listings and not is_instrument_key(text) and not text.startswith("MCX_COM|"):
        raise refusal("UDAPI1021", property_path="instrument_key", invalid_value=text)
    return text


def one_date(text: str | None, name: str) -> date:
    """A date written YYYY-MM-DD and in no other way."""
    try:
        day = date.fromisoformat(text or "")
    except ValueError:
        raise refusal("UDAPI1088", property_path=name, invalid_value=text) from None
    if day.isoformat() != text:
        raise refusal("UDAPI1088", property_path=name, invalid_value=text)
    return day


def whole_number(request: Request, name: str, default: int, *, least: int, most: int, code: str) -> int:
    """The query parameter `name` as a number within bounds."""
    text = request.query_params.get(name)
    if text is None or text == "":
        return default
    if not text.lstrip("-").isdecimal() or not least <= int(text) <= most:
        raise refusal(code, property_path=name, invalid_value=text)
    return int(text)


def words(request: Request, name: str, allowed: frozenset[str] | None, code: str) -> frozenset[str] | None:
    """The comma-separated words of a filter, upper case; `None` if it is absent or says ALL."""
    text = request.query_params.get(name, "")
    asked = frozenset(word.strip().upper() for word in text.split(",") if word.strip())
    if not asked or "ALL" in asked:
        return None
    if allowed is not None and asked - allowed:
        raise refusal(code, property_path=name, invalid_value=text)
    return asked
