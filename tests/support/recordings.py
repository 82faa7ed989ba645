"""Recorded sessions, read as whoever plays them does."""

from __future__ import annotations

from pathlib import Path

from services.wire.feed.recording import Record, RecordingDecoder


def records_of(path: Path) -> list[Record]:
    """What the file holds, but for what is damaged."""
    decoder = RecordingDecoder()
    return [*decoder.feed(path.read_bytes()), *decoder.finish()]
