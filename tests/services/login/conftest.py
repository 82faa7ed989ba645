from __future__ import annotations

from typing import Any

import pytest

from services.logs import _Literals
from tests.support.login import APP, OUTSIDE, Desk, access, token
from tests.support.tokens import PAPER


@pytest.fixture(autouse=True)
def forgotten_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    """What one test hides from the log must not be hidden in the next one's texts."""
    monkeypatch.setattr("services.logs._literals", _Literals())


@pytest.fixture(autouse=True)
def nothing_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    for name in OUTSIDE:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def live() -> Desk:
    return Desk(mode="live", **APP)


@pytest.fixture
def paper() -> Desk:
    return Desk(mode="paper", paper_token=lambda: token(access(PAPER)))
