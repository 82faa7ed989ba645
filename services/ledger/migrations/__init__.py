"""Alembic's scripts for the ledger, run by `services.ledger.upgrade`. A revision that was released is never edited."""
