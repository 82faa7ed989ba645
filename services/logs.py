"""The desk's log: one rotating file, warnings on the terminal, and no secret in either.

Secrets are removed twice: from each record when it is made, so that handlers of other libraries (uvicorn, streamlit)
never see them, and from each finished line, traceback included, before it is written.
"""

from __future__ import annotations

import base64
import logging
import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import TextIO
from urllib.parse import quote, quote_plus

from services.wire.redaction import HIDDEN, remove_secrets

FILE_NAME = "desk.log"
FILE_BYTES = 2 * 1024 * 1024
FILES_KEPT = 5
SHORTEST_SECRET = 6
"""Shorter literals cannot be hidden by `hide`: their letters stand in ordinary words."""


class _Literals:
    """Secrets known to the letter, with the spellings in which they may turn up. The lock guards the growing set;
    readers take the finished pattern, which is replaced whole."""

    def __init__(self) -> None:
        self._spellings: set[str] = set()
        self._pattern: re.Pattern[str] | None = None
        self._lock = Lock()

    def add(self, secret: str) -> None:
        if len(secret) < SHORTEST_SECRET or secret in HIDDEN or secret in self._spellings:
            return
        escaped = secret.encode("unicode_escape").decode("ascii")
        spellings = {
            secret,
            quote(secret, safe="", errors="replace"),
            quote_plus(secret, errors="replace"),
            escaped,
            repr(secret)[1:-1],
            secret.replace("\\", "\\\\").replace('"', '\\"'),
            secret.encode("utf-8", "backslashreplace").decode("utf-8"),
            *_in_base64(secret.encode("utf-8", "backslashreplace")),
        }
        with self._lock:
            self._spellings |= spellings
            longest_first = sorted(self._spellings, key=len, reverse=True)
            self._pattern = re.compile("|".join(re.escape(spelling) for spelling in longest_first))

    def remove(self, text: str) -> str:
        pattern = self._pattern
        if pattern is None:
            return text
        return pattern.sub(HIDDEN, text)


def _in_base64(raw: bytes) -> Iterator[str]:
    """How `raw` looks inside of something longer in base64: in one of three ways, by where it begins. What its
    neighbours take part in is left out at both ends."""
    for skipped in range(3):
        begins, ends = -(-skipped * 8 // 6), (skipped + len(raw)) * 8 // 6
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            inside = encode(b"\0" * skipped + raw).decode("ascii")[begins:ends]
            if len(inside) >= SHORTEST_SECRET:
                yield inside


_literals = _Literals()


def hide(secret: str) -> None:
    """From now on `secret` stands in no line that this module writes, whatever the context. At least 6 characters."""
    _literals.add(secret)


def redact(text: str) -> str:
    """`text` without registered secrets and without anything that looks like a token, a code or a key."""
    return remove_secrets(_literals.remove(text))


def scrub(record: logging.LogRecord) -> logging.LogRecord:
    """Remove secrets from a record's message, arguments and traceback. The arguments keep their shape where they can
    (access logs read them), else the finished message replaces them."""
    try:
        said = record.getMessage()
    except (TypeError, ValueError, KeyError):
        # Arguments that do not fit. Left alone, logging would print them, secrets and all, on the terminal.
        record.msg, record.args = redact(f"{record.msg!s} (arguments that do not fit: {record.args!r})"), None
        return record
    if redact(said) != said:
        record.msg, record.args = _without_secrets(record, said)
    if record.exc_info and record.exc_info[0] is not None and not record.exc_text:
        told = logging.Formatter().formatException(record.exc_info)
        clean = redact(told)
        if clean != told:
            record.exc_text, record.exc_info = clean, None
    if record.stack_info:
        record.stack_info = redact(record.stack_info)
    return record


def _without_secrets(
    record: logging.LogRecord, said: str
) -> tuple[object, tuple[object, ...] | Mapping[str, object] | None]:
    if isinstance(record.args, tuple) and isinstance(record.msg, str):
        args = tuple(_clean(arg) for arg in record.args)
        try:
            now = record.msg % args
        except (TypeError, ValueError):
            now = ""
        if now and redact(now) == now:
            return record.msg, args
    return redact(said), None


def _clean(arg: object) -> object:
    """An argument of a message: itself where it is harmless, else its text without secrets."""
    if arg is None or isinstance(arg, (int, float)):
        return arg
    shown = str(arg)
    clean = redact(shown)
    return arg if clean == shown else clean


class RedactingFormatter(logging.Formatter):
    """Finished lines without secrets, stamped in UTC."""

    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(threadName)s %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


class PrivateRotatingFile(RotatingFileHandler):
    """A rotating file that only its owner may read, and that notices when another process has rotated it."""

    _ended = False

    def close(self) -> None:
        """For good: a thread that found this handler a moment ago must not open the file again."""
        self._ended = True
        super().close()

    def _open(self) -> TextIOWrapper:
        def private(path: str, flags: int) -> int:
            return os.open(path, flags, 0o600)

        # The folder again, if somebody deleted it; not what it lies in: that may be a disk that was taken away.
        Path(self.baseFilename).parent.mkdir(mode=0o700, exist_ok=True)
        stream = open(self.baseFilename, "a", encoding="utf-8", errors="backslashreplace", opener=private)  # noqa: SIM115
        if os.name == "posix":
            os.fchmod(stream.fileno(), 0o600)
        return stream

    def emit(self, record: logging.LogRecord) -> None:
        """Write the line. What the disk refuses goes the way of logging's own errors: a log call never raises."""
        if self._ended:
            return
        try:
            self._follow()
        except (OSError, ValueError):
            self.handleError(record)
        else:
            super().emit(record)

    def _follow(self) -> None:
        """Reopen the file if its name belongs to another one by now: a notebook beside the desk logs here too."""
        if self.stream is None or os.name != "posix":
            return
        held = os.fstat(self.stream.fileno())
        try:
            named = Path(self.baseFilename).stat()
        except FileNotFoundError:
            named = None
        if named is None or (named.st_ino, named.st_dev) != (held.st_ino, held.st_dev):
            # The new one first: if it cannot be opened, the next line finds a stream that can be asked again.
            left, self.stream = self.stream, self._open()
            left.close()


class Logs:
    """The log as it was set up. `close()` puts everything back; also a context manager."""

    def __init__(self, file: Path, handlers: list[logging.Handler], undo: list[Callable[[], object]]) -> None:
        self.file = file
        self._handlers = handlers
        self._undo = undo

    def close(self) -> None:
        while self._undo:
            self._undo.pop()()
        while self._handlers:
            handler = self._handlers.pop()
            logging.getLogger().removeHandler(handler)
            handler.close()

    def __enter__(self) -> Logs:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


LEFT_ALONE = ("uvicorn.access",)
"""Cut off on purpose: a line for each request of each browser says nothing."""

_current: Logs | None = None
_setting_up = Lock()


def setup_logging(folder: Path, *, level: int | str = logging.INFO, terminal: TextIO | None = None) -> Logs:
    """Log into `folder/logs/desk.log` (5 files of 2 MB, 0600) and warnings to `terminal` (stderr), for every logger of
    the process. A second call replaces the first."""
    global _current  # there is one root logger in a process
    with _setting_up:
        if _current is not None:
            _current.close()
        place = folder / "logs"
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = PrivateRotatingFile(
            place / FILE_NAME, maxBytes=FILE_BYTES, backupCount=FILES_KEPT - 1, encoding="utf-8", delay=False
        )
        shown = logging.StreamHandler(terminal or sys.stderr)
        shown.setLevel(logging.WARNING)
        root = logging.getLogger()
        handlers: list[logging.Handler] = [file, shown]
        for handler in handlers:
            handler.setFormatter(RedactingFormatter())
            root.addHandler(handler)
        level_before, factory_before = root.level, logging.getLogRecordFactory()
        root.setLevel(level)

        def clean_record(*args: object, **kwargs: object) -> logging.LogRecord:
            return scrub(factory_before(*args, **kwargs))

        logging.setLogRecordFactory(clean_record)
        _current = Logs(
            place / FILE_NAME,
            handlers,
            [
                lambda: root.setLevel(level_before),
                lambda: logging.setLogRecordFactory(factory_before),
                *(_taken_over(loner) for loner in _cut_off()),
            ],
        )
        return _current


def _cut_off() -> list[logging.Logger]:
    """The loggers that a library (Streamlit, uvicorn) has cut off from the root, with handlers of their own, so that
    their lines would miss the file."""
    known = dict(logging.root.manager.loggerDict)
    return [
        logger
        for name, logger in known.items()
        if isinstance(logger, logging.Logger) and not logger.propagate and name not in LEFT_ALONE
    ]


def _taken_over(loner: logging.Logger) -> Callable[[], None]:
    """Lead the lines of `loner`, which has handlers of its own and passes nothing on, to ours; gives what undoes it."""
    handlers, passes_on = list(loner.handlers), loner.propagate
    loner.handlers, loner.propagate = [], True

    def undo() -> None:
        loner.handlers, loner.propagate = handlers, passes_on

    return undo
