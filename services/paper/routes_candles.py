"""Today's candles (v3)."""

from __future__ import annotations

from datetime import datetime, time

from starlette.requests import Request
from starlette.responses import Response

from services.domain.clock import IST, epoch_ms, from_epoch_ms, ist_date
from services.paper.bars import MINUTE_MS, grouped, whole_day
from services.paper.broker import Broker, Handlers
from services.paper.envelope import refusal, success
from services.paper.model import MarketBar
from services.paper.parameters import one_key

_MOST = {"minutes": 300, "hours": 5, "days": 1}
_UNIT_MS = {"minutes": MINUTE_MS, "hours": 60 * MINUTE_MS}


async def intraday(broker: Broker, request: Request) -> Response:
    now = broker.clock.now()
    listings = broker.market.listings(now)
    key = one_key(request.path_params["instrument_key"], listings)
    unit, interval = request.path_params["unit"], request.path_params["interval"]
    if unit not in _MOST:
        raise refusal("UDAPI1146", property_path="unit", invalid_value=unit)
    if not interval.isascii() or not interval.isdecimal() or not 1 <= int(interval) <= _MOST[unit]:
        raise refusal("UDAPI1147", property_path="interval", invalid_value=interval)
    if key not in listings:
        raise refusal("UDAPI100011")
    minutes = broker.market.minute_bars(key, now)
    if unit == "days":
        bars = whole_day(minutes, _midnight_before(minutes[0].start_ms)) if minutes else []
    else:
        bars = grouped(minutes, int(interval) * _UNIT_MS[unit])
    return success(request, {"candles": [_candle(bar) for bar in reversed(bars)]})


HANDLERS: Handlers = {("intraday_bars", "v3"): intraday}


def _candle(bar: MarketBar) -> list[object]:
    stamp = from_epoch_ms(bar.start_ms).astimezone(IST).isoformat()
    return [stamp, bar.open, bar.high, bar.low, bar.close, bar.volume, bar.oi]


def _midnight_before(start_ms: int) -> int:
    return epoch_ms(datetime.combine(ist_date(from_epoch_ms(start_ms)), time(0, 0), IST))
