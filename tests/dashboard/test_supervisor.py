"""What a supervisor hears of the server: that it is up, that it goes on, that it stops."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from dashboard.supervisor import Supervisor


@pytest.fixture
def heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """The supervisor's end; its address is short, whatever the test's folder is called."""
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
        end.bind("notify")
        end.settimeout(10)
        yield end


def run(environment: dict[str, str], heard: socket.socket, *, words: int) -> list[str]:
    """What is heard first while a server runs, and what comes at its end."""

    async def serve() -> list[str]:
        async with Supervisor(environment).told():
            return [(await asyncio.to_thread(heard.recv, 100)).decode() for _ in range(words)]

    said = asyncio.run(serve())
    heard.setblocking(False)
    rest = []
    try:
        while True:
            rest.append(heard.recv(100).decode())
    except BlockingIOError:
        return [*said, *(word for word in rest if word != "WATCHDOG=1")]


def test_it_hears_that_the_server_is_up_goes_on_and_stops(heard: socket.socket) -> None:
    environment = {"NOTIFY_SOCKET": "notify", "WATCHDOG_USEC": "20000", "WATCHDOG_PID": str(os.getpid())}

    assert run(environment, heard, words=4) == ["READY=1", "WATCHDOG=1", "WATCHDOG=1", "WATCHDOG=1", "STOPPING=1"]


@pytest.mark.parametrize(
    "watchdog", [{}, {"WATCHDOG_USEC": "soon"}, {"WATCHDOG_USEC": "20000", "WATCHDOG_PID": str(os.getpid() + 1)}]
)
def test_who_does_not_wait_for_it_hears_no_word_in_between(heard: socket.socket, watchdog: dict[str, str]) -> None:
    assert run({"NOTIFY_SOCKET": "notify", **watchdog}, heard, words=1) == ["READY=1", "STOPPING=1"]


def test_without_a_supervisor_or_with_one_that_is_gone_the_server_runs_all_the_same(tmp_path: Path) -> None:
    async def serve(environment: dict[str, str]) -> bool:
        async with Supervisor(environment).told():
            return True

    assert asyncio.run(serve({}))
    assert asyncio.run(serve({"NOTIFY_SOCKET": str(tmp_path / "gone"), "WATCHDOG_USEC": "20000"}))
