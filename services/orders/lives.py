"""Which process sends a decision, and whether that one is still there.

A process that has died sends no more: what it left open can be looked up at once. One that lives may be in the middle
of sending. Of a process of this machine the system itself tells; of another machine nobody here can tell (silence may
be the network's), and then only time does (`cases.Cases`).
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

from services.domain.intents import Intent, IntentState

_PROC = Path("/proc")
_BOOT = _PROC / "sys/kernel/random/boot_id"


class Whose:
    """Who sends an intent, and whether anybody still does."""

    def __init__(
        self,
        *,
        in_flight: Callable[[str], bool],
        grounded: Callable[[str], bool] = lambda intent_id: False,
        life: Life | None = None,
        alone: bool = True,
    ) -> None:
        """`in_flight(id)`: it is on its way in this process; `grounded(id)`: it certainly never left this process;
        `life`: this process; `alone`: nobody else works on this ledger, unless the system tells of it."""
        self._in_flight = in_flight
        self._grounded = grounded
        self._life = life
        self._alone = alone

    def is_own(self, intent: Intent) -> bool:
        """Is it this process that sends it?"""
        return self._life is not None and intent.process == self._life.name

    def in_flight(self, intent: Intent) -> bool:
        """Is it on its way here?"""
        return self._in_flight(intent.intent_id)

    def never_left(self, intent: Intent) -> bool:
        """Did the ledger keep it without saying so? Then it was not sent."""
        return intent.state is IntentState.PREPARED and self._grounded(intent.intent_id)

    def has_ended(self, intent: Intent, *, first: bool = False) -> bool:
        """Does nobody send it any more? Where nobody can tell, another process that may be there is given its time;
        one that is alone knows at its start (`first`) that whoever was there before it is gone."""
        if intent.state is not IntentState.PREPARED:
            return True
        if self.is_own(intent):
            return not self.in_flight(intent)
        told = self._life.is_over(intent.process) if self._life is not None and intent.process else None
        return first and self._alone if told is None else told


class Life:
    """The life of one order desk. Its `name` is written beside each decision that it sends."""

    def __init__(self, name: str | None = None) -> None:
        """`name`: that of another one, as it was written down."""
        self._given = name

    @cached_property
    def name(self) -> str:
        """Machine's start, its table of processes, process, and which desk of it: unlike any other's. What cannot be
        told here is left empty, and then nobody concludes anything from it."""
        if self._given is not None:
            return self._given
        return "/".join((*_here(), str(os.getpid()), _began(os.getpid()) or "", secrets.token_hex(4)))

    def is_over(self, other: str) -> bool | None:
        """Has the process that wrote the name `other` ended? `None`: nobody here can tell, or it is this very one."""
        parts, mine = other.split("/"), self.name.split("/")
        if len(parts) != 5 or not all(parts) or parts[:2] != mine[:2]:
            return None
        if parts[2:4] == mine[2:4]:
            return None
        began = _began(int(parts[2])) if parts[2].isdecimal() else None
        return began != parts[3]


def _here() -> tuple[str, str]:
    """Since when this machine runs, and the table in which process numbers count (a container has its own)."""
    try:
        return _BOOT.read_text().strip(), (_PROC / "self/ns/pid").readlink().name.strip("pid:[]")
    except OSError:
        return "", ""


def _began(pid: int) -> str | None:
    """When the process of that number began, in ticks since the machine's start; `None`: there is none that runs."""
    try:
        told = (_PROC / str(pid) / "stat").read_text()
    except OSError:
        return None
    fields = told.rpartition(")")[2].split()  # the name before it may hold anything
    return None if fields[0] in {"Z", "X"} else fields[19]
