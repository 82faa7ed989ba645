"""The rest of the account in the schema: money, results, alerts, watchlists."""

from __future__ import annotations

from datetime import datetime

import strawberry

from dashboard.graphql_api.account import FIRST_ANSWER_SECONDS
from dashboard.graphql_api.loads import Loads
from dashboard.graphql_api.market import Instrument, require_count
from dashboard.graphql_api.values import Count, Rupees, age, asked, rupees
from services.alerts import Alert as StandingAlert
from services.domain.errors import NotPublished
from services.pnl.views import PnlView
from services.portfolio.money import rupees_of_paise


@strawberry.type(description="Money of the account.")
class Funds:
    available: Rupees
    used: Rupees
    source: str
    as_of: datetime
    age_seconds: float
    problem: str | None = strawberry.field(description="What keeps it from being renewed; null: nothing.")

    @classmethod
    def read(cls, loads: Loads) -> Funds:
        view = loads.runtime.portfolio.funds(wait=FIRST_ANSWER_SECONDS)
        if view.funds is None or view.as_of is None:
            raise view.error or NotPublished("the broker has not told the money yet")
        return cls(
            available=rupees(view.funds.available),
            used=rupees(view.funds.used),
            source=loads.broker,
            as_of=view.as_of,
            age_seconds=age(loads.now, view.as_of),
            problem=None if view.error is None else str(view.error),
        )


@strawberry.type(
    description="Results of the running account over all its trades: first in, first out, charges by the"
    " rates of each day."
)
class Profit:
    view: strawberry.Private[PnlView]
    source: str
    account: str
    as_of: datetime = strawberry.field(description="When the broker told trades last.")
    age_seconds: float
    gross: Rupees = strawberry.field(description="Realised, before charges.")
    charges: Rupees
    net: Rupees
    trades: int
    wins: int = strawberry.field(description="Closed trades that earned something after charges.")
    losses: int
    missing: list[str] = strawberry.field(description="What is not in the figures, and why.")
    building: bool = strawberry.field(description="Are newer trades being counted in just now?")

    @asked("Of what is open.")
    def unrealised(self) -> Rupees | None:
        total = self.view.unrealised_total
        if total.paise is None:
            raise NotPublished(total.why_not or "a price of what is held is not known")
        return rupees(rupees_of_paise(total.paise))

    @classmethod
    def read(cls, loads: Loads) -> Profit:
        view = loads.runtime.pnl.read()
        if view.version == 0 or view.as_of is None:
            raise NotPublished("; ".join(view.missing) or "the trades of this account are not known yet")
        total, figures = view.total, view.statistics
        return cls(
            view=view,
            source="the desk's own book",
            account=view.account,
            as_of=view.as_of,
            age_seconds=age(loads.now, view.as_of),
            gross=rupees(rupees_of_paise(total.gross)),
            charges=rupees(rupees_of_paise(total.charges.total)),
            net=rupees(rupees_of_paise(total.net)),
            trades=figures.trades,
            wins=figures.wins,
            losses=figures.losses,
            missing=list(view.missing),
            building=view.building,
        )


@strawberry.type(description="Something that a person should know of.")
class Alert:
    id: Count
    kind: str
    subject: str
    severity: str
    message: str
    raised_at: datetime
    age_seconds: float
    state: str
    acknowledged_by: str | None

    @classmethod
    def of(cls, told: StandingAlert, now: datetime) -> Alert:
        return cls(
            id=Count(told.id),
            kind=told.kind,
            subject=told.subject,
            severity=told.severity.value,
            message=told.message,
            raised_at=told.raised_at,
            age_seconds=age(now, told.raised_at),
            state=told.life.value,
            acknowledged_by=told.acknowledged_by,
        )


@strawberry.type(description="The alerts that stand now, the newest first.")
class Alerts:
    problem: str | None = strawberry.field(description="Why some of them lie in memory only; null: none does.")
    total: int
    rows: list[Alert]

    @classmethod
    def read(cls, first: int, loads: Loads) -> Alerts:
        standing = loads.runtime.alert_desk.standing()
        rows = [Alert.of(one, loads.now) for one in standing.alerts[:first]]
        return cls(problem=standing.problem, total=len(standing.alerts), rows=rows)


@strawberry.type(description="A named list of instruments.")
class Watchlist:
    keys: strawberry.Private[tuple[str, ...]]
    id: int
    name: str
    total: int = strawberry.field(description="Instruments in it.")

    @asked("In the order of the list.")
    def instruments(self, first: int = 50) -> list[Instrument]:
        return [Instrument(key=key) for key in self.keys[: require_count("first", first)]]
