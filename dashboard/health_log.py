"""The desk's own log, searched: the newest lines first, secrets removed once more."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path

from services.logs import FILE_NAME, FILES_KEPT, redact

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
MOST_LINES = 300
LONGEST = 2000
_HEAD = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3})Z (DEBUG|INFO|WARNING|ERROR|CRITICAL) +(.*)")


@dataclass(frozen=True, slots=True)
class LogLine:
    """One entry; a traceback belongs to the line above it."""

    at: datetime
    """By the clock of this computer, which need not be the desk's."""
    level: str
    text: str


def search(folder: Path, words: str = "", level: str = "INFO", *, limit: int = MOST_LINES) -> list[LogLine]:
    """Entries of at least `level` in which every word of `words` stands, upper or lower case, the newest first.
    Raises `OSError` where the log cannot be read."""
    wanted = [word.casefold() for word in words.split()]
    least = LEVELS.index(level)
    found = (
        entry
        for entry in _entries(folder / "logs")
        if LEVELS.index(entry.level) >= least and all(word in entry.text.casefold() for word in wanted)
    )
    return [LogLine(entry.at, entry.level, redact(entry.text)) for entry in islice(found, limit)]


def _entries(folder: Path) -> Iterator[LogLine]:
    """All entries, the newest first, file by file."""
    for number in range(FILES_KEPT):
        file = folder / (FILE_NAME if number == 0 else f"{FILE_NAME}.{number}")
        try:
            lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
        except FileNotFoundError:
            continue
        yield from _backwards(lines)


def _backwards(lines: Sequence[str]) -> Iterator[LogLine]:
    below: list[str] = []
    for line in reversed(lines):
        head = _HEAD.match(line)
        if head is None:
            below.append(line)
            continue
        try:
            at = datetime.fromisoformat(f"{head.group(1)}+00:00")
        except ValueError:  # what others say may look like a beginning, and name a day that never was
            below.append(line)
            continue
        text = "\n".join([head.group(3), *reversed(below)])
        below = []
        yield LogLine(at, head.group(2), text if len(text) <= LONGEST else f"{text[:LONGEST]} …")
