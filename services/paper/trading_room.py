"""The trading desk put together with what surrounds it: hours, prices, GTT orders, and the stream that tells of it."""

from __future__ import annotations

from datetime import datetime

from services.domain.phases import Phase
from services.paper.broker import BrokerClock
from services.paper.feed.portfolio_feed import PortfolioUpdates
from services.paper.gtt_bodies import tell_gtt_update
from services.paper.model import Market
from services.paper.order_told import tell_order_update
from services.paper.portfolio_told import tell_holding_update, tell_position_update
from services.paper.sessions import Sessions
from services.paper.trading.desk import TradingDesk
from services.paper.trading.gtt import GttBook
from services.paper.trading.gtt_orders import Gtt
from services.paper.trading.instruments import instrument_of
from services.paper.trading.order_values import Order
from services.paper.trading.position_values import HoldingNow, Position
from services.paper.trading.store import TradingStore
from services.paper.trading.timing import TradingHours
from services.paper.trading.values import units
from services.paper.trading.work import Published


def open_desk(
    store: TradingStore,
    market: Market,
    clock: BrokerClock,
    sessions: Sessions,
    updates: PortfolioUpdates,
    user_id: str,
) -> tuple[TradingDesk, GttBook]:
    """The desk of the account in `store`, and its GTT orders. Whatever they change is told to `updates`."""
    hours = TradingHours(sessions, practice=clock.mode == "always")

    def publish(_kind: str, value: Published) -> None:
        match value:
            case Order():
                updates.publish(tell_order_update(value, user_id, market.listings(clock.now())))
            case Position():
                updates.publish(tell_position_update(value))
            case HoldingNow():
                updates.publish(tell_holding_update(value))

    def publish_gtt(gtt: Gtt) -> None:
        updates.publish(tell_gtt_update(gtt))

    def price_now(key: str, now: datetime) -> int | None:
        """Triggers are looked at in continuous trading only: not in the pre-open and not in the closing auction."""
        listing = market.listings(now).get(key)
        instrument = instrument_of(listing) if listing is not None else None
        window = hours.window(instrument, now) if instrument is not None else None
        if window is None or window.phase is not Phase.OPEN:
            return None
        [snap] = market.snapshots([key], now)
        return units(snap.ltp)

    desk = TradingDesk(store, market, clock, hours, publish)
    gtt = GttBook(desk, price_now, publish_gtt)
    desk.attach(gtt)
    return desk, gtt
