"""A fresh ledger, and orders, intents and trades to put into it."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from services.domain.actors import Actor, Role
from services.domain.intents import IntentKind, NewIntent
from services.domain.orders import BookOrder, Side, Trade
from services.ledger.engine import Ledger
from services.ledger.opening import open_ledger
from services.sqlite.opening import make_private_file

NOW = datetime(2026, 11, 20, 4, 15, tzinfo=UTC)
"""09:45 in India, a Friday."""
RELIANCE = "NSE_EQ|INE002A01018"
TRADER = Actor("asha", session="tab-1")
OPERATOR = Actor("meera", Role.OPERATOR, "tab-2")
_numbers = count(1)


NOTE = "ledger.url"
"""In a folder: the address of its ledger, if that is no file (`tests.support.ledger_engines`)."""


def new_ledger(folder: Path, name: str = "ledger.db") -> Ledger:
    """The ledger of `folder`; if there is none, a fresh file, which is made by the revisions once and then copied."""
    if (note := folder / NOTE).exists():
        return open_ledger(note.read_text(), backups=folder / "backups", now=NOW)
    path = folder / name
    if not path.exists():
        make_private_file(path)
        path.write_bytes(_fresh())
    return open_ledger(path, backups=folder / "backups", now=NOW)


@cache
def _fresh() -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.db"
        open_ledger(path, backups=path.parent, now=NOW).close()
        return path.read_bytes()


def new_intent(intent_id: str = "", **changes: Any) -> NewIntent:
    """Buy 10 RELIANCE at 1234.50, unless told otherwise; without an id, one of its own."""
    number = next(_numbers)
    told: dict[str, Any] = {
        "intent_id": intent_id or f"intent-{number}",
        "kind": IntentKind.PLACE,
        "target": RELIANCE,
        "body": {"key": RELIANCE, "side": Side.BUY, "quantity": 10, "price": Decimal("1234.50")},
        "actor": TRADER,
        "tag": f"tag-{number}",
    }
    return NewIntent(**told | changes)


def book_order(order_id: str = "261120000000001", **changes: Any) -> BookOrder:
    told: dict[str, Any] = {
        "order_id": order_id,
        "key": RELIANCE,
        "side": Side.BUY,
        "quantity": 10,
        "order_type": "LIMIT",
        "product": "D",
        "validity": "DAY",
        "price": Decimal("1234.50"),
        "trigger_price": Decimal(0),
        "status": "open",
        "pending_quantity": 10,
        "symbol": "RELIANCE",
        "exchange": "NSE",
        "request_id": "1",
        "variety": "SIMPLE",
        "placed_at": NOW,
    }
    return BookOrder(**told | changes)


def trade(trade_id: str = "50091502", **changes: Any) -> Trade:
    told: dict[str, Any] = {
        "trade_id": trade_id,
        "order_id": "261120000000001",
        "key": RELIANCE,
        "side": Side.BUY,
        "quantity": 10,
        "price": Decimal("1234.45"),
        "product": "D",
        "exchange": "NSE",
        "symbol": "RELIANCE",
        "order_type": "LIMIT",
        "traded_at": NOW,
    }
    return Trade(**told | changes)
