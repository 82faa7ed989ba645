"""What the P&L keeps in the ledger is tested on both engines."""

from __future__ import annotations

from tests.support.ledger_engines import ledger_engine, only_where_told

pytest_generate_tests = only_where_told

__all__ = ["ledger_engine", "pytest_generate_tests"]
