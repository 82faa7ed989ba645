"""What a cell of a file must not do in a spreadsheet."""

from __future__ import annotations


def harmless(cell: object) -> object:
    """Texts that a spreadsheet would run as a formula get an apostrophe."""
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in "=+-@\t" and cell else cell
