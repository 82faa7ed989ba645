"""Rules for every test: nobody's own settings get in, long runs and browser tests run only where they can."""

from __future__ import annotations

import gc
import os
from collections.abc import Generator

import pytest
from hypothesis import HealthCheck, settings

from services.settings import Settings
from tests.checks import BROWSER_FOLDER, is_desk_setting
from tests.support.chromium import browser_required, find_chromium
from tests.support.redis import own_redis, redis_link, redis_of_worker, redis_server  # noqa: F401  # for every test
from tests.support.shared_data import ROOT
from tests.support.skips import judged

settings.register_profile("checks", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("checks")
"""How long an example takes says something of the machine, which may be busy, and nothing of the code."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        named = item.get_closest_marker("browser") and not item.get_closest_marker("soak")
        if named and not item.path.is_relative_to(ROOT / BROWSER_FOLDER):
            raise pytest.UsageError(f"{item.nodeid} needs a browser: it would not be run outside {BROWSER_FOLDER}")


def pytest_collection_finish() -> None:
    """Ten thousand tests are millions of objects that stay to the end: the collector need not look at them again."""
    gc.collect()
    gc.freeze()


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("soak") and "soak" not in item.config.getoption("markexpr"):
        pytest.skip("a long run; ask for it with -m soak")
    if item.get_closest_marker("browser") and find_chromium() is None:
        if browser_required():
            pytest.fail("this run requires Chromium, and there is none", pytrace=False)
        pytest.skip("no Chromium here (apt install chromium, or CHROMIUM=/path/to/it)")


Reports = Generator[None, pytest.TestReport | pytest.CollectReport, pytest.TestReport | pytest.CollectReport]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Reports:
    return judged((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Reports:
    return judged((yield))


@pytest.fixture(autouse=True)
def _no_own_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the tests may have a desk of their own, with a real token in the environment or in `.env`."""
    for name in [name for name in os.environ if is_desk_setting(name)]:
        monkeypatch.delenv(name)
    if (ROOT / ".env").is_file():
        monkeypatch.setitem(Settings.model_config, "env_file", None)
