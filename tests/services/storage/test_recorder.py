"""Frames are recorded behind the feed's back; what cannot be kept is counted."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from services.storage.recorder import (
    CLOSED,
    LEAST_FREE_BYTES,
    NOT_STORED,
    QUEUE_FULL,
    RETRY_SECONDS,
    TOO_LARGE,
    Recorder,
)
from services.storage.recordings import file_name, recordings
from services.wire.feed.recording import MAX_FRAME_BYTES
from tests.support import programs
from tests.support.clocks import FakeMonotonic
from tests.support.quotes import wait_until
from tests.support.recordings import records_of
from tests.support.ticks import DAY_MS, NOW_MS

TODAY = date(2026, 11, 20)
FRAME = b"\x08\x01" + bytes(range(200))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "recordings"


def make(folder: Path, **options: Any) -> Recorder:
    return Recorder(folder, **{"source": lambda: "simulated", "free_bytes": lambda _: 2 * LEAST_FREE_BYTES, **options})


@pytest.fixture
def recorder(folder: Path) -> Iterator[Recorder]:
    with closing(make(folder)) as made:
        yield made


def read(folder: Path, day: date = TODAY) -> list[tuple[int, bytes]]:
    return [(record.received_ms, record.frame) for record in records_of(folder / file_name(day))]


def test_frames_reach_the_file_of_the_day_by_themselves(folder: Path, recorder: Recorder) -> None:
    recorder.put(NOW_MS, FRAME)
    recorder.put(NOW_MS + 20, b"")

    wait_until(lambda: recorder.stats().recorded == 2)

    assert read(folder) == [(NOW_MS, FRAME), (NOW_MS + 20, b"")]
    assert recorder.stats().path == folder / "feed-2026-11-20.rec"
    assert recorder.stats().trouble is None
    assert (folder / "feed-2026-11-20.rec").stat().st_mode & 0o077 == 0


def test_each_day_has_its_file(folder: Path, recorder: Recorder) -> None:
    for day in (0, 1, 1, 0):
        recorder.put(NOW_MS + day * DAY_MS, FRAME)

    assert recorder.flush()

    assert [recording.day.day for recording in recordings(folder)] == [20, 21]
    assert len(read(folder)) == len(read(folder, date(2026, 11, 21))) == 2


def test_another_run_continues_the_file(folder: Path) -> None:
    for run in range(3):
        with closing(make(folder)) as recorder:
            recorder.put(NOW_MS + run, FRAME)

    assert [at for at, _ in read(folder)] == [NOW_MS, NOW_MS + 1, NOW_MS + 2]


def test_only_one_process_records_a_day_and_the_other_takes_over(folder: Path, recorder: Recorder) -> None:
    with closing(make(folder)) as first:
        first.put(NOW_MS, FRAME)
        assert first.flush()
        recorder.put(NOW_MS + 1, FRAME)
        assert not recorder.flush()
        assert "another process records" in (recorder.stats().trouble or "")

    assert recorder.flush()
    assert recorder.stats().trouble is None
    assert [at for at, _ in read(folder)] == [NOW_MS, NOW_MS + 1]


def test_a_torn_tail_costs_only_what_it_held(folder: Path) -> None:
    with closing(make(folder)) as recorder:
        for number in range(2):
            recorder.put(NOW_MS + number, FRAME)
            assert recorder.flush()
    path = folder / file_name(TODAY)
    os.truncate(path, path.stat().st_size - 5)
    with closing(make(folder)) as recorder:
        recorder.put(NOW_MS + 2, FRAME)

    assert [at for at, _ in read(folder)] == [NOW_MS, NOW_MS + 2]


def test_a_disk_that_is_full_in_the_middle_of_a_write_leaves_no_torn_block(
    folder: Path, recorder: Recorder, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    recorder.put(NOW_MS, FRAME)
    assert recorder.flush()
    really_write = os.write

    def half(file: int, data: memoryview) -> int:
        if len(data) < 20:
            raise OSError(28, "No space left on device")
        return really_write(file, data[: len(data) // 2])

    with monkeypatch.context() as patched:
        patched.setattr("services.storage.recordings.os.write", half)
        recorder.put(NOW_MS + 1, os.urandom(500))
        assert not recorder.flush()
        assert "No space left" in (recorder.stats().trouble or "")
    recorder.put(NOW_MS + 2, FRAME)
    assert recorder.flush()

    assert [at for at, _ in read(folder)] == [NOW_MS, NOW_MS + 1, NOW_MS + 2]
    assert "damaged" not in caplog.text
    assert recorder.stats().file_bytes == (folder / file_name(TODAY)).stat().st_size


def test_a_disk_that_is_nearly_full_is_left_to_others(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    free, time = [LEAST_FREE_BYTES - 1], FakeMonotonic()
    with closing(make(folder, free_bytes=lambda _: free[0], monotonic=time)) as recorder:
        recorder._thread.close()  # the test steps it
        recorder.put(NOW_MS, FRAME)
        for _ in range(3):
            assert recorder._step() == RETRY_SECONDS
        assert len(caplog.records) == 1, "once a minute"
        time.now += 61
        assert not recorder.flush()
        assert len(caplog.records) == 2
        free[0] = LEAST_FREE_BYTES
        assert recorder.flush()

    assert len(read(folder)) == 1


def test_too_many_frames_are_dropped_counted_and_the_earlier_ones_stay(folder: Path) -> None:
    with closing(make(folder, most_waiting_bytes=1_000)) as recorder, recorder._writing:
        for number in range(10):
            recorder.put(NOW_MS + number, bytes(100))
        assert recorder.stats().dropped == {QUEUE_FULL: 5}

    assert [at - NOW_MS for at, _ in read(folder)] == [0, 1, 2, 3, 4]


def test_a_frame_that_is_none_is_dropped(folder: Path, recorder: Recorder) -> None:
    recorder.put(NOW_MS, bytes(MAX_FRAME_BYTES + 1))
    recorder.put(NOW_MS, FRAME)

    assert recorder.flush()

    assert recorder.stats().dropped == {TOO_LARGE: 1}
    assert len(read(folder)) == 1


def test_close_writes_what_waits_and_counts_what_comes_later(folder: Path) -> None:
    recorder = make(folder)
    recorder.put(NOW_MS, FRAME)

    recorder.close()
    recorder.put(NOW_MS, FRAME)
    recorder.close()

    assert len(read(folder)) == 1
    assert recorder.stats().dropped == {CLOSED: 1}


def test_what_the_disk_does_not_take_at_close_is_counted(tmp_path: Path) -> None:
    (tmp_path / "no folder").write_text("")
    recorder = make(tmp_path / "no folder")
    recorder.put(NOW_MS, FRAME)

    recorder.close()

    assert recorder.stats().dropped == {NOT_STORED: 1}


def test_ten_threads_may_put_at_once(folder: Path, recorder: Recorder) -> None:
    def feed(number: int) -> None:
        for turn in range(100):
            recorder.put(NOW_MS + turn, bytes([number, turn]))

    threads = [threading.Thread(target=feed, args=(number,)) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert recorder.flush()

    frames = [frame for _, frame in read(folder)]
    assert len(frames) == 1_000
    for number in range(10):
        assert [frame[1] for frame in frames if frame[0] == number] == list(range(100))


def test_recordings_stop_at_their_limit(folder: Path) -> None:
    with closing(make(folder, most_bytes=100)) as recorder:
        recorder.put(NOW_MS, os.urandom(500))
        assert recorder.flush()
        recorder._thin_at = 0  # as after 64 MB
        recorder.put(NOW_MS, FRAME)
        assert not recorder.flush()

        assert "that is the limit" in (recorder.stats().trouble or "")


def test_a_kill_loses_nothing_that_was_acknowledged(folder: Path) -> None:
    process = programs.start(
        """
        import sys
        from pathlib import Path
        from services.storage.recorder import Recorder

        recorder = Recorder(Path(sys.argv[1]), source=lambda: "simulated")
        put = 0
        while True:
            for _ in range(50):
                recorder.put(int(sys.argv[2]) + put, bytes([put % 251]) * 300)
                put += 1
            if recorder.flush():
                print(put, flush=True)
        """,
        folder,
        NOW_MS,
    )
    try:
        assert process.stdout is not None
        acknowledged = [int(process.stdout.readline()) for _ in range(20)]
        process.kill()
        acknowledged += [int(line) for line in process.stdout.read().split()]
    finally:
        process.kill()
        process.communicate(timeout=30)

    frames = read(folder)

    assert [at - NOW_MS for at, _ in frames] == list(range(len(frames)))
    assert len(frames) >= acknowledged[-1]
    with closing(make(folder)) as recorder:
        recorder.put(NOW_MS, FRAME)
        assert recorder.flush(), "the lock went with the process"
