"""Orders, positions and holdings: the desk's own parts, over the market's."""

from __future__ import annotations

from services.alerts.desk import AlertDesk
from services.domain.accounts import TokenKind
from services.domain.errors import UpstoxError
from services.domain.order_facts import OrderLimits
from services.ledger.account_mark import AccountMarks
from services.ledger.audit import Audit
from services.ledger.conversions import Conversions
from services.ledger.intents import Intents
from services.ledger.order_settings import OrderSettings
from services.ledger.orders import Orders
from services.ledger.trades import Trades
from services.measures.measures import Measures
from services.orders.checking import Held
from services.orders.desk import OrderDesk
from services.paper_account import PaperAccounts
from services.parts import busy_part, part
from services.portfolio_book.book import PortfolioBook
from services.runtime.alerts import alert_desk_of
from services.runtime.market import MarketRuntime
from services.runtime.measuring import sources_of
from services.settings import Mode, Settings
from services.storage.health_history import HealthHistory
from services.transport.order_api import OrderApi


class Runtime(MarketRuntime):
    """Everything that the desk is made of. `with Runtime(settings) as rt:` or `get_runtime()`."""

    @part
    def order_api(self) -> OrderApi:
        """The broker's order, portfolio and charges operations."""
        return OrderApi(self.api.caller)

    @part
    def order_settings(self) -> OrderSettings:
        """Limits and the desk's own kill switch."""
        return OrderSettings(self.ledger, self.clock, _usual_limits(self.settings))

    @part
    def intents(self) -> Intents:
        """Every decision, from before it is sent."""
        return Intents(self.ledger, self.clock, self.order_settings)

    @part
    def order_records(self) -> Orders:
        """Every order that the broker told of."""
        return Orders(self.ledger, self.clock)

    @part
    def trade_records(self) -> Trades:
        """Every fill."""
        return Trades(self.ledger, self.clock)

    @part
    def conversions(self) -> Conversions:
        """Every conversion that somebody asked for."""
        return Conversions(self.ledger)

    @part
    def audit(self) -> Audit:
        """Who did what, and when."""
        return Audit(self.ledger, self.clock)

    @part
    def paper_account(self) -> PaperAccounts | None:
        """The paper broker's account and its reset; `None` where the broker is no paper broker of ours."""
        if self.settings.mode is not Mode.PAPER:
            return None
        return PaperAccounts(
            http=lambda: self.http,
            base=lambda: self.broker.api,
            token=lambda writes: self.login.token(writes=writes).secret,
            audit=self.audit,
            began=self._account_began,
        )

    def _account_began(self) -> None:
        self.orders.follow_account()
        self._portfolio_changed()

    @busy_part
    def portfolio(self) -> PortfolioBook:
        """Positions, holdings and money, marked to market."""
        api = self.order_api
        made = PortfolioBook(
            positions=api.positions,
            mtf_positions=api.mtf_positions,
            holdings=api.holdings,
            funds=self.api.funds,
            quotes=lambda: self.quotes,
            clock=self.clock,
            who=lambda: self.login.state().user,
        )
        self.portfolio_feed.listen(made.heard, opened=made.changed)
        return made

    @busy_part
    def orders(self) -> OrderDesk:
        """The order desk. Nothing is asked or sent before its `start` or the first write."""
        stream = self.portfolio_feed
        desk = OrderDesk(
            broker=self.order_api,
            intents=self.intents,
            orders=self.order_records,
            trades=self.trade_records,
            rules=self.order_settings,
            audit=self.audit,
            clock=self.clock,
            marks=AccountMarks(self.ledger, self.clock),
            account=self.paper_account,
            mode=self.folder.name,
            need_token=lambda: self.login.token(writes=True),
            token=self._token_kind,
            find=self.instruments.find,
            quotes=lambda: self.quotes,
            served=self.feed.serves,
            phase=self._phase_of,
            funds=self.api.funds,
            held=self._held,
            stream_up=lambda: stream.connected,
            connect_stream=lambda: stream.connect("orders"),
            filled=self._portfolio_changed,
            began=self.api.caller.order_times.began,
            speed=lambda: self._broker_time.clock.speed,
            practice=lambda: self.source.practice,
            address_needed=self._is_outside,
            mcx_orders=self.settings.mcx_orders,
            square_off=self.settings.square_off,
            lost_after=self.settings.order_lost_after,
        )
        stream.listen(desk.heard, opened=desk.stream_opened)
        return desk

    @busy_part
    def measures(self) -> Measures:
        """How the desk itself does. Keeps history after its `start`."""
        return Measures(
            sources=sources_of(self),
            clock=self.clock,
            speed=lambda: self.speed,
            history=lambda: HealthHistory(self.market_pool),
        )

    @busy_part
    def alert_desk(self) -> AlertDesk:
        """What a person must be told, and whom. Looks after its `start`."""
        return alert_desk_of(self, lambda: None)

    def _token_kind(self) -> TokenKind | None:
        try:
            return self.login.token().kind
        except UpstoxError:
            return None

    def _held(self, key: str, product: str) -> Held:
        """What is held of one instrument, as it was told last."""
        positions, holdings = self.portfolio.positions(), self.portfolio.holdings()
        mine = [row.position for row in positions.rows if row.position.key == key and row.position.product == product]
        shares = [row for row in holdings.rows if row.holding.key == key]
        return Held(
            position=None if positions.as_of is None else sum(one.quantity for one in mine),
            sellable=None if holdings.as_of is None else sum(row.sellable for row in shares),
            t1=sum(row.holding.t1_quantity for row in shares),
        )

    def _portfolio_changed(self) -> None:
        if self.built("portfolio"):
            self.portfolio.changed()


def _usual_limits(settings: Settings) -> OrderLimits:
    """The limits while nobody has set others in the ledger."""
    return OrderLimits(
        max_value=settings.max_order_value,
        max_quantity=settings.max_order_quantity,
        max_orders_per_second=settings.max_orders_per_second,
        max_orders_per_day=settings.max_orders_per_day,
        price_distance_percent=settings.price_distance_percent,
        option_distance_percent=settings.option_distance_percent,
        max_quote_age_seconds=settings.max_quote_age_seconds,
    )
