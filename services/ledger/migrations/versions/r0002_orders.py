"""Orders, their intents, events and trades; conversions, audit, settings. Amounts are integers of 1/10000 rupee.

What is written here for good is guarded by the database itself: audit and events take new rows only, intents keep what
was asked for and never leave ACCEPTED, orders and trades are not deleted. `INSERT OR REPLACE` counts as a deletion.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from services.ledger.migrations.server_guards import differs, guard, kept

revision = "0002"
down_revision = "0001"

INSTANT = sa.DateTime(timezone=True)


def _text(name: str, length: int) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=False)


def _whole(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False)


def _actor() -> tuple[sa.Column[str], ...]:
    return _text("actor", 80), _text("role", 20), _text("session", 80)


def upgrade() -> None:
    _make_intents()
    _make_orders()
    _make_trades()
    _make_records()
    for statement in _guards() if op.get_bind().dialect.name == "sqlite" else _server_guards():
        op.execute(statement)


def _make_intents() -> None:
    op.create_table(
        "order_intents",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("intent_id", sa.String(80), nullable=False, unique=True),
        _text("kind", 20),
        _text("target", 200),
        sa.Column("body", sa.JSON, nullable=False),
        sa.Column("before", sa.JSON),
        sa.Column("tag", sa.String(40), unique=True),
        sa.Column("lines", sa.Integer, nullable=False),
        sa.Column("basket", sa.String(80)),
        *_actor(),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        _text("state", 20),
        _text("code", 80),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("result", sa.JSON),
        sa.Column("settled_by", sa.String(20)),
        sa.Column("settled_at", INSTANT),
        sqlite_autoincrement=True,
    )
    _index("order_intents_state", "order_intents", "state")
    _index("order_intents_target", "order_intents", "target", "state")
    _index("order_intents_created", "order_intents", "created_at", "kind", "lines")
    _index("order_intents_day", "order_intents", "day", "kind", "state", "lines")
    _index("order_intents_basket", "order_intents", "basket")
    op.create_table(
        "intent_orders",
        sa.Column("intent_id", sa.String(80), sa.ForeignKey("order_intents.intent_id"), primary_key=True),
        sa.Column("order_id", sa.String(80), primary_key=True),
        sa.Column("position", sa.Integer, nullable=False),
    )
    _index("intent_orders_order", "intent_orders", "order_id")


def _make_orders() -> None:
    op.create_table(
        "orders_v3",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("order_id", sa.String(80), nullable=False, unique=True),
        _text("key", 80),
        _text("side", 10),
        _whole("quantity"),
        _text("order_type", 20),
        _text("product", 20),
        _text("validity", 20),
        _whole("price"),
        _whole("trigger_price"),
        _text("status", 80),
        _whole("filled_quantity"),
        _whole("pending_quantity"),
        _whole("average_price"),
        _whole("disclosed_quantity"),
        _text("symbol", 80),
        _text("exchange", 20),
        sa.Column("tag", sa.String(80)),
        sa.Column("message", sa.Text),
        sa.Column("raw_message", sa.Text),
        sa.Column("exchange_order_id", sa.String(80)),
        sa.Column("parent_order_id", sa.String(80)),
        _text("request_id", 80),
        _text("reference_id", 80),
        _text("variety", 20),
        sa.Column("amo", sa.Boolean, nullable=False),
        sa.Column("placed_at", INSTANT),
        sa.Column("exchange_at", INSTANT),
        sa.Column("market_protection", sa.BigInteger),
        sa.Column("alive", sa.Boolean, nullable=False),
        sa.Column("intent_id", sa.String(80), sa.ForeignKey("order_intents.intent_id")),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("changed_day", sa.Date, nullable=False),
        sa.Column("first_at", INSTANT, nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
        sqlite_autoincrement=True,
    )
    _index("orders_v3_alive", "orders_v3", "alive")
    _index("orders_v3_tag", "orders_v3", "tag")
    _index("orders_v3_intent", "orders_v3", "intent_id")
    _index("orders_v3_day", "orders_v3", "day")
    _index("orders_v3_changed", "orders_v3", "changed_day")
    _index("orders_v3_first", "orders_v3", "first_at", "id")
    op.create_table(
        "order_events",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("order_id", sa.String(80), sa.ForeignKey("orders_v3.order_id"), nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.Column("told_at", INSTANT),
        _text("source", 20),
        _text("status", 80),
        _whole("quantity"),
        _whole("filled_quantity"),
        _whole("price"),
        _whole("trigger_price"),
        _whole("average_price"),
        sa.Column("message", sa.Text),
        _text("request_id", 80),
        sa.Column("intent_id", sa.String(80)),
        sa.Column("raw", sa.JSON),
        sqlite_autoincrement=True,
    )
    _index("order_events_order", "order_events", "order_id", "number")


def _make_trades() -> None:
    op.create_table(
        "trades",
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("segment", sa.String(20), primary_key=True),
        sa.Column("trade_id", sa.String(80), primary_key=True),
        sa.Column("side", sa.String(10), primary_key=True),
        sa.Column("order_id", sa.String(80)),
        _text("key", 80),
        _whole("quantity"),
        _whole("price"),
        _text("product", 20),
        _text("exchange", 20),
        _text("symbol", 80),
        _text("order_type", 20),
        _text("exchange_order_id", 80),
        _text("reference_id", 80),
        sa.Column("traded_at", INSTANT),
        sa.Column("about", sa.JSON),
        _text("source", 20),
        sa.Column("recorded_at", INSTANT, nullable=False),
    )
    _index("trades_order", "trades", "order_id")


def _make_records() -> None:
    op.create_table(
        "position_conversions",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("intent_id", sa.String(80), sa.ForeignKey("order_intents.intent_id"), nullable=False, unique=True),
        _text("key", 80),
        _text("side", 10),
        _whole("quantity"),
        _text("from_product", 20),
        _text("to_product", 20),
        sa.Column("day", sa.Date, nullable=False),
        sqlite_autoincrement=True,
    )
    _index("position_conversions_day", "position_conversions", "day")
    op.create_table(
        "audit",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("at", INSTANT, nullable=False),
        *_actor(),
        _text("what", 80),
        _text("target", 200),
        sa.Column("intent_id", sa.String(80)),
        sa.Column("before", sa.JSON),
        sa.Column("after", sa.JSON),
        sqlite_autoincrement=True,
    )
    _index("audit_target", "audit", "target", "number")
    _index("audit_intent", "audit", "intent_id", "number")
    op.create_table(
        "order_settings",
        sa.Column("name", sa.String(40), primary_key=True),
        sa.Column("value", sa.JSON, nullable=False),
        *_actor(),
        sa.Column("changed_at", INSTANT, nullable=False),
    )


def _index(name: str, table: str, *columns: str) -> None:
    op.create_index(name, table, list(columns))


def _guards() -> list[str]:
    asked = "intent_id kind target body before tag lines basket actor role session day created_at"
    traded = "day segment trade_id key side quantity price"
    return [
        _guard("audit", "UPDATE", "the audit takes new rows only"),
        _guard("audit", "DELETE", "the audit takes new rows only"),
        _no_replacing("audit", "number"),
        _guard("order_events", "UPDATE", "the events of orders take new rows only"),
        _guard("order_events", "DELETE", "the events of orders take new rows only"),
        _no_replacing("order_events", "number"),
        _guard("order_intents", "UPDATE", "what an intent asked for stays as it was", _differs(asked)),
        _guard("order_intents", "DELETE", "intents are kept"),
        _no_replacing("order_intents", "id", "intent_id", "tag"),
        _guard("orders_v3", "DELETE", "orders are kept"),
        _no_replacing("orders_v3", "id", "order_id"),
        _guard("position_conversions", "UPDATE", "conversions stay as they were"),
        _guard("position_conversions", "DELETE", "conversions are kept"),
        _no_replacing("position_conversions", "id", "intent_id"),
        _guard("trades", "UPDATE", "a trade stays what it was", _differs(traded)),
        _guard("trades", "DELETE", "trades are kept"),
        "CREATE TRIGGER trades_replace BEFORE INSERT ON trades WHEN EXISTS (SELECT 1 FROM trades WHERE day = NEW.day "
        "AND segment = NEW.segment AND trade_id = NEW.trade_id AND side = NEW.side) "
        "BEGIN SELECT RAISE(ABORT, 'a trade stays what it was'); END",
        "CREATE TRIGGER order_intents_final BEFORE UPDATE ON order_intents "
        "WHEN OLD.state = 'ACCEPTED' AND NEW.state <> 'ACCEPTED' "
        "BEGIN SELECT RAISE(ABORT, 'an accepted intent stays accepted'); END",
    ]


def _server_guards() -> list[str]:
    """The same of a PostgreSQL database, which has no `INSERT OR REPLACE`, but has TRUNCATE."""
    asked = "intent_id kind target body before tag lines basket actor role session day created_at"
    traded = "day segment trade_id key side quantity price"
    accepted = "OLD.state = 'ACCEPTED' AND NEW.state <> 'ACCEPTED'"
    return [
        *guard("audit", "update", "the audit takes new rows only"),
        *kept("audit", "the audit takes new rows only"),
        *guard("order_events", "update", "the events of orders take new rows only"),
        *kept("order_events", "the events of orders take new rows only"),
        *guard("order_intents", "update", "what an intent asked for stays as it was", differs(asked, "body before")),
        *guard("order_intents", "final", "an accepted intent stays accepted", accepted),
        *kept("order_intents", "intents are kept"),
        *kept("orders_v3", "orders are kept"),
        *guard("position_conversions", "update", "conversions stay as they were"),
        *kept("position_conversions", "conversions are kept"),
        *guard("trades", "update", "a trade stays what it was", differs(traded)),
        *kept("trades", "trades are kept"),
    ]


def _guard(table: str, event: str, words: str, when: str = "") -> str:
    condition = f"WHEN {when} " if when else ""
    return (
        f"CREATE TRIGGER {table}_{event.lower()} BEFORE {event} ON {table} {condition}"
        f"BEGIN SELECT RAISE(ABORT, '{words}'); END"
    )


def _no_replacing(table: str, *unique: str) -> str:
    taken = " OR ".join(f"EXISTS (SELECT 1 FROM {table} WHERE {name} = NEW.{name})" for name in unique)  # noqa: S608
    return (
        f"CREATE TRIGGER {table}_replace BEFORE INSERT ON {table} WHEN {taken} "
        f"BEGIN SELECT RAISE(ABORT, 'UNIQUE: a row of {table} is not replaced'); END"
    )


def _differs(columns: str) -> str:
    return " OR ".join(f"OLD.{name} IS NOT NEW.{name}" for name in columns.split())
