"""The ledger's tables of orders and money. Alembic makes them, with guards (`migrations/versions`); a test compares."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from services.ledger.money import Exact
from services.ledger.tables import Instant, metadata

GUARDS = {
    "audit": ("update", "delete", "replace"),
    "order_events": ("update", "delete", "replace"),
    "order_intents": ("update", "delete", "replace", "final"),
    "orders_v3": ("delete", "replace"),
    "position_conversions": ("update", "delete", "replace"),
    "trades": ("update", "delete", "replace"),
}
"""Triggers by which the database itself refuses to change or lose rows; their names are `<table>_<guard>`."""


def _json(name: str, *, nullable: bool = True) -> sa.Column[Any]:  # Any: JSON values
    return sa.Column(name, sa.JSON(none_as_null=True), nullable=nullable)


def _text(name: str, length: int) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=False)


def _whole(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False)


def _amount(name: str) -> sa.Column[Any]:
    return sa.Column(name, Exact, nullable=False)


def _actor() -> tuple[sa.Column[str], ...]:
    return _text("actor", 80), _text("role", 20), _text("session", 80)


order_intents = sa.Table(
    "order_intents",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("intent_id", sa.String(80), nullable=False, unique=True),
    _text("kind", 20),
    _text("target", 200),
    _json("body", nullable=False),
    _json("before"),
    sa.Column("tag", sa.String(40), unique=True),
    sa.Column("lines", sa.Integer, nullable=False),
    sa.Column("basket", sa.String(80)),
    *_actor(),
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    _text("state", 20),
    _text("code", 80),
    sa.Column("reason", sa.Text, nullable=False),
    _json("result"),
    sa.Column("settled_by", sa.String(20)),
    sa.Column("settled_at", Instant),
    # which process sends it; nothing in rows of a desk that did not write it down
    sa.Column("process", sa.String(120)),
    sa.Index("order_intents_state", "state"),
    sa.Index("order_intents_target", "target", "state"),
    sa.Index("order_intents_created", "created_at", "kind", "lines"),
    sa.Index("order_intents_day", "day", "kind", "state", "lines"),
    sa.Index("order_intents_basket", "basket"),
    sqlite_autoincrement=True,
)

intent_orders = sa.Table(
    "intent_orders",
    metadata,
    sa.Column("intent_id", sa.String(80), sa.ForeignKey("order_intents.intent_id"), primary_key=True),
    sa.Column("order_id", sa.String(80), primary_key=True),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Index("intent_orders_order", "order_id"),
)

orders_v3 = sa.Table(
    "orders_v3",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("order_id", sa.String(80), nullable=False, unique=True),
    _text("key", 80),
    _text("side", 10),
    _whole("quantity"),
    _text("order_type", 20),
    _text("product", 20),
    _text("validity", 20),
    _amount("price"),
    _amount("trigger_price"),
    _text("status", 80),
    _whole("filled_quantity"),
    _whole("pending_quantity"),
    _amount("average_price"),
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
    sa.Column("placed_at", Instant),
    sa.Column("exchange_at", Instant),
    sa.Column("market_protection", Exact),
    # what the desk adds
    sa.Column("alive", sa.Boolean, nullable=False),
    sa.Column("intent_id", sa.String(80), sa.ForeignKey("order_intents.intent_id")),
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("changed_day", sa.Date, nullable=False),
    sa.Column("first_at", Instant, nullable=False),
    sa.Column("changed_at", Instant, nullable=False),
    sa.Index("orders_v3_alive", "alive"),
    sa.Index("orders_v3_tag", "tag"),
    sa.Index("orders_v3_intent", "intent_id"),
    sa.Index("orders_v3_day", "day"),
    sa.Index("orders_v3_changed", "changed_day"),
    sa.Index("orders_v3_first", "first_at", "id"),
    sqlite_autoincrement=True,
)

order_events = sa.Table(
    "order_events",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("order_id", sa.String(80), sa.ForeignKey("orders_v3.order_id"), nullable=False),
    sa.Column("recorded_at", Instant, nullable=False),
    sa.Column("told_at", Instant),
    _text("source", 20),
    _text("status", 80),
    _whole("quantity"),
    _whole("filled_quantity"),
    _amount("price"),
    _amount("trigger_price"),
    _amount("average_price"),
    sa.Column("message", sa.Text),
    _text("request_id", 80),
    sa.Column("intent_id", sa.String(80)),
    _json("raw"),
    sa.Index("order_events_order", "order_id", "number"),
    sqlite_autoincrement=True,
)

trades = sa.Table(
    "trades",
    metadata,
    # an exchange counts its trades anew each day and in each segment; both sides of one match have one number
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("segment", sa.String(20), primary_key=True),
    sa.Column("trade_id", sa.String(80), primary_key=True),
    sa.Column("side", sa.String(10), primary_key=True),
    sa.Column("order_id", sa.String(80)),
    _text("key", 80),
    _whole("quantity"),
    _amount("price"),
    _text("product", 20),
    _text("exchange", 20),
    _text("symbol", 80),
    _text("order_type", 20),
    _text("exchange_order_id", 80),
    _text("reference_id", 80),
    sa.Column("traded_at", Instant),
    _json("about"),
    _text("source", 20),
    sa.Column("recorded_at", Instant, nullable=False),
    # whose it is; empty in rows of a desk that did not write it down
    sa.Column("account", sa.String(80)),
    sa.Index("trades_order", "order_id"),
)

position_conversions = sa.Table(
    "position_conversions",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("intent_id", sa.String(80), sa.ForeignKey("order_intents.intent_id"), nullable=False, unique=True),
    _text("key", 80),
    _text("side", 10),
    _whole("quantity"),
    _text("from_product", 20),
    _text("to_product", 20),
    sa.Column("day", sa.Date, nullable=False),
    sa.Index("position_conversions_day", "day"),
    sqlite_autoincrement=True,
)

audit = sa.Table(
    "audit",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("at", Instant, nullable=False),
    *_actor(),
    _text("what", 80),
    _text("target", 200),
    sa.Column("intent_id", sa.String(80)),
    _json("before"),
    _json("after"),
    sa.Index("audit_target", "target", "number"),
    sa.Index("audit_intent", "intent_id", "number"),
    sqlite_autoincrement=True,
)

order_settings = sa.Table(
    "order_settings",
    metadata,
    sa.Column("name", sa.String(40), primary_key=True),
    _json("value", nullable=False),
    *_actor(),
    sa.Column("changed_at", Instant, nullable=False),
)
