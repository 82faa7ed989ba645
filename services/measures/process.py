"""What this process uses, as the operating system tells."""

from __future__ import annotations

import os
import threading
import time
from importlib import import_module
from pathlib import Path

from google.protobuf.internal import api_implementation

from services.measures.snapshot import ProcessNow

_STATM = Path("/proc/self/statm")
_FILES = Path("/proc/self/fd")


class ProcessMeter:
    """Reads the figures of this process. `None` where the operating system does not tell."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._page = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 0
        self._most = _most_files()
        self._protobuf = str(api_implementation.Type())

    def read(self) -> ProcessNow:
        used = os.times()
        return ProcessNow(
            pid=os.getpid(),
            uptime_seconds=time.monotonic() - self._began,
            cpu_seconds=used.user + used.system,
            resident_bytes=self._resident(),
            threads=threading.active_count(),
            open_files=_open_files(),
            most_files=self._most,
            protobuf=self._protobuf,
        )

    def _resident(self) -> int | None:
        try:
            return int(_STATM.read_text().split()[1]) * self._page
        except (OSError, ValueError, IndexError):
            return None


def _open_files() -> int | None:
    try:
        return sum(1 for _ in os.scandir(_FILES)) - 1  # one of them is the look itself
    except OSError:
        return None


def _most_files() -> int | None:
    if os.name != "posix":
        return None
    resource = import_module("resource")  # not there on Windows
    most: int = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return None if most == resource.RLIM_INFINITY else most
