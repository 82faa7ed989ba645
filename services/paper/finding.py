"""Finding the broker of a data folder, or becoming it.

The lock tells, the file only informs: `paper.lock` is held for the broker's whole life and freed by the operating
system when its process dies, so a stale card (`paper.json`) can do no harm.
"""

from __future__ import annotations

import http.client
import logging
import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, RLock
from typing import Protocol
from urllib.parse import urlsplit

import orjson
from filelock import FileLock, Timeout

from services.domain.errors import BrokerNotAnswering, ConfigurationError
from services.paper.logins import is_local_http
from services.paper.options import PaperOptions
from services.paper.routes_paper import CLOCK
from services.paper.server import PaperServer

CARD = "paper.json"
LOCK = "paper.lock"
HELLO_SECONDS = 1.0
SHORTEST_HELLO_SECONDS = 0.2
LOOK_AGAIN_SECONDS = 0.05

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Card:
    """How a folder's broker can be reached. Its token appears in no repr."""

    base_url: str
    access_token: str = field(repr=False)
    instance: str
    pid: int


@dataclass(slots=True)
class Found:
    """A broker that answers. `server` is set if it is ours; then `close()` stops it."""

    base_url: str
    server: PaperServer | None
    read_card: Callable[[], Card]
    _lock: FileLock | None = field(default=None, repr=False)

    def access_token(self) -> str:
        """The broker's token for the desks of this folder, alive now."""
        return self.server.access_token() if self.server is not None else self.read_card().access_token

    def close(self) -> None:
        """Stop the broker if it is ours. A guest leaves it running."""
        if self.server is not None:
            self.server.stop()
        if self._lock is not None:
            self._lock.release()
            self._lock = None


class MakeServer(Protocol):
    """Makes the server, not started yet; `PaperServer` itself, but for tests."""

    def __call__(self, options: PaperOptions, *, old_port: int) -> PaperServer: ...


def find_or_start(
    folder: Path,
    options: PaperOptions,
    *,
    timeout: float = 10.0,
    make: MakeServer = PaperServer,
    stop: Event | None = None,
) -> Found:
    """The broker that holds `folder`, or a new one there. `BrokerNotAnswering` after `timeout` seconds if somebody
    holds the folder and does not answer (a second broker on one account is never started), or as soon as `stop` is
    set; `ConfigurationError` for a folder or options that cannot be used."""
    end = time.monotonic() + timeout
    stop = Event() if stop is None else stop
    while True:
        if stop.is_set():
            raise BrokerNotAnswering("the desk is closing; the paper broker is not waited for")
        lock = claim(folder)
        if lock is not None:
            return start_owned(folder, options, lock, make=make)
        card = read_card(folder)
        left = end - time.monotonic()
        if card is not None and answers(card, seconds=min(HELLO_SECONDS, max(left, SHORTEST_HELLO_SECONDS))):
            return Found(card.base_url, None, lambda: _card_or_error(folder))
        if time.monotonic() >= end:
            holder = f" (process {card.pid})" if card is not None else ""
            raise BrokerNotAnswering(
                f"a paper broker{holder} holds {folder} but does not answer. "
                "If that process is stopped or hangs, continue or end it, then try again."
            )
        stop.wait(LOOK_AGAIN_SECONDS)


def claim(folder: Path) -> FileLock | None:
    """The folder's lock, held by us from now on; `None` if another broker has it."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = FileLock(folder / LOCK, thread_local=False, mode=0o600)  # may be released by another thread
        lock.acquire(blocking=False)
    except Timeout:
        return None
    except OSError as error:
        raise ConfigurationError(f"the data folder {folder} cannot be used: {error}") from error
    return lock


def start_owned(folder: Path, options: PaperOptions, lock: FileLock, *, make: MakeServer = PaperServer) -> Found:
    """Start a broker on a folder that we hold, and write its card: on the port of last time if that is free, so that
    guests of the last one find the new one."""
    try:
        old = read_card(folder)
        port = urlsplit(old.base_url).port if old is not None else None
        server = make(options, old_port=port or 0).start()
    except BaseException:
        lock.release()
        raise
    writing = RLock()  # asking for the token may renew it, which writes again

    def write() -> None:
        with writing:
            _write_card(folder, Card(server.base_url, server.access_token(), server.instance, os.getpid()))

    def rewrite() -> None:
        try:
            write()
        except OSError as error:
            log.error("the card of the paper broker could not be rewritten: %s", error)

    try:
        write()
        server.when_token_renewed(rewrite)
    except OSError as error:
        server.stop()
        lock.release()
        raise ConfigurationError(f"the data folder {folder} cannot be written: {error}") from error
    return Found(server.base_url, server, lambda: _card_or_error(folder), lock)


def read_card(folder: Path) -> Card | None:
    """The card in `folder`; `None` if there is none that can be read and points at this machine."""
    try:
        told = orjson.loads((folder / CARD).read_bytes())
        card = Card(str(told["base_url"]), str(told["access_token"]), str(told["instance"]), int(told["pid"]))
    except (OSError, orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        return None
    return card if is_local_http(card.base_url) else None


def answers(card: Card, *, seconds: float = HELLO_SECONDS) -> bool:
    """Does the broker of this card, and no other program on its port, answer?"""
    body = ask_clock(card.base_url, seconds=seconds)
    try:
        told = None if body is None else orjson.loads(body)
    except orjson.JSONDecodeError:
        return False
    return isinstance(told, dict) and told.get("instance") == card.instance


def ask_clock(base_url: str, *, seconds: float = HELLO_SECONDS) -> bytes | None:
    """What is told at `/_paper/clock` there, on a connection of its own; `None` if nothing is within `seconds`."""
    address = urlsplit(base_url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=seconds)
    try:
        connection.request("GET", CLOCK)
        return connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def _card_or_error(folder: Path) -> Card:
    card = read_card(folder)
    if card is None:
        raise ConfigurationError(f"the paper broker's card {folder / CARD} cannot be read")
    return card


def _write_card(folder: Path, card: Card) -> None:
    """By rename, so that a reader sees the old card or the new one; readable by the owner only."""
    told = {
        "base_url": card.base_url,
        "access_token": card.access_token,
        "instance": card.instance,
        "pid": card.pid,
    }
    draft = folder / f"{CARD}.{os.getpid()}.new"
    with suppress(FileNotFoundError):
        draft.unlink()
    handle = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(orjson.dumps(told))
    for _ in range(20):
        try:
            draft.replace(folder / CARD)
        except PermissionError:  # Windows: a reader has the old card open for a moment
            time.sleep(0.01)
        else:
            return
    draft.replace(folder / CARD)
