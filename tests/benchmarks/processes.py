"""Programs of a benchmark that run beside it, a browser among them, and what each of them uses."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any

import orjson

from tests.checks import stage_environment
from tests.support.chromium import LAUNCH_ARGUMENTS, find_chromium
from tests.support.shared_data import ROOT

PATIENCE_SECONDS = 15


class Process:
    """A Python program that is asked and answers line by line."""

    def __init__(self, module: str, *arguments: object) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *map(str, arguments)],
            cwd=ROOT,
            env=stage_environment(os.environ),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.pid = self._process.pid

    def say(self, what: object = None) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(orjson.dumps(what).decode() + "\n")
        self._process.stdin.flush()

    def hear(self) -> Any:  # Any: JSON
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "a process of the benchmark has ended"
        return orjson.loads(line)

    def ask(self, what: object) -> Any:
        self.say(what)
        return self.hear()

    def end(self) -> None:
        """Let it go; kill it if it does not."""
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()


@contextmanager
def running(made: Process) -> Iterator[Process]:
    """Until the end of the block."""
    try:
        yield made
    finally:
        made.end()


def process(module: str, *arguments: object) -> AbstractContextManager[Process]:
    """One for the length of the block."""
    return running(Process(module, *arguments))


@contextmanager
def chromium() -> Iterator[Any]:
    """A browser for the length of the block."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(LAUNCH_ARGUMENTS))
        try:
            yield browser
        finally:
            browser.close()


# -- what they use (Linux; elsewhere 0) ------------------------------------------------------------------------------


def cpu_seconds(pid: int) -> float:
    """User and system time of a process, all its threads."""
    try:
        cells = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(cells[11]) + int(cells[12])) / os.sysconf("SC_CLK_TCK")


def cpu_seconds_below(pid: int, *, but: Mapping[str, int]) -> float:
    """Of all living processes that `pid` has started, and theirs, but for some and whatever those have started."""
    parents: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents.setdefault(int(stat.read_text().rpartition(")")[2].split()[1]), []).append(int(stat.parent.name))
        except OSError:
            continue  # it has ended
    below, found = [pid], 0.0
    while below:
        children = [child for child in parents.get(below.pop(), []) if child not in but.values()]
        found += sum(cpu_seconds(child) for child in children)
        below += children
    return found


def used_by_others() -> float:
    """CPU seconds of all processes but this one and its ended children."""
    try:
        cells = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    except OSError:
        return 0.0
    user, nice, system, _, _, irq, softirq, *_ = map(int, cells)
    own = os.times()
    busy = (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")
    return busy - own.user - own.system - own.children_user - own.children_system
