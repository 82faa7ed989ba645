"""The project's own Python environment: is it finished, and how it is made or mended. Standard library only."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib import metadata
from pathlib import Path
from typing import BinaryIO, NoReturn

from dashboard.progress import Step, refuse, say

DESK = ("requirements.txt",)
CHECKS = (*DESK, "tests/requirements.txt")

_MAKING = b"making"  # in the lock file while an environment is made from nothing
_HOW_TO_GET_VENV = (
    "On Debian or Ubuntu: sudo apt install python3-venv\n"
    "Elsewhere: take the full Python of python.org, or install uv (https://docs.astral.sh/uv/). Then start again."
)
_NO_REGISTRY = re.compile(
    r"Retrying \(|(Connection|Timeout|Protocol)Error|timed out|Could not fetch URL|error sending request|dns error"
)


class Environment:
    """`.venv` below `root`. Finished means a stamp in it, written last; anything else is mended or made anew."""

    def __init__(self, root: Path, *, uv: str | None = None) -> None:
        self.folder = root / ".venv"
        self.python = self.folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        self._root = root
        self._uv = uv or shutil.which("uv")

    def is_current(self) -> bool:
        """Is this very process running inside it?"""
        return Path(sys.prefix).resolve() == self.folder.resolve()

    def is_ready(self, needs: Sequence[str]) -> bool:
        """Are the packages of the files `needs` there, for this Python, with an interpreter behind its link?"""
        wanted = self._wanted(needs)
        try:
            return self._stamp(needs).read_text(encoding="utf-8") == wanted and self.python.exists()
        except (OSError, ValueError):  # not there, or not ours
            return False

    def damage(self, needs: Sequence[str]) -> str | None:
        """What is missing of the packages that the current process should have, in words; None if all is there."""
        installed = {_plain(found.metadata["Name"] or ""): found for found in metadata.distributions()}
        for name in (name for file in needs for name, always in _pinned(self._root / file) if always):
            if _plain(name) not in installed:
                return f"{name} is missing"
        for name, found in installed.items():
            for file in found.files or ():
                path = Path(str(file.locate()))
                if path.suffix != ".pyc" and (not path.exists() or file.size not in (None, path.stat().st_size)):
                    return f"{name} lacks {file}"
        return None

    def prepare(self, needs: Sequence[str], *, anew: bool = False) -> None:
        """Make or mend the environment, saying what is done. What cannot be done ends the program in words."""
        began = time.monotonic()
        before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # an installer must not outlive us
        try:
            with self._alone() as lock:
                if anew or not self.is_ready(needs):  # another start may have made it just now
                    self._fill(needs, lock, anew)
        except KeyboardInterrupt:
            refuse("\nStopped before all packages were there. The next start mends it.", 130)
        except OSError as error:
            refuse(f"Cannot make {self.folder}: {error.strerror or error} ({error.filename or self._root})")
        finally:
            signal.signal(signal.SIGTERM, before)
        say(f"Ready after {time.monotonic() - began:.0f} s. From now on the start takes a moment.")

    # -- what a finished one looks like --------------------------------------------------------------------------

    def _wanted(self, needs: Sequence[str]) -> str:
        """A stamp's text: the packages, this Python, this kind of machine."""
        digest = hashlib.sha256()
        for name in needs:
            try:
                digest.update((self._root / name).read_bytes())
            except FileNotFoundError:
                refuse(f"{self._root / name} is missing: this folder does not hold the whole project.")
        version = f"{sys.version_info[0]}.{sys.version_info[1]}"
        return f"{digest.hexdigest()} {sys.implementation.name} {version} {sys.platform} {platform.machine()}"

    def _stamp(self, needs: Sequence[str]) -> Path:
        return self.folder / ("ready-desk" if tuple(needs) == DESK else "ready-checks")

    def _write_stamp(self, needs: Sequence[str]) -> None:
        """Last of all and by renaming: whatever was stopped before this line does not count as finished."""
        fresh = self.folder / f"stamp-{os.getpid()}"
        fresh.write_text(self._wanted(needs), encoding="utf-8")
        fresh.replace(self._stamp(needs))

    # -- making it -----------------------------------------------------------------------------------------------

    def _fill(self, needs: Sequence[str], lock: BinaryIO, anew: bool) -> None:
        lock.seek(0)
        half_made = lock.read() == _MAKING
        if anew or half_made or not self._usable():
            _write(lock, _MAKING)
            self._clear(half_made)
            self._make(lock)
        elif self.is_ready(DESK):
            say("The checks need some packages besides those of the desk.")
        elif self._stamp(DESK).exists():
            say("The desk's list of packages has changed.")
        else:
            say("There is a .venv without all of the desk's packages; they are added.")
        for layer in (needs[: end + 1] for end in range(len(needs))):
            if not self.is_ready(layer):
                self._stamp(layer).unlink(missing_ok=True)
                self._install(layer[-1], lock)
                self._write_stamp(layer)
                _write(lock, b"")  # the first layer is the desk: from here on there is something to keep

    def _usable(self) -> bool:
        """May packages be put into what is there? Its interpreter and its pip are asked by running them."""
        tell = "import sys; print(*sys.version_info[:2], sys.prefix != sys.base_prefix)"
        if _answer([self.python, "-I", "-c", tell]) != f"{sys.version_info[0]} {sys.version_info[1]} True":
            return False
        return self._uv is not None or self._has_pip()

    def _has_pip(self) -> bool:
        return _answer([self.python, "-I", "-m", "pip", "--version"]) is not None

    def _clear(self, half_made: bool) -> None:
        if not self._uv:
            _require_venv_module()  # before anything is thrown away
        if self.folder.is_symlink() or self.folder.is_file():
            self.folder.unlink()
        elif self.folder.exists():
            why = "An earlier start was stopped half-way; " if half_made else ""
            say(f"{why}.venv is made anew, for Python {sys.version_info[0]}.{sys.version_info[1]}.")
            shutil.rmtree(self.folder)
        else:
            say("First start: the desk puts its Python packages into a folder of its own, .venv (some 650 MB).")

    def _make(self, lock: BinaryIO) -> None:
        base = getattr(sys, "_base_executable", None) or sys.executable
        if self._uv:
            command = [self._uv, "venv", "--quiet", "--python", base, str(self.folder)]
            if Step("environment", command, held=_fd(lock)).run(self._root) == 0:
                return
            _require_venv_module()
            shutil.rmtree(self.folder, ignore_errors=True)
        step = Step("environment", [base, "-I", "-m", "venv", str(self.folder)], held=_fd(lock))
        if step.run(self._root) != 0:
            step.show_last_words()
            refuse(f"Python could not make an environment in {self.folder}.\n{_HOW_TO_GET_VENV}")

    def _install(self, requirements: str, lock: BinaryIO) -> None:
        """Every package by its hash; those of the desk as built wheels only, so that installing runs no code of them.

        Two packages that the checks compare the desk with are published as source, which has to be built.
        """
        strict = ["--require-hashes", "-r", str(self._root / requirements)]
        strict += ["--only-binary=:all:"] if requirements in DESK else []
        total = len({name for name, _ in _pinned(self._root / requirements)})
        if self._uv:
            command = [self._uv, "pip", "install", "--quiet", "--python", str(self.python), *strict]
            if sys.dont_write_bytecode:  # nor will Python compile them then, and every start would wait for that
                command.append("--compile-bytecode")
            if Step(f"{total} packages", command, held=_fd(lock)).run(self._root) == 0:
                return
            say("  uv did not manage; trying pip.")  # which may know a registry that uv was not told of
            if not self._has_pip():
                _require_venv_module()
                Step("getting pip", [str(self.python), "-I", "-m", "ensurepip"], held=_fd(lock)).run(self._root)
        command = [str(self.python), "-I", "-m", "pip", "install", "--no-input", "--disable-pip-version-check"]
        command += ["--progress-bar=off", *_patience(), *strict]
        step = Step("packages", command, total=total, held=_fd(lock))
        if step.run(self._root) != 0:
            step.show_last_words()
            _refuse_packages("\n".join(step.said))

    @contextmanager
    def _alone(self) -> Iterator[BinaryIO]:
        """Hold the lock file. Installers inherit it: one that outlives a killed start keeps the next one waiting."""
        with (self._root / ".venv.lock").open("a+b") as lock:
            try:
                import fcntl
            except ImportError:  # Windows: two first starts at the same time are not guarded against
                yield lock
                return
            waiting = False
            while True:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if not waiting:
                        say("Another start is preparing .venv; waiting for it.")
                    waiting = True
                    time.sleep(0.2)
            yield lock


def _answer(command: Sequence[str | Path]) -> str | None:
    """What a short program prints, or None if it does not run properly."""
    with suppress(OSError, subprocess.TimeoutExpired):
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=60)  # noqa: S603  # ours
        if done.returncode == 0:
            return done.stdout.decode(errors="replace").strip()
    return None


def _fd(lock: BinaryIO) -> tuple[int, ...]:
    return () if os.name == "nt" else (lock.fileno(),)


def _write(lock: BinaryIO, text: bytes) -> None:
    lock.seek(0)
    lock.truncate()
    lock.write(text)
    lock.flush()


def _pinned(requirements: Path) -> Iterator[tuple[str, bool]]:
    """Each package's name, and whether it is for every kind of machine."""
    for line in requirements.read_text(encoding="utf-8").splitlines():
        if "==" in line and line[0].isalnum():
            yield line.split("==")[0], ";" not in line


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _patience() -> list[str]:
    """A registry that hangs is given up on after a minute or so, unless the person has set another patience."""
    own = os.environ.get("PIP_TIMEOUT") or os.environ.get("PIP_DEFAULT_TIMEOUT")
    return ["--retries=2"] if own else ["--retries=2", "--timeout=15"]


def _require_venv_module() -> None:
    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        refuse(f"This Python cannot make environments: its venv module is missing.\n{_HOW_TO_GET_VENV}")


def _refuse_packages(said: str) -> NoReturn:
    if "DO NOT MATCH THE HASHES" in said:
        refuse("A package is not the one that this version of the desk was checked with. Nothing of it was run.")
    if "No space left" in said:
        refuse("The disk is full: the desk's packages need some 650 MB.")
    if _NO_REGISTRY.search(said):
        refuse(
            "The package registry could not be reached, so the desk's packages are not complete.\n"
            "Check the network, or pip's proxy and index settings, and start again."
        )
    refuse("The desk's packages could not be installed; the installer's own words are above.")
