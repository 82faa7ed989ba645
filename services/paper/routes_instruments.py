"""Instrument files and the instrument search."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from starlette.requests import Request
from starlette.responses import Response

from services.domain.clock import ist_date
from services.domain.errors import BrokerError
from services.paper.broker import Broker, Handlers
from services.paper.envelope import refusal, success
from services.paper.model import Listing
from services.paper.parameters import one_date, whole_number, words
from services.paper.routes_options import expiry_of

_EXCHANGES = frozenset({"NSE", "BSE", "MCX"})
_SEGMENTS = frozenset({"EQ", "FO", "CURR", "COMM", "INDEX", "OPT", "FUT"})
_KEYWORDS = frozenset({"current_week", "next_week", "current_month", "next_month"})
_SEARCHED = ("trading_symbol", "name", "short_name", "isin", "underlying_symbol", "instrument_key")


async def instrument_file(broker: Broker, request: Request) -> Response:
    packed = await broker.files.get(request.path_params["file"], broker.clock.now())
    if packed is None:
        raise refusal("UDAPI100060")
    headers = {"ETag": packed.etag, "Cache-Control": "no-cache"}
    told = {tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")}
    if packed.etag in told:
        return Response(status_code=304, headers=headers)
    # The file itself is gzip, so it travels as bytes: no Content-Encoding that a client would undo.
    return Response(packed.body, media_type="application/gzip", headers=headers)


async def search(broker: Broker, request: Request) -> Response:
    query = request.query_params.get("query", "").strip()
    if not 0 < len(query) <= 50:
        raise refusal("UDAPI1169", property_path="query", invalid_value=query or None)
    exchanges = words(request, "exchanges", _EXCHANGES, "UDAPI1170")
    segments = words(request, "segments", _SEGMENTS, "UDAPI1171")
    types = words(request, "instrument_types", None, "UDAPI1172")
    page = whole_number(request, "page_number", 1, least=1, most=10_000, code="UDAPI1174")
    records = whole_number(request, "records", 10, least=1, most=30, code="UDAPI1175")
    now = broker.clock.now()
    tokens = query.upper().split()
    found = [
        item
        for item in broker.market.listings(now).values()
        if (exchanges is None or item.exchange in exchanges)
        and (segments is None or segments & set(_segments_of(item)))
        and (types is None or str(item.row.get("instrument_type")).upper() in types)
        and _holds(item, tokens)
    ]
    found = _of_expiry(found, request.query_params.get("expiry"), ist_date(now))
    found = _at_offset(broker, found, request, now)
    found.sort(key=lambda item: _rank(item, " ".join(tokens)))
    rows = [_row(item) for item in found[(page - 1) * records : page * records]]
    told = {
        "page_number": page,
        "total_pages": -(-len(found) // records),
        "records": len(rows),
        "total_records": len(found),
    }
    return success(request, rows, meta_data={"page": told})


HANDLERS: Handlers = {("instrument_file", "assets"): instrument_file, ("instrument_search", "v2"): search}


def _row(item: Listing) -> dict[str, object]:
    """As in the files, but the expiry is a date."""
    row = dict(item.row)
    if "expiry" in row:
        row["expiry"] = expiry_of(item.row)
    return row


def _segments_of(item: Listing) -> Iterable[str]:
    kind = item.row.get("instrument_type")
    if kind == "INDEX":
        yield "INDEX"
    elif item.segment.endswith("_EQ"):
        yield "EQ"
    elif item.segment in {"NCD_FO", "BCD_FO"}:
        yield "CURR"
    elif item.segment in {"MCX_FO", "NSE_COM"}:
        yield "COMM"
    else:
        yield "FO"
    if kind in {"CE", "PE"}:
        yield "OPT"
    elif kind == "FUT":
        yield "FUT"


def _holds(item: Listing, tokens: list[str]) -> bool:
    text = " ".join(str(item.row[name]) for name in _SEARCHED if name in item.row).upper()
    return all(token in text for token in tokens)


def _rank(item: Listing, query: str) -> tuple[object, ...]:
    """The exact symbol first, then indices and shares that begin with the query, then contracts by expiry."""
    symbol, name = str(item.row.get("trading_symbol", "")).upper(), str(item.row.get("name", "")).upper()
    contract = item.row.get("instrument_type") in {"FUT", "CE", "PE"}
    begins = not (symbol.startswith(query) or name.startswith(query))
    return symbol != query, contract, begins, expiry_of(item.row) or "", symbol, item.exchange != "NSE", item.key


def _of_expiry(found: list[Listing], wanted: str | None, today: date) -> list[Listing]:
    if not wanted:
        return found
    if wanted not in _KEYWORDS:
        try:
            day = one_date(wanted, "expiry").isoformat()
        except BrokerError:
            raise refusal("UDAPI1173", property_path="expiry", invalid_value=wanted) from None
        return [item for item in found if expiry_of(item.row) == day]
    first, last = _span(wanted, today)
    return [item for item in found if first <= (expiry_of(item.row) or "") <= last]


def _span(keyword: str, today: date) -> tuple[str, str]:
    """First and last day of the week or month that the keyword means."""
    if keyword.endswith("week"):
        first = today - timedelta(days=today.weekday())
        if keyword.startswith("next"):
            first += timedelta(days=7)
        last = first + timedelta(days=6)
    else:
        first = today.replace(day=1)
        if keyword.startswith("next"):
            first = (first + timedelta(days=31)).replace(day=1)
        last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    return first.isoformat(), last.isoformat()


def _at_offset(broker: Broker, found: list[Listing], request: Request, now: datetime) -> list[Listing]:
    """Only the options that many strikes away from the money."""
    if not request.query_params.get("atm_offset"):
        return found
    offset = whole_number(request, "atm_offset", 0, least=-50, most=50, code="UDAPI1174")
    listings = broker.market.listings(now)
    chains: dict[tuple[str, str], list[Listing]] = {}
    for item in found:
        if item.row.get("instrument_type") in {"CE", "PE"}:
            chains.setdefault((str(item.row.get("underlying_key")), expiry_of(item.row) or ""), []).append(item)
    kept: list[Listing] = []
    for (underlying, _), options in chains.items():
        if underlying not in listings:
            continue
        [spot] = broker.market.snapshots([underlying], now)
        strikes = sorted({float(str(item.row["strike_price"])) for item in options})
        nearest = min(range(len(strikes)), key=lambda place: abs(strikes[place] - spot.ltp))
        if 0 <= nearest + offset < len(strikes):
            kept += [item for item in options if float(str(item.row["strike_price"])) == strikes[nearest + offset]]
    return kept
