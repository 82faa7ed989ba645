"""A desk as a person starts it: `python -m dashboard` in a process of its own, stopped at the end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.error import HTTPError

from dashboard.options import free_port
from tests.checks import stage_environment
from tests.support.planted import leaks, secrets_of
from tests.support.shared_data import ROOT


class Desk:
    """`with Desk(data_dir) as desk:` is entered when the server answers; `log` holds what it has said."""

    def __init__(
        self,
        data_dir: Path,
        *options: str,
        environment: Mapping[str, str] | None = None,
        python: str = sys.executable,
        root: Path = ROOT,
        port: int | None = None,
        timeout: float = 60,
    ) -> None:
        self.port = port or free_port("127.0.0.1")
        self.url = f"http://127.0.0.1:{self.port}"
        self._log = data_dir.parent / f"{data_dir.name}-{self.port}.log"
        self._command = [python, "-m", "dashboard", "--no-browser", "--port", str(self.port)]
        self._command += ["--data-dir", str(data_dir), *options]
        self._environment = {**stage_environment(os.environ), **(environment or {})}
        self._data_dir = data_dir
        self._root = root
        self._timeout = timeout
        self.seconds_to_answer = 0.0

    @property
    def log(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")

    @property
    def pid(self) -> int:
        return self._process.pid

    def start(self) -> Self:
        """Start it and wait until the server answers; an early end is an error that shows what it said."""
        began = time.monotonic()
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                self._command, cwd=self._root, env=self._environment, stdout=log, stderr=subprocess.STDOUT
            )
        while not self.answers():
            if self._process.poll() is not None:
                raise AssertionError(f"the desk ended with exit code {self._process.returncode}:\n{self.log}")
            if time.monotonic() - began > self._timeout:
                self._process.kill()
                self._process.wait()
                raise AssertionError(f"the desk did not answer within {self._timeout} s:\n{self.log}")
            time.sleep(0.02)
        self.seconds_to_answer = time.monotonic() - began
        return self

    def answers(self) -> bool:
        """Is its server up?"""
        try:
            with urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=1) as answer:
                return bool(answer.status == 200)
        except HTTPError as error:
            return error.code == 401  # it is locked, and says so
        except OSError:
            return False

    def opened(self) -> Self:
        """Wait until the desk behind the server is ready as well, with its instruments and its broker."""
        end = time.monotonic() + self._timeout
        while True:
            try:
                with urllib.request.urlopen(f"{self.url}/readyz", timeout=5):
                    return self
            except OSError as error:  # 503 with the reasons, or nobody yet
                if time.monotonic() > end:
                    raise AssertionError(f"the desk was not ready within {self._timeout} s:\n{self.log}") from error
            time.sleep(0.1)

    def end(self) -> tuple[int, str]:
        """Wait for a start that is expected to be refused: exit code and what was said."""
        done = subprocess.run(
            self._command, cwd=self._root, env=self._environment, capture_output=True, text=True, timeout=self._timeout
        )
        return done.returncode, done.stdout + done.stderr

    def stop(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, float]:
        """Exit code, and seconds from the signal to the end."""
        began = time.monotonic()
        self._process.send_signal(number)
        code = self._process.wait(60)
        return code, time.monotonic() - began

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        planted = secrets_of(self._data_dir, self._environment)
        if self._process.poll() is None:
            self.stop()
        if kind is None:  # over the whole run: no desk that a test starts lets a piece of its secrets out
            assert leaks(planted, self._data_dir, self.log) == {}
