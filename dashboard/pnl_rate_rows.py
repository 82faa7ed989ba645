"""What a trade of some day costs, line by line: the rate of each side, since when, and who says so. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from dashboard.formatting import MISSING, day, rupees
from dashboard.pnl_record_words import brokerage_words, percent_words
from dashboard.pnl_words import LINE_NAMES
from services.domain.errors import NotPublished
from services.domain.orders import Side
from services.portfolio.charges.kinds import RATED, Kind, Line, Rate
from services.portfolio.records import ChargeSettings

EXCHANGES = ("NSE", "BSE", "MCX")


@dataclass(frozen=True, slots=True)
class RateRow:
    """One line. `doubtful`: no good source says so."""

    name: str
    bought: str
    sold: str
    words: str
    doubtful: bool = False


def rate_rows(settings: ChargeSettings, kind: Kind, exchange: str, on: date) -> list[RateRow]:
    """In the order of a contract note."""
    rows = [_brokerage(settings, kind, on)]
    rows += [_rated(settings, line, kind, exchange, on) for line in RATED]
    if kind.delivered:
        rows.append(_depository(settings, on))
    plan = settings.plan
    taxed = ["brokerage", "exchange charge", "IPFT", "clearing"]
    taxed += (["SEBI fee"] if plan.gst_on_sebi else []) + (["depository charge"] if plan.gst_on_dp else [])
    gst = percent_words(plan.gst_percent)
    rows.append(RateRow(LINE_NAMES[Line.GST], gst, gst, f"of {', '.join(taxed)}"))
    return rows


def _brokerage(settings: ChargeSettings, kind: Kind, on: date) -> RateRow:
    name = LINE_NAMES[Line.BROKERAGE]
    try:
        rule = settings.plan.brokerage_of(kind, on)
    except NotPublished as error:
        return RateRow(name, MISSING, MISSING, str(error), True)
    words = f"{brokerage_words(rule.flat, rule.percent)}; since {day(rule.since)}: {rule.source}{_mark(rule.confirmed)}"
    flat = rupees(rule.flat)
    return RateRow(name, flat, flat, words, not rule.confirmed)


def _depository(settings: ChargeSettings, on: date) -> RateRow:
    name = LINE_NAMES[Line.DP]
    try:
        fee = settings.plan.depository_of(on)
    except NotPublished as error:
        return RateRow(name, MISSING, MISSING, str(error), True)
    words = f"for each scrip and day, before GST; since {day(fee.since)}: {fee.source}{_mark(fee.confirmed)}"
    return RateRow(name, rupees(0), rupees(fee.amount), words, not fee.confirmed)


def _rated(settings: ChargeSettings, line: Line, kind: Kind, exchange: str, on: date) -> RateRow:
    own = {one.rate for one in settings.overrides}
    sides: list[Rate] = []
    texts: list[str] = []
    for side in (Side.BUY, Side.SELL):
        try:
            rate = settings.rates.rate(line, kind, exchange, side, on)
        except NotPublished:
            texts.append(MISSING)
        else:
            sides.append(rate)
            texts.append(percent_words(rate.percent))
    name, (bought, sold) = LINE_NAMES[line], texts
    if not sides:
        return RateRow(name, bought, sold, f"no rate is known on {exchange} on {day(on)}", True)
    told = list(dict.fromkeys(_told(rate, rate in own) for rate in sides))
    return RateRow(name, bought, sold, "; ".join(told), not all(rate.confirmed for rate in sides))


def _told(rate: Rate, own: bool) -> str:
    whose = "your own, " if own else ""
    return f"{whose}since {day(rate.since)}: {rate.source}{_mark(rate.confirmed)}"


def _mark(confirmed: bool) -> str:
    return "" if confirmed else " (not confirmed)"
