"""Option greeks, option chains and option contracts.

Scale of the implied volatility: the chain documents percent (11.24) and is taken as it stands. The greeks call does not
say; its published samples are fractions (0.336). There, a value below 3 is taken for a fraction: in a fraction 3 is
300 %, in percent 3 would be calmer than any share or index. (USDINR comes near it; its chain tells percent outright.)
"""

from __future__ import annotations

from services.domain.instruments import Instrument
from services.domain.quotes import ChainRow, ChainSide, OptionGreeks
from services.wire.fields import (
    Row,
    as_list,
    as_map,
    iso_day,
    number,
    number_or_none,
    price_or_none,
    text,
    whole_or_none,
)
from services.wire.instruments import parse_instrument

FRACTION_BELOW = 3.0


def iv_in_percent(value: float | None) -> float | None:
    """An implied volatility of unknown scale, in percent. 0 and null are "not available"."""
    if not value:
        return None
    return round(value * 100, 6) if value < FRACTION_BELOW else value


def parse_greeks(data: object) -> dict[str, OptionGreeks]:
    """Greeks by instrument key. All of them `None` where the broker has none (it prints zeros for dead strikes)."""
    found: dict[str, OptionGreeks] = {}
    for name, value in as_map(data, "data").items():
        where = f"data[{name[:60]}]"
        row = as_map(value, where)
        key = text(row, "instrument_token", where)
        if "last_price" in row and row["last_price"] is None:
            continue
        delta, gamma, theta, vega = _greeks(row, where)
        found[key] = OptionGreeks(
            key=key,
            ltp=number(row, "last_price", where),
            prev_close=price_or_none(row, "cp", where),
            volume=whole_or_none(row, "volume", where),
            oi=number_or_none(row, "oi", where),
            iv_percent=iv_in_percent(number_or_none(row, "iv", where)),
            delta=delta,
            gamma=gamma,
            theta=theta,
            vega=vega,
        )
    return found


def parse_chain(data: object) -> list[ChainRow]:
    """The strikes of one expiry, ascending. An empty list is an answer, not an error."""
    rows = []
    for place, value in enumerate(as_list(data, "data")):
        where = f"data[{place}]"
        row = as_map(value, where)
        rows.append(
            ChainRow(
                expiry=iso_day(row.get("expiry"), f"{where}.expiry").isoformat(),
                strike=number(row, "strike_price", where),
                underlying_key=text(row, "underlying_key", where),
                underlying_price=price_or_none(row, "underlying_spot_price", where),
                pcr=number_or_none(row, "pcr", where),
                call=_side(row, "call_options", where),
                put=_side(row, "put_options", where),
            )
        )
    return sorted(rows, key=lambda row: row.strike)


def parse_contracts(data: object) -> list[Instrument]:
    """Option contracts as instruments, in the broker's order."""
    return [parse_instrument(as_map(row, f"data[{place}]")) for place, row in enumerate(as_list(data, "data"))]


def _side(row: Row, name: str, where: str) -> ChainSide | None:
    """The call or the put; far strikes can lack one."""
    if row.get(name) is None:
        return None
    place = f"{where}.{name}"
    side = as_map(row[name], place)
    if side.get("instrument_key") is None:
        return None
    market = as_map(side.get("market_data") or {}, f"{place}.market_data")
    greeks = as_map(side.get("option_greeks") or {}, f"{place}.option_greeks")
    bid = price_or_none(market, "bid_price", f"{place}.market_data")
    ask = price_or_none(market, "ask_price", f"{place}.market_data")
    delta, gamma, theta, vega = _greeks(greeks, f"{place}.option_greeks")
    return ChainSide(
        key=text(side, "instrument_key", place),
        ltp=price_or_none(market, "ltp", f"{place}.market_data"),
        prev_close=price_or_none(market, "close_price", f"{place}.market_data"),
        volume=whole_or_none(market, "volume", f"{place}.market_data"),
        oi=number_or_none(market, "oi", f"{place}.market_data"),
        previous_oi=number_or_none(market, "prev_oi", f"{place}.market_data"),
        bid=bid,
        bid_quantity=whole_or_none(market, "bid_qty", f"{place}.market_data") if bid else None,
        ask=ask,
        ask_quantity=whole_or_none(market, "ask_qty", f"{place}.market_data") if ask else None,
        iv_percent=price_or_none(greeks, "iv", f"{place}.option_greeks"),
        delta=delta,
        gamma=gamma,
        theta=theta,
        vega=vega,
        probability_of_profit=number_or_none(greeks, "pop", f"{place}.option_greeks"),
    )


def _greeks(row: Row, where: str) -> tuple[float | None, float | None, float | None, float | None]:
    """Delta, gamma, theta, vega. One zero is a value (gamma far from the money); four zeros are no greeks."""
    delta = number_or_none(row, "delta", where)
    gamma = number_or_none(row, "gamma", where)
    theta = number_or_none(row, "theta", where)
    vega = number_or_none(row, "vega", where)
    if not (delta or gamma or theta or vega):
        return None, None, None, None
    return delta, gamma, theta, vega
