"""Quotes: full, LTP, OHLC, option greeks. Answers are keyed `NSE_EQ:RELIANCE`, with the instrument key inside."""

from __future__ import annotations

from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response

from services.domain.clock import IST, from_epoch_ms
from services.paper.bars import HALF_HOUR_MS, grouped
from services.paper.broker import Broker, Handlers
from services.paper.envelope import read_object, refusal, success
from services.paper.model import Bars, Level, MarketBar, Snapshot
from services.paper.parameters import check_keys, listed_keys

_NO_LEVEL = Level(0.0, 0, 0)
_NO_DEPTH = (_NO_LEVEL,) * 5
INTERVALS = ("1d", "I1", "I30")


async def full_v2(broker: Broker, request: Request) -> Response:
    snaps = _asked(broker, request, "UDAPI100042", old_name=True)
    stamps = _Stamps()
    return success(request, {snap.listing.quote_name: _full(snap, stamps) for snap in snaps})


async def full_v3(broker: Broker, request: Request) -> Response:
    return _full_v3(request, _asked(broker, request, "UDAPI100042"))


async def full_guide(broker: Broker, request: Request) -> Response:
    """The guide's batch call: keys in a JSON body, answer as in v3."""
    body = await read_object(request)
    asked = body.get("instrument_keys")
    if not isinstance(asked, list) or not all(isinstance(key, str) for key in asked):
        raise refusal("UDAPI1009", property_path="instrument_keys")
    now = broker.clock.now()
    listings = broker.market.listings(now)
    keys = check_keys(asked, listings, limit=500, over_limit="UDAPI100042", name="instrument_keys")
    return _full_v3(request, broker.market.snapshots(keys, now))


async def ltp_v2(broker: Broker, request: Request) -> Response:
    snaps = _asked(broker, request, "UDAPI100043", old_name=True)
    return success(
        request,
        {s.listing.quote_name: {"last_price": s.ltp, "instrument_token": s.listing.key} for s in snaps},
    )


async def ltp_v3(broker: Broker, request: Request) -> Response:
    snaps = _asked(broker, request, "UDAPI100043")
    return success(request, {snap.listing.quote_name: _light(snap) for snap in snaps})


async def ohlc_v2(broker: Broker, request: Request) -> Response:
    interval = _interval(request)
    now = broker.clock.now()
    data = {}
    for snap in _asked(broker, request, "UDAPI100043", old_name=True, now=now):
        live, _ = _bars(broker, snap, interval, now)
        data[snap.listing.quote_name] = {
            "ohlc": {"open": live.open, "high": live.high, "low": live.low, "close": live.close},
            "last_price": snap.ltp,
            "instrument_token": snap.listing.key,
        }
    return success(request, data)


async def ohlc_v3(broker: Broker, request: Request) -> Response:
    interval = _interval(request)
    now = broker.clock.now()
    data = {}
    for snap in _asked(broker, request, "UDAPI100043", now=now):
        live, previous = _bars(broker, snap, interval, now)
        data[snap.listing.quote_name] = {
            "last_price": snap.ltp,
            "instrument_token": snap.listing.key,
            "prev_ohlc": None if previous is None else _ohlc(previous),
            "live_ohlc": _ohlc(live),
        }
    return success(request, data)


async def greeks_v3(broker: Broker, request: Request) -> Response:
    data = {}
    for snap in _asked(broker, request, "UDAPI100076", limit=50):
        greeks = snap.greeks
        data[snap.listing.quote_name] = _light(snap) | {
            "iv": greeks.iv if greeks else 0.0,
            "vega": greeks.vega if greeks else 0.0,
            "gamma": greeks.gamma if greeks else 0.0,
            "theta": greeks.theta if greeks else 0.0,
            "delta": greeks.delta if greeks else 0.0,
            "oi": snap.oi or 0.0,
        }
    return success(request, data)


HANDLERS: Handlers = {
    ("quotes", "v2"): full_v2,
    ("quotes", "v3"): full_v3,
    ("quotes", "guide"): full_guide,
    ("ltp", "v2"): ltp_v2,
    ("ltp", "v3"): ltp_v3,
    ("ohlc", "v2"): ohlc_v2,
    ("ohlc", "v3"): ohlc_v3,
    ("option_greeks", "v3"): greeks_v3,
}


def _asked(
    broker: Broker,
    request: Request,
    over_limit: str,
    *,
    limit: int = 500,
    old_name: bool = False,
    now: datetime | None = None,
) -> list[Snapshot]:
    """Snapshots of the keys in the query. v2 also takes the older parameter name `symbol`."""
    text = request.query_params.get("instrument_key")
    if not text and old_name:
        text = request.query_params.get("symbol")
    now = now or broker.clock.now()
    keys = listed_keys(text, broker.market.listings(now), limit=limit, over_limit=over_limit)
    return broker.market.snapshots(keys, now)


def _interval(request: Request) -> str:
    interval = request.query_params.get("interval")
    if not interval:
        raise refusal("UDAPI1027", property_path="interval")
    if interval not in INTERVALS:
        raise refusal("UDAPI1028", property_path="interval", invalid_value=interval)
    return interval


def _bars(broker: Broker, snap: Snapshot, interval: str, now: datetime) -> tuple[MarketBar, MarketBar | None]:
    """The running bar of the interval and the one before it. A day has no previous bar: live answers say null."""
    if interval == "1d":
        volume, oi = snap.volume or 0, int(snap.oi or 0)
        return MarketBar(snap.day_start_ms, snap.open, snap.high, snap.low, snap.ltp, volume, oi), None
    if interval == "I30":
        bars = grouped(Bars.of(broker.market.minute_bars(snap.listing.key, now)), HALF_HOUR_MS)
        if len(bars):
            return bars.bar(-1), bars.bar(-2) if len(bars) > 1 else None
    return snap.minute, snap.last_minute


def _ohlc(bar: MarketBar) -> dict[str, object]:
    return {
        "open": bar.open,
        "high": bar.high,
        "low": bar.low,
        "close": bar.close,
        "volume": bar.volume,
        "ts": bar.start_ms,
    }


def _light(snap: Snapshot) -> dict[str, object]:
    return {
        "last_price": snap.ltp,
        "instrument_token": snap.listing.key,
        "ltq": snap.last_quantity,
        "volume": snap.volume or 0,
        "cp": snap.prev_close,
    }


def _full_v3(request: Request, snaps: list[Snapshot]) -> Response:
    stamps = _Stamps()
    data = {}
    for snap in snaps:
        quote = _full(snap, stamps)
        quote["ohlc"] = {
            "open": snap.open,
            "high": snap.high,
            "low": snap.low,
            "close": snap.ltp,
            "volume": snap.volume or 0,
            "ts": snap.day_start_ms,
        }
        quote["prev_close_price"] = snap.prev_close
        quote["year_high"] = snap.year_high
        quote["year_low"] = snap.year_low
        quote["previous_oi"] = _count(snap, snap.previous_oi)
        quote["indicative_equilibrium_price"] = 0.0
        quote["reference_price"] = 0.0
        quote["indicative_equilibrium_quantity"] = 0
        quote["indicative_imbalance_quantity_total"] = 0
        quote["indicative_imbalance_quantity_market"] = 0
        quote["cas_eligible"] = bool(snap.listing.row.get("cas_eligible", False))
        data[snap.listing.quote_name] = quote
    return success(request, data)


def _full(snap: Snapshot, stamps: _Stamps) -> dict[str, object]:
    """A full quote of v2. Depth levels go to the JSON encoder as they are: it writes dataclasses by itself."""
    listing = snap.listing
    return {
        "ohlc": {"open": snap.open, "high": snap.high, "low": snap.low, "close": snap.ltp},
        "depth": {"buy": _five(snap.bids), "sell": _five(snap.asks)},
        "timestamp": stamps.of(snap.at_ms),
        "instrument_token": listing.key,
        "symbol": listing.quote_symbol,
        "last_price": snap.ltp,
        "volume": snap.volume,
        "average_price": snap.average_price,
        "oi": _count(snap, snap.oi),
        "net_change": round(snap.ltp - snap.prev_close, 4),
        "total_buy_quantity": _count(snap, snap.total_buy_quantity),
        "total_sell_quantity": _count(snap, snap.total_sell_quantity),
        "lower_circuit_limit": snap.lower_circuit,
        "upper_circuit_limit": snap.upper_circuit,
        "last_trade_time": str(snap.last_trade_ms),
        "oi_day_high": _count(snap, snap.oi_day_high),
        "oi_day_low": _count(snap, snap.oi_day_low),
    }


def _count(snap: Snapshot, value: float | None) -> float | None:
    """Counts travel as floats; an index has none (null), a share has no open interest (0)."""
    if value is not None:
        return float(value)
    return None if snap.listing.segment.endswith("_INDEX") else 0.0


def _five(levels: tuple[Level, ...]) -> tuple[Level, ...]:
    return levels if len(levels) == 5 else (*levels, *_NO_DEPTH)[:5]


class _Stamps:
    """Renders instants as `2026-11-20T11:15:04.512+05:30`; one answer repeats few of them."""

    def __init__(self) -> None:
        self._known: dict[int, str] = {}

    def of(self, epoch_ms: int) -> str:
        text = self._known.get(epoch_ms)
        if text is None:
            text = self._known[epoch_ms] = from_epoch_ms(epoch_ms).astimezone(IST).isoformat(timespec="milliseconds")
        return text
