"""`python -m services restore`: put a copy in the ledger's place, as `python -m services.ledger restore` does."""

from __future__ import annotations

from collections.abc import Sequence

from services.commands.command import PROGRAM
from services.ledger import __main__ as ledger


def main(words: Sequence[str]) -> int:
    """Exit codes as everywhere."""
    return ledger.main(["restore", *words], program=PROGRAM)
