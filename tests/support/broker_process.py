"""A paper broker in a process of its own, that a test stops, kills and starts again."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.checks import stage_environment
from tests.support.shared_data import ROOT
from tests.support.warm import Forked, start


class Broker:
    """`python -m services.paper`, always on the same folder and port; `options` go to its command line."""

    def __init__(self, folder: Path, *options: str) -> None:
        self._folder = folder
        self._options = options
        self.port = 0
        self.token = ""
        self._process: Forked | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it and wait until it answers."""
        log = self._folder.with_name(f"{self._folder.name}.log")
        where = ("--port", str(self.port), "--data-dir", str(self._folder))
        own = stage_environment({"PYTHONPATH": str(ROOT), "PATH": ""})
        with log.open("w") as errors:
            self._process = start(
                "services.paper", *where, "--faults", *self._options, environment=own, errors=errors.fileno()
            )
        said = self._process.stdout.readline()
        if not said:
            self.stop()
            raise AssertionError(f"the paper broker did not start: {log.read_text()}")
        told = json.loads(said)
        self.port = int(told["base_url"].rpartition(":")[2])
        self.token = told["access_token"]

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """End it by that signal."""
        if self._process is not None:
            self._process.send_signal(number)
            self._process.communicate(timeout=15)
            self._process = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()
