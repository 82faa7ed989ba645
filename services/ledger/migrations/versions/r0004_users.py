"""Who may sign in, and their sign-ins. Passwords as scrypt hashes, secrets of sign-ins as SHA-256."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "users",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(80), nullable=False, unique=True),
        sa.Column("role", sa.String(20), nullable=False),
        sa.Column("proof", sa.String(20), nullable=False),
        sa.Column("password", sa.String(200)),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "sign_ins",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("user_id", sa.Integer, sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
        sa.Column("secret_hash", sa.String(64), nullable=False, unique=True),
        sa.Column("once", sa.String(64), unique=True),
        sa.Column("began_at", INSTANT, nullable=False),
        sa.Column("ends_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT),
        sa.Column("address", sa.String(60), nullable=False),
        sa.Column("browser", sa.String(120), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("sign_ins_user", "sign_ins", ["user_id", "ended_at"])
