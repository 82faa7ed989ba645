"""What people entered for the P&L, said in words: corporate actions, prices, rates, files. Pure text."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from dashboard.formatting import MISSING, day, number, quantity, rupees
from services.domain.orders import Side
from services.portfolio.charges.kinds import Group, Rate
from services.portfolio.lots.actions import Action, Bonus, Demerger, Rename, Split
from services.portfolio.money import rupees_of_units
from services.portfolio.records import FileKind, ImportedFile, PlanRule, RuleOf

SEGMENT_NAMES = {"EQ": "Equity", "FO": "F&O", "COM": "Commodity", "CD": "Currency"}
"""Of the broker's words for segments."""


def plural(count: int, one: str, many: str = "") -> str:
    """`1 trade`, `1,200 trades`."""
    return f"{quantity(count)} {one if count == 1 else many or one + 's'}"


def days_words(first: date | None, last: date | None) -> str:
    """`3 Apr 2024 to 28 Mar 2025`."""
    if first is None or last is None:
        return "no dates"
    return day(first) if first == last else f"{day(first)} to {day(last)}"


def size_words(size: int) -> str:
    """Of a file."""
    if size < 1024:
        return f"{size} bytes"
    return f"{number(Decimal(size) / 1024, 0)} kB" if size < 1024**2 else f"{number(Decimal(size) / 1024**2, 1)} MB"


def file_words(file: ImportedFile) -> str:
    """What a file brought."""
    what = "trade" if file.kind is FileKind.TRADES else "contract note"
    words = [plural(file.taken, what), days_words(file.first, file.last)]
    if file.kind is FileKind.TRADES:
        words.insert(1, plural(file.symbols, "symbol"))
    if file.refused:
        words.append(plural(file.refused, "row") + " refused")
    return ", ".join(words)


def action_name(action: Action) -> str:
    """`Split 5 for 1`."""
    match action:
        case Split():
            return f"Split: {action.old} became {action.new}"
        case Bonus():
            return f"Bonus: {action.new} for each {action.old} held"
        case Rename():
            return "Renamed"
        case Demerger():
            return f"Demerger: {action.new} for each {action.old} held"


def action_words(action: Action) -> str:
    """The rest of it, for the second line."""
    words = [f"before the opening of {day(action.day)}"]
    if isinstance(action, Split | Rename | Demerger) and action.into:
        words.append(f"into {action.into}")
    if isinstance(action, Demerger):
        words.append(f"{percent_words(action.cost_percent)} of the cost moves")
    if isinstance(action, Bonus):
        words.append("new lots bought for nothing" if action.free_lots else "the cost is spread over all shares")
    return ", ".join(words)


def percent_words(percent: Decimal) -> str:
    """`0.02%`, with as many decimals as it has."""
    return f"{percent.normalize():f}%"


def price_words(units: int) -> str:
    """A price of ten-thousandths of a rupee."""
    return rupees(rupees_of_units(units), 2 if units % 100 == 0 else 4)


def rate_words(rate: Rate) -> str:
    """For which trades a rate holds: `equity option on NSE, sales`."""
    words = rate.kind.value + (f" on {rate.exchange}" if rate.exchange else "")
    if rate.group is not Group.NONE:
        words += f" ({rate.group.value})"
    return words + side_words(rate.side)


def side_words(side: Side | None) -> str:
    return "" if side is None else ", purchases" if side is Side.BUY else ", sales"


def brokerage_words(flat: Decimal, percent: Decimal | None) -> str:
    """`₹20 an order, or 0.1% of its value where that is less`."""
    words = f"{rupees(flat, 0 if flat == flat.to_integral_value() else 2)} an order"
    return words if percent is None else f"{words}, or {percent_words(percent)} of its value where that is less"


def rule_words(rule: PlanRule) -> str:
    """A rule that somebody set."""
    if rule.of is RuleOf.BROKERAGE:
        return f"{rule.kind.value if rule.kind else MISSING}: {brokerage_words(rule.flat, rule.percent)}"
    if rule.of is RuleOf.DEPOSITORY:
        return f"{rupees(rule.flat)} for each scrip and day on which shares leave"
    return f"{rupees(rule.flat)} on top of the brokerage of an order placed by the broker"
