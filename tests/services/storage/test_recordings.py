"""The files of recorded days: found, read, continued by one process, thrown away in time."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from services.domain.errors import StorageError
from services.storage.recordings import Recording, RecordingFile, file_name, recordings, thin_out
from services.wire.feed.recording import RecordingHeader
from tests.support.recordings import records_of
from tests.support.ticks import NOW_MS

TODAY = date(2026, 11, 20)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "recordings"


def test_frames_are_appended_and_read_in_order(folder: Path) -> None:
    file = RecordingFile(folder, RecordingHeader(TODAY, "simulated", NOW_MS))
    file.append([(NOW_MS, b"one"), (NOW_MS + 1, b"two")])
    file.append([(NOW_MS + 2, b"three")])
    file.close()

    assert [record.frame for record in records_of(file.path)] == [b"one", b"two", b"three"]
    assert file.size == file.path.stat().st_size


def test_old_and_too_many_recordings_go_and_todays_stays(folder: Path) -> None:
    folder.mkdir()
    for day, size in ((1, 10), (15, 400), (18, 300), (19, 200), (20, 900)):
        (folder / file_name(date(2026, 11, day))).write_bytes(bytes(size))
    (folder / "feed-2026-13-45.rec").write_bytes(b"no date")

    left = thin_out(folder, TODAY, keep_days=10, most_bytes=1_500)

    assert left == 1_400
    assert [(recording.day.day, recording.bytes) for recording in recordings(folder)] == [
        (18, 300),
        (19, 200),
        (20, 900),
    ]
    assert thin_out(folder, TODAY, keep_days=10, most_bytes=1) == 900
    assert recordings(folder) == [Recording(TODAY, folder / file_name(TODAY), 900)]


def test_a_folder_that_does_not_exist_holds_no_recordings(tmp_path: Path) -> None:
    assert recordings(tmp_path / "nowhere") == []


def test_a_file_that_cannot_be_opened_lets_go_of_its_lock(folder: Path) -> None:
    (folder / file_name(TODAY)).mkdir(parents=True)
    header = RecordingHeader(TODAY, "simulated", NOW_MS)
    with pytest.raises(StorageError, match="cannot be opened"):
        RecordingFile(folder, header)
    (folder / file_name(TODAY)).rmdir()

    RecordingFile(folder, header).close()
