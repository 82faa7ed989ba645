"""A quote row on its way to SQLite and back."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import orjson

from services.domain.clock import epoch_ms
from services.domain.errors import StorageError
from services.domain.quote_row import Depth, QuoteRow
from services.storage.quote_store import StoredQuote

_INSTANTS = ("last_trade_time", "exchange_time", "received_at")


def to_stored(row: QuoteRow) -> StoredQuote:
    """The row as it is stored: whole as JSON, and the members that people query."""
    exchange_time = row["exchange_time"]
    return StoredQuote(
        key=row["instrument_key"],
        payload=orjson.dumps(row, default=_plain),
        ltp=row["ltp"],
        open=row["open"],
        high=row["high"],
        low=row["low"],
        volume=row["volume"],
        exchange_time_ms=None if exchange_time is None else epoch_ms(exchange_time),
        received_at_ms=epoch_ms(row["received_at"]),
        source=row["source"],
        api_version=row["api_version"],
    )


def _plain(level: Any) -> dict[str, Any]:  # Any: a level as the wire made it, read by name as `DepthSide` does
    return {"price": level["price"], "quantity": level["quantity"], "orders": level["orders"]}


def from_stored(stored: StoredQuote) -> QuoteRow:
    """The row as it was. Raises `StorageError` if the payload is not one of ours."""
    try:
        members: dict[str, Any] = orjson.loads(stored.payload)  # Any: JSON
        for name in _INSTANTS:
            if members[name] is not None:
                members[name] = datetime.fromisoformat(members[name])
        members["depth"] = Depth({side: tuple(members["depth"][side]) for side in ("buy", "sell")})
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise StorageError(f"the stored quote of {stored.key} cannot be read") from error
    return QuoteRow(members)
