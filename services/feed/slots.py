"""Who may hold a feed: at most two processes on a data folder, because the broker allows an account two connections.

A slot is a file that is locked by the operating system, so a process that is killed gives its slot back. Sharing one
feed between processes would need no slots; until then a process without one lives on REST.
"""

from __future__ import annotations

from pathlib import Path
from threading import Lock

from filelock import FileLock, Timeout

from services.domain.errors import ConfigurationError

SLOTS = 2


class Slots:
    """The slots of one kind of stream in a data folder. This process holds at most one. Safe to share."""

    def __init__(self, folder: Path, *, name: str = "feed", count: int = SLOTS) -> None:
        self._paths = [folder / f"{name}-slot-{number}.lock" for number in range(1, count + 1)]
        self._held: FileLock | None = None
        self._number: int | None = None
        self._guard = Lock()  # guards the two above

    @property
    def held(self) -> int | None:
        """The number of our slot, from 1; `None` without one."""
        return self._number

    def take(self) -> bool:
        """Have a slot, at once. False: all are taken by other processes. `ConfigurationError` if files cannot be locked
        in the data folder."""
        with self._guard:
            if self._held is not None:
                return True
            for number, path in enumerate(self._paths, start=1):
                lock = FileLock(path, thread_local=False, mode=0o600)  # taken by one thread, given back by another
                try:
                    lock.acquire(timeout=0)
                except Timeout:
                    continue
                except (OSError, NotImplementedError) as error:
                    raise ConfigurationError(f"files in {path.parent} cannot be locked: {error}") from error
                self._held, self._number = lock, number
                return True
            return False

    def give_back(self) -> None:
        """Let another process have our slot. Without one this does nothing."""
        with self._guard:
            if self._held is not None:
                self._held.release()
            self._held = self._number = None
