"""Which desk runs on a data folder, for programs beside it.

The lock tells, the card only informs: `desk.lock` is held for the desk's whole life and freed by the operating system
when its process dies, so a card (`desk.json`) that a killed desk left behind does no harm. Of several desks on one
folder the first is known.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson
from filelock import FileLock, Timeout

from services.domain.errors import StorageError

CARD, LOCK = "desk.json", "desk.lock"
_TURN_SECONDS = 0.3
"""A program that looks holds the lock for a moment."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DeskCard:
    """How the desk is reached from its own machine. Nothing in it is secret."""

    url: str
    pid: int
    tls_cert: str = ""
    """The file of its certificate, where it speaks TLS itself: who asks trusts this one and no other."""


@contextmanager
def known(folder: Path, card: DeskCard) -> Iterator[None]:
    """Be the desk of `folder` inside the block. A folder that takes no file is no reason to do without the desk: then,
    or where another desk was first, nobody finds it this way."""
    lock = FileLock(folder / LOCK, thread_local=False, mode=0o600)
    try:
        lock.acquire(timeout=_TURN_SECONDS)
        _write(folder, card)
    except Timeout:
        log.info("another desk runs on %s; programs beside it ask that one", folder)
    except OSError as error:
        log.warning("programs beside this desk cannot find it: %s", error)
    try:
        yield
    finally:
        lock.release()


def desk_on(folder: Path) -> DeskCard | None:
    """The desk that runs on `folder`; `None`: none does. `StorageError` if one does and its card cannot be read."""
    if not (folder / LOCK).exists():
        return None
    lock = FileLock(folder / LOCK, thread_local=False, mode=0o600)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        return _read(folder)
    except OSError as error:
        raise StorageError(f"it cannot be found out whether a desk runs on {folder}: {error.strerror}") from error
    lock.release()
    return None


def _write(folder: Path, card: DeskCard) -> None:
    """By rename, so that a reader sees the old card or the new one."""
    draft = folder / f"{CARD}.{os.getpid()}.new"
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
        file.write(orjson.dumps(asdict(card)))
    draft.replace(folder / CARD)


def _read(folder: Path) -> DeskCard:
    try:
        told = orjson.loads((folder / CARD).read_bytes())
        return DeskCard(str(told["url"]), int(told["pid"]), str(told["tls_cert"]))
    except (OSError, orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise StorageError(f"a desk runs on {folder}, but its card {CARD} cannot be read") from error
