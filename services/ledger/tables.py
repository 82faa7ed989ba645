"""The ledger's tables as the program uses them. Alembic makes them (`migrations/versions`); a test compares both."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa

from services.ledger.money import Exact


class Instant(sa.types.TypeDecorator[datetime]):
    """An aware instant, stored in UTC. SQLite has no zones: there it is text that is always UTC."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant in the ledger must carry a time zone")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


metadata = sa.MetaData()

watchlists = sa.Table(
    "watchlists",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.String(60), nullable=False, unique=True),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("columns", sa.JSON(none_as_null=True)),
    sa.Column("created_at", Instant, nullable=False),
    sqlite_autoincrement=True,  # an old tab may still name a deleted list: its number is not given to another one
)

watchlist_items = sa.Table(
    "watchlist_items",
    metadata,
    sa.Column("watchlist_id", sa.Integer, sa.ForeignKey("watchlists.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("instrument_key", sa.String(80), primary_key=True),
    sa.Column("position", sa.Integer, nullable=False),
)

alerts = sa.Table(
    "alerts",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("kind", sa.String(60), nullable=False),
    sa.Column("subject", sa.String(200), nullable=False),
    sa.Column("severity", sa.String(20), nullable=False),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("context", sa.JSON(none_as_null=True)),
    sa.Column("raised_at", Instant, nullable=False),
    sa.Column("acknowledged_at", Instant),
    sa.Column("resolved_at", Instant),
    sa.Column("acknowledged_by", sa.String(80)),
    sa.Column("resolved_by", sa.String(80)),
    sa.Index(
        "alerts_open",
        "kind",
        "subject",
        unique=True,
        sqlite_where=sa.text("resolved_at IS NULL"),
        postgresql_where=sa.text("resolved_at IS NULL"),
    ),
    sqlite_autoincrement=True,
)

alert_rules = sa.Table(
    "alert_rules",
    metadata,
    sa.Column("kind", sa.String(60), primary_key=True),
    sa.Column("value", sa.JSON(none_as_null=True), nullable=False),
    sa.Column("changed_by", sa.String(80), nullable=False),
    sa.Column("changed_at", Instant, nullable=False),
)

price_alerts = sa.Table(
    "price_alerts",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("instrument_key", sa.String(80), nullable=False),
    sa.Column("symbol", sa.String(80), nullable=False),
    sa.Column("measure", sa.String(20), nullable=False),
    sa.Column("direction", sa.String(20), nullable=False),
    sa.Column("level", Exact, nullable=False),
    sa.Column("note", sa.String(200), nullable=False),
    sa.Column("once", sa.Boolean, nullable=False),
    sa.Column("created_by", sa.String(80), nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("fired_at", Instant),
    sa.Column("ended_at", Instant),
    sqlite_autoincrement=True,
)

alert_channels = sa.Table(
    "alert_channels",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.String(60), nullable=False),
    sa.Column("service", sa.String(60), nullable=False),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    sa.Column("least", sa.String(20), nullable=False),
    sa.Column("tell_end", sa.Boolean, nullable=False),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("created_by", sa.String(80), nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("removed_at", Instant),
    sqlite_autoincrement=True,
)

alert_deliveries = sa.Table(
    "alert_deliveries",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("channel_id", sa.Integer, sa.ForeignKey("alert_channels.id"), nullable=False),
    sa.Column("alert_id", sa.Integer, sa.ForeignKey("alerts.id")),
    sa.Column("what", sa.String(20), nullable=False),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Index("alert_deliveries_once", "channel_id", "alert_id", "what", unique=True),
    sqlite_autoincrement=True,
)
