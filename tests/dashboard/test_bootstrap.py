from __future__ import annotations

import os
import runpy
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import pytest

from dashboard.bootstrap import ROOT, Execute, enter, rebuild_if_damaged
from dashboard.environment import Environment


class Became(BaseException):
    """Raised where the process would have become another program."""


class Place(Environment):
    """An environment that is as the test says, and is made by saying so."""

    def __init__(self, *, ready: bool, current: bool, damaged: str | None = None) -> None:
        super().__init__(Path("/project"), uv="/nowhere/uv")
        self.ready = ready
        self.current = current
        self.damaged = damaged
        self.made: list[bool] = []

    def is_ready(self, needs: Sequence[str]) -> bool:
        return self.ready

    def is_current(self) -> bool:
        return self.current

    def damage(self, needs: Sequence[str]) -> str | None:
        return self.damaged

    def prepare(self, needs: Sequence[str], *, anew: bool = False) -> None:
        self.made.append(anew)
        self.ready = True


@pytest.fixture(autouse=True)
def _as_before(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("PYTHONPATH", "PYTHONHOME", "DESK_STARTED_AGAIN", "DESK_REBUILT"):
        monkeypatch.setenv(name, "x")
        monkeypatch.delenv(name)


@pytest.fixture
def started() -> list[list[str]]:
    return []


def test_inside_the_finished_environment_it_goes_on_at_the_root(started: list[list[str]]) -> None:
    enter("dashboard", [], environment=Place(ready=True, current=True), execute=_noting(started))

    assert started == []
    assert Path.cwd() == ROOT
    assert os.environ["PYTHONPATH"] == str(ROOT)


def test_outside_it_becomes_the_same_program_inside(started: list[list[str]]) -> None:
    place = Place(ready=True, current=False)

    with pytest.raises(Became):
        enter("dashboard", ["--port", "1"], environment=place, execute=_noting(started))

    assert started == [["/project/.venv/bin/python", "-m", "dashboard", "--port", "1"]]
    assert place.made == []


def test_what_is_missing_is_made_first(started: list[list[str]]) -> None:
    place = Place(ready=False, current=False)

    with pytest.raises(Became):
        enter("dashboard", [], environment=place, execute=_noting(started))

    assert place.made == [False]
    assert len(started) == 1


def test_changed_packages_are_put_in_from_inside_too(started: list[list[str]]) -> None:
    place = Place(ready=False, current=True)

    with pytest.raises(Became):
        enter("dashboard", [], environment=place, execute=_noting(started))

    assert place.made == [False]


def test_a_restart_that_leads_nowhere_is_not_repeated(
    started: list[list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    place = Place(ready=True, current=False)
    with pytest.raises(Became):
        enter("dashboard", [], environment=place, execute=_noting(started))

    with pytest.raises(SystemExit) as end:
        enter("dashboard", [], environment=place, execute=_noting(started))

    assert end.value.code == 1
    assert "cannot be entered" in capsys.readouterr().err


def test_a_failed_import_in_a_whole_environment_is_left_to_its_traceback(started: list[list[str]]) -> None:
    place = Place(ready=True, current=True)

    rebuild_if_damaged("dashboard", [], environment=place, execute=_noting(started))

    assert place.made == []
    assert started == []


def test_a_damaged_environment_is_made_anew_once(started: list[list[str]], capsys: pytest.CaptureFixture[str]) -> None:
    place = Place(ready=True, current=True, damaged="pandas is missing")

    with pytest.raises(Became):
        rebuild_if_damaged("dashboard", ["--mode", "live"], environment=place, execute=_noting(started))
    assert place.made == [True]
    assert started[0][2:] == ["dashboard", "--mode", "live"]

    with pytest.raises(SystemExit):
        rebuild_if_damaged("dashboard", [], environment=place, execute=_noting(started))
    assert place.made == [True]
    assert "pandas is missing" in capsys.readouterr().err


def test_an_old_python_is_told_so_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 18, "final", 0))

    with pytest.raises(SystemExit) as end:
        runpy.run_path(str(ROOT / "dashboard" / "bootstrap.py"))

    assert "needs Python 3.11 or newer; this is Python 3.9" in str(end.value.code)


def _noting(started: list[list[str]]) -> Execute:
    def execute(_program: str, command: list[str]) -> NoReturn:
        started.append(command)
        raise Became

    return execute
