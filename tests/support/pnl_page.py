"""Results for tests of the page: fills of many days, real matching and real charges over them, and no broker."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from services.domain.errors import UpstoxError
from services.domain.orders import Side
from services.pnl.kept import KeptBook
from services.pnl.values import Filter, Origin, PnlState, PriceTold, SourceLine
from services.pnl.views import PnlView
from services.portfolio.lots.fills import Asset, Fill

NOW = datetime(2026, 11, 20, 8, 35, 33, tzinfo=UTC)
"""14:05:33 in India, a Friday in session."""
TODAY = date(2026, 11, 20)
EVERYTHING = Filter()
ACCOUNT = "PAPER1"
SHARES = (
    ("RELIANCE", "INE002A01018", 1450), ("INFY", "INE009A01021", 1540), ("HDFCBANK", "INE040A01034", 990),
    ("TCS", "INE467B01029", 3100), ("SBIN", "INE062A01020", 870), ("ITC", "INE154A01025", 405),
    ("LT", "INE018A01030", 3900), ("AXISBANK", "INE238A01034", 1220), ("MARUTI", "INE585B01010", 15800),
    ("SUNPHARMA", "INE044A01036", 1690),
)  # fmt: skip


def many_fills(count: int, *, days: int = 400, last: date = TODAY, seed: int = 7) -> list[Fill]:
    """About `count` fills over so many days back from `last`: each a purchase and a sale, some held overnight, some
    short, some contracts; the same for the same seed."""
    dice = random.Random(seed)
    weekdays = [day for n in range(days * 2) if (day := last - timedelta(days=n)).weekday() < 5][:days][::-1]
    fills: list[Fill] = []
    trips = max(1, count // 2)
    for trip in range(trips):
        place = trip * len(weekdays) // trips
        opened = weekdays[place]
        symbol, instrument, base = SHARES[dice.randrange(len(SHARES))]
        kind = dice.random()
        asset, product, quantity, expiry = Asset.SHARE, "I", dice.randrange(1, 40) * 5, None
        closed = opened
        price = round(base * dice.uniform(0.9, 1.1) * 20)
        if kind < 0.25:
            product, closed = "D", weekdays[min(len(weekdays) - 1, place + dice.randrange(1, 30))]
        elif kind < 0.55:
            strike = 25_000 + 100 * dice.randrange(20)
            option = dice.choice(("CE", "PE"))
            symbol, instrument = f"NIFTY {strike} {option}", f"NSE:NIFTY:2026-12-29:{strike}:{option}"
            asset, quantity, expiry = Asset.OPTION, dice.randrange(1, 5) * 75, date(2026, 12, 29)
            price = dice.randrange(20, 400) * 20
        drift = dice.gauss(0.0015, 0.012) if asset is Asset.SHARE else dice.gauss(0.006, 0.14)
        exit_price = max(1, round(price * (1 + drift)))
        short = dice.random() < 0.3 and closed == opened
        first, second = (Side.SELL, Side.BUY) if short else (Side.BUY, Side.SELL)
        minute = dice.randrange(555, 900)
        for number, (side, at, on, paid) in enumerate(
            ((first, minute, opened, price), (second, minute + dice.randrange(1, 30), closed, exit_price))
        ):
            fills.append(
                Fill(
                    ACCOUNT, instrument, symbol, asset, "NSE", side, quantity, paid * 500, on, f"T{trip:07d}{number}",
                    f"O{trip:07d}{number}", _at(on, at), product, expiry=expiry,
                )
            )  # fmt: skip
    return fills


def _at(day: date, minute: int) -> int:
    return ((day - date(1970, 1, 1)).days * 1440 + minute - 330) * 60_000


@dataclass
class FakeBook:
    """What a page needs of the desk's `PnlBook`, over fills that are given. Change its members between two runs."""

    kept: KeptBook
    now: Callable[[], datetime] = lambda: NOW
    account: str = ACCOUNT
    version: int = 1
    as_of: datetime | None = NOW
    missing: tuple[str, ...] = ()
    building: bool = False
    past_asked: bool = False
    old: bool = False
    sources: tuple[SourceLine, ...] = ()
    error: UpstoxError | None = None
    notes: Any = None  # Any: notes by the id of their trade
    prices: bool = True
    asked: int = 0
    journal: Any = None  # Any: parts that the tabs of records want
    imports: Any = None
    actions: Any = None
    rates: Any = None

    @classmethod
    def of(cls, fills: Sequence[Fill], **members: Any) -> FakeBook:  # Any: values of the members
        days = [fill.day for fill in fills]
        sources: tuple[SourceLine, ...] = ()
        if fills:
            sources = (SourceLine(Origin.DESK, "", ACCOUNT, len(fills), min(days), max(days), NOW),)
        return cls(KeptBook.of(fills), **({"sources": sources} | members))

    def read(self, only: Filter = EVERYTHING, *, capital: Decimal | None = None) -> PnlView:
        return PnlView(
            self.kept, only, account=self.account, version=self.version, now=self.now(), as_of=self.as_of,
            sources=self.sources, missing=self.missing, building=self.building, past_asked=self.past_asked,
            old=self.old, prices=self._prices(), notes=self.notes, capital=capital,
        )  # fmt: skip

    def _prices(self) -> dict[str, PriceTold]:
        if not self.prices:
            return {}
        last = {fill.instrument: fill.price for fill in self.kept.book.fills.rows}
        return {
            name: PriceTold(price * 101 // 100, "quote", self.now() - timedelta(seconds=3), price)
            for name, price in last.items()
        }

    @property
    def state(self) -> PnlState:
        trades = len(self.kept.book.fills)
        return PnlState(self.version, self.account, self.as_of, trades, self.building, False, self.error)

    def start(self) -> None:
        """Nothing is read here."""

    def refresh(self) -> None:
        self.asked += 1

    def refresh_if_due(self) -> None:
        self.asked += 1

    def close(self) -> None:
        """Nothing runs here."""
