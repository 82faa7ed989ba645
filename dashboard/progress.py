"""What a start says at the terminal: short lines, and one that moves while an installer works."""

from __future__ import annotations

import os
import queue
import re
import shutil
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

_ERASE_LINE = "\r\033[K"


def say(text: str) -> None:
    """One line for the person at the terminal, at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def refuse(text: str, code: int = 1) -> NoReturn:
    """End the program with a sentence instead of a traceback."""
    sys.stdout.flush()
    sys.stderr.write(text + "\n")
    sys.stderr.flush()
    raise SystemExit(code)


class Step:
    """Runs one installer, shows how far it is, and keeps what it said."""

    def __init__(self, label: str, command: Sequence[str], *, total: int = 0, held: Sequence[int] = ()) -> None:
        """`total`: packages that pip will name one by one. `held`: descriptors that the installer keeps open."""
        self.said: deque[str] = deque(maxlen=400)
        self._label = label
        self._command = command
        self._held = held
        self._total = total
        self._seen = 0
        self._phase = ""
        self._shown = 0.0

    def run(self, folder: Path) -> int:
        """The installer's exit code. It is stopped with us, whatever stops us."""
        clean = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
        began = time.monotonic()
        self._show(0.0)
        process = subprocess.Popen(  # noqa: S603  # the command is written in `environment`
            self._command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=clean,
            cwd=folder,
            pass_fds=tuple(self._held),
        )
        lines: queue.Queue[str | None] = queue.Queue()
        threading.Thread(target=_read, args=(process, lines), name="installer-output", daemon=True).start()
        try:
            while True:
                with suppress(queue.Empty):
                    line = lines.get(timeout=0.25)
                    if line is None:
                        break
                    self.note(line)
                self._show(time.monotonic() - began)
            code = process.wait()
        finally:
            _stop(process)
        if sys.stdout.isatty():
            say(f"{_ERASE_LINE}  {self._label}: {'done' if code == 0 else 'failed'} ({time.monotonic() - began:.0f} s)")
        return code

    def note(self, line: str) -> None:
        """Take one line of the installer's output."""
        self.said.append(line)
        if line.startswith(("Collecting ", "Requirement already satisfied: ")):
            self._seen += 1
            name = re.split(r"[=<>;\[ ]", line.split(" ", 1)[1].replace("already satisfied: ", ""))[0]
            self._phase = f"{min(self._seen, self._total)} of {self._total}, {name}"
        elif line.startswith("Ignoring "):  # a package for other kinds of machine
            self._total = max(1, self._total - 1)
        elif line.startswith("Installing collected"):
            self._phase = "unpacking"
        elif "Retrying (" in line:
            self._phase = "the package registry does not answer, trying again"

    def progress(self, seconds: float) -> str:
        """How far it is, in a line."""
        since = f" ({seconds:.0f} s)" if seconds >= 1 else ""
        return f"  {self._label}: {self._phase or 'working'}{since}"

    def show_last_words(self) -> None:
        """What the installer said in the end; its errors, where it marked them."""
        errors = [line for line in self.said if line.lower().startswith("error")]
        for line in errors or list(self.said)[-10:]:
            sys.stderr.write(f"  | {line}\n")

    def _show(self, seconds: float) -> None:
        """On a terminal one line that moves; elsewhere a line now and then."""
        moving = sys.stdout.isatty()
        if seconds and seconds - self._shown < (0.2 if moving else 10):
            return
        self._shown = seconds
        if moving:
            width = shutil.get_terminal_size().columns - 1
            sys.stdout.write(_ERASE_LINE + self.progress(seconds)[:width])
            sys.stdout.flush()
        else:
            say(self.progress(seconds))


def _read(process: subprocess.Popen[bytes], lines: queue.Queue[str | None]) -> None:
    """Thread `installer-output`: the installer's lines into the queue, then None. Ends with the installer."""
    if process.stdout is not None:
        with process.stdout as output:
            for raw in output:
                lines.put(raw.decode(errors="replace").rstrip())
    lines.put(None)


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(2)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
