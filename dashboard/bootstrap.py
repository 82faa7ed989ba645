"""Takes a program into the project's own Python environment, `.venv`, which is made first where it is missing.

Standard library only: this runs before any package exists. The file keeps to the syntax of Python 3.6, because it is
read as a whole before its first line runs, and an older Python must come as far as the sentence that it is too old.
"""
# ruff: noqa: E402  # the check of the version comes before the imports that an older Python lacks

import sys

OLDEST = (3, 11)
if sys.version_info < OLDEST:
    sys.exit(
        f"Upstox Desk needs Python {OLDEST[0]}.{OLDEST[1]} or newer; "
        f"this is Python {sys.version_info[0]}.{sys.version_info[1]} ({sys.executable}).\n"
        "Where a newer one is installed, start the desk by its name, for example: python3.12 -m dashboard"
    )

import os
import subprocess
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from dashboard.environment import DESK, Environment
from dashboard.progress import refuse, say

ROOT = Path(__file__).resolve().parent.parent
Execute = Callable[[str, list[str]], NoReturn]
_AGAIN = "DESK_STARTED_AGAIN"  # set across a restart: one that leads nowhere is not repeated for ever
_REBUILT = "DESK_REBUILT"  # the same for a rebuilding that did not help


def enter(
    module: str,
    arguments: Sequence[str],
    needs: Sequence[str] = DESK,
    *,
    environment: Environment | None = None,
    execute: Execute | None = None,
) -> None:
    """Return only inside the finished `.venv`, with the packages of the files `needs`, at the project's root.

    Anywhere else: make what is missing and go on as `python -m <module> <arguments>` in there. On POSIX this process
    becomes that program, so that signals and the exit code need no forwarding.
    """
    environment = environment or Environment(ROOT)
    came_back = os.environ.pop(_AGAIN, None)
    ready = environment.is_ready(needs)
    if ready and environment.is_current():
        os.chdir(ROOT)  # settings and themes are read from there
        os.environ["PYTHONPATH"] = str(ROOT)
        return
    if came_back:
        refuse(f"{environment.folder} cannot be entered: delete that folder and start again.")
    if not ready:
        environment.prepare(needs)
    _start_again(environment, module, arguments, execute or _become)


def rebuild_if_damaged(
    module: str,
    arguments: Sequence[str],
    needs: Sequence[str] = DESK,
    *,
    environment: Environment | None = None,
    execute: Execute | None = None,
) -> None:
    """After a failed import: if files of packages are gone, make `.venv` anew, once, and start again; else return."""
    environment = environment or Environment(ROOT)
    damage = environment.damage(needs)
    if damage is None:
        return
    if os.name == "nt" or _REBUILT in os.environ:  # Windows does not delete the files of a running program
        refuse(f"{environment.folder} is damaged ({damage}): delete that folder and start again.")
    say(f"The packages in .venv are damaged: {damage}.")
    environment.prepare(needs, anew=True)
    os.environ[_REBUILT] = "1"
    _start_again(environment, module, arguments, execute or _become)


def _start_again(
    environment: Environment,
    module: str,
    arguments: Sequence[str],
    execute: Execute,
) -> NoReturn:
    os.environ[_AGAIN] = "1"
    os.environ["PYTHONPATH"] = str(ROOT)
    os.environ.pop("PYTHONHOME", None)
    os.environ.pop("__PYVENV_LAUNCHER__", None)  # with it a framework Python of macOS overlooks the environment
    os.chdir(ROOT)
    sys.stdout.flush()
    sys.stderr.flush()
    execute(str(environment.python), [str(environment.python), "-m", module, *arguments])


def _become(program: str, command: list[str]) -> NoReturn:
    if os.name != "nt":
        os.execv(program, command)
    child = subprocess.Popen(command)  # exec would give the terminal back there before the program has ended
    while True:
        with suppress(KeyboardInterrupt):  # the child has got it too, and decides
            raise SystemExit(child.wait())
