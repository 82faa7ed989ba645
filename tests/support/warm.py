"""Programs of this project in processes of their own, without the second of imports that each would begin with.

One process of each worker has imported everything and is forked (`warm_parent`). What is forked is a process as any
other: it can be killed, stopped and woken, and its exit code is its own.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from threading import Lock
from typing import IO

from tests.checks import stage_environment
from tests.support.shared_data import ROOT


class Forked:
    """What the tests use of `subprocess.Popen`. `stdout` is text, read to its end by `communicate`."""

    def __init__(self, pid: int, stdin: IO[str], stdout: IO[str], ended: int) -> None:
        self.pid = pid
        self.stdin = stdin
        self.stdout = stdout
        self.returncode: int | None = None
        self._ended = ended

    def poll(self) -> int | None:
        """The exit code, if it has ended; minus the signal that ended it."""
        return self._look(0)

    def wait(self, timeout: float | None = None) -> int:
        if self._look(timeout) is None:
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0.0)
        assert self.returncode is not None
        return self.returncode

    def communicate(self, timeout: float) -> tuple[str, None]:
        """What it still says up to its end."""
        self.wait(timeout)  # what these programs say fits into a pipe
        self.stdin.close()
        with self.stdout:
            return self.stdout.read(), None

    def send_signal(self, number: signal.Signals) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _look(self, timeout: float | None) -> int | None:
        if self.returncode is None and select.select([self._ended], [], [], timeout)[0]:
            told = os.read(self._ended, 16)
            os.close(self._ended)
            assert told, "the process that forks has died"
            self.returncode = int(told)
        return self.returncode


class _Parent:
    def __init__(self) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._one_at_a_time = Lock()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.support.warm_parent", str(theirs.fileno())],
                cwd=ROOT,
                env=stage_environment({"PYTHONPATH": str(ROOT), "PATH": ""}),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )

    def fork(self, module: str, arguments: tuple[str, ...], environment: Mapping[str, str], errors: int) -> Forked:
        program = {"module": module, "arguments": arguments, "environment": dict(environment)}
        (hears, tells), (reads, says), (ended, ends) = os.pipe(), os.pipe(), os.pipe()
        try:
            with self._one_at_a_time:
                socket.send_fds(self._control, [json.dumps(program).encode()], [hears, says, errors, ends])
                told = self._control.recv(16)
        finally:
            for one in (hears, says, ends):
                os.close(one)
        assert told, "the process that forks has died"
        return Forked(int(told), os.fdopen(tells, "w", encoding="utf-8"), os.fdopen(reads, encoding="utf-8"), ended)

    def close(self) -> None:
        self._control.close()
        self._process.wait(30)


@cache
def _parent() -> _Parent:
    made = _Parent()
    atexit.register(made.close)
    return made


def start(module: str, *arguments: str, environment: Mapping[str, str], errors: int = 2) -> Forked:
    """`python -m module arguments…` in the project's folder, with that environment alone; its errors go to the file
    descriptor `errors`."""
    return _parent().fork(module, arguments, environment, errors)
