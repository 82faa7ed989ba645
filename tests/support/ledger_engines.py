"""One suite, two engines: a test of the ledger runs on a SQLite file and on a PostgreSQL database.

A folder's `conftest.py` takes both names from here. A module that says `FILES_ONLY = True`, or a test under
`@files_only`, is about files. `new_ledger` finds the database by a note in the test's folder, in other processes too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import pytest

from services.ledger.backup import check
from services.ledger.engine import Ledger
from services.ledger.server_figures import server_figures, server_trouble
from tests.support.ledger import NOTE
from tests.support.postgres import emptied_ledger_url

F = TypeVar("F", bound=Callable[..., object])

FILE, SERVER = "file", "server"


def files_only(test: F) -> F:
    """This test is about a file, or says nothing of what keeps the ledger."""
    test.__dict__["files_only"] = True
    return test


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if not getattr(metafunc.module, "FILES_ONLY", False) and not hasattr(metafunc.function, "files_only"):
        metafunc.parametrize("ledger_engine", [FILE, SERVER], indirect=True)


@pytest.fixture(autouse=True)
def ledger_engine(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """What keeps the ledgers of this test."""
    engine: str = getattr(request, "param", FILE)
    prepare_folder(tmp_path, engine)
    return engine


def only_where_told(metafunc: pytest.Metafunc) -> None:
    """As `pytest_generate_tests`, for a folder in which few modules are about the ledger: they say `ON_BOTH = True`."""
    if getattr(metafunc.module, "ON_BOTH", False):
        pytest_generate_tests(metafunc)


def trouble_of(ledger: Ledger) -> list[str]:
    """What a look over the ledger finds, on either engine."""
    if ledger.stats().server is None:
        return list(check(ledger.path).trouble)
    with ledger.read() as connection:
        return server_trouble(connection)


def counts_of(ledger: Ledger) -> Mapping[str, int]:
    """Its rows by table."""
    if ledger.stats().server is None:
        return check(ledger.path).figures.counts
    with ledger.read() as connection:
        return server_figures(connection).counts


def prepare_folder(folder: Path, engine: str) -> None:
    """From now on `new_ledger(folder)` gives an empty ledger on that engine."""
    if engine == SERVER:
        (folder / NOTE).write_text(emptied_ledger_url())
