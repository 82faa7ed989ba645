"""Positions and holdings for tests: a few whose every figure is known, and as many as are wanted."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Executor, Future
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from services.domain.positions import Holding, Position
from services.domain.quotes import FROM_FEED

NOW = datetime(2026, 11, 20, 8, 35, 33, tzinfo=UTC)
"""14:05:33 in India, a Friday in session."""
RELIANCE, HDFC, INFY, CALL = "NSE_EQ|INE002A01018", "NSE_EQ|INE040A01034", "NSE_EQ|INE009A01021", "NSE_FO|56983"


def rupees(text: str) -> Decimal:
    return Decimal(text)


def bought_today(key: str = RELIANCE, quantity: int = 10, price: str = "1469.95", **more: Any) -> Position:
    """Bought this morning, and held."""
    cost = Decimal(price) * quantity
    given: dict[str, Any] = {
        "symbol": "RELIANCE", "exchange": "NSE", "product": "D", "day_buy_quantity": quantity, "day_buy_value": cost,
        "day_buy_price": Decimal(price), "last_price": Decimal("1472.5"), "close_price": Decimal("1465.2"),
        "pnl": (Decimal("1472.5") - Decimal(price)) * quantity, "realised": Decimal(0),
    }  # fmt: skip
    return Position(key=key, quantity=quantity, **(given | more))


def sold_short(key: str = INFY, quantity: int = 15, price: str = "1540", **more: Any) -> Position:
    """Sold this morning without having any, intraday."""
    given: dict[str, Any] = {
        "symbol": "INFY", "exchange": "NSE", "product": "I", "day_sell_quantity": quantity,
        "day_sell_value": Decimal(price) * quantity, "day_sell_price": Decimal(price),
        "last_price": rupees("1538.4"), "close_price": rupees("1551"),
        "pnl": (Decimal(price) - rupees("1538.4")) * quantity, "realised": Decimal(0),
    }  # fmt: skip
    return Position(key=key, quantity=-quantity, **(given | more))


def closed_today(key: str = HDFC) -> Position:
    """Bought at 994.00 and sold at 997.50, twenty of them."""
    return Position(
        key=key, product="I", quantity=0, symbol="HDFCBANK", exchange="NSE", day_buy_quantity=20,
        day_buy_value=rupees("19880"), day_sell_quantity=20, day_sell_value=rupees("19950"),
        last_price=rupees("998.6"), close_price=rupees("992.1"), pnl=rupees("70"), realised=rupees("70"),
    )  # fmt: skip


def carried(key: str = CALL, **more: Any) -> Position:
    """A lot of 65 calls, bought the day before at 175.00."""
    given: dict[str, Any] = {
        "symbol": "NIFTY26NOV26000CE", "exchange": "NFO", "product": "D", "overnight_quantity": 65,
        "overnight_buy_quantity": 65, "overnight_buy_amount": rupees("11375"), "average_price": rupees("175"),
        "last_price": rupees("187.8"), "close_price": rupees("172.4"), "pnl": rupees("832"),
    }  # fmt: skip
    return Position(key=key, quantity=65, **(given | more))


def held(key: str = INFY, quantity: int = 25, **more: Any) -> Holding:
    """Twenty-five bought long ago at 1420.50."""
    given: dict[str, Any] = {
        "isin": "INE009A01021", "symbol": "INFY", "company": "INFOSYS LIMITED", "exchange": "NSE", "product": "D",
        "average_price": rupees("1420.5"), "last_price": rupees("1538.4"), "close_price": rupees("1551"),
        "pnl": rupees("2947.5"),
    }  # fmt: skip
    return Holding(key=key, quantity=quantity, **(given | more))


def quote(key: str, ltp: float, *, at: datetime = NOW, feed: bool = False) -> dict[str, Any]:
    """As much of a quote as marking looks at."""
    return {"instrument_key": key, "ltp": ltp, "received_at": at, "api_version": FROM_FEED if feed else "v3"}


class FakeQuotes:
    """Quotes that a test sets."""

    def __init__(self, **rows: Mapping[str, Any]) -> None:
        self.rows: dict[str, Any] = dict(rows)
        self.watched: dict[str, tuple[str, ...]] = {}

    def tell(self, key: str, ltp: float, **more: Any) -> None:
        self.rows[key] = quote(key, ltp, **more)

    def last_known(self, keys: Collection[str]) -> dict[str, Any]:
        return {key: self.rows[key] for key in keys if key in self.rows}

    def watch(self, holder: str, keys: Collection[str], seconds: float) -> None:
        self.watched[holder] = tuple(keys)


class HandWorkers(Executor):
    """Workers that begin when a test says so."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Future[Any], Callable[[], Any]]] = []
        self.closed = False

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        if self.closed:
            raise RuntimeError("cannot schedule new futures after shutdown")
        future: Future[Any] = Future()
        self.waiting.append((future, lambda: fn(*args, **kwargs)))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self.closed = True

    def run(self) -> int:
        """Do what waits now; how many that were."""
        now, self.waiting = self.waiting, []
        for future, work in now:
            future.set_result(work())
        return len(now)
