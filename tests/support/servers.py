"""Servers in processes of their own: found, or asked for; started, signalled, ended."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.checks import stage_environment
from tests.support.shared_data import ROOT

PATIENCE = 120.0
_POSTGRES = sorted(Path("/usr/lib/postgresql").glob("*/bin"))


def program(name: str, package: str) -> str:
    """The path of a server's program; the test is skipped where there is none, which fails it in CI."""
    places = [*os.environ.get("PATH", "").split(os.pathsep), "/usr/sbin", *map(str, reversed(_POSTGRES))]
    found = shutil.which(name, path=os.pathsep.join(places))
    if found is None:
        pytest.skip(f"no {name} here (apt install {package})")
    return found


def until(what: str, holds: Callable[[], Any], *, seconds: float = PATIENCE, pause: float = 0.1) -> Any:  # Any: as told
    """Wait until `holds()` gives something true, and give that."""
    end = time.monotonic() + seconds
    while not (found := holds()):
        if time.monotonic() > end:
            raise AssertionError(f"{what}: not within {seconds:.0f} s")
        time.sleep(pause)
    return found


class Program:
    """A server in a process of its own, whose words go to a file."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        log: Path,
        environment: Mapping[str, str] | None = None,
        *,
        ends_by: signal.Signals = signal.SIGTERM,
    ) -> None:
        self.name = name
        self.command = list(command)
        self._log = log
        self._ends_by = ends_by
        self._environment = {**stage_environment(os.environ), **(environment or {})}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace") if self._log.exists() else ""

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def runs(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self.command, cwd=ROOT, env=self._environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )

    def send(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def stop(self, number: signal.Signals | None = None) -> None:
        """End it by that signal; by its usual one if none is given."""
        if self._process is None:
            return
        number = number or self._ends_by
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGCONT)
            self._process.send_signal(number)
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._process = None

    def lives(self) -> None:
        assert self.runs, f"{self.name} has ended:\n{self.log[-4000:]}"


def admin(path: Path, command: str) -> str:
    """One command to haproxy's own socket."""
    with socket.socket(socket.AF_UNIX) as channel:
        channel.settimeout(5)
        channel.connect(str(path))
        channel.sendall(f"{command}\n".encode())
        return b"".join(iter(lambda: channel.recv(65536), b"")).decode()
