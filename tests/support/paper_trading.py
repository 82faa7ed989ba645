"""A market with a book that can be traded against, and orders sent to a paper broker over it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from services.paper.clock import PaperClock
from services.paper.model import Level, Snapshot
from services.paper.options import PaperOptions
from services.paper.server import PaperServer
from tests.support.paper import RELIANCE, STILL, Client, KnownMarket

TICK = 0.1
USER = "PAPER1"


class BookMarket(KnownMarket):
    """The known market with five levels on either side of the last price, a tenth of a rupee apart: 100 units on the
    first bid, 101 on the next …, the same on the other side. Prices stand until they are moved."""

    def __init__(self, spare: int = 0) -> None:
        super().__init__(spare)
        self.prices: dict[str, float] = {}

    def move(self, key: str, ltp: float) -> None:
        self.prices = self.prices | {key: ltp}

    def snapshots(self, keys: Iterable[str], at: datetime) -> list[Snapshot]:
        return [self._with_book(snap) for snap in super().snapshots(keys, at)]

    def _with_book(self, snap: Snapshot) -> Snapshot:
        ltp = self.prices.get(snap.listing.key, snap.ltp)
        levels = range(len(snap.bids))
        return replace(
            snap,
            ltp=ltp,
            lower_circuit=None if snap.lower_circuit is None else round(ltp * 0.9, 1),
            upper_circuit=None if snap.upper_circuit is None else round(ltp * 1.1, 1),
            bids=tuple(Level(round(ltp - TICK * (n + 1), 2), 100 + n, 5) for n in levels),
            asks=tuple(Level(round(ltp + TICK * (n + 1), 2), 100 + n, 5) for n in levels),
        )


class Trader(Client):
    """A client that places orders."""

    def place(self, version: str = "v3", **change: Any) -> Any:
        """The `data` of a place call that must succeed."""
        answer = self.send("POST", f"/{version}/order/place", json=order(**change))
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    def order(self, **change: Any) -> str:
        """Place one order; its id."""
        [order_id] = self.place(**change)["order_ids"]
        return str(order_id)

    def details(self, order_id: str) -> dict[str, Any]:
        told: dict[str, Any] = self.data("/v2/order/details", params={"order_id": order_id})
        return told


def order(**change: Any) -> dict[str, Any]:
    """A body that buys 10 RELIANCE at the market, changed as given."""
    return {
        "quantity": 10,
        "product": "D",
        "validity": "DAY",
        "price": 0,
        "tag": "",
        "instrument_token": RELIANCE,
        "order_type": "MARKET",
        "transaction_type": "BUY",
        "disclosed_quantity": 0,
        "trigger_price": 0,
        "is_amo": False,
    } | change


def limit(price: float, **change: Any) -> dict[str, Any]:
    """What makes an order a LIMIT order at `price`."""
    return {"order_type": "LIMIT", "price": price} | change


@contextmanager
def trading(folder: Path, *, market: BookMarket | None = None, **given: Any) -> Iterator[Trader]:
    """A broker over a market with a book, and a client with its token."""
    options = PaperOptions(folder=folder, **{"clock": STILL, "limits": False, **given})
    server = PaperServer(options, market=market or BookMarket(), clock=PaperClock.parse(options.clock)).start()
    trader = Trader(server)
    try:
        yield trader
    finally:
        trader.session.close()
        server.stop()
