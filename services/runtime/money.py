"""Profit and loss: the last parts, over all the others."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from services.alerts.desk import AlertDesk
from services.domain.calendar.days import DayKind
from services.domain.phases import Market
from services.ledger.pnl_reports import PnlReports
from services.ledger.told_trades import ToldTrades
from services.ledger.trade_charges import TradeCharges
from services.parts import busy_part, part
from services.pnl.actions import Actions
from services.pnl.asking import TradeSource
from services.pnl.book import PnlBook
from services.pnl.building import Builder
from services.pnl.daily_check import DailyCheck
from services.pnl.imports import Imports
from services.pnl.journal import Journal
from services.pnl.prices import BrokerBook, BrokerHolds, Prices
from services.pnl.reports import BrokerReports
from services.portfolio_book.marks import MarkedHolding, MarkedPosition
from services.runtime.alerts import alert_desk_of
from services.runtime.orders import OrdersRuntime
from services.settings import Mode
from services.transport.pnl_api import PnlApi

_DAY = timedelta(days=1)


class Runtime(OrdersRuntime):
    """Everything that the desk is made of. `with Runtime(settings) as rt:` or `get_runtime()`."""

    @part
    def pnl_api(self) -> PnlApi:
        """The broker's report of realised gains."""
        return PnlApi(self.api.caller)

    @part
    def told_trades(self) -> ToldTrades:
        """All fills of the ledger at once."""
        return ToldTrades(self.ledger)

    @part
    def imports(self) -> Imports:
        """Imported files."""
        return Imports(
            self.ledger,
            self.clock,
            account=lambda: self.pnl.account,
            known=lambda: self.pnl.known(),
            changed=self._books_changed,
        )

    @part
    def journal(self) -> Journal:
        """What was written about closed trades."""
        return Journal(self.ledger, self.clock)

    @part
    def corporate_actions(self) -> Actions:
        """Splits, bonuses, renames, demergers and settlement prices that somebody entered."""
        return Actions(self.ledger, self.clock, changed=self._books_changed)

    @part
    def broker_reports(self) -> BrokerReports:
        """What the broker's own report says, kept."""
        return BrokerReports(source=self.pnl_api, store=PnlReports(self.ledger, self.clock), clock=self.clock)

    @part
    def trade_charges(self) -> TradeCharges:
        """What each trade cost, as it was computed last."""
        return TradeCharges(self.ledger, self.clock)

    @busy_part
    def pnl(self) -> PnlBook:
        """Profit and loss. Nothing is asked before somebody reads it."""
        marks = self.account_marks.history if self.settings.mode is Mode.PAPER else None
        api = self.order_api
        return PnlBook(
            builder=Builder(
                trades=self.told_trades,
                imports=self.imports,
                actions=self.corporate_actions,
                rates=self.charge_rates,
                find=self.instruments.find,
                marks=marks,
                name_of=self.account_name,
                clock=self.clock,
            ),
            source=TradeSource(
                today=api.trades, past=api.past_trades, keep=self.trade_records, told=self.told_trades, clock=self.clock
            ),
            reports=self.broker_reports,
            prices=Prices(quotes=lambda: self.quotes, held=self._broker_book, find=self.instruments.find),
            imports=self.imports,
            journal=self.journal,
            actions=self.corporate_actions,
            rates=self.charge_rates,
            clock=self.clock,
            account=self.account_name,
            trading_days=self._trading_days,
            told_at=self._trades_told_at,
        )

    @busy_part
    def pnl_check(self) -> DailyCheck:
        """The book beside the broker's report, once a day."""
        return DailyCheck(lambda: self.pnl, lambda: self.clock)

    @busy_part
    def alert_desk(self) -> AlertDesk:
        """What a person must be told, and whom. Looks after its `start`."""
        return alert_desk_of(self, lambda: self.pnl_check.differences())

    def _books_changed(self) -> None:
        if self.built("pnl"):
            self.pnl.changed()

    def _trades_told_at(self) -> datetime | None:
        return self.orders.trades().as_of if self.built("orders") else None

    def _trading_days(self, first: date, last: date) -> Sequence[date] | None:
        """Days with a session on NSE; `None` where one of them was not published."""
        calendar, days = self.calendar.current, []
        while first <= last:
            kind = calendar.day(Market.NSE, first).kind
            if kind is DayKind.UNKNOWN:
                return None
            if kind in {DayKind.TRADING, DayKind.SPECIAL, DayKind.PARTIAL}:
                days.append(first)
            first += _DAY
        return days

    def _broker_book(self) -> BrokerBook:
        """What the broker told last of holdings and positions."""
        positions, holdings = self.portfolio.positions(), self.portfolio.holdings()
        told = [at for at in (positions.as_of, holdings.as_of) if at is not None]
        errors = [str(one.error) for one in (positions, holdings) if one.error is not None and one.as_of is None]
        return BrokerBook(
            (*map(_holding, holdings.rows), *map(_position, positions.rows)),
            min(told) if len(told) == 2 else None,
            errors[0] if errors else "",
        )


def _holding(row: MarkedHolding) -> BrokerHolds:
    one = row.holding
    return BrokerHolds(
        one.key, one.isin, one.symbol, one.product, one.quantity, one.t1_quantity, one.average_price, row.price.ltp,
        row.price.told_by.value, row.price.at, one.close_price, None, is_position=False,
    )  # fmt: skip


def _position(row: MarkedPosition) -> BrokerHolds:
    one = row.position
    return BrokerHolds(
        one.key, "", one.symbol, one.product, one.quantity, 0, row.average, row.price.ltp, row.price.told_by.value,
        row.price.at, one.close_price, row.pnl, is_position=True, day_bought=one.day_buy_quantity,
        day_sold=one.day_sell_quantity,
    )  # fmt: skip
