"""Alembic runs this file for every upgrade. It uses the caller's transaction and configures no logging."""

from __future__ import annotations

from alembic import context

from services.ledger.order_tables import orders_v3

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=orders_v3.metadata,  # every table: that module imports the other
    render_as_batch=True,  # SQLite changes a column only by copying its table
)
with context.begin_transaction():
    context.run_migrations()
