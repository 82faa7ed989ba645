"""Our charges beside somebody else's, line by line, and the likely cause of each difference. Nothing is bent to fit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial

from services.portfolio.charges.columns import charge_columns
from services.portfolio.charges.kinds import LINES, Kind, Line
from services.portfolio.charges.lines import PaiseLines
from services.portfolio.charges.plan import PLUS_PLAN, STANDARD_PLAN, Plan
from services.portfolio.charges.table import STANDARD, RateTable
from services.portfolio.costs import Costs
from services.portfolio.lots.fills import Flags, day_of
from services.portfolio.money import half_up

RUPEE = 100
BY_ORDER = "paise, rounded order by order"


class Cause(StrEnum):
    """Why two figures of one line may differ."""

    NONE = "they agree"
    ROUNDING = "rounding"
    RATE_DATE = "the rate of another day"
    DEPOSITORY = "depository charge"
    PLAN = "another brokerage plan"
    GST_BASE = "what GST is taken of"
    NOT_TOLD = "not told"
    FOLLOWS = "follows from another line"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Difference:
    """One line. Paise; `theirs=None`: they do not name it."""

    line: Line
    ours: int
    theirs: int | None
    cause: Cause
    words: str

    @property
    def off_by(self) -> int | None:
        return None if self.theirs is None else self.ours - self.theirs


def reconcile(
    ours: PaiseLines,
    theirs: Mapping[Line, int | None],
    *,
    notes: int = 1,
    orders: int = 1,
    plan: Plan = STANDARD_PLAN,
    others: Mapping[str, tuple[Cause, PaiseLines]] | None = None,
) -> list[Difference]:
    """Line by line. Where they name no IPFT it stands in their exchange charge, and is compared with that.

    `notes`, `orders`: how many figures were rounded on the way. `others`: what ours would be under another assumption,
    by its words (`assumptions`); the first that gives their figure is told as the cause.
    """
    told = dict(theirs)
    if told.get(Line.IPFT) is None and told.get(Line.EXCHANGE) is not None:
        ours = replace(ours, exchange=ours.exchange + ours.ipft, ipft=0)
        others = {
            words: (cause, replace(lines, exchange=lines.exchange + lines.ipft, ipft=0))
            for words, (cause, lines) in (others or {}).items()
        }
    found: list[Difference] = []
    for line in LINES:
        own, other = ours.of(line), told.get(line)
        if line is Line.IPFT and other is None and own == 0:
            continue
        cause, words = _cause(line, own, other, ours, told, notes, orders, plan, others or {})
        found.append(Difference(line, own, other, cause, words))
    return found


def assumptions(
    costs: Costs,
    *,
    rates: RateTable = STANDARD,
    plan: Plan = STANDARD_PLAN,
    only: Flags | None = None,
    ours: PaiseLines | None = None,
) -> dict[str, tuple[Cause, PaiseLines]]:
    """What the same trades (of the fills in `only`, or all) would cost if something else held: another plan, GST of
    another base, no depository charge, or the rates of the day before a change that lies within the trades' days or
    shortly before them. `ours`: what they cost as it was booked, so that what an assumption changes is told beside
    that, whatever was rounded on the way."""
    trades = costs.columns.trades
    if only is not None:
        trades = trades.take(only[costs.place])

    def lines_of(rates: RateTable, plan: Plan) -> PaiseLines:
        total = PaiseLines()
        for note in charge_columns(trades, rates=rates, plan=plan).notes():
            total += note
        return total

    tried: dict[str, tuple[Cause, Callable[[], PaiseLines]]] = {}
    if len(trades) == 0:
        return {}
    options = (Kind.OPTION, Kind.CURRENCY_OPTION, Kind.COMMODITY_OPTION)
    plus = replace(plan, brokerage={**plan.brokerage, **{kind: PLUS_PLAN.brokerage[kind] for kind in options}})
    tried[f"as the plan {PLUS_PLAN.name} takes it"] = (Cause.PLAN, partial(lines_of, rates, plus))
    sebi = replace(plan, gst_on_sebi=not plan.gst_on_sebi)
    tried[f"GST {'with' if sebi.gst_on_sebi else 'without'} the SEBI fee"] = (
        Cause.GST_BASE, partial(lines_of, rates, sebi),
    )  # fmt: skip
    dp = replace(plan, gst_on_dp=not plan.gst_on_dp)
    tried[f"GST {'with' if dp.gst_on_dp else 'without'} the depository charge"] = (
        Cause.GST_BASE, partial(lines_of, rates, dp),
    )  # fmt: skip
    last = day_of(int(trades.day.max()))
    for change in rates.changes[1:]:
        if change <= last:
            table = RateTable(rate for rate in rates.rates if rate.since != change)
            tried[f"at the rates of before {change:%Y-%m-%d}"] = (Cause.RATE_DATE, partial(lines_of, table, plan))
    rounded = PaiseLines() if ours is None else ours - lines_of(rates, plan)
    return {words: (cause, compute() + rounded) for words, (cause, compute) in tried.items()}


def _cause(
    line: Line,
    own: int,
    other: int | None,
    ours: PaiseLines,
    theirs: Mapping[Line, int | None],
    notes: int,
    orders: int,
    plan: Plan,
    others: Mapping[str, tuple[Cause, PaiseLines]],
) -> tuple[Cause, str]:
    if other is None:
        return (Cause.NONE, "") if own == 0 else (Cause.NOT_TOLD, "they do not name this line")
    if own == other:
        return Cause.NONE, ""
    gap = abs(own - other)
    if gap <= min(notes, orders):
        return Cause.ROUNDING, "paise, rounded note by note"
    for words, (cause, lines) in others.items():
        if lines.of(line) != own and abs(lines.of(line) - other) < notes:
            return cause, words
    if line in {Line.STT, Line.STAMP} and gap <= RUPEE * notes // 2:
        return Cause.ROUNDING, "on a note it is rounded to the rupee"
    if gap <= max(1, orders // 2):
        return Cause.ROUNDING, BY_ORDER
    if line is Line.DP:
        return Cause.DEPOSITORY, "another charge for each scrip and day, or sales that they do not count"
    if line is Line.GST and abs(other - _gst_of(theirs, plan)) <= max(1, notes):
        return Cause.FOLLOWS, f"it is {plan.gst_percent}% of their own lines, which differ from ours"
    if line is Line.BROKERAGE:
        return Cause.PLAN, "the plan, or how many orders were executed"
    return Cause.UNKNOWN, "no cause found"


def _gst_of(theirs: Mapping[Line, int | None], plan: Plan) -> int:
    taxed = [Line.BROKERAGE, Line.EXCHANGE, Line.IPFT, Line.CLEARING]
    taxed += [Line.SEBI] if plan.gst_on_sebi else []
    taxed += [Line.DP] if plan.gst_on_dp else []
    return half_up(sum(theirs.get(line) or 0 for line in taxed) * int(plan.gst_percent), 100)
