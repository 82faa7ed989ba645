"""What one order line blocks: a plain, stated model, since the clearing corporations' SPAN files are not public data.

Shares: the whole value for delivery, a fifth for intraday, the master's bracket for margin funding. Bought options:
the premium. Futures and sold options: a fixed percentage of the contract's (for options: the underlying's) value as
SPAN and as exposure, by asset. The figures are those an Indian broker shows in a calm market; they are practice
figures, and only their order of magnitude is a promise.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from services.paper.trading.charges import turnover

_INTRADAY = Decimal(20)
_USUAL_BRACKET = Decimal(40)
_SPAN_EXPOSURE: Mapping[str, tuple[str, str]] = {
    "INDEX": ("10", "2"),
    "EQUITY": ("16", "3.5"),
    "CUR": ("2", "1"),
    "IRD": ("1.5", "1"),
    "COM": ("8", "1.5"),
}
"""Percent of the value, by `underlying_type`."""


@dataclass(frozen=True, slots=True)
class LineMargin:
    """The members of one line, in paise."""

    span: int = 0
    exposure: int = 0
    equity: int = 0
    net_buy_premium: int = 0
    additional: int = 0
    tender: int = 0

    @property
    def total_paise(self) -> int:
        return self.span + self.exposure + self.equity + self.net_buy_premium + self.additional + self.tender


def line_margin(
    row: Mapping[str, object], *, buys: bool, product: str, quantity: int, price: Decimal, spot: Decimal
) -> LineMargin:
    """What a new line needs by itself. `price` and `spot` (of the underlying; only sold options look at it) in rupees.

    A delivery sale blocks nothing: it delivers shares that are held, which whoever takes the order has to see to.
    """
    paise = turnover(row, quantity, price) * 100
    if str(row["segment"]).endswith("_EQ"):
        if product == "D":
            return LineMargin(equity=_rounded(paise) if buys else 0)
        percent = Decimal(str(row.get("mtf_bracket") or _USUAL_BRACKET)) if product == "MTF" else _INTRADAY
        return LineMargin(equity=_percent(paise, percent))
    if row.get("instrument_type") in {"CE", "PE"}:
        if buys:
            return LineMargin(net_buy_premium=_rounded(paise))
        paise = turnover(row, quantity, spot) * 100
    span, exposure = _SPAN_EXPOSURE[str(row.get("underlying_type", "EQUITY"))]
    return LineMargin(span=_percent(paise, Decimal(span)), exposure=_percent(paise, Decimal(exposure)))


@dataclass(frozen=True, slots=True)
class BasketLine:
    """One line of a margin call that already has its own margin."""

    row: Mapping[str, object]
    buys: bool
    quantity: int
    margin: LineMargin


def hedge_benefit(lines: Iterable[BasketLine]) -> int:
    """Paise that lines save by hedging each other: of one underlying, lines that lose when it rises and lines that lose
    when it falls cannot both lose, so SPAN is owed for the dearer side only. Bought options, which owe no SPAN, free
    the sold ones up to their own quantity, of the same kind and not expiring before them."""
    saved = 0
    by_underlying: dict[str, list[BasketLine]] = {}
    for line in lines:
        under = str(line.row.get("underlying_key", ""))
        if under:
            by_underlying.setdefault(under, []).append(line)
    for family in by_underlying.values():
        rising, falling = Decimal(0), Decimal(0)
        cover = [_Cover(line, line.quantity) for line in family if line.buys and _option(line)]
        for line in family:
            span = Decimal(line.margin.span)
            if not span:
                continue
            covered = _covered(line, cover) if _option(line) else 0
            freed = span * covered / line.quantity * Decimal("0.8")
            saved += _rounded(freed)
            if _loses_when_rising(line):
                rising += span - freed
            else:
                falling += span - freed
        saved += _rounded(min(rising, falling))
    return saved


@dataclass(slots=True)
class _Cover:
    """A bought option and how much of it covers nothing yet."""

    line: BasketLine
    free: int


def _covered(sold: BasketLine, cover: list[_Cover]) -> int:
    """How much of a sold option the bought ones cover; what is used up covers nothing else."""
    left = sold.quantity
    for held in cover:
        same = held.line.row.get("instrument_type") == sold.row.get("instrument_type")
        if same and _expiry(held.line) >= _expiry(sold):
            used = min(left, held.free)
            held.free -= used
            left -= used
    return sold.quantity - left


def _expiry(line: BasketLine) -> int:
    return int(str(line.row.get("expiry") or 0))


def _option(line: BasketLine) -> bool:
    return line.row.get("instrument_type") in {"CE", "PE"}


def _loses_when_rising(line: BasketLine) -> bool:
    """Sold futures and calls, bought puts (which owe nothing), against bought futures and sold puts."""
    if line.row.get("instrument_type") == "PE":
        return line.buys
    return not line.buys


def _percent(paise: Decimal, percent: Decimal) -> int:
    return _rounded(paise * percent / 100)


def _rounded(paise: Decimal) -> int:
    return int(paise.quantize(Decimal(1), ROUND_HALF_UP))
