"""How figures are written: Indian grouping, signs beside colours, ages and IST times. Pure text, no drawing.

Anything that is not available is written as `MISSING`, never as zero. Negative numbers carry a true minus sign, which
screen readers speak and which is as wide as the plus.
"""

from __future__ import annotations

import math
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal

from services.domain import time_words
from services.domain.clock import IST, ist_date

MISSING = "–"
MINUS = "\N{MINUS SIGN}"
NARROW_SPACE = "\N{NARROW NO-BREAK SPACE}"

Number = int | float | Decimal
BY_WEEKDAY = 6
"""Days within which a weekday alone names a day."""
_LAKH = Decimal(100_000)
_CRORE = Decimal(10_000_000)
_LAKH_CRORE = Decimal(1_000_000_000_000)


def number(value: Number | None, decimals: int = 2) -> str:
    """`value` in Indian grouping with that many decimals: 1,23,456.78."""
    amount = _exact(value)
    if amount is None:
        return MISSING
    amount = amount.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
    whole, _, fraction = f"{abs(amount):f}".partition(".")
    sign = MINUS if amount < 0 else ""
    return f"{sign}{_grouped(whole)}{'.' + fraction if fraction else ''}"


def rupees(value: Number | None, decimals: int = 2) -> str:
    """An amount of money: ₹1,23,456.78, −₹50.00."""
    text = number(value, decimals)
    if text == MISSING:
        return text
    return f"{MINUS}₹{text[1:]}" if text.startswith(MINUS) else f"₹{text}"


def quantity(value: Number | None) -> str:
    """A number of units: 12,34,567."""
    return number(value, 0)


def short(value: Number | None) -> str:
    """A large number in lakh and crore: 98,765 · 1.23 L · 4.57 Cr · 1.20 L Cr."""
    amount = _exact(value)
    if amount is None:
        return MISSING
    size = abs(amount)
    for unit, name in ((_LAKH_CRORE, "L Cr"), (_CRORE, "Cr"), (_LAKH, "L")):
        if size >= unit:
            return f"{number(amount / unit)}{NARROW_SPACE}{name}"
    return number(amount, 0 if amount == amount.to_integral_value() else 2)


def short_rupees(value: Number | None) -> str:
    """Money in lakh and crore: ₹1.23 Cr."""
    text = short(value)
    if text == MISSING:
        return text
    return f"{MINUS}₹{text[1:]}" if text.startswith(MINUS) else f"₹{text}"


def signed(value: Number | None, decimals: int = 2) -> str:
    """A change, always with its sign, except zero: +1.25, −3.40, 0.00."""
    text = number(value, decimals)
    if text == MISSING or text.startswith(MINUS):
        return text
    return f"+{text}" if text.strip("0.,") else text


def percent(value: Number | None, decimals: int = 2) -> str:
    """A change in percent (0.42 means 0.42 %): +0.42%."""
    text = signed(value, decimals)
    return text if text == MISSING else f"{text}%"


def arrow(value: Number | None) -> str:
    """The direction of a change, so that colour is never the only signal."""
    amount = _exact(value)
    if amount is None:
        return ""
    return "▲" if amount > 0 else "▼" if amount < 0 else "="


def duration(seconds: float | None) -> str:
    """A length of time in its one or two largest units: 3 s, 2 min 05 s, 1 h 05 min, 3 d 4 h."""
    if seconds is None or not math.isfinite(seconds):
        return MISSING
    return time_words.duration(seconds)


def age(seconds: float | None) -> str:
    """How old something is, in its largest unit: 0 s, 59 s, 2 min, 3 h, 4 d."""
    if seconds is None or not math.isfinite(seconds):
        return MISSING
    whole = int(max(seconds, 0))
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if whole >= size:
            return f"{whole // size} {unit}"
    return f"{whole} s"


def ist_time(instant: datetime | None, *, seconds: bool = True) -> str:
    """The time of day in India: 14:05:33."""
    if instant is None:
        return MISSING
    return instant.astimezone(IST).strftime("%H:%M:%S" if seconds else "%H:%M")


def ist_moment(instant: datetime | None) -> str:
    """Date and time in India, said to be so: 21 Nov 2026, 14:05 IST."""
    return MISSING if instant is None else instant.astimezone(IST).strftime("%d %b %Y, %H:%M IST")


def ist_when(instant: datetime | None, now: datetime, *, seconds: bool = False) -> str:
    """The time alone if it is today in India, with weekday and date otherwise: 14:05 IST, Mon 23 Nov, 09:00 IST."""
    if instant is None:
        return MISSING
    time = f"{ist_time(instant, seconds=seconds)} IST"
    return time if ist_date(now) == ist_date(instant) else f"{instant.astimezone(IST):%a %d %b}, {time}"


def ist_brief(instant: datetime, now: datetime) -> str:
    """As short as it is clear, in the words of the browser's clocks (`madeText`): 14:05, Mon 09:00, 02 Nov 15:29."""
    days = (ist_date(now) - ist_date(instant)).days
    return f"{instant.astimezone(IST):{'%H:%M' if not days else '%a %H:%M' if days < BY_WEEKDAY else '%d %b %H:%M'}}"


def day(value: date | None) -> str:
    """A date: 26 Nov 2026."""
    return MISSING if value is None else f"{value:%d %b %Y}"


def price_decimals(tick: Number | None) -> int:
    """Decimals that a price of this tick size needs: 2, or 4 for ticks below a paisa (currency)."""
    step = _exact(tick)
    return 4 if step is not None and step > 0 and step % Decimal("0.01") else 2


def _exact(value: Number | None) -> Decimal | None:
    """`value` as it would be written, not as its binary float is (2.675 is 2.675)."""
    if value is None:
        return None
    amount = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    return amount if amount.is_finite() else None


def _grouped(digits: str) -> str:
    """Digits with commas after the last three and then after every two."""
    if len(digits) <= 3:
        return digits
    head, tail = digits[:-3], digits[-3:]
    pairs = [head[max(i - 2, 0) : i] for i in range(len(head), 0, -2)][::-1]
    return ",".join([*pairs, tail])


def tick(size: Decimal | None) -> str:
    """A tick size in rupees: `0.10`, or `0.0025` where paise are too coarse."""
    if size is None:
        return MISSING
    plain = f"{size.normalize():f}"
    return f"{size:.2f}" if len(plain.partition(".")[2]) <= 2 else plain
