"""The ledger's tables of those who may sign in, and of their sign-ins. Alembic makes them; a test compares."""

from __future__ import annotations

import sqlalchemy as sa

from services.ledger.tables import Instant, metadata

users = sa.Table(
    "users",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.String(80), nullable=False, unique=True),
    sa.Column("role", sa.String(20), nullable=False),
    sa.Column("proof", sa.String(20), nullable=False),
    sa.Column("password", sa.String(200)),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("changed_at", Instant, nullable=False),
    sqlite_autoincrement=True,  # the number of somebody who is gone is not given to another one
)

sign_ins = sa.Table(
    "sign_ins",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("user_id", sa.Integer, sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    sa.Column("secret_hash", sa.String(64), nullable=False, unique=True),
    sa.Column("once", sa.String(64), unique=True),
    sa.Column("began_at", Instant, nullable=False),
    sa.Column("ends_at", Instant, nullable=False),
    sa.Column("ended_at", Instant),
    sa.Column("address", sa.String(60), nullable=False),
    sa.Column("browser", sa.String(120), nullable=False),
    sa.Index("sign_ins_user", "user_id", "ended_at"),
    sqlite_autoincrement=True,
)
