"""How this process finds the others of its desk, where `DESK_REDIS_URL` names a Redis.

The library for that is imported only then: a desk of one process neither needs it nor waits for it.
"""

from __future__ import annotations

import hashlib
import logging
import socket

from services.settings import Mode, Settings
from services.shared.asking import SharedAsking
from services.shared.budget import SharedGate
from services.shared.guesses import SharedGuesses
from services.shared.shared import Shared
from services.sign_in.attempts import MOST_WRONG, Attempts
from services.transport.rate_gate import RateGate
from services.wire.endpoints import RATE_LIMITS
from services.wire.rate_windows import Gate, part_of

log = logging.getLogger(__name__)


def shared_of(settings: Settings) -> Shared | None:
    """What goes over the Redis of `settings`; `None` without one. `ConfigurationError` if the address is none."""
    if settings.redis_url is None:
        return None
    return Shared(
        settings.redis_url.get_secret_value(),
        prefix=f"desk:{settings.folder.name}:{_account(settings)}",
        name=settings.process_name,
    )


def gate_of(shared: Shared | None, processes: int) -> Gate:
    """Keeps the broker's limits: for this process alone, or with the others over Redis. While Redis is away each of
    `processes` keeps to its part."""
    if shared is None:
        return RateGate()
    own = RateGate({group: part_of(limits, processes) for group, limits in RATE_LIMITS.items()})
    gate = SharedGate(shared.link, process=shared.process, own=own)
    shared.each_second(gate.keep_told)
    shared.each_second(_Crowd(shared, processes).look)
    return gate


class _Crowd:
    """Says so when there are more processes than the limits were divided for."""

    def __init__(self, shared: Shared, most: int) -> None:
        self._shared = shared
        self._most = most
        self._told = 0

    def look(self) -> None:
        here = sum(process.alive for process in self._shared.processes.all())
        if here > max(self._most, self._told):
            log.warning(
                "%d processes take part, and DESK_PROCESSES says %d: without Redis they would ask more of the broker "
                "than it allows",
                here,
                self._most,
            )
            self._told = here


def guesses_of(shared: Shared, own: Attempts) -> SharedGuesses:
    """Wrong attempts to sign in, counted over all processes."""
    return SharedGuesses(shared.link, own=own, most_wrong=MOST_WRONG, name=shared.process)


def asking_of(shared: Shared | None) -> SharedAsking | None:
    """What other processes asked for on the phone; `None` for a desk of one."""
    return None if shared is None else SharedAsking(shared.link)


def _account(settings: Settings) -> str:
    """Processes that share are those of one account at one broker: the app's number, and where a broker on this machine
    is, or whose data folder it is found by."""
    told = [settings.client_id or "", settings.api_base or ""]
    if settings.mode is Mode.PAPER and settings.api_base is None:
        told += [socket.gethostname(), str(settings.data_dir.resolve())]
    return hashlib.sha256("\n".join(told).encode()).hexdigest()[:12] if any(told) else "desk"
