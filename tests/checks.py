"""What `python3 -m tests` runs, stage by stage. Standard library only: it is read before the packages exist."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby

from tests.support.chromium import browser_required, find_chromium

HELP = """\
usage: python3 -m tests [--audit] | [arguments of pytest]

Without arguments: lint, format, types, import rules, collection, tests and browser tests, each with its time.
--audit    besides, look up known vulnerabilities of the packages (asks a service on the network)

Any other arguments go to pytest, which then runs alone:
  python3 -m tests -k quotes             tests with "quotes" in their name
  python3 -m tests tests/services -x     one folder, up to the first failure
  python3 -m tests -m soak               the long runs, which are left out otherwise

Browser tests need Chromium. Where there is none they are skipped, and that is said;
with CI=true or DESK_REQUIRE_BROWSER=1 its absence is a failure. CHROMIUM=/path names one.
"""


@dataclass(frozen=True, slots=True)
class Stage:
    """One check: a command whose exit code 0 means that all is well."""

    name: str
    command: tuple[str, ...]
    streams: bool = False
    """Show the output while it comes, not only after a failure."""
    beside: bool = False
    """Runs at the same time as its neighbours that may do so too: each needs one core."""


BROWSER_FOLDER = "tests/browser"
"""Where every test lies that needs a browser, so that nothing else is read for them."""
_LINT_IMPORTS = "from importlinter.cli import lint_imports_command; lint_imports_command()"
_UNCOMPILED = "PYTHONDONTWRITEBYTECODE"
_CORES = os.cpu_count() or 1
_PYTEST = ("-m", "pytest", "-q", "--dist", "worksteal", "-n")
_WORKERS, _BROWSERS = str(min(2 * _CORES, 8)), str(min(_CORES + 1, 6))
"""More than cores: most tests wait for something half of their time. A browser waits less."""

_TYPED = ("-p", "services", "-p", "dashboard", "-p", "pages", "-p", "tests.benchmarks")
"""Benchmarks too, which run seldom: so it is told at once when they no longer fit."""
STAGES = (
    Stage("lint", ("-m", "ruff", "check", "."), beside=True),
    Stage("format", ("-m", "ruff", "format", "--check", "."), beside=True),
    Stage("types", ("-m", "mypy", *_TYPED), beside=True),
    Stage("import rules", ("-c", _LINT_IMPORTS), beside=True),
    # In a fresh clone pytest compiles every test: once here, on the core that `types` leaves free, or in each worker.
    Stage("collection", ("-m", "pytest", "-q", "--collect-only"), beside=True),
    Stage("tests", (*_PYTEST, _WORKERS, "-m", "not browser and not soak"), streams=True),
)
BROWSER = Stage("browser tests", (*_PYTEST, _BROWSERS, "-m", "browser and not soak", BROWSER_FOLDER), streams=True)
AUDIT = Stage("audit", ("-m", "pip_audit", "--disable-pip", "--require-hashes", "-r", "requirements.txt"))

Runner = Callable[[Stage, Mapping[str, str]], tuple[int, str]]


def run(arguments: Sequence[str]) -> int:
    """Everything, or pytest alone with the arguments that it was given."""
    if [word for word in arguments if word != "--audit"]:
        return run_stage(Stage("tests", ("-m", "pytest", *arguments), streams=True), stage_environment(os.environ))[0]
    stages = (*STAGES, AUDIT) if arguments else STAGES
    return run_all(stages, find_chromium(), required=browser_required(os.environ))


def run_all(stages: Sequence[Stage], chromium: str | None, *, required: bool, runner: Runner | None = None) -> int:
    """Run each stage whatever the others said, then sum up. The exit code: 0 when all are ok."""
    runner = runner or run_stage
    environment = stage_environment(os.environ)
    results: list[tuple[str, str]] = []
    for group in _groups((*stages, BROWSER)):
        if group == [BROWSER] and chromium is None:
            outcome = "FAILED" if required else "skipped"
            results.append(
                (BROWSER.name, f"{outcome}: no Chromium here (apt install chromium, or CHROMIUM=/path/to/it)")
            )
            continue
        _say(f"== {', '.join(stage.name for stage in group)}")
        for stage, (code, output, seconds) in zip(group, _together(group, runner, environment), strict=True):
            if code != 0 and output:
                _say(output.rstrip())
            verdict = "ok" if code == 0 else f"FAILED (exit code {code})"
            results.append((stage.name, f"{verdict}, {seconds:.1f} s"))
            _say(f"   {results[-1][1]}" if len(group) == 1 else f"   {stage.name}: {results[-1][1]}")
    _say("\n" + "\n".join(f"{name:<14} {result}" for name, result in results))
    return 1 if any(result.startswith("FAILED") for _, result in results) else 0


def _groups(stages: Sequence[Stage]) -> Iterator[list[Stage]]:
    """What runs at the same time; most run alone."""
    for _, group in groupby(enumerate(stages), key=lambda at: -1 if at[1].beside else at[0]):
        yield [stage for _, stage in group]


def _together(
    group: Sequence[Stage], runner: Runner, environment: Mapping[str, str]
) -> Iterator[tuple[int, str, float]]:
    """What came of each, in their order: exit code, output, seconds."""
    with ThreadPoolExecutor(_CORES) as threads:
        running = [threads.submit(_timed, runner, stage, environment) for stage in group]
        try:
            for one in running:
                yield one.result()
        except BaseException:
            threads.shutdown(cancel_futures=True)  # Ctrl-C: what has not begun need not begin
            raise


def _timed(runner: Runner, stage: Stage, environment: Mapping[str, str]) -> tuple[int, str, float]:
    began = time.monotonic()
    return *runner(stage, environment), time.monotonic() - began


def run_stage(stage: Stage, environment: Mapping[str, str]) -> tuple[int, str]:
    """The exit code, and the output unless it has been shown already."""
    command = [sys.executable, *stage.command]
    if stage.streams:
        return subprocess.run(command, env=environment, check=False).returncode, ""
    done = subprocess.run(
        command, env=environment, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    return done.returncode, done.stdout


def stage_environment(own: Mapping[str, str]) -> dict[str, str]:
    """The environment without the person's own desk: no check may find a real token or real data.

    Python may keep what it has compiled: hundreds of processes read the same modules.
    """
    return {name: value for name, value in own.items() if name != _UNCOMPILED and not is_desk_setting(name)}


def is_desk_setting(name: str) -> bool:
    """Does a variable of this name configure a desk?"""
    if name == "DESK_REQUIRE_BROWSER":
        return False
    return name.upper().startswith(("DESK_", "UPSTOX_")) or name.upper() == "ENCRYPTION_KEY"


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
