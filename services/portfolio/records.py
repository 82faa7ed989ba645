"""What people enter or bring along for the P&L, as values: imported files, notes on trades, corporate actions,
settlement prices, and their own rates. Each carries who entered it and when."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from services.domain.actors import Actor
from services.domain.errors import InvalidRequest
from services.domain.orders import Side
from services.portfolio.charges.kinds import Group, Kind, Line, Rate
from services.portfolio.charges.lines import PaiseLines
from services.portfolio.charges.plan import PLUS_PLAN, STANDARD_PLAN, Brokerage, Fee, Plan
from services.portfolio.charges.table import RateTable
from services.portfolio.lots.actions import Action
from services.portfolio.readers.contract_notes import NoteTotals

PLANS: dict[str, Plan] = {plan.name: plan for plan in (STANDARD_PLAN, PLUS_PLAN)}
"""The plans one can begin with, by name."""


class FileKind(StrEnum):
    """What a file tells of."""

    TRADES = "trades"
    NOTES = "contract-note totals"


@dataclass(frozen=True, slots=True)
class ImportedFile:
    """One file whose rows are in the ledger."""

    id: int
    kind: FileKind
    account: str
    """Whose rows they are; empty: the file names the account in each row (our own tradebook)."""
    name: str
    source: str
    """Whose file it is, in words: "Zerodha tradebook"."""
    digest: str
    """SHA-256 of its bytes."""
    size: int
    taken: int
    refused: int
    symbols: int
    first: date | None
    """The first and the last day it tells of; `None` where no row is dated."""
    last: date | None
    actor: Actor
    imported_at: datetime


@dataclass(frozen=True, slots=True)
class StoredNote:
    """The totals of one contract note, and the file it came from."""

    file_id: int
    account: str
    totals: NoteTotals


@dataclass(frozen=True, slots=True)
class JournalNote:
    """What somebody wrote about one closed trade."""

    trade_id: str
    text: str
    tags: tuple[str, ...]
    """Sorted, each once."""
    actor: Actor
    written_at: datetime


@dataclass(frozen=True, slots=True)
class StoredAction:
    """A corporate action that somebody entered."""

    id: int
    action: Action
    note: str
    """Where it is known from, as they wrote it."""
    actor: Actor
    entered_at: datetime


@dataclass(frozen=True, slots=True)
class Settlement:
    """The price at which a contract was settled at its expiry; of an option, what it was worth."""

    instrument: str
    """As `Fill.instrument`: `NSE:NIFTY:2026-11-24:25000:CE`."""
    price: int
    """Ten-thousandths of a rupee."""
    actor: Actor
    entered_at: datetime


class RuleOf(StrEnum):
    """What of a plan somebody set."""

    BROKERAGE = "brokerage"
    DEPOSITORY = "depository charge"
    ASSISTED = "assisted orders"


@dataclass(frozen=True, slots=True)
class RateOverride:
    """A rate that somebody set over the published one."""

    id: int
    rate: Rate
    actor: Actor
    entered_at: datetime


@dataclass(frozen=True, slots=True)
class PlanRule:
    """Brokerage or a fee that somebody set, from a day on: `flat` rupees, or `percent` of the value of an order where
    that is less (brokerage only)."""

    id: int
    of: RuleOf
    kind: Kind | None
    """Of brokerage: for which trades. `None` for fees."""
    since: date
    flat: Decimal
    percent: Decimal | None
    source: str
    actor: Actor
    entered_at: datetime


@dataclass(frozen=True, slots=True)
class PlanChoice:
    """The plan that the account has, before rules of its own. `gst_*`: what GST is taken of."""

    name: str = STANDARD_PLAN.name
    gst_percent: int = int(STANDARD_PLAN.gst_percent)
    gst_on_sebi: bool = STANDARD_PLAN.gst_on_sebi
    gst_on_dp: bool = STANDARD_PLAN.gst_on_dp

    def __post_init__(self) -> None:
        if self.name not in PLANS:
            raise InvalidRequest(f"the plan is one of {', '.join(PLANS)}")
        if not 0 <= self.gst_percent <= 100:
            raise InvalidRequest("GST is 0 to 100 percent")


@dataclass(frozen=True, slots=True)
class RateKey:
    """For which trades a rate holds. Blank `exchange`, `group`, `side`: any."""

    line: Line
    kind: Kind
    exchange: str = ""
    side: Side | None = None
    group: Group = Group.NONE


@dataclass(frozen=True, slots=True)
class ChargeSettings:
    """What charges are computed by now: the published rates and the plan, with what was set over them."""

    rates: RateTable
    plan: Plan
    choice: PlanChoice
    overrides: tuple[RateOverride, ...]
    rules: tuple[PlanRule, ...]
    version: str
    """Equal for equal settings; another as soon as anything differs, whoever changed it."""

    @property
    def published(self) -> bool:
        """Is nothing set over the published rates and the standard plan?"""
        return not self.overrides and not self.rules and self.choice == PlanChoice()


def with_rule(plan: Plan, rule: PlanRule) -> Plan:
    """`plan` with `rule` from its day on, also where the plan changes later: what somebody set comes last."""
    if rule.of is RuleOf.BROKERAGE:
        if rule.kind is None:
            raise InvalidRequest("brokerage is that of one kind of trades")
        return plan.with_brokerage([rule.kind], Brokerage(rule.since, rule.flat, rule.percent, rule.source))
    fee = Fee(rule.since, rule.flat, rule.source)
    if rule.of is RuleOf.DEPOSITORY:
        return replace(plan, depository=(*(old for old in plan.depository if old.since < rule.since), fee))
    return replace(plan, assisted=(*(old for old in plan.assisted if old.since < rule.since), fee))


@dataclass(frozen=True, slots=True)
class TradeCharge:
    """What one trade cost, in paise, and by which settings it was computed."""

    identity: tuple[str, str, date, str, str, str]
    """As `Fill.identity`: account, exchange, day, trade id, instrument, side."""
    symbol: str
    order_id: str
    status: str
    """"computed", or why the amounts are not known, in words."""
    lines: PaiseLines | None
    """`None`: not known."""
    settings: str
    """`ChargeSettings.version`."""
    computed_at: datetime | None = None
