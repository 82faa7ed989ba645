"""A real Redis of a test's own: one server for each worker, on a port of its own, emptied for every test."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from services.shared.link import AGAIN_SECONDS, RedisLink

STARTS_WITHIN = 20.0


def find_redis() -> str | None:
    """The server's program, or None."""
    return shutil.which("redis-server")


def require_redis() -> str:
    """The server's program; skips the test where there is none."""
    program = find_redis()
    if program is None:
        pytest.skip("no redis-server here (apt install redis-server)")
    return program


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class RedisServer:
    """`redis-server` that keeps nothing on the disk. `stop` and `start` are a restart that lost all data; `pause` and
    `wake` make it mute."""

    def __init__(self, program: str, port: int | None = None, *options: str) -> None:
        self._program = program
        self._options = options
        self.port = port or free_port()
        self._folder = Path(tempfile.mkdtemp(prefix="desk-redis-"))
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> Self:
        """Start it and wait until it answers."""
        command = [self._program, "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self._folder)]
        command += ["--save", "", "--appendonly", "no", "--maxmemory-policy", "noeviction", *self._options]
        log = self._folder / "log"
        with log.open("ab") as said:
            self._process = subprocess.Popen(command, stdout=said, stderr=said)
        until = time.monotonic() + STARTS_WITHIN
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > until:
                raise AssertionError(f"redis-server did not start:\n{log.read_text()}")
            time.sleep(0.02)
        return self

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1.0) as one:
                one.sendall(b"PING\r\n")
                return one.recv(16).startswith(b"+PONG")
        except OSError:
            return False

    def stop(self, number: signal.Signals = signal.SIGKILL) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(timeout=15)
            self._process = None

    def pause(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def wake(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        if self._process is not None:
            self.wake()
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def link_to(
    server: RedisServer, *, prefix: str = "desk:test", timeout: float = 5.0, again: float = AGAIN_SECONDS
) -> RedisLink:
    """A way to it that waits as long as a loaded machine may need."""
    return RedisLink(server.url, prefix=prefix, timeout=timeout, again=again)


def settle(link: RedisLink) -> None:
    """Make this Redis one that the desk knows: the lease is to be had at once, not after the quiet time of a server
    that has just begun."""
    server = link.client.info("server")["run_id"]
    link.client.hset(link.key("fence"), "server", server)


@pytest.fixture(scope="session")
def redis_of_worker() -> Iterator[RedisServer]:
    with RedisServer(require_redis()) as server:
        yield server


@pytest.fixture
def redis_server(redis_of_worker: RedisServer) -> RedisServer:
    """A Redis that holds nothing. Not to be stopped: `own_redis` is for that."""
    link = link_to(redis_of_worker)
    link.client.flushall()
    link.close()
    return redis_of_worker


@pytest.fixture
def own_redis() -> Iterator[RedisServer]:
    """A Redis that this test may stop, pause and start again."""
    with RedisServer(require_redis()) as server:
        yield server


@pytest.fixture
def redis_link(redis_server: RedisServer) -> Iterator[RedisLink]:
    link = link_to(redis_server)
    yield link
    link.close()
