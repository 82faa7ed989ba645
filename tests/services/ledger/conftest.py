"""Every test of the ledger runs on both engines, unless it is about files."""

from __future__ import annotations

from tests.support.ledger_engines import ledger_engine, pytest_generate_tests
from tests.support.postgres import ledger_url

__all__ = ["ledger_engine", "ledger_url", "pytest_generate_tests"]
