"""Alembic runs this file for every upgrade. It uses the caller's transaction and configures no logging."""

from __future__ import annotations

from alembic import context

from services.ledger.pnl_tables import imported_files

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=imported_files.metadata,  # every table: that module imports the others
    render_as_batch=True,  # SQLite changes a column only by copying its table
)
with context.begin_transaction():
    context.run_migrations()
