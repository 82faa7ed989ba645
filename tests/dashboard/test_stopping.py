"""Signals are the process's own, so each of these runs a small program and stops it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from tests.support.shared_data import ROOT

pytestmark = pytest.mark.skipif(os.name == "nt", reason="POSIX signals")

ORDERLY = """
import atexit, time
from dashboard.stopping import stop_on_signals
atexit.register(print, "closed", flush=True)
stop_on_signals()
print("ready", flush=True)
time.sleep(60)
"""
HANGING = """
import atexit, signal, time
from dashboard import stopping
atexit.register(print, "closed", flush=True)
stopping.STOP_WITHIN = 0.2
stopping.stop_on_signals()
signal.signal(signal.SIGTERM, lambda *_: None)  # as a server that waits for a download to end
print("ready", flush=True)
while True:
    time.sleep(60)
"""
SERVED = """
import signal, sys, time
from dashboard.stopping import heed_first_signal_only, stop_on_signals
stop_on_signals()
heard = []
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, lambda number, _frame: heard.append(number))  # as the web server does
heed_first_signal_only()
print("ready", flush=True)
while not heard:
    time.sleep(0.01)
time.sleep(0.3)
print(len(heard), flush=True)
"""


def stopped(program: str, number: signal.Signals, *, times: int = 1) -> tuple[int, str, float]:
    """Exit code, what was printed, and seconds from the signal to the end."""
    with subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        began = time.monotonic()
        for _ in range(times):
            process.send_signal(number)
        code = process.wait(30)
        return code, process.stdout.read(), time.monotonic() - began


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("times", [1, 2])
def test_a_signal_is_an_ordinary_end_with_everything_closed(number: signal.Signals, times: int) -> None:
    code, said, seconds = stopped(ORDERLY, number, times=times)

    assert code == 0
    assert "closed" in said
    assert seconds < 3


def test_an_impatient_second_signal_does_not_reach_the_server() -> None:
    code, said, _ = stopped(SERVED, signal.SIGINT, times=3)

    assert code == 0
    assert said == "Stopping.\n1\n"


def test_what_hangs_is_left_behind_when_the_time_is_over() -> None:
    code, said, seconds = stopped(HANGING, signal.SIGTERM)

    assert code == 0
    assert said == "Stopping.\n"
    assert 0.2 <= seconds < 3
