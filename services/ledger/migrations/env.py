"""Alembic runs this file for every upgrade. It uses the caller's transaction and configures no logging."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context

from services.ledger.migrations.server_guards import texts_as_in_a_file
from services.ledger.pnl_tables import imported_files
from services.ledger.token_tables import sealed_tokens

connection: sa.Connection = context.config.attributes["connection"]
assert imported_files.metadata is sealed_tokens.metadata  # every table: those modules import the others
context.configure(
    connection=connection,
    target_metadata=imported_files.metadata,
    render_as_batch=True,  # SQLite changes a column only by copying its table
)
with context.begin_transaction():
    context.run_migrations()
    if connection.dialect.name == "postgresql":
        texts_as_in_a_file(connection)
