"""The ledger's tables of the broker's tokens, sealed, for a desk of several machines. Alembic makes them; a test
compares. A desk on one machine keeps them in a file of their own (`services.storage.token_store`)."""

from __future__ import annotations

import sqlalchemy as sa

from services.ledger.tables import Instant, metadata

sealed_tokens = sa.Table(
    "sealed_tokens",
    metadata,
    sa.Column("user_id", sa.String(80), primary_key=True),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    sa.Column("saved_at", Instant, nullable=False),
)

signed_out = sa.Table(
    "signed_out",
    metadata,
    sa.Column("user_id", sa.String(80), primary_key=True),
    sa.Column("at", Instant, nullable=False),
)
