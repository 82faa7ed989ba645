"""A process that has imported what a desk and a paper broker need, and forks one whenever it is asked.

`python -m tests.support.warm_parent FD`: each message on that socket is a program (module, arguments, environment) with
four files: its input, its output, its errors, and where its exit code is to be written. It ends with whoever started
it.
"""

from __future__ import annotations

import json
import os
import runpy
import select
import signal
import socket
import sys
import threading
from importlib import import_module
from typing import Any

READY = ("services.runtime.current", "services.runtime.money", "services.paper.server", "alembic.command", "psycopg")
_ROOM = 65536


def main(control: socket.socket) -> None:
    """Serve until the other end is closed. In a forked process: become the program."""
    for name in READY:
        import_module(name)
    assert threading.active_count() == 1, "a process with threads cannot be forked"
    program = _serve(control)
    if program is not None:
        os.environ.clear()
        os.environ.update(program["environment"])
        sys.argv = [program["module"], *program["arguments"]]
        runpy.run_module(program["module"], run_name="__main__", alter_sys=True)


def _serve(control: socket.socket) -> dict[str, Any] | None:
    woken, wakes = os.pipe()
    os.set_blocking(wakes, False)
    signal.set_wakeup_fd(wakes)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    running: dict[int, int] = {}  # process id: where its exit code is awaited
    while True:
        ready, _, _ = select.select([control.fileno(), woken], [], [])
        if woken in ready:
            os.read(woken, _ROOM)
            _tell_ends(running)
        if control.fileno() not in ready:
            continue
        message, files, _, _ = socket.recv_fds(control, _ROOM, 4)
        if not message:
            return None
        pid = os.fork()
        if pid == 0:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for number in range(3):
                os.dup2(files[number], number)
            control.close()
            for one in (*files, *running.values(), woken, wakes):
                os.close(one)
            told: dict[str, Any] = json.loads(message)
            return told
        running[pid] = files.pop()
        for one in files:
            os.close(one)
        control.send(str(pid).encode())


def _tell_ends(running: dict[int, int]) -> None:
    while running:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        awaited = running.pop(pid)
        os.write(awaited, str(os.waitstatus_to_exitcode(status)).encode())
        os.close(awaited)


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])))
