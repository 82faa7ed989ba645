"""Drills: something breaks, the desk says what and tells somebody once, and when it is over that is told too.

The broker is a real paper broker on loopback, the disk a real one. Thresholds that would take minutes are set lower, as
an operator may.
"""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import pytest

from services.alerts import Life
from services.domain.errors import ConfigurationError, StorageError, UpstoxError
from tests.checks import stage_environment
from tests.support.calendar import ist
from tests.support.drills import OPERATOR, Drill, Jumping, Rehearsal, drilled, remount, small_disk
from tests.support.feed_paper import NOON, FeedBench, feeding
from tests.support.paper import CALL, INFY, NIFTY, RELIANCE, running
from tests.support.shared_data import ROOT

NIGHT = "2026-11-20T22:00:00+05:30"
SILENT_AFTER_5_S = {"feed_silent": {"opens_at": 5.0, "closes_at": 4.0}}
KEYS = [RELIANCE, INFY, NIFTY, CALL]


@contextmanager
def feeds(
    folder: Path, *, clock: str = NOON, data: Path | None = None, **rules: dict[str, float]
) -> Iterator[tuple[FeedBench, Drill]]:
    """A desk that is connected to the feed of a broker whose prices a test moves."""
    with (
        feeding(folder / "broker", faults=True, limits=False, instant=clock) as bench,
        drilled(data or folder / "desk", bench.client, **rules) as drill,
    ):
        feed = drill.runtime.feed_in()
        feed.hold("drill", KEYS)
        assert feed.connect(timeout=30)
        yield bench, drill


def moving(bench: FeedBench) -> Iterator[None]:
    """Each step moves a price."""
    for number in range(1_000_000):
        bench.market.move(RELIANCE, 1400.0 + number % 97)
        yield


def test_a_feed_that_is_mute_in_session_is_told_and_its_return_too(tmp_path: Path) -> None:
    with feeds(tmp_path, **SILENT_AFTER_5_S) as (bench, drill):
        prices = moving(bench)
        drill.soon(lambda: drill.runtime.feed.health().updates_received > 0, "prices come", lambda: next(prices))
        assert drill.open() == []

        bench.order("mute", now=True, times=None)
        bench.order("mute", times=None)
        alert = drill.opens("feed_silent", lambda: next(prices))
        assert "though the market is open" in alert.message
        drill.soon(lambda: "no price for" in drill.cause("feed"), "the page says so", lambda: next(prices))

        bench.client.send("DELETE", "/_paper/feed-faults")
        bench.order("drop", now=True)
        drill.closes("feed_silent", lambda: next(prices))
        assert drill.cause("feed").startswith("pass")


def test_a_feed_that_is_mute_at_night_is_nobodys_alarm(tmp_path: Path) -> None:
    with feeds(tmp_path, clock=NIGHT, **SILENT_AFTER_5_S) as (bench, drill):
        began = drill.runtime.measures.snapshot().process.uptime_seconds

        def quiet_for() -> float:
            return drill.runtime.measures.snapshot().process.uptime_seconds - began

        bench.order("mute", times=None)
        drill.soon(lambda: quiet_for() > 6.5, "longer than it would take by day")

        assert drill.open() == []
        assert drill.runtime.alerts.all() == []
        assert "No prices are expected now" in drill.cause("feed") or drill.cause("feed").startswith("pass")


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [(429, "RateLimited", "came too fast for the broker"), (503, "BrokerFault", "met a fault of the broker")],
)
def test_a_storm_of_errors_is_told_with_its_cause_and_is_over_when_it_has_passed(
    tmp_path: Path, status: int, kind: str, words: str
) -> None:
    rules = {"error_rate": {"opens_at": 0.9, "closes_at": 0.5, "cool_down_seconds": 0.0}}
    with (
        running(tmp_path / "broker", faults=True, limits=False, clock="2026-11-20T11:15:00+05:30x90") as client,
        drilled(tmp_path / "desk", client, **rules) as drill,
    ):
        api = drill.runtime.api
        calls = [
            api.profile,
            api.funds,
            api.holidays,
            lambda: api.market_status("NSE"),
            lambda: api.ltp([RELIANCE]),
            lambda: api.ohlc([RELIANCE]),
            lambda: api.full_quotes([RELIANCE]),
            lambda: api.option_contracts(NIFTY),
        ]
        assert api.profile().user_id
        for operation in (
            "profile",
            "funds",
            "market_holidays",
            "market_status",
            "ltp",
            "ohlc",
            "quotes",
            "option_contracts",
        ):
            client.send(
                "POST",
                "/_paper/faults",
                json={"operation": operation, "kind": "status", "status": status, "times": None},
            )

        def fails(call: object) -> None:
            with suppress(UpstoxError):
                call()  # type: ignore[operator]

        with ThreadPoolExecutor(len(calls)) as several:
            storm = [several.submit(fails, call) for call in calls]
            alert = drill.opens("error_rate")
            assert words in alert.message
            assert alert.context is not None
            assert kind in alert.context["error_breakdown"]
            assert not drill.cause("rest").startswith("pass")
            client.send("DELETE", "/_paper/faults")
            for one in storm:
                one.result(60)
        drill.closes("error_rate")


def test_a_token_that_ends_at_half_past_three_is_told_before_and_after(tmp_path: Path) -> None:
    with (
        running(tmp_path / "broker", clock="2026-11-20T03:05:00+05:30x200", limits=False) as client,
        Rehearsal(tmp_path / "desk", client) as desk,
    ):
        desk.log_in()
        drill = Drill(desk, token_ending={"opens_at": 0.05, "closes_at": 0.05})  # 3 s: ten minutes of this clock
        drill.desk.round()
        assert drill.open() == []
        ending = drill.opens("token_ending")
        assert "The token ends in" in ending.message
        ended = drill.opens("token_ended")
        assert "token_ending" not in drill.open(), "one cause, one alert"
        assert "log" in ended.message.lower()
        assert drill.cause("token").startswith("fail: A login is needed")

        drill.soon(lambda: desk.clock.now() > ist("2026-11-20 03:31"), "a token of the new day can be had")
        desk.log_in()
        drill.closes("token_ended")
        assert drill.lives("token_ending") == [Life.AUTO_RESOLVED]


def test_a_full_disk_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        few = {"opens_at": 0.2, "closes_at": 0.3}
        with feeds(tmp_path, data=disk, disk_low=few) as (bench, drill):
            prices = moving(bench)
            first = drill.runtime.alerts.raise_alert("trade_conflict", "told before the disk was full")
            drill.desk.acknowledge(first.id, OPERATOR)
            drill.soon(lambda: drill.runtime.ticks.count().log > 0, "ticks are kept", lambda: next(prices))
            assert drill.open() == ["trade_conflict"]

            filler = disk / "filler"
            with filler.open("wb", buffering=0) as file, suppress(OSError):
                while file.write(b"x" * 4096):
                    pass
            alert = drill.opens("disk_low", lambda: next(prices))
            assert alert.message.startswith("0.0 MB are free")
            drill.soon(lambda: "full" in drill.cause("storage"), "the page says so", lambda: next(prices))
            assert drill.open() == ["disk_low", "trade_conflict"], "one cause, one alert"

            filler.unlink()
            drill.closes("disk_low")
            kept = drill.runtime.alerts.get(first.id)
            assert (kept.life, kept.acknowledged_by) == (Life.ACKNOWLEDGED, "asha")
            drill.soon(lambda: drill.runtime.tick_writer_stats().waiting == 0, "the ticks that waited are written")
            assert drill.runtime.ticks_dropped() == 0


def test_a_read_only_data_folder_is_told_and_kept_when_it_can_be_written_again(tmp_path: Path) -> None:
    with (
        running(tmp_path / "broker", limits=False) as client,
        small_disk(tmp_path / "disk") as disk,
    ):
        with drilled(disk, client, disk_low={"active": 0}) as first:
            seen = first.runtime.alerts.raise_alert("trade_conflict", "told before")
            first.desk.acknowledge(seen.id, OPERATOR)
        remount(disk, "ro")

        with drilled(disk, client) as drill:
            alert = drill.opens("storage")
            assert not alert.is_kept
            assert "cannot be written" in alert.message
            with pytest.raises(ConfigurationError, match="cannot be written"):
                drill.runtime.feed_in()
            assert drill.open() == ["storage"], "one cause, one alert"

            remount(disk, "rw")
            drill.closes("storage")
            assert drill.runtime.alerts.get(seen.id).acknowledged_by == "asha"


def test_a_damaged_database_is_told_before_the_desk_is_open_and_is_over_when_it_was_moved_away(tmp_path: Path) -> None:
    with running(tmp_path / "broker", limits=False) as client:
        with drilled(tmp_path / "desk", client) as first:
            seen = first.runtime.alerts.raise_alert("trade_conflict", "told before")
            first.desk.acknowledge(seen.id, OPERATOR)
            file = first.runtime.market_pool.path
        for rest in file.parent.glob("market_data.db-*"):
            rest.unlink()
        file.write_bytes(b"not a database any more" * 1000)

        with drilled(tmp_path / "desk", client) as drill:
            with pytest.raises(StorageError, match="damaged"):
                drill.runtime.feed_in()
            alert = drill.opens("storage")
            assert "damaged" in alert.message
            assert "market_data.db" in alert.message
            assert "damaged" in drill.cause("storage")
            assert drill.open() == ["storage", "trade_conflict"]

            file.rename(file.with_suffix(".damaged"))
            drill.closes("storage")
            assert drill.runtime.feed_in() is drill.runtime.feed
            assert drill.runtime.alerts.get(seen.id).acknowledged_by == "asha"


def test_a_writer_that_is_behind_is_told_and_loses_nothing(tmp_path: Path) -> None:
    with feeds(tmp_path, writer_behind={"opens_at": 1.0, "closes_at": 0.5}) as (bench, drill):
        prices = moving(bench)
        drill.soon(lambda: drill.runtime.ticks.count().log > 0, "ticks are kept", lambda: next(prices))
        with closing(sqlite3.connect(drill.runtime.market_pool.path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")  # another program keeps the file to itself
            alert = drill.opens("writer_behind", lambda: next(prices))
            assert "ticks wait for the disk" in alert.message
            other.execute("ROLLBACK")

        drill.closes("writer_behind")
        drill.soon(lambda: drill.runtime.tick_writer_stats().waiting == 0, "it has caught up")
        assert drill.runtime.ticks_dropped() == 0


@pytest.mark.parametrize("hours", [1, -1])
def test_a_clock_that_jumps_by_an_hour_is_told_until_it_is_right_again(tmp_path: Path, hours: int) -> None:
    with running(tmp_path / "broker", limits=False) as client:
        clock = Jumping()
        with Rehearsal(tmp_path / "desk", client, clock) as desk:
            drill = Drill(desk)
            drill.desk.round()
            clock.offset = timedelta(hours=hours)
            alert = drill.opens("clock")
            assert f"moved by 60 min {'forward' if hours > 0 else 'back'}" in alert.message
            assert "The clock jumped" in drill.cause("market")
            assert drill.open() == ["clock"], "one cause, one alert"

            clock.offset = timedelta()
            drill.closes("clock")


FAKED = """
import select, sys, time
from pathlib import Path
from services.runtime import Runtime
from services.settings import load_settings

stamp, folder = Path(sys.argv[1]), Path(sys.argv[2])
with Runtime(load_settings(data_dir=folder, mode="live")) as desk:
    alerts = desk.alert_desk
    def until(wanted):
        end = time.monotonic() + 60
        while not wanted():
            assert time.monotonic() < end
            alerts.round()
            select.select([], [], [], 0.2)  # a sleep until an instant is lost between the two clocks
    alerts.round()
    assert [one.kind for one in alerts.standing().alerts] == []
    for offset, way in (("+3600", "forward"), ("-3600", "back")):
        select.select([], [], [], 1.1)
        stamp.write_text(offset)
        until(lambda: [one.kind for one in alerts.standing().alerts] == ["clock"])
        assert way in alerts.standing().alerts[0].message, alerts.standing()
        stamp.write_text("+0")
        until(lambda: not alerts.standing().alerts)
    assert [one.life.value for one in alerts.history()] == ["auto-resolved"] * 2
print("well")
"""


def test_a_clock_that_the_operating_system_puts_forward_and_back_is_told(tmp_path: Path) -> None:
    library = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)
    if library is None:
        pytest.skip("libfaketime is not here (apt install libfaketime)")
    stamp = tmp_path / "faketimerc"
    stamp.write_text("+0")
    environment = {
        "PYTHONPATH": str(ROOT),
        "LD_PRELOAD": str(library),
        "FAKETIME_TIMESTAMP_FILE": str(stamp),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }

    done = subprocess.run(
        [sys.executable, "-c", FAKED, str(stamp), str(tmp_path / "desk")],
        env=stage_environment(environment),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )

    assert done.stdout.strip() == "well", done.stderr
