"""A recorded session of the feed as a source: is this file one, when does it begin, and its frames one by one."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from services.domain.clock import ScaledClock, from_epoch_ms
from services.domain.errors import ConfigurationError, MalformedPayload
from services.paper.clock import ClockMode, PaperClock
from services.wire.feed.recording import Record, RecordingDecoder, RecordingHeader

REPLAY = "replay:"
_PIECE = 1 << 18
_HEAD = 1 << 12
"""A recording begins with its header, which is far smaller."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Recording:
    """What `--prices replay:FILE[xSPEED]` names, if FILE is a recorded session."""

    path: Path
    speed: float
    day: date
    source: str
    """Where its prices came from, as the recorder has it."""
    first_ms: int
    """When its first frame was received."""

    def records(self) -> Iterator[Record]:
        """Its frames in the order in which they came. What is damaged is left out, and the log tells."""
        decoder = RecordingDecoder()
        with self.path.open("rb") as file:
            while piece := file.read(_PIECE):
                yield from decoder.feed(piece)
            yield from decoder.finish()
        if decoder.damaged_bytes:
            log.warning("%s: %d damaged bytes were skipped", self.path.name, decoder.damaged_bytes)

    def clock(self, monotonic: Callable[[], float] = time.monotonic) -> PaperClock:
        """The clock of the session: it starts with the first frame, and runs at the speed asked for. Real hours."""
        return PaperClock(
            ScaledClock(from_epoch_ms(self.first_ms), speed=self.speed, monotonic=monotonic), ClockMode.SIMULATED
        )


def find_recording(prices: str) -> Recording | None:
    """The recording that the option `prices` names; `None` if it names something else (candles, the simulator).
    ConfigurationError for a recording that cannot be played."""
    if not prices.startswith(REPLAY):
        return None
    path, speed = _path_and_speed(prices.removeprefix(REPLAY))
    header = _header(path)
    if header is None:
        return None
    if not (math.isfinite(speed) and speed > 0):
        raise ConfigurationError(f"prices {prices!r}: the speed must be a number above 0")
    unplaced = Recording(path, speed, header.day, header.source, 0)
    try:
        first = next(unplaced.records(), None)
    except MalformedPayload as error:
        raise ConfigurationError(f"the recording {path} cannot be played: {error}") from error
    if first is None:
        raise ConfigurationError(f"the recording {path} holds no frame")
    return Recording(path, speed, header.day, header.source, first.received_ms)


def _path_and_speed(text: str) -> tuple[Path, float]:
    whole = Path(text).expanduser()
    name, mark, factor = text.rpartition("x")
    if whole.exists() or not mark:
        return whole, 1.0
    try:
        return Path(name).expanduser(), float(factor)
    except ValueError:
        return whole, 1.0


def _header(path: Path) -> RecordingHeader | None:
    decoder = RecordingDecoder()
    try:
        if not path.is_file():
            return None
        with path.open("rb") as file:
            list(decoder.feed(file.read(_HEAD)))
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error}") from error
    except MalformedPayload as error:
        raise ConfigurationError(f"the recording {path} cannot be played: {error}") from error
    return decoder.header
