from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from services.domain.errors import ConfigurationError
from services.runtime import Runtime
from services.runtime.sharing import gate_of
from services.settings import Settings
from services.shared.link import RedisLink
from services.shared.processes import Processes
from services.shared.shared import Shared
from services.transport.rate_gate import RateGate
from tests.support.clocks import FakeMonotonic
from tests.support.programs import run
from tests.support.quotes import wait_until
from tests.support.redis import RedisServer, settle


def entry(link: RedisLink, name: str, **more: object) -> Processes:
    given: dict[str, Any] = {"process": f"{name}.id", "name": name, "leads": lambda: name == "one", **more}
    return Processes(link, **given)


def test_every_process_tells_of_itself_and_sees_the_others(redis_link: RedisLink) -> None:
    time = FakeMonotonic()
    one, two = entry(redis_link, "one", monotonic=time), entry(redis_link, "two")
    one.address, one.version = "host:8501", "1.2"
    one.report("lag_ms", 3.5)
    assert one.all() == ()
    two.beat()
    one.beat()
    two.beat()

    seen = {process.name: process for process in one.all()}
    assert list(seen) == ["one", "two"]
    told = seen["one"]
    assert (told.id, told.address, told.version, told.leads) == ("one.id", "host:8501", "1.2", True)
    assert dict(told.figures) == {"lag_ms": 3.5}
    assert not seen["two"].leads
    assert all(process.alive for process in one.all())
    time.now += 30  # nothing was read since
    assert not any(process.alive for process in one.all())


def test_who_leaves_is_gone_and_who_falls_silent_is_forgotten(redis_link: RedisLink) -> None:
    one, two, three = (entry(redis_link, name) for name in ("one", "two", "three"))
    for process in (one, two, three):
        process.beat()
    two.leave()
    redis_link.client.zadd(redis_link.key("processes", "at"), {"three.id": 1})
    one.beat()

    assert [process.name for process in one.all()] == ["one"]


def test_what_a_process_of_another_version_tells_does_not_hide_the_others(redis_link: RedisLink) -> None:
    one = entry(redis_link, "one")
    redis_link.client.hset(redis_link.key("processes"), "other", b"[1]")
    one.beat()

    assert [process.name for process in one.all()] == ["one"]


def test_two_processes_find_each_other_one_leads_and_hands_over_when_it_ends(redis_server: RedisServer) -> None:
    one, two = (Shared(redis_server.url, prefix="desk:x", name=name) for name in ("one", "two"))
    settle(one.link)
    stepped = threading.Event()

    def fails() -> None:
        raise RuntimeError("of a step")

    one.each_second(fails)
    one.each_second(stepped.set)
    one.start("host:1", "1.0")
    wait_until(one.lease.leads)
    two.start("host:2")
    wait_until(lambda: {process.name for process in two.processes.all()} == {"one", "two"})
    assert stepped.wait(30)
    wait_until(lambda: two.lease.holder() is not None)
    holder = two.lease.holder()
    assert holder is not None
    assert holder.process == one.process

    one.close()
    wait_until(two.lease.leads)
    wait_until(lambda: {process.name for process in two.processes.all()} == {"two"})
    two.close()


def test_a_desk_of_one_process_has_nothing_in_common_and_imports_nothing_for_it(tmp_path: Path) -> None:
    with Runtime(Settings(data_dir=tmp_path)) as runtime:
        assert runtime.shared is None
        assert isinstance(runtime.gate, RateGate)
        assert runtime.quote_tier is None
    said = run("import sys, services.runtime; print([name for name in ('redis', 'psycopg') if name in sys.modules])")
    assert said == "[]"


def test_a_desk_with_a_redis_shares_its_limits_and_quotes_and_asks_nobody_before_it_must(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    with Runtime(Settings(data_dir=tmp_path, redis_url=redis_server.url, process_name="front")) as runtime:
        shared = runtime.shared
        assert shared is not None
        assert shared.name == "front"
        assert runtime.quote_tier is not None
        assert runtime.gate.budgets() == {}
        assert shared.link.prefix.startswith("desk:paper:")
        assert not shared.lease.leads()
    with (
        pytest.raises(ConfigurationError, match="DESK_REDIS_URL"),
        Runtime(Settings(data_dir=tmp_path, redis_url="http://nowhere")) as runtime,
    ):
        assert runtime.shared


def test_more_processes_than_the_limits_were_divided_for_are_told_of_once(
    redis_server: RedisServer, redis_link: RedisLink, caplog: pytest.LogCaptureFixture
) -> None:
    shared = Shared(redis_server.url, prefix=redis_link.prefix, name="one")
    gate_of(shared, 1)
    for process in (shared.processes, entry(redis_link, "two"), shared.processes):
        process.beat()
    for _ in range(2):
        for step in shared._steps:
            step()

    said = [record.message for record in caplog.records if "DESK_PROCESSES" in record.message]
    assert len(said) == 1
    assert said[0].startswith("2 processes take part, and DESK_PROCESSES says 1")
    shared.close()
