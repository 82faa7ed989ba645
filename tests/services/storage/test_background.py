"""Threads that end when they are told to."""

from __future__ import annotations

import logging
import threading

import pytest

from services.storage.background import Recurring, Workers
from tests.support.quotes import wait_until


def test_workers_run_what_is_submitted_on_named_daemons() -> None:
    workers, seen, done = Workers(2, name="test-worker"), [], threading.Event()

    for number in range(10):
        workers.submit(lambda number=number: seen.append((number, threading.current_thread())))
    workers.submit(done.set)
    assert done.wait(30)
    wait_until(lambda: len(seen) == 10)

    assert sorted(number for number, _ in seen) == list(range(10))
    assert {thread.name for _, thread in seen} <= {"test-worker-1", "test-worker-2"}
    assert all(thread.daemon for _, thread in seen)
    workers.close()


def test_no_more_workers_run_than_asked_for() -> None:
    workers, gate = Workers(3, name="test-worker"), threading.Event()
    running: list[int] = []

    for _ in range(8):
        workers.submit(lambda: (running.append(1), gate.wait(30)))
    wait_until(lambda: len(running) == 3)

    assert len(running) == 3
    gate.set()
    wait_until(lambda: len(running) == 8)
    workers.close()


def test_work_that_fails_does_not_harm_the_next(caplog: pytest.LogCaptureFixture) -> None:
    workers, done = Workers(1, name="test-worker"), threading.Event()

    with caplog.at_level(logging.ERROR):
        workers.submit(lambda: 1 / 0)
        workers.submit(done.set)
        assert done.wait(30)

    assert "ZeroDivisionError" in caplog.text
    workers.close()


def test_closed_workers_take_nothing_and_do_not_wait_for_ever() -> None:
    workers, gate = Workers(1, name="test-worker"), threading.Event()
    workers.submit(gate.wait)

    workers.close(timeout=0.05)

    assert workers.submit(print) is False
    gate.set()


def test_a_recurring_step_ends_its_thread_when_there_is_nothing_to_do() -> None:
    runs: list[int] = []
    recurring = Recurring(lambda: runs.append(1), name="test-recurring")  # returns None

    recurring.ensure()
    wait_until(lambda: not recurring.running)

    assert runs
    assert "test-recurring" not in {thread.name for thread in threading.enumerate()}
    recurring.close()


def test_it_starts_again_when_there_is_something_to_do() -> None:
    runs: list[int] = []
    recurring = Recurring(lambda: runs.append(1), name="test-recurring")

    recurring.ensure()
    wait_until(lambda: not recurring.running)
    before = len(runs)
    recurring.ensure()

    wait_until(lambda: len(runs) > before)
    recurring.close()


def test_a_step_that_fails_is_run_again(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.storage.background._AFTER_A_FAULT", 0.0)
    runs: list[int] = []

    def step() -> None:
        runs.append(1)
        if len(runs) == 1:
            raise ValueError("once")

    recurring = Recurring(step, name="test-recurring")
    recurring.ensure()
    wait_until(lambda: len(runs) >= 2)

    assert "ValueError: once" in caplog.text
    recurring.close()


def test_close_ends_a_long_wait_at_once() -> None:
    recurring = Recurring(lambda: 3600.0, name="test-recurring")
    recurring.ensure()

    recurring.close(timeout=5)

    wait_until(lambda: "test-recurring" not in {thread.name for thread in threading.enumerate()})
    recurring.ensure()
    assert "test-recurring" not in {thread.name for thread in threading.enumerate()}
