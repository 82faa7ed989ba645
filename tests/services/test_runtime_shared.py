"""Two whole runtimes of one desk over a real Redis and a paper broker."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from services.paper.options import PaperOptions
from services.paper.server import PaperServer
from services.runtime import Runtime
from services.settings import Settings
from services.wire.endpoints import QUOTES
from tests.support.quotes import INFY, RELIANCE, wait_until
from tests.support.redis import RedisServer, settle

CLOCK = "2026-11-20T11:15:00+05:30x5"
"""A quote is fresh for a real second."""


@pytest.fixture
def desks(redis_server: RedisServer, tmp_path: Path) -> Iterator[tuple[Runtime, Runtime]]:
    with ExitStack() as stack:
        server = PaperServer(PaperOptions(folder=tmp_path / "broker", clock=CLOCK))
        stack.callback(server.stop)
        server.start()
        made = []
        for name in ("one", "two"):
            given = Settings(
                data_dir=tmp_path / name,
                api_base=server.base_url,
                access_token=server.access_token(),
                redis_url=redis_server.url,
                process_name=name,
            )
            made.append(stack.enter_context(Runtime(given)))
        yield made[0], made[1]


def calls(runtime: Runtime) -> int:
    """Quote requests that this process made."""
    return runtime.quotes.stats().api_calls_1h


def test_two_runtimes_refresh_what_is_watched_once_and_the_other_takes_over(desks: tuple[Runtime, Runtime]) -> None:
    one, two = desks
    assert one.shared is not None
    assert two.shared is not None
    assert one.quotes.counts() == two.quotes.counts()
    settle(one.shared.link)
    one.shared.start()
    wait_until(one.shared.lease.leads)
    two.shared.start()
    tier = one.quote_tier
    wait_until(lambda: two.shared is not None and two.shared.lease.holder() is not None)
    two.quotes.watch("page", [RELIANCE, INFY], seconds=600)
    assert two.quotes.get([RELIANCE, INFY]).quotes
    wait_until(lambda: tier is not None and tier.watched_elsewhere() == [RELIANCE, INFY])

    def seen() -> object:
        return two.quotes.last_known([RELIANCE])[RELIANCE]["received_at"]

    mine, theirs = calls(two), calls(one)
    told = {seen()}
    wait_until(lambda: told.add(seen()) or len(told) > 3)
    assert calls(one) >= theirs + 2
    assert calls(two) <= mine + 2  # while the holder did not know yet, or was late on a loaded machine
    wait_until(lambda: two.gate.budget(QUOTES)[1].used == calls(one) + calls(two))
    assert two.gate.budgets()["quotes"]

    mine = calls(two)
    one.close()
    wait_until(two.shared.lease.leads)
    wait_until(lambda: calls(two) >= mine + 2)
    assert [process.name for process in two.shared.processes.all() if process.alive] == ["two"]
