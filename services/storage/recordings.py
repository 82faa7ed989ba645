"""Recorded sessions of the feed in a folder: a file for each day (in India), in the format of `wire.feed.recording`."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from filelock import FileLock, Timeout

from services.domain.errors import StorageError
from services.sqlite.opening import make_private_file
from services.wire.feed.recording import RecordingEncoder, RecordingHeader

_NAME = re.compile(r"feed-(\d{4}-\d{2}-\d{2})\.rec")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Recording:
    """A recorded day."""

    day: date
    path: Path
    bytes: int


def file_name(day: date) -> str:
    """Of the recording of `day`."""
    return f"feed-{day.isoformat()}.rec"


def recordings(folder: Path) -> list[Recording]:
    """What `folder` holds, oldest first; nothing if there is no such folder."""
    found = []
    for path in folder.glob("feed-*.rec"):
        match = _NAME.fullmatch(path.name)
        with suppress(ValueError, FileNotFoundError):  # no date after all; thrown away meanwhile
            if match is not None:
                found.append(Recording(date.fromisoformat(match[1]), path, path.stat().st_size))
    return sorted(found, key=lambda recording: recording.day)


def thin_out(folder: Path, today: date, *, keep_days: int, most_bytes: int) -> int:
    """Throw away recordings of more than `keep_days` days ago, and the oldest ones until all together take at most
    `most_bytes`; that of `today` always stays. Returns how many bytes are left."""
    found = recordings(folder)
    left = sum(recording.bytes for recording in found)
    for recording in found:
        too_old = recording.day < today - timedelta(days=keep_days)
        if recording.day != today and (too_old or left > most_bytes):
            with suppress(OSError):  # open elsewhere: next time
                recording.path.unlink()
                left -= recording.bytes
                _lock_path(recording.path).unlink(missing_ok=True)
                log.info("%s was thrown away", recording.path.name)
    return left


class RecordingFile:
    """The recording of one day, to be continued by this process alone. Raises `StorageError` if another process records
    that day, or if the file cannot be made."""

    def __init__(self, folder: Path, header: RecordingHeader) -> None:
        self.path = folder / file_name(header.day)
        self.day = header.day
        self._encoder = RecordingEncoder(header)
        self._begun = False
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock = FileLock(_lock_path(self.path), thread_local=False, mode=0o600)
            self._lock.acquire(blocking=False)
        except Timeout:
            raise StorageError(f"another process records to {self.path.name}") from None
        except OSError as error:
            raise StorageError(f"{folder}: no recording can be made: {error.strerror}") from error
        try:
            make_private_file(self.path)
            self._file = os.open(self.path, os.O_WRONLY | os.O_APPEND | getattr(os, "O_BINARY", 0))
            self.size = os.fstat(self._file).st_size
        except OSError as error:
            self._lock.release()
            raise StorageError(f"{self.path}: the recording cannot be opened: {error.strerror}") from error

    def append(self, frames: Iterable[tuple[int, bytes]]) -> None:
        """Write all of `frames` (time of receipt in ms, bytes) or none. Raises `StorageError` for the latter."""
        data = bytearray() if self._begun else bytearray(self._encoder.start())
        for received_ms, frame in frames:
            data += self._encoder.add(received_ms, frame)
        data += self._encoder.flush()
        try:
            written = 0
            while written < len(data):
                written += os.write(self._file, memoryview(data)[written:])
        except OSError as error:
            with suppress(OSError):  # else a torn block stays, which readers skip
                os.ftruncate(self._file, self.size)
            raise StorageError(f"{self.path}: the recording cannot be written: {error.strerror}") from error
        self.size += len(data)
        self._begun = True

    def close(self) -> None:
        """Let others have the file."""
        os.close(self._file)
        self._lock.release()


def _lock_path(path: Path) -> Path:
    return path.with_name(path.name + ".lock")
