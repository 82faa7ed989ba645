"""The commands: backup, check, restore, in words and exit codes."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from services.desk_card import DeskCard, known
from services.ledger.__main__ import BAD_OPTIONS, SOUND, TROUBLE, main
from services.ledger.backup import back_up_ledger, check
from services.ledger.watchlists import Watchlists
from tests.support.clocks import FakeClock
from tests.support.ledger import NOW, new_ledger
from tests.support.shared_data import ROOT

FILES_ONLY = True


@pytest.fixture
def path(tmp_path: Path) -> Path:
    folder = tmp_path / "paper"
    folder.mkdir()
    with closing(new_ledger(folder)) as ledger:
        Watchlists(ledger, FakeClock(NOW)).create("Mine")
        return ledger.path


def _copy(path: Path) -> Path:
    (copy,) = (path.parent / "backups").glob("ledger-backup-*.db")
    return copy


def test_a_ledger_is_copied_looked_over_and_put_back(
    path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["backup", "--data-dir", str(tmp_path)]) == SOUND
    copy = _copy(path)
    assert f"copied to {copy}" in capsys.readouterr().out
    assert main(["check", "--data-dir", str(tmp_path)]) == SOUND
    assert main(["check", str(copy)]) == SOUND
    assert "1 watchlists" in capsys.readouterr().out
    with closing(new_ledger(path.parent)) as ledger:
        Watchlists(ledger, FakeClock(NOW)).create("Later")

    assert main(["restore", str(copy), "--data-dir", str(tmp_path)]) == BAD_OPTIONS
    assert "nothing was changed" in capsys.readouterr().out
    assert check(path).figures != check(copy).figures
    assert main(["restore", str(copy), "--data-dir", str(tmp_path), "--yes"]) == SOUND
    assert "what was there before is in" in capsys.readouterr().out
    assert check(path).figures == check(copy).figures


@pytest.mark.parametrize("command", ["restore", "copy"])
def test_beside_a_running_desk_nothing_is_put_back_or_moved(
    path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    if command == "copy":
        monkeypatch.setenv("DESK_LEDGER_URL", "postgresql://nowhere.invalid/desk")
    before = check(path).figures
    copy = back_up_ledger(path, tmp_path / "copies", now=NOW).path
    with closing(new_ledger(path.parent)) as ledger:
        Watchlists(ledger, FakeClock(NOW)).create("Later")

    with known(path.parent, DeskCard("http://127.0.0.1:8501", 4711)):
        given = [str(copy), "--yes"] if command == "restore" else []
        assert main([command, *given, "--data-dir", str(tmp_path)]) == BAD_OPTIONS

    assert "a desk runs on" in (told := capsys.readouterr().err)
    assert "4711" in told
    assert check(path).figures != before


def test_a_folder_and_a_file_may_be_named(path: Path, tmp_path: Path) -> None:
    assert main(["backup", "--ledger", str(path), "--to", str(tmp_path / "safe")]) == SOUND

    assert [one.suffix for one in (tmp_path / "safe").iterdir()] == [".db"]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["check", "--data-dir", "{}/nowhere"], TROUBLE, "no ledger at"),
        (["backup", "--data-dir", "{}/nowhere"], TROUBLE, "no ledger at"),
        (["restore", "{}/nowhere.db", "--yes"], TROUBLE, "no ledger at"),
        (["restore", "{}/paper/ledger.db", "--ledger", "{}/paper/ledger.db", "--yes"], BAD_OPTIONS, "itself"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, words: str
) -> None:
    assert main([argument.format(tmp_path) for argument in arguments]) == code

    said = capsys.readouterr().err
    assert words in said
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    "arguments", [[], ["restore"], ["burn"], ["check", "--mode", "dream"], ["backup", "--tp", "x"]]
)
def test_bad_options_end_in_one_line(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)

    assert ended.value.code == BAD_OPTIONS
    assert capsys.readouterr().err.count("\n") == 1


def test_trouble_is_told_line_by_line(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path.write_bytes(path.read_bytes()[:8192] + b"\xff" * 40960)

    assert main(["check", str(path)]) == TROUBLE
    said = capsys.readouterr()
    assert "damaged" in said.out + said.err


def test_it_is_a_program(path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "services.ledger", "check", str(path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert (done.returncode, done.stderr) == (SOUND, "")
    assert done.stdout.startswith(f"sound: {path}\n")
