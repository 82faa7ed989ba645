"""One real desk for all page tests: its own data folder, its own paper broker; watchlists as new for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dashboard.first_start import FIRST_KEYS, FIRST_NAME
from dashboard.resources import opening
from services.runtime import Runtime
from services.settings import load_settings
from tests.support.screens import pages_over

PATIENCE = 60.0
"""Seconds in which the desk is open and has its instruments; what a page is before that has tests of its own."""


@pytest.fixture(scope="session")
def shared_desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runtime]:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("cwd"))  # a `.env` of whoever runs the tests stays out
        runtime = Runtime(load_settings(data_dir=tmp_path_factory.mktemp("desk")))
    with runtime:
        runtime.instruments.refresh_if_due()
        yield runtime


@pytest.fixture
def desk(shared_desk: Runtime) -> Iterator[Runtime]:
    for watchlist in shared_desk.watchlists.all():
        shared_desk.watchlists.delete(watchlist.id)
    shared_desk.watchlists.create(FIRST_NAME, FIRST_KEYS)
    with pages_over(shared_desk):
        opened = opening()
        assert opened.ready.wait(PATIENCE), opened.problem
        assert opened.master_ready.wait(PATIENCE)
        yield shared_desk
