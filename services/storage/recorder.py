"""Records the frames of the feed behind its back, so that a day can be played again."""

from __future__ import annotations

import logging
import shutil
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import islice, takewhile
from pathlib import Path
from threading import Lock
from typing import TypeAlias

from services.domain.clock import from_epoch_ms, ist_date
from services.domain.errors import StorageError, UpstoxError
from services.storage.background import Recurring
from services.storage.recordings import RecordingFile, thin_out
from services.wire.feed.recording import MAX_FRAME_BYTES, RecordingHeader

FLUSH_SECONDS = 0.5
RETRY_SECONDS = 5.0
LINGER_SECONDS = 10.0
PATIENCE_SECONDS = 1.0
MOST_WAITING_BYTES = 64 * 1024 * 1024
"""Frames that may wait for the disk; beyond it they are dropped and counted."""
KEEP_DAYS = 30
MOST_BYTES = 20 * 1024**3
LEAST_FREE_BYTES = 1024**3
"""A disk with less room is not recorded to: orders need it more."""

QUEUE_FULL, TOO_LARGE, CLOSED, NOT_STORED = "queue full", "too large", "after close", "not stored at close"

_FRAME_OVERHEAD = 100
"""What a waiting frame takes besides its bytes, about."""
_FRAMES_AT_ONCE = 5_000
_THIN_EVERY_BYTES = 64 * 1024 * 1024
_COMPLAIN_EVERY_SECONDS = 60.0

log = logging.getLogger(__name__)

Frame: TypeAlias = tuple[int, bytes]
"""Time of receipt in ms, and what came."""


@dataclass(frozen=True, slots=True)
class RecorderStats:
    """Counted since the start; `waiting_bytes` is as of now. `dropped`: frames by reason. `trouble`: why nothing is
    recorded at the moment, None if all is well."""

    path: Path | None
    file_bytes: int
    waiting_bytes: int
    recorded: int
    failures: int
    dropped: Mapping[str, int]
    trouble: str | None


class Recorder:
    """One thread, `recorder`, alive while frames come; it appends to the file of the day in `folder`.

    A disk that does not take frames delays them until `most_waiting_bytes` wait; what comes then is dropped, counted.
    A kill loses what came since the last write, `FLUSH_SECONDS` as a rule. `source` tells where the prices come from.
    Recordings go after `keep_days`, and the oldest ones when all take more than `most_bytes`.
    """

    def __init__(
        self,
        folder: Path,
        *,
        source: Callable[[], str],
        keep_days: int = KEEP_DAYS,
        most_bytes: int = MOST_BYTES,
        most_waiting_bytes: int = MOST_WAITING_BYTES,
        free_bytes: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder
        self._source = source
        self._keep_days = keep_days
        self._most_bytes = most_bytes
        self._most_waiting = most_waiting_bytes
        self._free_bytes = free_bytes
        self._monotonic = monotonic
        self._guard = Lock()  # guards the next six; held for a moment only
        self._frames: deque[Frame] = deque()
        self._waiting = 0
        self._lost = 0  # of those that wait: given up at the end
        self._dropped: dict[str, int] = {}
        self._awake = False
        self._closed = False
        self._writing = Lock()  # held while writing, so that frames are stored in order; guards what follows
        self._file: RecordingFile | None = None
        self._thin_at = 0
        self._recorded = self._failures = 0
        self._trouble: str | None = None
        self._complain_at = 0.0
        self._thread = Recurring(self._step, name="recorder", linger=LINGER_SECONDS)

    def put(self, received_ms: int, frame: bytes) -> None:
        """Have `frame` recorded soon. Never blocks, never raises."""
        with self._guard:
            reason = self._refusal(len(frame))
            if reason is not None:
                self._dropped[reason] = self._dropped.get(reason, 0) + 1
                return
            self._frames.append((received_ms, frame))
            self._waiting += len(frame) + _FRAME_OVERHEAD
            wake = not self._awake
            self._awake = True
        if wake:
            self._thread.ensure()

    def flush(self, *, timeout: float = PATIENCE_SECONDS) -> bool:
        """Write what waits, now, in this thread. True: every frame that was put before is in the file, or was dropped
        and counted. False: the disk did not take it; it waits and is tried again."""
        if not self._writing.acquire(timeout=timeout):
            return False
        try:
            with self._guard:
                left = len(self._frames)
            while left > 0:
                left -= self._write_some(left)
        except (UpstoxError, OSError) as error:
            self._fail(error)
            return False
        else:
            self._recover()
            return True
        finally:
            self._writing.release()

    def close(self) -> None:
        """Write what waits and stop; a few seconds at the most. What is put later is dropped and counted."""
        with self._guard:
            self._closed = True
        self._thread.close(PATIENCE_SECONDS)
        if not self.flush():
            with self._guard:
                self._lost = len(self._frames)
            log.warning("%d frames were not recorded", self._lost)
        if self._writing.acquire(timeout=PATIENCE_SECONDS):
            try:
                self._leave_file()
            finally:
                self._writing.release()

    def stats(self) -> RecorderStats:
        with self._guard:
            file = self._file
            return RecorderStats(
                path=None if file is None else file.path,
                file_bytes=0 if file is None else file.size,
                waiting_bytes=0 if self._lost else self._waiting,
                recorded=self._recorded,
                failures=self._failures,
                dropped=self._dropped | ({NOT_STORED: self._lost} if self._lost else {}),
                trouble=self._trouble,
            )

    # -- the thread --------------------------------------------------------------------------------------------

    def _step(self) -> float | None:
        with self._guard:
            if not self._frames:
                self._awake = False
                return None
        return FLUSH_SECONDS if self.flush() else RETRY_SECONDS

    def _refusal(self, size: int) -> str | None:
        if self._closed:
            return CLOSED
        if size > MAX_FRAME_BYTES:
            return TOO_LARGE
        return QUEUE_FULL if self._waiting + size + _FRAME_OVERHEAD > self._most_waiting else None

    def _write_some(self, most: int) -> int:
        """Write the oldest frames, at most `most`, as far as they are of one day. They stay in the queue until they are
        in the file. Returns how many they were."""
        with self._guard:
            day = _day(self._frames[0])
            frames = list(takewhile(lambda frame: _day(frame) == day, islice(self._frames, min(most, _FRAMES_AT_ONCE))))
        file = self._file_of(day, frames[0][0])
        self._require_room(file)
        file.append(frames)
        with self._guard:
            for _ in frames:
                self._waiting -= len(self._frames.popleft()[1]) + _FRAME_OVERHEAD
            self._recorded += len(frames)
            self._lost = max(0, self._lost - len(frames))  # the disk took them after all
        return len(frames)

    def _file_of(self, day: date, received_ms: int) -> RecordingFile:
        if self._file is None or self._file.day != day:
            self._leave_file()
            header = RecordingHeader(day=day, source=self._source(), started_ms=received_ms)
            self._file = RecordingFile(self._folder, header)
            self._thin_at = 0
        return self._file

    def _leave_file(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            file.close()

    def _require_room(self, file: RecordingFile) -> None:
        """Raises `StorageError` if nothing may be added. Old recordings go first."""
        if file.size >= self._thin_at:
            left = thin_out(self._folder, file.day, keep_days=self._keep_days, most_bytes=self._most_bytes)
            if left > self._most_bytes:
                raise StorageError(f"the recordings take {left:,} bytes; that is the limit")
            self._thin_at = file.size + _THIN_EVERY_BYTES
        if self._free_bytes(self._folder) < LEAST_FREE_BYTES:
            raise StorageError(f"less than {LEAST_FREE_BYTES:,} bytes are free on the disk of {self._folder}")

    def _fail(self, error: Exception) -> None:
        with self._guard:
            self._failures += 1
            waiting, dropped = len(self._frames), self._dropped.get(QUEUE_FULL, 0)
            first, self._trouble = self._trouble is None, str(error)
        if first or self._monotonic() >= self._complain_at:
            self._complain_at = self._monotonic() + _COMPLAIN_EVERY_SECONDS
            log.warning("%d frames wait to be recorded, %d were dropped: %s", waiting, dropped, error)

    def _recover(self) -> None:
        with self._guard:
            trouble, self._trouble = self._trouble, None
        if trouble is not None:
            log.info("frames are recorded again")


def _day(frame: Frame) -> date:
    return ist_date(from_epoch_ms(frame[0]))
