"""Results in words: money from paise, names of charges and products, where trades come from, how old they are. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from types import MappingProxyType

from dashboard.formatting import MISSING, age, day, ist_when, number, quantity, rupees, signed
from services.domain.orders import Product
from services.pnl.values import MarkRow, Origin, SourceLine
from services.portfolio.charges.kinds import Line
from services.portfolio.statistics import Figure

LINE_NAMES = {
    Line.BROKERAGE: "Brokerage", Line.STT: "STT / CTT", Line.EXCHANGE: "Exchange", Line.IPFT: "IPFT",
    Line.SEBI: "SEBI fee", Line.STAMP: "Stamp duty", Line.CLEARING: "Clearing", Line.DP: "Depository", Line.GST: "GST",
}  # fmt: skip
LINE_MEANINGS = {
    Line.BROKERAGE: "What the broker takes for each order",
    Line.STT: "Securities transaction tax; of commodities the commodities transaction tax",
    Line.EXCHANGE: "The exchange's transaction charge",
    Line.IPFT: "Investor protection fund",
    Line.SEBI: "The regulator's turnover fee",
    Line.STAMP: "Stamp duty, on purchases",
    Line.CLEARING: "Clearing charge",
    Line.DP: "What the depository takes for each scrip sold from the demat account, once a day",
    Line.GST: "Goods and services tax on brokerage and fees",
}
_PRODUCTS = {Product.INTRADAY.value: "Intraday", Product.MTF.value: "MTF", Product.COVER.value: "Cover"}
_TOLD_BY = {"feed": "live feed", "quote": "quote", "broker": "broker"}


def money(paise: int | None) -> str:
    """₹1,234.56, −₹50.00; a dash where it is not known."""
    return MISSING if paise is None else rupees(Decimal(paise).scaleb(-2))


def signed_money(paise: int | None) -> str:
    """With its sign, so that colour is never the only signal: +₹50.00."""
    text = money(paise)
    return f"+{text}" if paise is not None and paise > 0 else text


def price(units: int | None) -> str:
    """A price in ten-thousandths of a rupee: two decimals, or four where it needs them."""
    if units is None:
        return MISSING
    return number(Decimal(units).scaleb(-4), 2 if units % 100 == 0 else 4)


def average(units: int | None) -> str:
    """An average price, which is rounded anyway."""
    return MISSING if units is None else number(Decimal(units).scaleb(-4), 2)


def value(units: int) -> str:
    """A value in ten-thousandths of a rupee, to the paisa."""
    return rupees(Decimal(units).scaleb(-4))


def tone(amount: int | None) -> str:
    """The colour of an amount's direction."""
    return "" if not amount else "up" if amount > 0 else "down"


def product_word(product: str, segment: str) -> str:
    """Delivery in shares is what carrying forward is in contracts; a source may tell none."""
    if product == Product.DELIVERY.value:
        return "Delivery" if segment == "EQ" else "Carry forward"
    return _PRODUCTS.get(product, product)


def product_label(product: str) -> str:
    """Of a group: delivery of shares and contracts carried forward have one letter."""
    if product == Product.DELIVERY.value:
        return "Delivery, carry forward"
    return _PRODUCTS.get(product, "Not told" if product in {"", "?"} else product)


def bucket_word(bucket: str) -> str:
    return bucket[:1].upper() + bucket[1:]


def month_word(month: str) -> str:
    """2026-07 as the desk says it: Jul 2026."""
    return f"{date.fromisoformat(f'{month}-01'):%b %Y}"


def figure_words(figure: Figure, *, money: bool = False, unit: str = "", decimals: int = 2, sign: bool = False) -> str:
    """The number, or a dash: the reason stands beside it."""
    if figure.value is None:
        return MISSING
    if money:
        text = rupees(figure.value, decimals)
        return f"+{text}" if sign and figure.value > 0 else text
    text = signed(figure.value, decimals) if sign else number(figure.value, decimals)
    return f"{text}{unit}"


def minutes_words(minutes: Decimal) -> str:
    """35 min, 2 h 05 min, 3 d 4 h."""
    whole = int(minutes)
    hours, left = divmod(whole, 60)
    if hours >= 24:
        return f"{hours // 24} d {hours % 24} h"
    return f"{hours} h {left:02d} min" if hours else f"{left} min" if whole else "under a minute"


def held_words(days: int, ms: int) -> str:
    """How long a trade was held: minutes within a day, else days; `ms` below 0: the source tells days only."""
    if days == 0 and ms >= 0:
        return minutes_words(Decimal(ms) / 60_000)
    return "same day" if days == 0 else f"{quantity(days)} d"


def source_words(lines: Sequence[SourceLine], now: datetime) -> list[str]:
    """Each source in a line: how many trades, of which days, told when."""
    words = []
    for one in lines:
        what = f"{one.origin.value} {one.name}".strip()
        counted = f"{quantity(one.trades)} trade{'' if one.trades == 1 else 's'}"
        days = "" if one.first is None or one.last is None else f", {_days(one)}"
        verb = "imported" if one.origin is Origin.FILE else "told"
        told = "" if one.told_at is None else f", {verb} {ist_when(one.told_at, now)}"
        unread = ""
        if one.unread:
            unread = f"; {quantity(one.unread)} not counted" + (f" ({one.why})" if one.why else "")
        words.append(f"{what[:1].upper()}{what[1:]}: {counted}{days}{told}{unread}")
    return words


def as_of_words(as_of: datetime | None, now: datetime, *, troubled: bool) -> str:
    """Trades as of 14:05 IST; with trouble also how long ago that was."""
    if as_of is None:
        return "The broker has not told its trades yet"
    ago = f", {age(max(0.0, (now - as_of).total_seconds()))} ago" if troubled else ""
    return f"Trades as of {ist_when(as_of, now)}{ago}"


AtRest = Mapping[str, datetime | None]
"""Instrument keys whose market is not in session, and when their prices were made: what the broker repeats then is no
new price, however lately it came."""
NONE_AT_REST: AtRest = MappingProxyType({})


def price_source(row: MarkRow, now: datetime, at_rest: AtRest = NONE_AT_REST) -> str:
    """Who told the price, and how old it is: live feed, 3 s; out of session when it was made."""
    if row.price is None:
        return row.why_not
    told = _TOLD_BY.get(row.told_by, row.told_by)
    if row.key in at_rest:
        made = at_rest[row.key]
        return told if made is None else f"{told}, {ist_when(made, now)}"
    return told if row.at is None else f"{told}, {age(max(0.0, (now - row.at).total_seconds()))}"


def prices_words(rows: Sequence[MarkRow], now: datetime, at_rest: AtRest) -> str:
    """How old the prices are: prices up to 2 s old; out of session: oldest price Fri 20 Nov, 15:29 IST."""
    priced = [row for row in rows if row.price is not None]
    resting = [row for row in priced if row.key in at_rest]
    told = [row.at for row in priced if row.at is not None and row.key not in at_rest]
    if told:
        beside = f", {quantity(len(resting))} of them out of session" if resting else ""
        return f"prices up to {age(max(0.0, (now - min(told)).total_seconds()))} old{beside}"
    made = [at for row in resting if (at := at_rest[row.key]) is not None]
    return f"oldest price {ist_when(min(made), now)}" if made else "out of session" if resting else ""


def cost_words(rows: Sequence[MarkRow]) -> str:
    """Why the sum may differ from the portfolio's, where the broker's averages count."""
    return "" if all(row.from_broker for row in rows) else "cost by first in, first out"


def not_current(as_of: datetime | None, now: datetime) -> str:
    """Of a figure of trades that could not be renewed: as of 13:40 IST, not current."""
    return "not current" if as_of is None else f"as of {ist_when(as_of, now)}, not current"


def _days(one: SourceLine) -> str:
    return day(one.first) if one.first == one.last else f"{day(one.first)} to {day(one.last)}"
