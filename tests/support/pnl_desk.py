"""The desk's `PnlBook` over a real ledger and a broker in memory that a test fills, breaks and counts questions of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from services.domain.errors import UpstoxError
from services.domain.instruments import Instrument
from services.domain.orders import PastTrade, Side, Trade
from services.domain.paper_accounts import AccountMark
from services.domain.pnl_reports import BrokerCharges, ReportPeriod, ReportRow
from services.ledger.pnl_reports import PnlReports
from services.ledger.told_trades import ToldTrades
from services.ledger.trade_charges import TradeCharges
from services.ledger.trades import Trades
from services.pnl.actions import Actions
from services.pnl.asking import TradeSource
from services.pnl.book import PnlBook
from services.pnl.building import Builder
from services.pnl.imports import Imports
from services.pnl.journal import Journal
from services.pnl.prices import BrokerBook, BrokerHolds, Prices
from services.pnl.rates import ChargeRates
from services.pnl.reports import BrokerReports
from tests.support.clocks import FakeClock
from tests.support.ledger import new_ledger
from tests.support.orders import a_share, an_option

NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
"""13:30 in India, a Friday."""
TODAY = date(2026, 11, 20)
RELIANCE, INFY = "NSE_EQ|INE002A01018", "NSE_EQ|INE009A01021"
CALL = "NSE_FO|56983"
NO_CHARGES = BrokerCharges(*(Decimal(0) for _ in range(11)))


def traded(
    trade_id: str, side: str, quantity: int, price: str, *, minute: int = 0, order_id: str = "", key: str = RELIANCE,
    symbol: str = "RELIANCE", product: str = "D", day: date = TODAY,
) -> Trade:  # fmt: skip
    """A fill of a day, 10:00 in India and so many minutes."""
    at = datetime(day.year, day.month, day.day, 4, 30, tzinfo=UTC).replace(minute=30 + minute % 30)
    return Trade(
        trade_id, order_id or f"2611200000{trade_id}", key, Side(side), quantity, Decimal(price), product, "NSE",
        symbol, traded_at=at,
    )  # fmt: skip


def past(
    trade_id: str, side: str, quantity: int, price: str, day: str, *, key: str = RELIANCE, segment: str = "EQ",
    symbol: str = "RELIANCE", isin: str = "INE002A01018", option_type: str = "", strike: str = "", expiry: str = "",
    multiplier: int = 1, exchange: str = "NSE",
) -> PastTrade:  # fmt: skip
    """A fill of an earlier day as the broker's history tells it."""
    amount = Decimal(price) * quantity * multiplier
    return PastTrade(
        trade_id, key, segment, exchange, Side(side), quantity, Decimal(price), amount, day, symbol, symbol, isin,
        option_type, strike, expiry,
    )  # fmt: skip


def row(bought: str, sold: str, gain: str, *, isin: str = "INE002A01018") -> ReportRow:
    """One row of the broker's report: 10 units bought for 1000 rupees."""
    return ReportRow(
        Decimal(10), isin, "RELIANCE INDUSTRIES LTD", "EQ", date.fromisoformat(bought), Decimal(100),
        date.fromisoformat(sold), Decimal(100), Decimal(1000), Decimal(1000) + Decimal(gain),
    )  # fmt: skip


def _a_call() -> Instrument:
    return an_option(
        symbol="NIFTY 26000 CE 24 NOV 26", expiry=date(2026, 11, 24), strike=Decimal(26_000), underlying_symbol="NIFTY"
    )


@dataclass
class FakeBroker:
    """What it tells, and what it was asked."""

    today: list[Trade] = field(default_factory=list)
    history: list[PastTrade] = field(default_factory=list)
    rows: dict[str, list[ReportRow]] = field(default_factory=dict)
    charged: dict[str, BrokerCharges] = field(default_factory=dict)
    holds: tuple[BrokerHolds, ...] = ()
    holds_at: datetime | None = NOW
    down: UpstoxError | None = None
    broken: Callable[[ReportPeriod], UpstoxError | None] = lambda period: None
    asked: list[Any] = field(default_factory=list)  # Any: names, spans, periods

    def trades(self) -> Sequence[Trade]:
        self.asked.append("today")
        self._answer()
        return self.today

    def past(self, first: date, last: date) -> Sequence[PastTrade]:
        self.asked.append((first, last))
        self._answer()
        return [one for one in self.history if first.isoformat() <= one.traded_on <= last.isoformat()]

    def report(self, period: ReportPeriod) -> tuple[int, list[ReportRow]]:
        self.asked.append(period)
        self._answer(period)
        own = [
            one for one in self.rows.get(period.segment, []) if period.first <= (one.closed or date.min) <= period.last
        ]
        return len(own), own

    def charges(self, period: ReportPeriod) -> BrokerCharges:
        self._answer(period)
        return self.charged.get(period.segment, NO_CHARGES)

    def held(self) -> BrokerBook:
        return BrokerBook(self.holds, self.holds_at)

    def _answer(self, period: ReportPeriod | None = None) -> None:
        error = self.down or (None if period is None else self.broken(period))
        if error is not None:
            raise error


class NoQuotes:
    """Quotes that a test sets, by key."""

    def __init__(self) -> None:
        self.rows: dict[str, Mapping[str, Any]] = {}  # Any: a quote's members
        self.watched: set[str] = set()

    def last_known(self, keys: Any) -> Mapping[str, Any]:
        return {key: self.rows[key] for key in keys if key in self.rows}

    def watch(self, holder: str, keys: Any, seconds: float) -> None:
        self.watched |= set(keys)

    def tell(self, key: str, ltp: float, close: float | None = None) -> None:
        self.rows[key] = {"ltp": ltp, "prev_close": close, "received_at": NOW, "api_version": "v3"}


class PnlDesk:
    """Everything around one `book`. `accounts`: the marks of a paper broker; `None`: one account for ever."""

    def __init__(self, folder: Path, *, accounts: Sequence[AccountMark] | None = None) -> None:
        self.clock, self.broker, self.quotes = FakeClock(NOW), FakeBroker(), NoQuotes()
        self.ledger = new_ledger(folder)
        self.account = "AB1234" if accounts is None else f"AB1234/{accounts[-1].number}"
        self.accounts = None if accounts is None else list(accounts)
        self.instruments: dict[str, Instrument] = {one.key: one for one in (a_share(), _a_call())}
        self.trades = Trades(self.ledger, self.clock)
        self.told = ToldTrades(self.ledger)
        self.trade_charges = TradeCharges(self.ledger, self.clock)
        self.imports = Imports(
            self.ledger, self.clock, account=lambda: self.account, known=lambda: self.book.known(), changed=self.changed
        )
        self.actions = Actions(self.ledger, self.clock, changed=self.changed)
        self.rates = ChargeRates(self.ledger, self.clock, changed=self.changed)
        self.journal = Journal(self.ledger, self.clock)
        self.reports = BrokerReports(source=self.broker, store=PnlReports(self.ledger, self.clock), clock=self.clock)
        self.book = PnlBook(
            builder=Builder(
                trades=self.told,
                imports=self.imports,
                actions=self.actions,
                rates=self.rates,
                find=self.instruments.get,
                marks=None if self.accounts is None else lambda: self.accounts or [],
                name_of=lambda number: f"AB1234/{number}",
                clock=self.clock,
            ),
            source=TradeSource(
                today=self.broker.trades, past=self.broker.past, keep=self.trades, told=self.told, clock=self.clock
            ),
            reports=self.reports,
            prices=Prices(quotes=lambda: self.quotes, held=self.broker.held, find=self.instruments.get),
            imports=self.imports,
            journal=self.journal,
            actions=self.actions,
            rates=self.rates,
            clock=self.clock,
            account=lambda: self.account,
        )

    def changed(self) -> None:
        self.book.changed()

    def runtime(self) -> Any:  # Any: what `PortfolioServicesV3` needs of a runtime
        return SimpleNamespace(
            clock=self.clock,
            login=SimpleNamespace(token=lambda: None),
            pnl=self.book,
            broker_reports=self.reports,
            trade_charges=self.trade_charges,
            portfolio=SimpleNamespace(first_answers=lambda wait: None),
        )

    def close(self) -> None:
        self.book.close()
        self.ledger.close()
