"""A paper broker whose clock stands still, the official SDK pointed at it, and a second market with the same seed.

The clock runs a thousandth as fast as real time, so a whole test run sees one and the same second; the second market is
asked for what the broker must hold, without going through the broker or through our client.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from services.paper.clock import PaperClock
from services.paper.market import build_market
from services.paper.model import Market
from services.paper.options import PaperOptions
from services.paper.server import PaperServer
from tests.support.shared_data import shared

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    upstox_client = pytest.importorskip("upstox_client", reason="the official SDK is a test dependency")


class _NoPool:
    """The SDK's clients each begin threads for calls that nobody here makes, and wait for them where they are thrown
    away. When the garbage collector does that inside a lock which those threads need to end, as `threading.enumerate`
    holds it, the test waits for ever. Without threads there is nothing to wait for."""

    def apply_async(self, *_: object) -> None:
        raise AssertionError("no test asks the SDK in the background: its pool is not there")

    def close(self) -> None:
        """Nothing was begun."""

    join = close


upstox_client.api_client.ThreadPool = _NoPool

STILL = "2026-11-20T11:15:00+05:30x0.001"
RELIANCE = "NSE_EQ|INE002A01018"
INFY = "NSE_EQ|INE009A01021"
NIFTY = "NSE_INDEX|Nifty 50"


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PaperServer]:
    folder: Path = tmp_path_factory.mktemp("contract-broker")
    server = PaperServer(PaperOptions(folder=folder, clock=STILL, seed=7, limits=False))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def instant() -> datetime:
    return PaperClock.parse(STILL).now()


@pytest.fixture(scope="session")
def market() -> Market:
    return build_market(seed=7, clock=PaperClock.parse(STILL), instruments=None, prices="simulated", candles=None)


@pytest.fixture
def sdk(broker: PaperServer) -> object:
    configuration = upstox_client.Configuration()
    configuration.host = configuration.order_host = broker.base_url
    configuration.access_token = broker.access_token()
    return upstox_client.ApiClient(configuration)


@pytest.fixture(scope="session")
def shared_guide() -> str:
    folder = shared("guide")
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted(folder.iterdir()))
