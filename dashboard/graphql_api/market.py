"""The market in the schema: instruments, quotes, candles, hours."""

from __future__ import annotations

from datetime import date, datetime

import strawberry

from dashboard.graphql_api.loads import Loads
from dashboard.graphql_api.values import Count, Price, age, asked, perhaps_count, perhaps_price, price
from services.candles.series import CandleSeries
from services.domain.calendar.days import DayKind
from services.domain.clock import ist_date
from services.domain.errors import InvalidRequest, UnknownInstrument
from services.domain.instruments import Instrument as InstrumentFacts
from services.domain.instruments import require_instrument_key
from services.domain.phases import Market, Phase
from services.domain.quote_row import QuoteRow

Info = strawberry.Info[Loads, None]
MOST_ITEMS = 500
_LEVELS = 5
_MATCHING = frozenset({Phase.OPEN, Phase.CLOSING_AUCTION})


def require_count(name: str, number: int) -> int:
    """How many items are wanted: 1 to `MOST_ITEMS`, else `InvalidRequest`."""
    if not 1 <= number <= MOST_ITEMS:
        raise InvalidRequest(f"{name} is a number from 1 to {MOST_ITEMS}, not {number}")
    return number


@strawberry.type(description="One step of the order book.")
class Level:
    price: Price
    quantity: Count
    orders: int


@strawberry.type(description="The best five prices of each side, the best first.")
class Depth:
    buy: list[Level]
    sell: list[Level]

    @classmethod
    def of(cls, row: QuoteRow) -> Depth:
        sides = row["depth"]
        return cls(buy=_levels(sides["buy"]), sell=_levels(sides["sell"]))


def _levels(side: tuple[dict[str, float | int], ...]) -> list[Level]:
    return [
        Level(price=price(one["price"]), quantity=Count(int(one["quantity"])), orders=int(one["orders"]))
        for one in side[:_LEVELS]
    ]


@strawberry.type(
    description="Prices of one instrument, all told at once: source and age are of every figure. null: the broker does"
    " not tell this of it."
)
class Quote:
    row: strawberry.Private[QuoteRow]
    source: str = strawberry.field(description="Where the prices come from.")
    told_by: str = strawberry.field(description='By which way: "feed v3" is the live feed.')
    received_at: datetime = strawberry.field(description="When it reached the desk.")
    exchange_time: datetime | None = strawberry.field(description="The broker's own stamp.")
    last_trade_time: datetime | None
    age_seconds: float = strawberry.field(description="Since it reached the desk, by the desk's clock.")
    ltp: Price
    open: Price | None
    high: Price | None
    low: Price | None
    previous_close: Price | None
    change: Price | None
    change_percent: float | None
    average_price: Price | None
    volume: Count | None
    oi: Count | None
    lower_circuit: Price | None
    upper_circuit: Price | None
    year_high: Price | None
    year_low: Price | None
    total_buy_quantity: Count | None
    total_sell_quantity: Count | None

    @asked("The order book.")
    def depth(self) -> Depth:
        return Depth.of(self.row)

    @classmethod
    def of(cls, row: QuoteRow, now: datetime) -> Quote:
        return cls(
            row=row,
            source=row["source"],
            told_by=row["api_version"],
            received_at=row["received_at"],
            exchange_time=row["exchange_time"],
            last_trade_time=row["last_trade_time"],
            age_seconds=age(now, row["received_at"]),
            ltp=price(row["ltp"]),
            open=perhaps_price(row["open"]),
            high=perhaps_price(row["high"]),
            low=perhaps_price(row["low"]),
            previous_close=perhaps_price(row["prev_close"]),
            change=perhaps_price(row["change"]),
            change_percent=row["change_percent"],
            average_price=perhaps_price(row["average_price"]),
            volume=perhaps_count(row["volume"]),
            oi=perhaps_count(row["oi"]),
            lower_circuit=perhaps_price(row["lower_circuit"]),
            upper_circuit=perhaps_price(row["upper_circuit"]),
            year_high=perhaps_price(row["year_high"]),
            year_low=perhaps_price(row["year_low"]),
            total_buy_quantity=perhaps_count(row["total_buy_quantity"]),
            total_sell_quantity=perhaps_count(row["total_sell_quantity"]),
        )


@strawberry.type(description="What the instrument master says. null: it does not say.")
class Facts:
    symbol: str
    name: str
    segment: str
    exchange: str
    type: str = strawberry.field(description="EQ, BE, SM ... for shares, INDEX, FUT, CE, PE.")
    isin: str | None
    lot_size: int | None
    tick_size: Price | None
    expiry: date | None
    strike: Price | None

    @classmethod
    def of(cls, told: InstrumentFacts) -> Facts:
        return cls(
            symbol=told.symbol,
            name=told.name,
            segment=told.segment,
            exchange=told.exchange,
            type=told.type,
            isin=told.isin,
            lot_size=told.lot_size,
            tick_size=perhaps_price(told.tick_size),
            expiry=told.expiry,
            strike=perhaps_price(told.strike),
        )


@strawberry.type(description="Something that has a price.")
class Instrument:
    key: str

    @asked("Its quote. All quotes of a question are asked for together.")
    async def quote(self, info: Info) -> Quote | None:
        return Quote.of(await info.context.quotes.load(self.key), info.context.now)

    @asked("What it is.")
    async def facts(self, info: Info) -> Facts | None:
        return Facts.of(await info.context.facts.load(self.key))

    @asked("What a contract is written on; an error for what is no contract.")
    async def underlying(self, info: Info) -> Instrument | None:
        told = await info.context.facts.load(self.key)
        if told.underlying_key is None:
            raise UnknownInstrument(f"the instrument master tells no underlying of {self.key!r}")
        return Instrument(key=told.underlying_key)


@strawberry.type(description="One bar. It begins at `start`.")
class Bar:
    start: datetime
    open: Price
    high: Price
    low: Price
    close: Price
    volume: Count
    oi: Count


@strawberry.type(description="Bars of one instrument, oldest first.")
class Candles:
    series: strawberry.Private[CandleSeries]
    instrument: Instrument
    interval: str
    source: str = strawberry.field(description="Whose prices they are.")
    told_by: list[str] = strawberry.field(description="How the stretches came: stored, v3, intraday, feed ...")
    as_of: datetime | None = strawberry.field(description="When the broker told the oldest stretch; null: not known.")
    age_seconds: float | None = strawberry.field(description="Since `asOf`.")
    provisional_from: datetime | None = strawberry.field(description="Bars from here on may change; null: none may.")
    complete: bool = strawberry.field(description="Did nothing fail?")
    problems: list[str] = strawberry.field(description="Stretches that are missing, and why.")

    @asked("At most the `count` bars that were asked for.")
    def bars(self) -> list[Bar]:
        return [
            Bar(
                start=bar.start,
                open=price(bar.open),
                high=price(bar.high),
                low=price(bar.low),
                close=price(bar.close),
                volume=Count(bar.volume),
                oi=Count(bar.oi or 0),
            )
            for bar in self.series.bars()
        ]

    @classmethod
    def read(cls, key: str, interval: str, count: int, loads: Loads) -> Candles:
        """Raises what kept every bar from coming."""
        series = loads.runtime.candles.latest(require_instrument_key(key), interval, require_count("count", count))
        for one in series.missing if not len(series) else ():
            if one.error is not None:
                raise one.error
        told = [part.fetched_at for part in series.sources if part.fetched_at is not None]
        oldest = min(told, default=None)
        return cls(
            series=series,
            instrument=Instrument(key=key),
            interval=series.interval.word,
            source=loads.runtime.source.label,
            told_by=sorted({part.source for part in series.sources}),
            as_of=oldest,
            age_seconds=None if oldest is None else age(loads.now, oldest),
            provisional_from=series.provisional_from,
            complete=series.complete,
            problems=[one.why for one in series.missing],
        )


@strawberry.type(description="What one market does now, by the real exchange's hours.")
class MarketNow:
    market: str
    is_open: bool = strawberry.field(description="Are orders matched now?")
    phase: str
    reason: str
    until: datetime | None = strawberry.field(description="When that ends; null: not known.")
    then: str | None = strawberry.field(description="What follows; null: not known.")
    trades_today: bool | None = strawberry.field(description="null: not published.")
    source: str
    confirmed: bool

    @classmethod
    def of(cls, market: Market, loads: Loads) -> MarketNow:
        calendar = loads.runtime.calendar
        now, today = calendar.phase(market), calendar.current.day(market, ist_date(loads.now))
        return cls(
            market=market.value,
            is_open=now.phase in _MATCHING,
            phase=now.phase.value,
            reason=now.reason,
            until=now.until,
            then=None if now.then is None else now.then.value,
            trades_today=None if today.kind is DayKind.UNKNOWN else today.trades,
            source=now.source,
            confirmed=now.confirmed,
        )
