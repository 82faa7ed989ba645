"""The life of alerts: who saw and ended them, changed rules, price alerts, channels and what was sent over them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

INSTANT = sa.DateTime(timezone=True)


def _text(name: str, length: int) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=False)


def upgrade() -> None:
    for name in ("acknowledged_by", "resolved_by"):
        op.add_column("alerts", sa.Column(name, sa.String(80)))
    op.create_table(
        "alert_rules",
        sa.Column("kind", sa.String(60), primary_key=True),
        sa.Column("value", sa.JSON, nullable=False),
        _text("changed_by", 80),
        sa.Column("changed_at", INSTANT, nullable=False),
    )
    op.create_table(
        "price_alerts",
        sa.Column("id", sa.Integer, primary_key=True),
        _text("instrument_key", 80),
        _text("symbol", 80),
        _text("measure", 20),
        _text("direction", 20),
        sa.Column("level", sa.BigInteger, nullable=False),
        _text("note", 200),
        sa.Column("once", sa.Boolean, nullable=False),
        _text("created_by", 80),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("fired_at", INSTANT),
        sa.Column("ended_at", INSTANT),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "alert_channels",
        sa.Column("id", sa.Integer, primary_key=True),
        _text("name", 60),
        _text("service", 60),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        _text("least", 20),
        sa.Column("tell_end", sa.Boolean, nullable=False),
        sa.Column("active", sa.Boolean, nullable=False),
        _text("created_by", 80),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("removed_at", INSTANT),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "alert_deliveries",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("channel_id", sa.Integer, sa.ForeignKey("alert_channels.id"), nullable=False),
        sa.Column("alert_id", sa.Integer, sa.ForeignKey("alerts.id")),
        _text("what", 20),
        _text("state", 20),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("alert_deliveries_once", "alert_deliveries", ["channel_id", "alert_id", "what"], unique=True)
