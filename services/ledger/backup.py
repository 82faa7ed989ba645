"""Copies of a ledger that are proven to be copies, and the way back.

Unlike a copy before an upgrade (`services.sqlite.backup`) these are made while orders go out: nobody waits, because
figures and copy are taken of one snapshot.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from services.domain.errors import ConfigurationError, DataFolderTooNew, PoolExhausted, StorageError
from services.ledger.figures import Figures, figures_of, trouble_in
from services.ledger.upgrade import HEAD
from services.sqlite.opening import file_uri, in_words, make_private_file

PATIENCE = 30.0


@dataclass(frozen=True, slots=True)
class Checked:
    """One file and what is in it. `trouble`: what is wrong, in words; empty: sound."""

    path: Path
    figures: Figures
    trouble: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Restored:
    """`now` equals the copy. `before`: where the ledger that was there is kept; `None`: there was none."""

    now: Checked
    before: Path | None


def check(path: Path) -> Checked:
    """Look a ledger or a copy over; it may be in use. Raises `StorageError` if it cannot be read at all."""
    with _opened(path) as connection:
        connection.execute("BEGIN")  # all of it as of one instant
        return _checked(path, connection)


def back_up_ledger(path: Path, folder: Path, *, now: datetime, label: str = "backup") -> Checked:
    """Copy the ledger as it is at one instant to `<folder>/<stem>-<label>-<UTC time>.db`, readable by its owner only.

    The copy gets its name only when it was found sound and every row of it equal. Writers may go on meanwhile. Raises
    `StorageError`; the ledger is never touched.
    """
    if not path.is_file():
        raise StorageError(f"there is no ledger at {path}")
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        target = _unused(folder, f"{path.stem}-{label}-{_stamp(now)}")
        partial = target.with_suffix(f".{os.getpid()}.partial")
        try:
            copied = _copy(path, partial)
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise StorageError(f"no copy of {path} could be made in {folder}: {error.strerror}") from error
    return Checked(target, copied.figures, ())


def restore(copy: Path, path: Path, backups: Path, *, now: datetime) -> Restored:
    """Put `copy` in the place of the ledger at `path`, whole or not at all.

    What was there is copied into `backups` first, or moved aside if it is damaged. No desk may run on it meanwhile:
    what that holds in memory would not be what the ledger says. Raises `StorageError` if the copy is not sound,
    `DataFolderTooNew` if a newer desk made it; then nothing was changed.
    """
    wanted = check(copy)
    if wanted.trouble:
        raise StorageError(f"{copy} is not restored: {'; '.join(wanted.trouble)}")
    if wanted.figures.revision > HEAD:
        raise DataFolderTooNew(
            f"{copy} was written by a newer version of Upstox Desk (revision {wanted.figures.revision}, this one knows "
            f"{HEAD}); restore it with that version"
        )
    if path.exists() and path.samefile(copy):
        raise ConfigurationError(f"{copy} is the ledger itself; name a copy of it")
    before = _set_aside(path, backups, now)
    if path.exists():
        _pour(copy, path)
    else:
        _put(copy, path)
    found = check(path)
    if found.trouble or found.figures != wanted.figures:
        raise StorageError(f"{path} does not equal {copy} after restoring; what was there before is in {before}")
    return Restored(found, before)


def _copy(path: Path, target: Path) -> Checked:
    target.unlink(missing_ok=True)
    make_private_file(target)
    with _opened(path) as source:
        source.execute("BEGIN")  # the copy is taken of the very snapshot that is counted
        counted = figures_of(source)
        with closing(sqlite3.connect(file_uri(target, "rw"), uri=True, isolation_level=None)) as copy:
            source.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")  # one file, complete by itself
            found = _checked(target, copy)
    if found.trouble:
        raise StorageError(f"{path} is not sound, no copy was kept: {'; '.join(found.trouble)}")
    if found.figures != counted:
        raise StorageError(f"the copy of {path} does not equal it; no copy was kept")
    with target.open("rb+") as file:
        os.fsync(file.fileno())
    return found


def _set_aside(path: Path, backups: Path, now: datetime) -> Path | None:
    """Keep what is at `path`. A damaged file is moved away, with its log: it may still hold what somebody can read."""
    if not path.exists():
        return None
    if _is_sound(path):
        return back_up_ledger(path, backups, now=now, label="before-restore").path
    aside = path.with_name(f"{path.name}.damaged-{_stamp(now)}")
    try:
        for ending in ("", "-wal", "-shm"):
            old = path.with_name(path.name + ending)
            if old.exists():
                old.replace(aside.with_name(aside.name + ending))
    except OSError as error:
        raise StorageError(f"{path} is damaged and could not be moved to {aside}: {error.strerror}") from error
    return aside


def _is_sound(path: Path) -> bool:
    try:
        return not check(path).trouble
    except PoolExhausted:
        raise
    except StorageError:
        return False


def _pour(copy: Path, path: Path) -> None:
    """Replace the content of a sound ledger in one transaction, so that whoever has it open sees old or new."""
    with _opened(copy) as source, _opened(path, "rw") as target:
        target.execute("PRAGMA synchronous=FULL")
        source.backup(target)


def _put(copy: Path, path: Path) -> None:
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _copy(copy, partial)
        partial.replace(path)
    except OSError as error:
        raise StorageError(f"{path} could not be written: {error.strerror}") from error
    finally:
        partial.unlink(missing_ok=True)


def _checked(path: Path, connection: sqlite3.Connection) -> Checked:
    trouble = trouble_in(connection)
    damaged = any(words.startswith("the file is damaged") for words in trouble)
    return Checked(path, _NOTHING if damaged else figures_of(connection), tuple(trouble))


@contextmanager
def _opened(path: Path, mode: str = "ro") -> Iterator[sqlite3.Connection]:
    if not path.is_file():
        raise StorageError(f"there is no ledger at {path}")
    try:
        connection = sqlite3.connect(file_uri(path, mode), uri=True, timeout=PATIENCE, isolation_level=None)
        with closing(connection):
            yield connection
    except sqlite3.Error as error:
        raise in_words(error, path) or StorageError(f"{path}: {error}") from error


def _unused(folder: Path, stem: str) -> Path:
    target, number = folder / f"{stem}.db", 2
    while target.exists():
        target, number = folder / f"{stem}-{number}.db", number + 1
    return target


def _stamp(now: datetime) -> str:
    return now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


_NOTHING = Figures("", {}, 0, 0, Decimal(0), {})
