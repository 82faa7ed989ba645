"""The broker's tokens, sealed, where several machines share one ledger."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "sealed_tokens",
        sa.Column("user_id", sa.String(80), primary_key=True),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("saved_at", INSTANT, nullable=False),
    )
    op.create_table(
        "signed_out",
        sa.Column("user_id", sa.String(80), primary_key=True),
        sa.Column("at", INSTANT, nullable=False),
    )
