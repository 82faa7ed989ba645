"""Programs of tests that begin already loaded: each is forked from one process that has imported what they need, so
that fifty of them, killed one after the other, cost one start of Python and not fifty."""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from multiprocessing.connection import Connection
from typing import Any

from tests.support.shared_data import ROOT

LOADED = ("tests.support.order_child",)
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(list(LOADED))


class Forked:
    """`python -m MODULE ARGUMENTS…` in a process of its own, with what a test asks of a `Popen`."""

    def __init__(self, module: str, arguments: Sequence[str], environment: Mapping[str, str]) -> None:
        reading, writing = _FORKS.Pipe(duplex=False)
        self._process = _FORKS.Process(target=_run, args=(module, list(arguments), dict(environment), writing))
        self._process.start()
        writing.close()  # the program alone has it now: its end is the end of what it says
        self.stdout = os.fdopen(os.dup(reading.fileno()), encoding="utf-8")
        reading.close()

    @property
    def returncode(self) -> int | None:
        """Minus the number of the signal that ended it."""
        return self._process.exitcode

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    def send_signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def communicate(self, timeout: float) -> tuple[str, None]:
        """What it still says, to its end; waits for that."""
        with self.stdout:
            said = self.stdout.read()
        self._process.join(timeout)
        assert self._process.exitcode is not None, "it has not ended"
        return said, None


def _run(module: str, arguments: list[str], environment: dict[str, str], out: Connection) -> None:
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(ROOT)
    os.dup2(out.fileno(), 1)
    out.close()
    sys.stdout = os.fdopen(1, "w", buffering=1, encoding="utf-8", closefd=False)
    main: Any = import_module(module).main
    main(*arguments)
