"""A paper account that has traded on many days before anybody looks at it: ten fills, or a hundred thousand.

    fill_account(data_dir / "paper", 5_000)      # before a desk or a broker starts on that folder

The same seed gives the same trades. Everything goes through the broker's own code: charges, deliveries and the end of
each day are his. Two fills in three are shares (delivery and intraday), the others futures and options of two indices
and, now and then, currency and crude oil; most are closed, half of them on another day than they were opened. No share
is traded under both products: the broker's history does not tell the product, and without it other purchases and sales
of one day may be taken for pairs.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path

from services.domain.calendar.calendar import BUNDLED
from services.domain.clock import IST, epoch_ms, ist_date
from services.domain.phases import Market as Exchange
from services.paper import universe
from services.paper.accounts import FILE, AccountBook
from services.paper.model import NO_BARS, Bars, Level, Listing, MarketBar, Snapshot
from services.paper.sessions import Sessions
from services.paper.trading.order_values import Wanted
from services.paper.trading.past import PastDesk, PastOrder
from services.paper.trading.store import TradingStore
from services.paper.trading.timing import TradingHours

LAST_DAY = date(2026, 11, 19)
"""Of the trades, unless it is said: the day before the one at which most brokers of tests stand still."""
PLENTY_PAISE = 100_00_00_000_00
"""A hundred crore: nobody runs out of money."""
_ONE = 10_000
_LOTS = {"NIFTY": 65, "BANKNIFTY": 35}
_INDICES = {"NIFTY": "NSE_INDEX|Nifty 50", "BANKNIFTY": "NSE_INDEX|Nifty Bank"}
_LEVELS = {"NIFTY": 25_000, "BANKNIFTY": 56_000, "USDINR": 90, "CRUDEOIL": 5_500}
_TICKS = {"EQ": 500, "FO": 500, "CD": 25, "COM": 10_000}
_OPTION = 150
_SHARES_USED = 40


@dataclass(frozen=True, slots=True)
class Filled:
    """What was booked."""

    fills: int
    orders: int
    first: date
    last: date
    """Days of the first and the last trade."""


@dataclass(frozen=True, slots=True)
class _Thing:
    """Something to be traded, around `level` rupees."""

    listing: Listing
    kind: str
    lot: int
    level: float
    expiry: date | None = None


@dataclass(slots=True)
class PastMarket:
    """Lists what the trades need, at one price each; nothing is matched against it."""

    listed: dict[str, Listing] = field(default_factory=dict)
    levels: dict[str, float] = field(default_factory=dict)
    source: str = "simulated"

    def listings(self, at: datetime) -> Mapping[str, Listing]:
        return self.listed

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
        price = self.levels[key]
        bar = MarketBar(now_ms, price, price, price, price, 0, 0)
        sides = (Level(price, 10**9, 1),)
        return Snapshot(
            self.listed[key], now_ms, price, price, price, price, price, now_ms, 1, price, 1, now_ms,
            None, None, None, None, None, None, price, price, 1, 1, sides, sides, None, bar, None,
        )  # fmt: skip


def fill_account(
    folder: Path,
    fills: int,
    *,
    days: int = 0,
    last: date = LAST_DAY,
    seed: int = 7,
    parts: int = 1,
    shares_only: bool = False,
) -> Filled:
    """Let the paper account of `folder` (made if it is not there; nobody may have it open, and it must be new) have
    traded: `fills` fills, of orders of `parts` fills each, over the `days` trading days up to `last`.

    `days=0`: as many as there would be, from a fortnight to the last two years.
    """
    folder.mkdir(parents=True, exist_ok=True)
    AccountBook(folder).close()
    sessions = trading_days(last, days or max(10, min(480, fills // 20)))
    market = PastMarket()
    orders = list(_orders(random.Random(seed), market, sessions, fills, parts, shares_only))
    store = TradingStore(folder / FILE)
    try:
        hours = TradingHours(Sessions(always=False), practice=False)
        since = datetime.combine(sessions[0], time(9), IST)
        desk = PastDesk(store, market, hours, since, opening_paise=PLENTY_PAISE)
        booked = desk.book(orders)
        desk.go(datetime.combine(last + timedelta(days=1), time(1), IST))
    finally:
        store.close()
    return Filled(booked, len(orders), ist_date(orders[0].at), ist_date(orders[-1].at))


def trading_days(last: date, count: int) -> list[date]:
    """So many days of the National Stock Exchange up to `last`, the oldest first."""
    found: list[date] = []
    day = last
    while len(found) < count and BUNDLED.is_trading_day(Exchange.NSE, day) is not None:
        if BUNDLED.is_trading_day(Exchange.NSE, day) and day.weekday() < 5:
            found.append(day)
        day -= timedelta(days=1)
    return found[::-1]


def _orders(
    luck: random.Random, market: PastMarket, days: list[date], fills: int, parts: int, shares_only: bool
) -> Iterator[PastOrder]:
    """Pairs of orders, one that opens and one that closes, in the order of time; some of the last are not closed."""
    shares = _shares()
    prices = _Prices(luck, days)
    found: list[tuple[datetime, int, _Thing, bool, int, str]] = []
    wanted, rest = divmod(fills, parts)
    assert not rest, "so many fills are no whole number of orders"
    kept = max(2, wanted // 40)  # stay open
    kept += (wanted + kept) % 2
    pairs = (wanted + kept) // 2
    for number in range(pairs):
        place = number * len(days) // pairs
        kind = "EQ" if shares_only else luck.choices(("EQ", "FUT", "OPT", "CD", "COM"), (66, 12, 18, 2, 2))[0]
        stays = number >= pairs - kept
        intraday = not stays and luck.random() < 0.4
        held = 0 if intraday else min(luck.randint(0, 25), len(days) - 1 - place)
        opened, closed = days[place], days[-1] if stays else days[place + held]
        thing = luck.choice(shares[intraday::2]) if kind == "EQ" else _contract(luck, kind, closed)
        market.listed[thing.listing.key] = thing.listing
        market.levels[thing.listing.key] = thing.level
        long = kind == "OPT" or (kind == "EQ" and not intraday) or luck.random() < 0.6
        many = luck.randint(1, 12) * parts * thing.lot * (1 if kind != "EQ" else luck.randint(1, 10))
        product = "I" if intraday else "D"
        minute = luck.randint(0, 150)
        found.append((_at(opened, minute), number, thing, long, many, product))
        if not stays:
            found.append((_at(closed, minute + luck.randint(5, 150)), number, thing, not long, many, product))
    found.sort(key=lambda row: row[:2])
    for at, _, thing, buys, many, product in found:
        took = tuple((many // parts, prices.of(thing, at.date())) for _ in range(parts))
        yield PastOrder(at, Wanted(thing.listing.key, buys, many, product, "LIMIT", price=took[0][1]), took)


def _at(day: date, minute: int) -> datetime:
    return datetime.combine(day, time(9, 20), IST) + timedelta(minutes=minute)


class _Prices:
    """Prices that wander from day to day, the same for all things, with a little of each trade's own on top."""

    def __init__(self, luck: random.Random, days: list[date]) -> None:
        self._luck = luck
        self._factor: dict[date, float] = {}
        factor = 1.0
        for day in days:
            factor *= 1 + luck.gauss(0.0004, 0.008)
            self._factor[day] = factor

    def of(self, thing: _Thing, day: date) -> int:
        wide = 0.15 if thing.kind == "OPT" else 0.012
        tick = _TICKS["FO" if thing.kind in {"FUT", "OPT"} else thing.kind]
        price = thing.level * self._factor[day] * (1 + self._luck.gauss(0, wide))
        return max(round(price * _ONE / tick), 1) * tick


def _shares() -> list[_Thing]:
    """The first of the built-in universe."""
    built = universe.BuiltinUniverse()
    with (Path(universe.__file__).parent / "shares.csv").open(encoding="utf-8") as file:
        lines = (line for line in file if not line.startswith("#"))
        rows = [row for row, _ in zip(csv.DictReader(lines), range(_SHARES_USED), strict=False)]
    found = []
    for row in rows:
        spec = built.lasting(f"NSE_EQ|{row['isin']}")
        assert spec is not None
        found.append(_Thing(spec.listing, "EQ", 1, float(row["close"])))
    return found


def _contract(luck: random.Random, kind: str, held_to: date) -> _Thing:
    """One that lives at least until `held_to`: the contracts of a month end on its last Tuesday, or a month later."""
    symbol = {"CD": "USDINR", "COM": "CRUDEOIL"}.get(kind) or luck.choice(("NIFTY", "BANKNIFTY"))
    expiry = _last_tuesday(held_to)
    segment = {"CD": "NCD_FO", "COM": "MCX_FO"}.get(kind, "NSE_FO")
    right = luck.choice(("CE", "PE")) if kind == "OPT" else "FUT"
    strike = _LEVELS[symbol] + luck.randint(-2, 2) * 500 if kind == "OPT" else 0
    token = f"{expiry:%y%m}{list(_LEVELS).index(symbol)}{('FUT', 'CE', 'PE').index(right)}{strike // 500:03d}"
    named = f"{symbol} {strike} {right}" if kind == "OPT" else f"{symbol} FUT"
    lot = _LOTS.get(symbol, 1)
    row: dict[str, object] = {
        "segment": segment, "exchange": "MCX" if kind == "COM" else "NSE", "name": symbol, "instrument_type": right,
        "underlying_symbol": symbol, "underlying_key": _INDICES.get(symbol, ""), "lot_size": lot,
        "underlying_type": {"CD": "CUR", "COM": "COM"}.get(kind, "INDEX"), "strike_price": float(strike),
        "qty_multiplier": {"CD": 1000.0, "COM": 100.0}.get(kind, 1.0), "tick_size": _TICKS.get(kind, 500) / 100,
        "freeze_quantity": 10.0**7, "expiry": epoch_ms(datetime.combine(expiry, time(23, 59, 59), IST)),
        "trading_symbol": f"{named} {expiry:%d %b %y}".upper(), "instrument_key": f"{segment}|{token}",
    }  # fmt: skip
    quoted = f"{symbol}{expiry:%y%b}{strike or ''}{right}".upper()
    listing = Listing(f"{segment}|{token}", segment, str(row["exchange"]), quoted, row)
    return _Thing(listing, kind, lot, _OPTION if kind == "OPT" else _LEVELS[symbol], expiry)


def _last_tuesday(day: date) -> date:
    """Of the month of `day`, or of the next one where that is over."""
    for month in range(2):
        first = (day.replace(day=1) + timedelta(days=32 * (month + 1))).replace(day=1)
        end = first - timedelta(days=1)
        found = end - timedelta(days=(end.weekday() - 1) % 7)
        if found > day:
            return found
    raise AssertionError("a month has a last Tuesday")
