"""The one who trades (`tests.support.week_driver`), in a process of its own, as the week starts, kills and asks it."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.support.shared_data import ROOT
from tests.support.week import until


class Driver:
    """`tests.support.week_driver` in a process of its own."""

    def __init__(self, folder: Path, environment: dict[str, str], *, seed: int, pause: float) -> None:
        self._log = folder / "driver.log"
        self._environment, self._pause = environment, pause
        self.told: list[dict[str, Any]] = []
        self._seed = seed
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        self._seed += 1
        with self._log.open("ab") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.support.week_driver", str(self._seed), str(self._pause)],
                cwd=ROOT, env=self._environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors,
                text=True,
            )  # fmt: skip
        self._ready = threading.Event()
        self._reader = threading.Thread(target=self._read, args=(self._process,), daemon=True)
        self._reader.start()
        assert self._ready.wait(60), self.log

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        with process.stdout:
            for line in process.stdout:
                with suppress(ValueError):  # it was killed in the middle of a line
                    self.told.append(json.loads(line))
                    if "ready" in self.told[-1]:
                        self._ready.set()

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def say(self, word: str) -> None:
        """Returns when it was heard: what is under way then is over."""
        heard = sum(one.get("heard") == word for one in self.told)
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(word + "\n")
        self._process.stdin.flush()
        until(lambda: sum(one.get("heard") == word for one in self.told) > heard, lambda: self.log)

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        self._reader.join(10)
        if self._process.stdin is not None:
            with suppress(BrokenPipeError):
                self._process.stdin.close()

    def end(self) -> None:
        """Close its input, wait for its end."""
        if self._process is None:
            return
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # it has ended before its time
            self._process.stdin.close()
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            self.kill()
        self._reader.join(10)

    def counts(self) -> Counter[str]:
        """What came of its decisions, by kind."""
        return Counter(f"{one['what']}: {one['came'].partition(':')[0]}" for one in self.told if "what" in one)

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace")
