"""One row of the instrument master, the instrument search or the option contracts, as an `Instrument`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from services.domain.clock import from_epoch_ms, ist_date
from services.domain.errors import MalformedPayload
from services.domain.instruments import Instrument
from services.wire.fields import (
    Row,
    as_list,
    as_map,
    decimal_or_none,
    flag_or_none,
    is_number,
    iso_day,
    malformed,
    text,
    text_or_none,
    whole_or_none,
)

_PAISE = Decimal(100)


def parse_instrument(row: Mapping[str, object]) -> Instrument:
    """The instrument of `row`. The tick is given in paise and becomes rupees; the expiry comes as epoch milliseconds
    (master), `YYYY-MM-DD` (search, contracts), "" or not at all; a strike of 0 (futures) is none.

    Raises `MalformedPayload` naming the member; unknown members are ignored.
    """
    where = str(row.get("instrument_key") or "instrument")[:60]
    tick = decimal_or_none(row, "tick_size", where)
    return Instrument(
        key=text(row, "instrument_key", where),
        segment=text(row, "segment", where),
        exchange=text(row, "exchange", where),
        symbol=text(row, "trading_symbol", where),
        name=text_or_none(row, "name", where) or text(row, "trading_symbol", where),
        type=text(row, "instrument_type", where),
        exchange_token=_token(row, where),
        isin=text_or_none(row, "isin", where),
        short_name=text_or_none(row, "short_name", where),
        tick_size=tick / _PAISE if tick else None,
        lot_size=whole_or_none(row, "lot_size", where),
        freeze_quantity=whole_or_none(row, "freeze_quantity", where),
        qty_multiplier=decimal_or_none(row, "qty_multiplier", where),
        expiry=_expiry(row, where),
        strike=decimal_or_none(row, "strike_price", where) or None,
        underlying_key=text_or_none(row, "underlying_key", where),
        underlying_symbol=text_or_none(row, "underlying_symbol", where),
        weekly=flag_or_none(row, "weekly", where),
        security_type=text_or_none(row, "security_type", where),
        cas_eligible=flag_or_none(row, "cas_eligible", where) or False,
    )


def parse_search(data: object) -> list[Instrument]:
    """The rows of an instrument search, in the broker's order."""
    return [parse_instrument(as_map(row, f"data[{place}]")) for place, row in enumerate(as_list(data, "data"))]


def _token(row: Row, where: str) -> str:
    """The exchange's own token: opaque, though it looks like a number (and was once sent as one)."""
    value = row.get("exchange_token")
    if is_number(value):
        return str(value)
    return text_or_none(row, "exchange_token", where) or ""


def _expiry(row: Row, where: str) -> date | None:
    value = row.get("expiry")
    if value is None or value == "":
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        try:
            return ist_date(from_epoch_ms(value))
        except OverflowError as error:
            raise MalformedPayload("an expiry out of range", field=f"{where}.expiry") from error
    if not isinstance(value, str):
        malformed(f"{where}.expiry", "epoch milliseconds or YYYY-MM-DD", value)
    return iso_day(value, f"{where}.expiry")
