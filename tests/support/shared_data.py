"""Real market data that lies beside the project, where it does."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT.parent / "shared"


def shared(name: str) -> Path:
    """`../shared/<name>`; the test is skipped, with the reason, where that file is not there."""
    path = FOLDER / name
    if not path.exists():
        pytest.skip(f"real data not here: shared/{name}")
    return path
