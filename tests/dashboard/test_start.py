"""The desk started and stopped as a person does it."""

from __future__ import annotations

import shutil
import signal
import socket
import sys
import urllib.request
from pathlib import Path

import pytest

from dashboard.bootstrap import ROOT
from dashboard.environment import Environment
from services.desk_card import DeskCard, desk_on
from tests.support.desk import Desk

HANGS = 15.0
"""Seconds after which a stop counts as hanging. How quick start and stop are is measured: `tests.benchmarks start`."""

inside = pytest.mark.skipif(not Environment(ROOT).is_current(), reason="runs inside .venv: python3 -m tests")


@inside
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_is_there_and_gone_again(tmp_path: Path, number: signal.Signals) -> None:
    with Desk(tmp_path / "data"):
        pass  # what a first start on a new data folder does once is not counted

    with Desk(tmp_path / "data") as desk:
        with urllib.request.urlopen(desk.url, timeout=5) as page:
            assert b"<title>" in page.read()
        found = desk_on(tmp_path / "data" / "paper")

        code, seconds = desk.stop(number)

    assert found == DeskCard(desk.url, desk.pid)
    assert desk_on(tmp_path / "data" / "paper") is None
    assert code == 0
    assert seconds < HANGS
    assert "Traceback" not in desk.log


@inside
def test_an_open_download_does_not_keep_it_from_stopping(tmp_path: Path) -> None:
    with Desk(tmp_path / "data") as desk, socket.create_connection(("127.0.0.1", desk.port)) as half_asked:
        half_asked.sendall(b"POST /_stcore/health HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nhalf")

        code, seconds = desk.stop()

    assert code == 0
    assert seconds < HANGS


@inside
def test_a_second_desk_on_the_same_port_is_refused_in_words(tmp_path: Path) -> None:
    with Desk(tmp_path / "data") as desk:
        code, said = Desk(tmp_path / "other", port=desk.port).end()

    assert code == 2
    assert f"Port {desk.port} is taken" in said
    assert "Traceback" not in said


@inside
@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"DESK_MODE": "play"}, "DESK_MODE"),
        ({"DESK_API_BASE": "https://broker.example"}, "on this machine only"),
    ],
)
def test_a_wrong_setting_is_one_sentence_and_no_traceback(
    tmp_path: Path, environment: dict[str, str], words: str
) -> None:
    code, said = Desk(tmp_path / "data", environment=environment).end()

    assert code == 2
    assert words in said
    assert len(said.splitlines()) == 1


@inside
def test_a_data_folder_that_is_a_file_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "data").touch()

    code, said = Desk(tmp_path / "data").end()

    assert code == 2
    assert "data folder" in said
    assert len(said.splitlines()) == 1


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_a_first_start_needs_nothing_but_python_and_survives_being_cut_off(tmp_path: Path) -> None:
    root = tmp_path / "desk"
    for name in ("dashboard", "services", "pages", ".streamlit"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("requirements.txt", "pyproject.toml"):
        shutil.copy(ROOT / name, root / name)
    python = getattr(sys, "_base_executable", sys.executable)

    with Desk(tmp_path / "data", python=python, root=root, timeout=300) as desk:
        assert "First start" in desk.log
    shutil.rmtree(next((root / ".venv").rglob("site-packages")) / "starlette")

    with Desk(tmp_path / "data", python=python, root=root, timeout=300) as desk:
        assert "damaged: starlette lacks" in desk.log

    with Desk(tmp_path / "data", python=python, root=root) as desk:
        assert desk.answers()
