"""Somebody who trades all day through the public services, in a process of its own.

`python -m tests.support.week_driver SEED PAUSE`, settings from the environment. Reads `go`, `pause`, `flat` (close what
is no share for delivery, then pause) and `end` from its input, one a line; tells what it did and what came of it, one
JSON line each. A refusal or a lost answer is told and nothing more: finding out is the desk's work.
"""

from __future__ import annotations

import os
import random
import sys
import threading
import uuid
from collections.abc import Callable
from decimal import Decimal

import orjson

from services.acting import acting
from services.candle_fetcher_v3 import CandleFetcherV3
from services.domain.clock import ist_date
from services.domain.errors import NotSent, UpstoxError
from services.domain.gtt import GttLeg, GttRequest, Strategy, TriggerType
from services.domain.orders import BookOrder, Product, Side
from services.domain.phases import Phase
from services.domain.positions import Position, sellable
from services.heaps import share_heaps
from services.order_manager_v3 import OrderManagerV3
from services.portfolio_services_v3 import PortfolioServicesV3
from services.runtime import Runtime, get_runtime

SHARES = tuple(
    f"NSE_EQ|{isin}"
    for isin in ("INE002A01018", "INE009A01021", "INE467B01029", "INE040A01034", "INE090A01021", "INE062A01020")
)
"""RELIANCE, INFY, TCS, HDFCBANK, ICICIBANK, SBIN."""
NIFTY = "NSE_INDEX|Nifty 50"


class Trader:
    """One whose decisions come from `luck` alone."""

    def __init__(self, runtime: Runtime, luck: random.Random) -> None:
        self.rt = runtime
        self._luck = luck
        self._orders = OrderManagerV3()
        self._portfolio = PortfolioServicesV3()
        self._acts: tuple[tuple[Callable[[], object], int], ...] = (
            (self.delivery, 20), (self.intraday, 22), (self.resting, 14), (self.modify, 10), (self.cancel, 10),
            (self.option, 9), (self.sell_held, 8), (self.exit_one, 8), (self.gtt, 4), (self.convert, 4),
            (self.cancel_all, 1), (self.look, 6),
        )  # fmt: skip

    def act(self) -> None:
        """Do one thing, and tell it."""
        acts, weights = zip(*self._acts, strict=True)
        trades = self.rt.phase("NSE_EQ").phase is Phase.OPEN
        self.tell(self._luck.choices(acts, weights)[0] if trades else self.look)

    def tell(self, act: Callable[[], object]) -> None:
        try:
            told = act()
            came = "nothing to do" if told is None else "done" if told is not False else "refused by the broker"
        except UpstoxError as error:
            came = f"{type(error).__name__}: {error}"
        say(what=act.__name__, came=came)

    # -- what may be done ----------------------------------------------------------------------------------------

    def delivery(self) -> object:
        return self._market(self._luck.choice(SHARES), "BUY", self._luck.randint(1, 4), "D")

    def intraday(self) -> object:
        key = self._luck.choice(SHARES)
        return self._market(key, self._luck.choice(("BUY", "SELL")), self._luck.randint(1, 9), "I")

    def resting(self) -> object:
        """A limit a little away from the market: some are met, some end with their day."""
        key, buys = self._luck.choice(SHARES), self._luck.random() < 0.7
        away = self._luck.uniform(0.998, 0.985) if buys else self._luck.uniform(1.002, 1.015)
        return self._orders.place_order(
            "", "BUY" if buys else "SELL", self._luck.randint(1, 5), "LIMIT",
            price=self._tick(key, self._price(key) * Decimal(str(away))), product_type="D" if buys else "I",
            instrument_key=key,
        )  # fmt: skip

    def modify(self) -> object:
        order = self._alive()
        if order is None:
            return None
        price = self._tick(order.key, self._price(order.key) * Decimal("0.995"))
        return self._orders.modify_order(order.order_id, quantity=order.quantity + 1, price=price)

    def cancel(self) -> object:
        order = self._alive()
        return None if order is None else self._orders.cancel_order(order.order_id)

    def cancel_all(self) -> object:
        return self.rt.orders.cancel_all(intent_id=_new(), actor=acting())

    def option(self) -> object:
        """One lot near the money, of the next expiry."""
        underlying = next(one for one in self.rt.instruments.with_options() if one.key == NIFTY)
        expiry = next(
            day for day in self.rt.instruments.option_expiries(underlying) if day >= ist_date(self.rt.clock.now())
        )
        spot = self._price(NIFTY)
        near = sorted(
            self.rt.instruments.options(underlying, expiry), key=lambda one: abs((one.strike or Decimal(0)) - spot)
        )[:6]
        chosen = self._luck.choice(near)
        return self._market(chosen.key, "BUY", chosen.lot_size or 1, "D")

    def sell_held(self) -> object:
        held = [row for row in self.rt.order_api.holdings() if sellable(row) > 0]
        if not held:
            return None
        one = self._luck.choice(held)
        return self._market(one.key, "SELL", self._luck.randint(1, sellable(one)), "D")

    def exit_one(self) -> object:
        held = self._positions()
        return None if not held else self._close(self._luck.choice(held))

    def gtt(self) -> object:
        """Waits for a price that comes, or does not."""
        key = self._luck.choice(SHARES)
        price = self._tick(key, self._price(key) * Decimal(str(self._luck.uniform(0.97, 0.997))))
        legs = (GttLeg(Strategy.ENTRY, TriggerType.BELOW, price),)
        request = GttRequest(key, Side.BUY, 2, Product.DELIVERY, legs)
        return self.rt.orders.gtt_place(request, intent_id=_new(), actor=acting())

    def convert(self) -> object:
        held = [one for one in self._positions() if one.product == "I" and one.quantity > 0]
        if not held:
            return None
        one = self._luck.choice(held)
        return self._portfolio.convert_position(one.key, one.quantity, "I", "D", "BUY")

    def look(self) -> object:
        """Reads as a strategy makes them."""
        key = self._luck.choice(SHARES)
        self.rt.quotes.get([key, NIFTY])
        return bool(CandleFetcherV3().fetch_latest_candles(key, interval="5minute", count=50))

    def flat(self) -> None:
        """Close every position that is no share for delivery."""
        for one in self._positions():
            if one.product == "I" or not one.key.startswith("NSE_EQ"):
                self.tell(lambda one=one: self._close(one))  # type: ignore[misc]

    # -- inside --------------------------------------------------------------------------------------------------

    def _close(self, one: Position) -> object:
        return self._market(one.key, "SELL" if one.quantity > 0 else "BUY", abs(one.quantity), one.product)

    def _market(self, key: str, side: str, quantity: int, product: str) -> object:
        return self._orders.place_order("", side, quantity, "MARKET", product_type=product, instrument_key=key)

    def _positions(self) -> list[Position]:
        return [one for one in self.rt.order_api.positions() if one.quantity]

    def _alive(self) -> BookOrder | None:
        alive = [order for order in self.rt.orders.book().orders if not order.terminal]
        return self._luck.choice(alive) if alive else None

    def _price(self, key: str) -> Decimal:
        row = self.rt.quotes.get([key]).quotes.get(key)
        if row is None:
            raise NotSent(f"nobody tells the price of {key} now")
        return Decimal(str(row["ltp"]))

    def _tick(self, key: str, price: Decimal) -> Decimal:
        tick = self.rt.instruments.get(key).tick_size or Decimal("0.05")
        return (price / tick).to_integral_value() * tick


def _new() -> str:
    return f"week-{uuid.uuid4().hex}"


def say(**told: object) -> None:
    sys.stdout.write(orjson.dumps(told).decode() + "\n")
    sys.stdout.flush()


def main(seed: str, pause: str) -> None:
    luck, going, ended, flat = random.Random(seed), threading.Event(), threading.Event(), threading.Event()

    def listen() -> None:
        for line in sys.stdin:
            word = line.strip()
            (going.set if word == "go" else going.clear)()
            if word == "flat":
                flat.set()
            say(heard=word)
        ended.set()

    share_heaps()
    runtime = get_runtime()
    runtime.instruments.refresh_if_due()
    runtime.calendar.start()
    runtime.orders.start()
    trader = Trader(runtime, luck)
    threading.Thread(target=listen, daemon=True).start()
    say(ready=os.getpid())
    day = ist_date(runtime.clock.now())
    while not ended.wait(float(pause) * luck.uniform(0.5, 1.5)):
        if (today := ist_date(runtime.clock.now())) != day:
            day = today
            trader.tell(runtime.instruments.refresh_if_due)
        if flat.is_set():
            flat.clear()
            trader.tell(trader.flat)
            say(flat=True)
        elif going.is_set():
            trader.act()
    runtime.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
