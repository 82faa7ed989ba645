"""What the parts have counted, as a snapshot tells it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from services.feed.latency import Latency, Step
from services.measures.calls_now import Spread
from services.measures.checks import CheckState
from services.measures.gathering import hops, is_read_only, rest_now, size_of, storage_now
from services.measures.storage_now import StorageNow
from services.measures.verdicts import RULES
from services.transport.rate_gate import RateGate
from services.transport.route_report import RouteReports
from services.wire.endpoints import QUOTES
from tests.support.clocks import FakeMonotonic
from tests.support.drills import remount, small_disk
from tests.support.measures import WELL


def test_a_quantile_is_the_bound_of_its_bucket() -> None:
    spread = Spread(((0.1, 90), (1.0, 9), (float("inf"), 1)))

    assert [spread.quantile(share) for share in (0.5, 0.95, 0.999)] == [0.1, 1.0, 1.0]
    assert Spread().quantile(0.5) is None
    assert Spread(((0.1, 0), (float("inf"), 2))).quantile(0.5) is None  # longer than anything that can be told


def test_hops_are_told_in_fewer_buckets_without_losing_a_price() -> None:
    latency = Latency()
    for milliseconds in (0.004, 0.3, 12.0, 12.0, 90_000.0, 500_000.0):
        latency[Step.RECEIVED_TO_BOARD].record(milliseconds)

    found = hops(latency)["received to board"]

    assert found.count == 6
    assert 0.0125 < (found.quantile(0.5) or 0.0) < 0.026
    bounds = [bound for bound, _ in found.buckets]
    assert bounds == sorted(bounds)
    assert bounds[-1] == float("inf")
    assert len(bounds) < 30


def test_calls_and_budgets_are_told_by_operation_and_version() -> None:
    monotonic = FakeMonotonic()
    reports, gate = RouteReports(monotonic=monotonic), RateGate(clock=monotonic, sleep=monotonic.sleep)
    gate.acquire(QUOTES, max_wait=1.0)
    reports.attempted("quotes", "v3", "5xx", 0.2)
    reports.fell_back("quotes", "v3")
    reports.troubled("quotes: trouble")
    reports.attempted("quotes", "v2", "2xx", 0.03)
    reports.succeeded()
    monotonic.now += 4.0
    gate.penalise(QUOTES, 6.0)

    now = rest_now(reports, gate)

    v3, v2 = now.operations
    assert (v3.version, v3.failed, v3.fallbacks, v3.took.count) == ("v3", 1, 1, 1)
    assert (v2.version, v2.failed, v2.took.quantile(0.5)) == ("v2", 0, 0.05)
    assert (now.last_success_ago, now.failing_since, now.last_failure) == (4.0, None, "")
    [budget] = now.budgets
    assert (budget.name, budget.closed_for, budget.share_left) == ("quotes", 6.0, 0.0)
    assert [window.used for window in budget.windows] == [0, 1, 1]


def test_files_that_are_not_there_have_no_size(tmp_path: Path) -> None:
    assert size_of(tmp_path / "none") is None
    assert is_read_only(tmp_path) is False
    assert is_read_only(tmp_path / "none") is None, "not known"


def test_a_disk_that_takes_no_writes_is_noticed_and_a_full_one_too(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:

        def look() -> StorageNow:
            return storage_now(
                folder=disk, pools=(), ledger=None, writer=None, dropped_ago=None, faults={}, lost_errors=0
            )

        assert RULES["storage"](replace(WELL, storage=look())).state is not CheckState.FAIL
        with (disk / "filler").open("wb", buffering=0) as file, suppress(OSError):
            while file.write(b"x" * 4096):
                pass
        assert "The disk is full" in RULES["storage"](replace(WELL, storage=look())).reason
        remount(disk, "ro")
        assert "read-only" in RULES["storage"](replace(WELL, storage=look())).reason
