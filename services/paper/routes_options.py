"""Option contracts and the option chain."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response

from services.domain.clock import from_epoch_ms, ist_date
from services.paper.broker import Broker, Handlers
from services.paper.envelope import refusal, success
from services.paper.model import Level, Listing, Snapshot
from services.paper.parameters import one_date, one_key

_CONTRACT_FIELDS = (
    "name", "segment", "exchange", "expiry", "instrument_key", "exchange_token", "trading_symbol", "tick_size",
    "lot_size", "instrument_type", "freeze_quantity", "underlying_key", "underlying_type", "underlying_symbol",
    "strike_price", "minimum_lot", "weekly",
)  # fmt: skip
_NOTHING = Level(0.0, 0, 0)


async def contracts(broker: Broker, request: Request) -> Response:
    listed = _options_of(broker, request, broker.clock.now())
    wanted = request.query_params.get("expiry_date")
    if wanted:
        day = one_date(wanted, "expiry_date").isoformat()
        listed = [item for item in listed if expiry_of(item.row) == day]
    listed.sort(key=lambda item: (expiry_of(item.row) or "", _strike(item), str(item.row["instrument_type"])))
    return success(request, [_contract(item.row) for item in listed])


async def chain(broker: Broker, request: Request) -> Response:
    now = broker.clock.now()
    listed = _options_of(broker, request, now)
    expiry = one_date(request.query_params.get("expiry_date"), "expiry_date").isoformat()
    # The real API has no chain for commodities: an empty list, not an error.
    listed = [item for item in listed if expiry_of(item.row) == expiry and item.exchange != "MCX"]
    if not listed:
        return success(request, [])
    underlying = request.query_params["instrument_key"]
    snaps = broker.market.snapshots([item.key for item in listed], now)
    listings = broker.market.listings(now)
    spot = broker.market.snapshots([underlying], now)[0].ltp if underlying in listings else None
    strikes: dict[float, dict[str, Snapshot]] = {}
    for snap in snaps:
        strikes.setdefault(_strike(snap.listing), {})[str(snap.listing.row["instrument_type"])] = snap
    return success(
        request,
        [_row(expiry, strike, underlying, spot, strikes[strike]) for strike in sorted(strikes)],
    )


HANDLERS: Handlers = {("option_contracts", "v2"): contracts, ("option_chain", "v2"): chain}


def expiry_of(row: Mapping[str, object]) -> str | None:
    """The contract's last day, YYYY-MM-DD: files hold epoch ms of its end, the other calls speak of dates."""
    expiry = row.get("expiry")
    return ist_date(from_epoch_ms(expiry)).isoformat() if isinstance(expiry, int) else None


def _options_of(broker: Broker, request: Request, now: datetime) -> list[Listing]:
    """Every option on the underlying that is asked for; an underlying without options has none."""
    listings = broker.market.listings(now)
    key = one_key(request.query_params.get("instrument_key"), listings)
    listed = [
        item
        for item in listings.values()
        if item.row.get("underlying_key") == key and item.row.get("instrument_type") in {"CE", "PE"}
    ]
    if not listed and key not in listings:
        raise refusal("UDAPI100011", property_path="instrument_key", invalid_value=key)
    return listed


def _strike(item: Listing) -> float:
    strike = item.row.get("strike_price")
    return float(strike) if isinstance(strike, (int, float)) else 0.0


def _contract(row: Mapping[str, object]) -> dict[str, object]:
    told = {name: row[name] for name in _CONTRACT_FIELDS if name in row}
    return told | {"expiry": expiry_of(row)}


def _row(
    expiry: str, strike: float, underlying: str, spot: float | None, sides: Mapping[str, Snapshot]
) -> dict[str, object]:
    call, put = sides.get("CE"), sides.get("PE")
    call_oi = (call.oi if call else None) or 0.0
    put_oi = (put.oi if put else None) or 0.0
    return {
        "expiry": expiry,
        "pcr": round(put_oi / call_oi, 2) if call_oi else 0.0,
        "strike_price": strike,
        "underlying_key": underlying,
        "underlying_spot_price": spot,
        "call_options": _side(call),
        "put_options": _side(put),
    }


def _side(snap: Snapshot | None) -> dict[str, object] | None:
    if snap is None:
        return None
    bid = snap.bids[0] if snap.bids else _NOTHING
    ask = snap.asks[0] if snap.asks else _NOTHING
    greeks = snap.greeks
    return {
        "instrument_key": snap.listing.key,
        "market_data": {
            "ltp": snap.ltp,
            "volume": snap.volume or 0,
            "oi": snap.oi or 0.0,
            "close_price": snap.prev_close,
            "bid_price": bid.price,
            "bid_qty": bid.quantity,
            "ask_price": ask.price,
            "ask_qty": ask.quantity,
            "prev_oi": snap.previous_oi or 0.0,
        },
        "option_greeks": {
            "vega": greeks.vega if greeks else 0.0,
            "theta": greeks.theta if greeks else 0.0,
            "gamma": greeks.gamma if greeks else 0.0,
            "delta": greeks.delta if greeks else 0.0,
            # The chain tells the implied volatility in percent, the greeks call as a fraction.
            "iv": round(greeks.iv * 100, 4) if greeks else 0.0,
            "pop": greeks.pop if greeks else 0.0,
        },
    }
