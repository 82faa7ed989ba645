"""The report of realised gains, what trading has cost, and the trades of earlier days.

What the documents leave open is decided here as it is most likely to be: the report, the charges and the trades of
earlier days know finished days only, so that what is traded today appears tomorrow; a row of the report belongs to the
day on which it was closed; charges are those of the contract notes of all days in the range, whether or not what was
traded is still open. The guide's paths answer as the published ones do.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from datetime import date, datetime

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from services.domain.clock import ist_date
from services.paper.broker import Broker, Handlers
from services.paper.envelope import refusal, success
from services.paper.members import INVALID, shown
from services.paper.order_told import Told, amount, tell_past_trade
from services.paper.parameters import one_date
from services.paper.trading.gains import Gain
from services.paper.trading.notes import LINES, DayCharges
from services.paper.trading.values import PRICE_UNITS

SEGMENTS = ("EQ", "FO", "COM", "CD")
PAST_SEGMENTS = frozenset({*SEGMENTS, "MF"})
LARGEST_PAGE = 5000
_MOST_PAGES = 1_000_000
_YEARS_OF_TRADES = 3
"""Financial years of which trades are told, the running one included."""
_DAY = re.compile(r"\d{2}-\d{2}-\d{4}", re.ASCII)
_YEAR = re.compile(r"\d{4}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a report is about: one segment, and days of one financial year, both included."""

    segment: str
    first: date
    last: date


async def metadata(broker: Broker, request: Request) -> Response:
    asked = read_asked(request.query_params)
    rows = await _gains(broker, asked)
    return success(request, {"trades_count": len(rows), "page_size_limit": LARGEST_PAGE})


async def data(broker: Broker, request: Request) -> Response:
    """One page, the oldest gain first; none beyond the last page."""
    asked = read_asked(request.query_params)
    page, size = read_page(request.query_params)
    rows = (await _gains(broker, asked))[(page - 1) * size : page * size]
    told = {"page_number": page, "page_size": size}
    return success(request, [tell_gain(row) for row in rows], metadata={"page": told})


async def charges(broker: Broker, request: Request) -> Response:
    """The contract notes of the days in the range, line by line: of one segment, all trades together."""
    asked = read_asked(request.query_params)
    return success(request, tell_charges(broker.desk.charges(asked.first, asked.last, asked.segment)))


async def past_trades(broker: Broker, request: Request) -> Response:
    """Trades of earlier days, the newest first, in pages that are counted from 1."""
    asked = request.query_params
    for name, code in (("start_date", "UDAPI1068"), ("end_date", "UDAPI1069")):
        if not asked.get(name):
            raise refusal(code, property_path=name)
    first, last = one_date(asked.get("start_date"), "start_date"), one_date(asked.get("end_date"), "end_date")
    if last < first:
        raise refusal("UDAPI1015", property_path="end_date", invalid_value=asked.get("end_date"))
    segment = asked.get("segment") or ""
    if segment and segment not in PAST_SEGMENTS:
        raise refusal("UDAPI1066", property_path="segment", invalid_value=shown(segment))
    page, size = read_page(asked)
    first = max(first, _oldest(broker.clock.now()))
    found, count = broker.desk.past_trades(first, last, segment, skip=(page - 1) * size, most=size)
    told = {"page_number": page, "page_size": size, "total_records": count, "total_pages": -(-count // size)}
    return success(request, [tell_past_trade(fill) for fill in found], errors=None, meta_data={"page": told})


HANDLERS: Handlers = {
    ("pnl_metadata", "v2"): metadata,
    ("pnl_data", "v2"): data,
    ("pnl_data", "guide"): data,
    ("pnl_charges", "v2"): charges,
    ("pnl_charges", "guide"): charges,
    ("past_trades", "v2"): past_trades,
}


async def _gains(broker: Broker, asked: Asked) -> list[Gain]:
    """The first question of a day is much work where much was traded: the feeds go on meanwhile."""
    return await asyncio.to_thread(broker.desk.gains, asked.first, asked.last, asked.segment)


def read_asked(asked: QueryParams) -> Asked:
    """Segment, financial year and, where they are given, days within it (dd-mm-yyyy)."""
    segment = asked.get("segment")
    if not segment:
        raise refusal("UDAPI1067", property_path="segment")
    if segment not in SEGMENTS:
        raise refusal("UDAPI1066", property_path="segment", invalid_value=shown(segment))
    begins, ends = _year(asked.get("financial_year"))
    first = _day(asked.get("from_date"), "from_date") or begins
    last = _day(asked.get("to_date"), "to_date") or ends
    for name, day in (("from_date", first), ("to_date", last)):
        if not begins <= day <= ends:
            raise refusal("UDAPI1105", property_path=name, invalid_value=asked.get(name))
    if last < first:
        raise refusal("UDAPI1075", property_path="to_date", invalid_value=asked.get("to_date"))
    return Asked(segment, first, last)


def read_page(asked: QueryParams) -> tuple[int, int]:
    """Number, from 1, and size of a page."""
    for name, code in (("page_number", "UDAPI1071"), ("page_size", "UDAPI1072")):
        text = asked.get(name)
        if not text:
            raise refusal(code, property_path=name)
        if not text.removeprefix("-").isdecimal() or len(text) > len(str(_MOST_PAGES)):
            raise refusal(INVALID, property_path=name, invalid_value=shown(text))
    page, size = int(asked["page_number"]), int(asked["page_size"])
    if page < 1:
        raise refusal(INVALID, property_path="page_number", invalid_value=asked["page_number"])
    if size < 1:
        raise refusal("UDAPI1106", property_path="page_size", invalid_value=asked["page_size"])
    if size > LARGEST_PAGE:
        raise refusal("UDAPI1107", property_path="page_size", invalid_value=asked["page_size"])
    return page, size


def tell_gain(row: Gain) -> Told:
    """One row: all ten members. There is no symbol and no instrument key in it."""
    return {
        "quantity": float(row.quantity),
        "isin": row.isin,
        "scrip_name": row.name,
        "trade_type": row.trade_type,
        "buy_date": _told(row.bought),
        "buy_average": _average(row.buy_amount, row.quantity),
        "sell_date": _told(row.sold),
        "sell_average": _average(row.sell_amount, row.quantity),
        "buy_amount": amount(row.buy_amount),
        "sell_amount": amount(row.sell_amount),
    }


def tell_charges(notes: list[DayCharges]) -> Told:
    """The sums of `notes`, in rupees. What the broker takes for orders of his own stands under `others`."""
    sums = {line: sum(getattr(note, line) for note in notes) / 100 for line in LINES}
    return {
        "charges_breakdown": {
            "total": sum(note.total for note in notes) / 100,
            "brokerage": sums["brokerage"],
            "taxes": {"gst": sums["gst"], "stt": sums["stt"], "stamp_duty": sums["stamp_duty"]},
            "charges": {
                "transaction": sums["transaction"],
                "clearing": sums["clearing"],
                "ipft": sums["ipft"],
                "others": sums["others"],
                "sebi_turnover": sums["sebi_turnover"],
                "demat_transaction": sums["depository"],
            },
        }
    }


def _year(code: str | None) -> tuple[date, date]:
    """First and last day of a financial year: `2627` runs from 1 April 2026 to 31 March 2027."""
    if not code:
        raise refusal("UDAPI1070", property_path="financial_year")
    if len(code) > len("2627"):
        raise refusal("UDAPI1073", property_path="financial_year", invalid_value=shown(code))
    if _YEAR.fullmatch(code) is None:
        raise refusal("UDAPI1074", property_path="financial_year", invalid_value=shown(code))
    begins, ends = int(code[:2]), int(code[2:])
    if (begins + 1) % 100 != ends:
        raise refusal("UDAPI100051", property_path="financial_year", invalid_value=code)
    return date(2000 + begins, 4, 1), date(2001 + begins, 3, 31)


def _day(text: str | None, name: str) -> date | None:
    if not text:
        return None
    try:
        day = datetime.strptime(text, "%d-%m-%Y").date() if _DAY.fullmatch(text) else None  # noqa: DTZ007  # a day only
    except ValueError:
        day = None
    if day is None:
        raise refusal("UDAPI1075", property_path=name, invalid_value=shown(text))
    return day


def _told(day: str) -> str:
    """An ISO date as dd-mm-yyyy."""
    return f"{day[8:10]}-{day[5:7]}-{day[:4]}"


def _average(units: int, quantity: int) -> float:
    """Rupees a unit, to six places."""
    return round(units / (quantity * PRICE_UNITS), 6)


def _oldest(now: datetime) -> date:
    """The first day of which trades are still told."""
    today = ist_date(now)
    year = today.year if today.month >= 4 else today.year - 1  # April
    return date(year - _YEARS_OF_TRADES + 1, 4, 1)
