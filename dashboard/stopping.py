"""Ctrl-C and SIGTERM: everything ends in an orderly way, with exit code 0, and in bounded time."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

from dashboard.progress import say

STOP_WITHIN = 2.5
"""Seconds from the first signal after which the process is gone, whatever hangs."""

_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGBREAK") if hasattr(signal, name))


def stop_on_signals() -> None:
    """Install both: an exit through the ordinary way out, and the limit to how long that may take.

    The web server puts its own handlers in place while it serves, stops cleanly, puts these back and raises the signal
    again: without them the process would die of it before anything is closed.
    """
    for number in _SIGNALS:
        signal.signal(number, _exit)
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    # Told of every signal, whoever handles it. A server that waits for a download to finish would wait for ever.
    signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
    threading.Thread(target=_limit, args=(reader, writer), name="stop-limit", daemon=True).start()


def heed_first_signal_only() -> None:
    """Call in the main thread once the web server has put its handlers in place (its lifespan is such a moment).

    A second Ctrl-C makes it leave everything open and end with a traceback. The limit holds for whoever is impatient.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    for number in _SIGNALS:
        if callable(handler := signal.getsignal(number)):
            signal.signal(number, _once(handler))


def _once(handler: Callable[[int, FrameType | None], Any]) -> Callable[[int, FrameType | None], None]:
    seen: list[int] = []

    def first_only(number: int, frame: FrameType | None) -> None:
        if not seen:
            seen.append(number)
            handler(number, frame)

    return first_only


def _exit(_number: int, _frame: FrameType | None) -> None:
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)  # an impatient second one would kill what is being closed
    sys.exit(0)


def _limit(reader: socket.socket, _writer: socket.socket) -> None:
    """Thread `stop-limit`: waits for the first signal, gives the rest of the program its time, ends it.

    Holds both ends of the pair, which must live as long as the process. The data files are made for this: each change
    is one transaction.
    """
    while not set(reader.recv(64)) & set(_SIGNALS):
        pass
    say("Stopping.")
    time.sleep(STOP_WITHIN)
    os._exit(0)
