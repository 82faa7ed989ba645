"""What this process has in common with the others of its desk, in one object, and the thread that keeps it current."""

from __future__ import annotations

import logging
import os
import secrets
import socket
from collections.abc import Callable
from threading import Event, Lock, Thread

from services.domain.errors import RedisAway, UpstoxError
from services.shared.lease import LOOK_SECONDS, RENEW_SECONDS, TTL_SECONDS, Lease
from services.shared.link import RedisLink
from services.shared.processes import Processes

BEAT_SECONDS = 1.0

log = logging.getLogger(__name__)


class Shared:
    """The way to Redis and all that goes over it. Nothing is asked before it is needed; who leads, and who is there, is
    found out from `start` on. A process that never starts it (a script) asks for no lease and shows up nowhere."""

    def __init__(
        self,
        url: str,
        *,
        prefix: str,
        name: str | None = None,
        ttl: float = TTL_SECONDS,
        renew: float = RENEW_SECONDS,
        look: float = LOOK_SECONDS,
    ) -> None:
        host = socket.gethostname()
        self.process = f"{host}-{os.getpid()}.{secrets.token_hex(3)}"
        """Unlike any other process's, even on another machine."""
        self.link = RedisLink(url, prefix=prefix)
        self.lease = Lease(self.link, process=self.process, ttl=ttl, renew=renew, look=look)
        self.processes = Processes(
            self.link,
            process=self.process,
            name=name or f"{host}-{os.getpid()}",
            leads=self.lease.leads,
        )
        self._named = name is not None
        self._steps: list[Callable[[], None]] = [self.processes.beat]
        self._guard = Lock()  # guards the one below
        self._thread: Thread | None = None
        self._stop = Event()

    @property
    def name(self) -> str:
        """What people call this process."""
        return self.processes.name

    def start(self, address: str = "", version: str = "") -> None:
        """Take part: ask for the lease and tell of this process, which serves at `address`. A second call does no more
        than to name these."""
        if address:
            self.processes.address = address
            if not self._named:
                self.processes.name = address
        if version:
            self.processes.version = version
        with self._guard:
            if self._thread is not None or self._stop.is_set():
                return
            self._thread = Thread(target=self._run, name="shared", daemon=True)
            self._thread.start()
        self.lease.start()

    def each_second(self, step: Callable[[], None]) -> None:
        """Have `step` called about once a second while this process takes part. It may ask Redis, and nobody else."""
        self._steps.append(step)

    def close(self) -> None:
        """Give the lease back, and leave."""
        with self._guard:
            self._stop.set()
            thread = self._thread
        self.lease.close()
        if thread is not None:
            thread.join(2 * self.link.longest + 1.0)
            try:
                self.processes.leave()
            except RedisAway as error:
                log.info("the other processes were not told that this one ends: %s", error)
        self.link.close()

    def _run(self) -> None:
        while not self._stop.is_set():
            for step in list(self._steps):
                try:
                    step()
                except RedisAway:
                    pass  # the link says so by itself, and tries again
                except UpstoxError as error:
                    log.warning("what the processes share: %s", error)
                except Exception:  # outermost loop of a thread
                    log.exception("what the processes share could not be kept current")
            self._stop.wait(BEAT_SECONDS)
