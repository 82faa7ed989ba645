"""Safe copies of a SQLite file that is in use."""

from __future__ import annotations

import os
import re
import sqlite3
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

from services.domain.errors import StorageError
from services.sqlite.opening import file_uri, in_words, make_private_file


def back_up(path: Path, folder: Path, *, label: str, now: datetime, keep: int = 5) -> Path:
    """Copy the committed state of `path` to `<folder>/<stem>-<label>-<UTC time>.db`, check the copy, return its path.

    Writers may go on meanwhile. The copy gets its name only when it is complete and passed SQLite's integrity check.
    Of this file's copies the newest `keep` stay. Raises `StorageError`; the original is never touched.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        stamp = now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
        target = _unused(folder, f"{path.stem}-{label}-{stamp}")
        partial = target.with_suffix(f".{os.getpid()}.partial")
        try:
            _copy(path, partial)
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise StorageError(f"no safe copy of {path} could be made in {folder}: {error.strerror}") from error
    _thin_out(path.stem, folder, keep)
    return target


def _copy(path: Path, target: Path) -> None:
    target.unlink(missing_ok=True)
    make_private_file(target)
    try:
        with (
            closing(sqlite3.connect(file_uri(path, "ro"), uri=True)) as source,
            closing(sqlite3.connect(file_uri(target, "rw"), uri=True)) as copy,
        ):
            source.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")  # one file, complete by itself
            verdict = copy.execute("PRAGMA integrity_check(1)").fetchone()[0]
    except sqlite3.Error as error:
        raise in_words(error, path) or StorageError(f"{path}: no safe copy could be made: {error}") from error
    if verdict != "ok":
        raise StorageError(f"{path} is damaged ({verdict}); no safe copy could be made and nothing was changed")
    with target.open("rb+") as file:
        os.fsync(file.fileno())


def _unused(folder: Path, stem: str) -> Path:
    target, number = folder / f"{stem}.db", 2
    while target.exists():
        target, number = folder / f"{stem}-{number}.db", number + 1
    return target


def _thin_out(stem: str, folder: Path, keep: int) -> None:
    mine = re.compile(rf"{re.escape(stem)}-v[^-]+-\d{{8}}T\d{{6}}Z(?:-\d+)?\.db")
    copies = sorted((p for p in folder.glob("*.db") if mine.fullmatch(p.name)), key=lambda p: p.stat().st_mtime_ns)
    for old in copies[:-keep]:
        with suppress(OSError):  # a copy that is open elsewhere goes next time
            old.unlink()
