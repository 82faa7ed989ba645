"""`python -m services backup`: copy the ledger, as `python -m services.ledger backup` does."""

from __future__ import annotations

from collections.abc import Sequence

from services.commands.command import PROGRAM
from services.ledger import __main__ as ledger


def main(words: Sequence[str]) -> int:
    """Exit codes as everywhere."""
    return ledger.main(["backup", *words], program=PROGRAM)
