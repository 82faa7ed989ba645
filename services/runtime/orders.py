"""Orders, positions and holdings: the desk's own parts, over the market's."""

from __future__ import annotations

import time
from decimal import Decimal

from services.domain.accounts import TokenKind
from services.domain.clock import ist_date
from services.domain.errors import UpstoxError
from services.domain.order_facts import OrderLimits
from services.domain.orders import OrderRequest
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
from services.orders.lives import Life
from services.orders.opening import PATIENCE_SECONDS, open_desk
from services.orders.together import OverRedis, Together
from services.paper_account import PaperAccounts
from services.parts import busy_part, part
from services.pnl.rates import ChargeRates
from services.portfolio.charges.engine import charges_of_order
from services.portfolio.charges.lines import PaiseLines
from services.portfolio.readers.desk_trades import part_of_order
from services.portfolio_book.book import PortfolioBook
from services.runtime.market import MarketRuntime
from services.runtime.measuring import sources_of
from services.settings import Mode, Settings
from services.storage.health_history import HealthHistory
from services.transport.order_api import OrderApi


class OrdersRuntime(MarketRuntime):
    """What sends orders, and what is held."""

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
        return Intents(self.ledger, self.clock, self.order_settings, process=self._life.name)

    @part
    def _life(self) -> Life:
        """This process, as others on the same ledger know it."""
        return Life()

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
    def account_marks(self) -> AccountMarks:
        """Which of a paper broker's accounts the ledger follows."""
        return AccountMarks(self.ledger, self.clock)

    @part
    def charge_rates(self) -> ChargeRates:
        """Rates and plan that charges are computed by, with what was set over the published ones."""
        return ChargeRates(self.ledger, self.clock, changed=self._books_changed)

    def account_name(self, number: int | None = None) -> str:
        """What the ledger calls the broker's account: the user's id; of a paper broker with the number of the account
        (the running one's, if none is said). "" while nobody is logged in."""
        try:
            user = self.login.token().user_id
        except UpstoxError:
            return ""
        if self.settings.mode is not Mode.PAPER or not user:
            return user
        return f"{user}/{self.account_marks.get().number if number is None else number}"

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
        desk = open_desk(
            broker=self.order_api,
            intents=self.intents,
            orders=self.order_records,
            trades=self.trade_records,
            rules=self.order_settings,
            audit=self.audit,
            clock=self.clock,
            marks=self.account_marks,
            account=self.paper_account,
            account_name=self.account_name,
            own_charges=self._own_charges,
            mode=self.folder.name,
            need_token=lambda: self.login.token(writes=True),
            token=self._token_kind,
            find=self.instruments.find,
            quotes=lambda: self.quotes,
            served=self.feed.serves,
            phase=self._phase_of,
            funds=self.api.funds,
            held=self._held,
            learn_hours=lambda: self.calendar.refresh_if_due(wait=True),
            stream_up=lambda: stream.connected,
            connect_stream=lambda: stream.connect("orders"),
            filled=self._filled,
            began=self.api.caller.order_times.began,
            speed=lambda: self._broker_time.clock.speed,
            practice=lambda: self.source.practice,
            address_needed=self._is_outside,
            mcx_orders=self.settings.mcx_orders,
            square_off=self.settings.square_off,
            lost_after=self.settings.order_lost_after,
            patience=max(PATIENCE_SECONDS, 15 + self.settings.connect_timeout + 2 * self.settings.read_timeout),
            life=self._life,
            alone=self.settings.ledger_url is None,
            together=self._together(),
        )
        stream.listen(desk.heard, opened=desk.stream_opened)
        return desk

    def _together(self) -> Together | None:
        """Who of several processes asks the broker for the book. Only what shares a ledger can read it there."""
        if self.settings.ledger_url is None or self.shared is None:
            return None
        return OverRedis(self.shared.link, self.shared.lease, monotonic=time.monotonic)

    @busy_part
    def measures(self) -> Measures:
        """How the desk itself does. Keeps history after its `start`."""
        return Measures(
            sources=sources_of(self),
            clock=self.clock,
            speed=lambda: self.speed,
            history=lambda: HealthHistory(self.market_pool),
        )

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

    def _own_charges(self, request: OrderRequest, price: Decimal) -> PaiseLines:
        """What an order would cost by our own rates, filled at `price`."""
        settings, day = self.charge_rates.current(), ist_date(self.clock.now())
        instrument = self.instruments.get(request.key)
        part = part_of_order(instrument, request.side, request.quantity, price, request.product, day)
        return charges_of_order([part], rates=settings.rates, plan=settings.plan).in_paise()

    def _filled(self) -> None:
        self._portfolio_changed()
        self._books_changed()

    def _books_changed(self) -> None:
        """Something of which the P&L is made has changed."""

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
