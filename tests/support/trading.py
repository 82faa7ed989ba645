"""A paper trading desk over a market that the test sets, at an instant that the test moves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from services.domain.clock import IST, epoch_ms
from services.domain.orders import Status
from services.paper.accounts import FILE, AccountBook
from services.paper.model import NO_BARS, Bars, Level, Listing, MarketBar, Snapshot
from services.paper.sessions import Sessions
from services.paper.trading.desk import TradingDesk
from services.paper.trading.order_values import Order, Wanted
from services.paper.trading.states import FOLLOWS
from services.paper.trading.store import TradingStore
from services.paper.trading.timing import TradingHours
from services.paper.trading.values import UNITS_OF_PAISA
from services.paper.trading.work import Published

SHARE, PLAIN, BSE_SHARE = "NSE_EQ|INE002A01018", "NSE_EQ|INE466L01038", "BSE_EQ|INE002A01018"
INDEX, FUTURE, CALL, PUT = "NSE_INDEX|Nifty 50", "NSE_FO|54012", "NSE_FO|56983", "NSE_FO|56984"
DOLLAR, CRUDE = "NCD_FO|759280020", "MCX_FO|500001"
_ONE = 10_000
STARTS = frozenset({Status.RECEIVED, Status.AMO_RECEIVED})
"""How every order begins."""


def e4(rupees: float) -> int:
    """Rupees in 1/10000 rupee."""
    return round(rupees * _ONE)


def at(text: str) -> datetime:
    """An instant of Indian time: `2026-11-20 11:15`."""
    return datetime.fromisoformat(text).replace(tzinfo=IST)


def _expiry(day: str) -> int:
    return epoch_ms(at(f"{day} 23:59:59"))


def _listing(key: str, symbol: str, **row: Any) -> Listing:
    segment = key.partition("|")[0]
    exchange = {"NCD_FO": "NSE"}.get(segment, segment[:3])
    return Listing(key, segment, exchange, symbol, {"segment": segment, "exchange": exchange, "name": symbol, **row})


def _share(key: str, symbol: str, *, auction: bool) -> Listing:
    facts: dict[str, Any] = {"instrument_type": "EQ", "isin": key.partition("|")[2], "lot_size": 1, "tick_size": 10.0}
    facts |= {"freeze_quantity": 1000.0, "mtf_enabled": True, "mtf_bracket": 25.0, "qty_multiplier": 1.0}
    return _listing(key, symbol, **facts, **({"cas_eligible": True} if auction else {}))


def _contract(key: str, symbol: str, kind: str, strike: float = 0.0, **more: Any) -> Listing:
    facts: dict[str, Any] = {"instrument_type": kind, "strike_price": strike, "lot_size": 65, "tick_size": 5.0}
    facts |= {"freeze_quantity": 650.0, "underlying_key": INDEX, "underlying_type": "INDEX", "qty_multiplier": 1.0}
    return _listing(key, symbol, **(facts | {"expiry": _expiry("2026-11-23")} | more))


_DOLLAR = {"lot_size": 1, "tick_size": 0.25, "qty_multiplier": 1000.0, "underlying_type": "CUR", "underlying_key": ""}
_CRUDE = {"lot_size": 1, "tick_size": 100.0, "qty_multiplier": 100.0, "underlying_type": "COM", "underlying_key": "x"}
LISTINGS = (
    _share(SHARE, "RELIANCE", auction=True),
    _share(PLAIN, "360ONE", auction=False),
    _share(BSE_SHARE, "RELIANCE", auction=True),
    _listing(INDEX, "Nifty 50", instrument_type="INDEX"),
    _contract(FUTURE, "NIFTY26NOVFUT", "FUT"),
    _contract(CALL, "NIFTY26NOV26000CE", "CE", 26_000.0),
    _contract(PUT, "NIFTY26NOV26000PE", "PE", 26_000.0),
    _contract(DOLLAR, "USDINR26NOVFUT", "FUT", **_DOLLAR, expiry=_expiry("2026-11-26")),
    _contract(CRUDE, "CRUDEOIL26DECFUT", "FUT", **_CRUDE, expiry=_expiry("2026-12-18")),
)
TICKS = {item.key: round(float(str(item.row.get("tick_size", 5.0))) * 100) for item in LISTINGS}


class SetMarket:
    """Prices stand where the test sets them. Everything begins at 100.00, a tick between bid and offer, with 100 lots
    on each of five levels."""

    source = "simulated"

    def __init__(self) -> None:
        self._listed = {item.key: item for item in LISTINGS}
        self._quotes: dict[str, tuple[int, tuple[Level, ...], tuple[Level, ...], int]] = {}
        for key in self._listed:
            self.set(key, 100.0)

    def set(
        self,
        key: str,
        last: float,
        *,
        bids: Iterable[tuple[float, int]] | None = None,
        asks: Iterable[tuple[float, int]] | None = None,
        traded: str = "",
    ) -> None:
        """Price and depth (price, quantity) from now on. `traded`: when the last trade was (`2026-11-20 15:29`)."""
        tick, price = TICKS[key], e4(last)
        lot = int(str(self._listed[key].row.get("lot_size", 1)))
        around = [(price - n * tick, 100 * lot) for n in range(1, 6)]
        above = [(price + n * tick, 100 * lot) for n in range(5)]
        self._quotes[key] = (
            price,
            _levels(around if bids is None else [(e4(one), many) for one, many in bids]),
            _levels(above if asks is None else [(e4(one), many) for one, many in asks]),
            epoch_ms(at(traded)) if traded else 0,
        )

    def drop(self, key: str) -> None:
        """The instrument is listed no more."""
        self._listed = {one: item for one, item in self._listed.items() if one != key}

    def listings(self, at: datetime) -> Mapping[str, Listing]:
        return self._listed

    def snapshots(self, keys: Iterable[str], at: datetime) -> list[Snapshot]:
        return [self._snapshot(key, epoch_ms(at)) for key in keys]

    def minute_bars(self, key: str, at: datetime) -> list[MarketBar]:
        return []

    def today(self, key: str, at: datetime) -> Bars:
        return NO_BARS

    def minutes(self, key: str, first: date, last: date, at: datetime) -> Bars:
        return NO_BARS

    def days(self, key: str, first: date, last: date, at: datetime) -> Bars:
        return NO_BARS

    def _snapshot(self, key: str, now_ms: int) -> Snapshot:
        last, bids, asks, traded = self._quotes[key]
        price = last / _ONE
        bar = MarketBar(now_ms, price, price, price, price, 0, 0)
        index = key == INDEX
        limits = (None, None) if index else (50.0, 200.0) if key not in {INDEX, FUTURE} else (10.0, 99_000.0)
        return Snapshot(
            self._listed[key], now_ms, price, price, price, price, 100.0, now_ms, 1, price, 1, traded or now_ms,
            None, None, None, None, *limits, price, price, 1, 1, () if index else bids, () if index else asks,
            None, bar, None,
        )  # fmt: skip


def _levels(rows: Iterable[tuple[int, int]]) -> tuple[Level, ...]:
    return tuple(Level(price / _ONE, quantity, 1) for price, quantity in rows)


class Hand:
    """A clock that a test moves."""

    def __init__(self, text: str) -> None:
        self.instant = at(text)

    def now(self) -> datetime:
        return self.instant


class Account:
    """One account file, the desk on it, and everything that was published."""

    def __init__(self, folder: Path, instant: str = "2026-11-20 11:15:00", *, practice: bool = False) -> None:
        self.folder = folder
        self.market = SetMarket()
        self.clock = Hand(instant)
        self.published: list[tuple[str, Published]] = []
        self._practice = practice
        AccountBook(folder).close()
        self.desk = self._open()

    def _open(self) -> TradingDesk:
        self._store = TradingStore(self.folder / FILE)
        hours = TradingHours(Sessions(always=self._practice), practice=self._practice)
        return TradingDesk(
            self._store, self.market, self.clock, hours, lambda kind, value: self.published.append((kind, value))
        )

    def reopen(self) -> TradingDesk:
        """The same file under another desk, as after a restart."""
        self._store.close()
        self.desk = self._open()
        return self.desk

    def close(self) -> None:
        self._store.close()

    def go(self, to: str) -> None:
        """Let time pass until that instant (or for so many seconds)."""
        self.clock.instant = self.clock.instant + timedelta(seconds=float(to)) if to.isdigit() else at(to)
        self.desk.advance()

    def buy(self, quantity: int, price: float | None = None, *, key: str = PLAIN, **more: Any) -> Order:
        return self._place(True, quantity, price, key, more)

    def sell(self, quantity: int, price: float | None = None, *, key: str = PLAIN, **more: Any) -> Order:
        return self._place(False, quantity, price, key, more)

    def _place(self, buys: bool, quantity: int, price: float | None, key: str, more: dict[str, Any]) -> Order:
        trigger = more.pop("trigger", None)
        kind = ("MARKET", "LIMIT") if trigger is None else ("SL-M", "SL")
        wanted = Wanted(
            key, buys, quantity, more.pop("product", "D"), kind[price is not None],
            price=e4(price or 0), trigger=e4(trigger or 0), **more,
        )  # fmt: skip
        [order] = self.desk.place(wanted)
        return order

    def now(self, order: Order) -> Order:
        """As it stands."""
        return self.desk.order(order.order_id)

    def words(self, order: Order) -> list[str]:
        """The states of its history."""
        return [step.status for step in self.desk.history(order.order_id)]

    def check(self) -> None:
        """What must hold after anything: money and open positions at fill prices make up what was put in, charges
        apart; every order agrees with its fills; every history goes along documented steps."""
        self.desk.advance()
        state = self.desk._state
        segments = tuple({item.segment for item in LISTINGS})
        fills, _ = self._store.fills_between(state.book.number, "0000", "9999", segments)
        paid = sum(fill.paid for fill in fills)
        open_cost = sum(position.cost * position.multiplier for position in state.positions.values())
        book = state.book
        assert book.balance == book.opening - paid + open_cost - book.charges
        assert book.charges >= 0
        # Every day that is over has its note; what was realised, and what is open, make up all that was paid.
        noted = sum(note.total for note in self.desk.charges(date.min, date.max))
        assert book.charges == noted * UNITS_OF_PAISA + book.day_charges
        over = sum(fill.paid for fill in fills if fill.day < book.day)
        assert sum(gain.realised for gain in self.desk.gains(date.min, date.max)) == self.desk.open_cost() - over
        for held, position in state.positions.items():
            assert (position.quantity == 0) <= (position.cost == 0), held
            assert position.quantity * position.cost >= 0, held
        for holding in state.holdings.values():
            assert holding.quantity > 0
            assert 0 <= holding.t1_quantity <= holding.quantity
            assert self.desk_used(holding.isin) <= holding.quantity
        for order in state.orders.values():
            mine = [fill for fill in fills if fill.order_id == order.order_id]
            assert sum(fill.quantity for fill in mine) == order.filled <= order.quantity
            assert sum(fill.amount for fill in mine) == order.value
            assert (order.status == Status.COMPLETE) == (order.filled == order.quantity)
            steps = self.desk.history(order.order_id)
            assert steps[0].status in STARTS
            assert steps[-1].status == order.status
            for before, after in pairwise(steps):
                assert after.status in FOLLOWS[before.status]
                assert after.filled >= before.filled

    def desk_used(self, isin: str) -> int:
        return next((one.used for one in self.desk.holdings() if one.holding.isin == isin), 0)
