"""What the order desk tells: outcomes, views of the book, previews, announcements. Values only."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

from services.domain.intents import IntentKind, IntentState
from services.domain.order_records import StoredTrade
from services.domain.orders import BookOrder, OrderRequest
from services.domain.quote_row import QuoteRow

if TYPE_CHECKING:
    from services.domain.gtt import GttOrder
    from services.domain.margins import ChargesEstimate, Margin, SegmentSwitch
    from services.domain.order_checks import Finding
    from services.portfolio.charges.lines import PaiseLines


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one decision. `order_ids` are GTT ids where it was about a GTT."""

    state: IntentState
    intent_id: str
    kind: IntentKind
    tag: str = ""
    order_ids: tuple[str, ...] = ()
    code: str = ""
    """The broker's code where it refused."""
    reason: str = ""
    """In plain words; empty when all is well."""
    repeated: bool = False
    """This decision was carried out before: nothing was sent now, and this is what came of it then."""

    @property
    def accepted(self) -> bool:
        return self.state is IntentState.ACCEPTED

    @property
    def open(self) -> bool:
        """Is it not known yet what became of it?"""
        return self.state.is_open


@dataclass(frozen=True, slots=True)
class BasketLeg:
    """One order of a basket, and what became of it."""

    request: OrderRequest
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class BasketOutcome:
    """What became of orders that were confirmed together; each is a decision of its own."""

    intent_id: str
    legs: tuple[BasketLeg, ...]
    repeated: bool = False

    @property
    def accepted(self) -> int:
        return sum(leg.outcome.accepted for leg in self.legs)

    @property
    def open(self) -> bool:
        return any(leg.outcome.open for leg in self.legs)

    @property
    def text(self) -> str:
        """All of it in one sentence; "all" only where it is all."""
        return _counted(self.accepted, len(self.legs), sum(leg.outcome.open for leg in self.legs), "order", "accepted")


@dataclass(frozen=True, slots=True)
class BulkLine:
    """One order or position that a bulk call was about."""

    name: str
    """Order id, or instrument key where the broker names nothing else."""
    state: IntentState
    code: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class BulkOutcome:
    """What became of a call that is about many orders or positions, line by line."""

    state: IntentState
    """Of the whole: ACCEPTED where every line was, UNKNOWN where any is unknown."""
    intent_id: str
    kind: IntentKind
    lines: tuple[BulkLine, ...] = ()
    code: str = ""
    reason: str = ""
    """Of the call as a whole, where it failed as a whole."""
    repeated: bool = False

    @property
    def accepted(self) -> int:
        return sum(line.state is IntentState.ACCEPTED for line in self.lines)

    @property
    def open(self) -> bool:
        return self.state.is_open or any(line.state.is_open for line in self.lines)

    @property
    def text(self) -> str:
        """All of it in one sentence; "all" only where it is all."""
        if not self.lines:
            return self.reason or "there was nothing to do"
        noun, done = ("position", "sent to be closed") if self.kind is IntentKind.EXIT_ALL else ("order", "cancelled")
        return _counted(self.accepted, len(self.lines), sum(line.state.is_open for line in self.lines), noun, done)


def _counted(done: int, all_of_them: int, unknown: int, noun: str, word: str) -> str:
    plural = noun if all_of_them == 1 else f"{noun}s"
    if done == all_of_them:
        return f"{'all ' if done > 1 else ''}{done} {plural} {word}"
    text = f"{done} of {all_of_them} {plural} {word}"
    return f"{text}, of {unknown} it is not known yet" if unknown else text


@dataclass(frozen=True, slots=True)
class BookView:
    """The orders of the day, the newest first, as they are known now."""

    orders: tuple[BookOrder, ...]
    as_of: datetime | None
    """When the broker told the whole book last; `None`: not yet since this process began."""
    error: str | None
    """Why it could not be read since."""
    live: bool
    """Does the order stream tell each change as it happens?"""
    version: int
    """Rises with every real change."""


@dataclass(frozen=True, slots=True)
class TradesView:
    """The fills of the day, the newest first."""

    trades: tuple[StoredTrade, ...]
    as_of: datetime | None
    error: str | None


@dataclass(frozen=True, slots=True)
class GttView:
    """The GTT orders as the broker listed them last."""

    gtts: tuple[GttOrder, ...]
    as_of: datetime | None
    error: str | None


@dataclass(frozen=True, slots=True)
class SwitchesView:
    """The broker's own kill switch, segment by segment, as told last."""

    segments: tuple[SegmentSwitch, ...]
    as_of: datetime | None
    error: str | None


@dataclass(frozen=True, slots=True)
class Figure:
    """An amount that the broker tells. Neither value nor error: it is being asked."""

    value: Decimal | None = None
    error: str | None = None
    at: datetime | None = None

    @property
    def asked(self) -> bool:
        """Is it on its way?"""
        return self.value is None and self.error is None


@dataclass(frozen=True, slots=True)
class Preview:
    """What an order would be, before it is sent. Amounts in rupees, `None` = cannot be told."""

    request: OrderRequest
    sentence: str
    """The order in words."""
    findings: tuple[Finding, ...]
    """What stands against it now, in the order of the checks; some only warn."""
    value: Decimal | None
    worst_price: Decimal | None
    """The worst price that it may be filled at by its own limit, protection or the depth shown."""
    quote: QuoteRow | None
    """The quote that the checks went by, with its age, source and depth."""
    margin: Figure
    charges: Figure
    available: Figure
    margin_detail: Margin | None = None
    charges_detail: ChargesEstimate | None = None
    own_charges: Figure = Figure()
    """Our estimate, line by line to the paisa; the broker's stands beside it."""
    own_detail: PaiseLines | None = None

    @property
    def blocked(self) -> bool:
        return any(finding.blocks for finding in self.findings)


@dataclass(frozen=True, slots=True)
class BasketPreview:
    """What a basket would be: each order for itself, and the margin of all of them together."""

    legs: tuple[Preview, ...]
    value: Decimal | None
    margin: Figure
    charges: Figure
    available: Figure
    own_charges: Figure = Figure()

    @property
    def blocked(self) -> bool:
        return any(leg.blocked for leg in self.legs)


@dataclass(frozen=True, slots=True)
class OpenIntent:
    """A decision whose fate is not known, in words."""

    intent_id: str
    kind: IntentKind
    text: str
    """What was to be done."""
    tag: str
    since: datetime
    state: IntentState
    looks: int
    """How often the broker's books were looked through for it."""
    next_look_at: datetime | None
    may_send_anew: bool
    """Enough looks have found nothing: a person may decide that it never arrived, and send anew as a new decision."""
    evidence: str = ""
    """What the books say so far, for a person to decide by."""
    request: OrderRequest | None = None
    """The order, where it was about placing one."""
    candidates: tuple[str, ...] = ()
    """Orders or GTTs that may be what came of it."""


class News(StrEnum):
    """What is announced."""

    FILL = "fill"
    REJECT = "reject"
    CANCEL = "cancel"
    UNKNOWN = "unknown"
    FOUND = "found"
    ALERT = "alert"
    """Not of an order: the desk's alerts go this way too."""


@dataclass(frozen=True, slots=True)
class Announcement:
    """Something that everybody at this desk should hear of, whatever page they look at."""

    number: int
    """Rises for the life of the process."""
    at: datetime
    kind: News
    text: str
    order_id: str = ""
    intent_id: str = ""
    good: bool = field(default=True)
    """False: it calls for somebody's attention."""
