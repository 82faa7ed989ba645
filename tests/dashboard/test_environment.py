from __future__ import annotations

import importlib.util
import os
import sys
import time
from pathlib import Path

import pytest

from dashboard.environment import CHECKS, DESK, Environment
from tests.support.installers import FakeInstallers

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the stand-ins are POSIX scripts")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / "tests").mkdir(parents=True)
    (folder / "requirements.txt").write_text("pandas==3.1.1 \\\n    --hash=sha256:00\n")
    (folder / "tests" / "requirements.txt").write_text("pytest==9.0.0 \\\n    --hash=sha256:00\n")
    return folder


@pytest.fixture
def installers(tmp_path: Path) -> FakeInstallers:
    return FakeInstallers(tmp_path / "installers")


@pytest.fixture
def environment(root: Path, installers: FakeInstallers) -> Environment:
    return Environment(root, uv=str(installers.uv))


def ended(environment: Environment, capsys: pytest.CaptureFixture[str]) -> str:
    """What is said on the way out of a preparation that fails."""
    with pytest.raises(SystemExit) as end:
        environment.prepare(DESK)
    assert end.value.code == 1
    return capsys.readouterr().err


def test_it_is_made_with_checked_wheels_only_and_then_counts_as_ready(
    environment: Environment, installers: FakeInstallers, root: Path
) -> None:
    assert not environment.is_ready(DESK)

    environment.prepare(DESK)

    assert environment.is_ready(DESK)
    made, installed = installers.calls("uv")
    assert made[0] == "venv"
    assert {"--require-hashes", "--only-binary=:all:", str(root / "requirements.txt")} <= set(installed)


def test_what_is_done_is_said_while_it_is_done(environment: Environment, capsys: pytest.CaptureFixture[str]) -> None:
    environment.prepare(DESK)

    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("First start")
    assert said[1:3] == ["  environment: working", "  1 packages: working"]
    assert said[-1].startswith("Ready after")


def test_an_environment_that_another_start_has_just_finished_is_left_alone(
    environment: Environment, installers: FakeInstallers
) -> None:
    environment.prepare(DESK)

    environment.prepare(DESK)

    assert len(installers.calls("uv")) == 2


def test_a_changed_list_of_packages_is_installed_into_the_same_environment(
    environment: Environment, installers: FakeInstallers, root: Path
) -> None:
    environment.prepare(DESK)
    mine = environment.folder / "notebook.txt"
    mine.touch()
    (root / "requirements.txt").write_text("pandas==3.1.2\n")
    assert not environment.is_ready(DESK)

    environment.prepare(DESK)

    assert environment.is_ready(DESK)
    assert mine.exists()
    assert [call[0] for call in installers.calls("uv")] == ["venv", "pip", "pip"]


def test_the_checks_come_on_top_of_the_desk(environment: Environment, installers: FakeInstallers, root: Path) -> None:
    environment.prepare(DESK)
    assert not environment.is_ready(CHECKS)

    environment.prepare(CHECKS)

    assert environment.is_ready(DESK)
    assert environment.is_ready(CHECKS)
    assert len(installers.calls("uv")) == 3
    assert {"--require-hashes", str(root / "tests/requirements.txt")} <= set(installers.calls("uv")[-1])


def test_the_checks_can_come_first(environment: Environment, installers: FakeInstallers) -> None:
    environment.prepare(CHECKS)

    assert environment.is_ready(DESK)
    assert environment.is_ready(CHECKS)
    assert [call[0] for call in installers.calls("uv")] == ["venv", "pip", "pip"]


def test_a_stamp_beside_an_interpreter_that_is_gone_does_not_count(environment: Environment) -> None:
    environment.prepare(DESK)
    environment.python.unlink()
    environment.python.symlink_to("/nowhere/python")
    assert not environment.is_ready(DESK)

    environment.prepare(DESK)

    assert environment.is_ready(DESK)


def test_another_python_gets_an_environment_of_its_own(
    environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment.prepare(DESK)

    monkeypatch.setattr(sys, "version_info", (3, 99, 0))

    assert not environment.is_ready(DESK)


def test_an_environment_of_which_only_the_beginning_exists_is_made_anew(
    environment: Environment, installers: FakeInstallers, capsys: pytest.CaptureFixture[str]
) -> None:
    environment.folder.mkdir()
    (environment.folder / "pyvenv.cfg").touch()

    environment.prepare(DESK)

    assert environment.is_ready(DESK)
    assert not (environment.folder / "pyvenv.cfg").exists()
    assert ".venv is made anew" in capsys.readouterr().out


def test_an_installation_that_failed_is_not_taken_for_finished_and_is_mended_next_time(
    environment: Environment, installers: FakeInstallers, capsys: pytest.CaptureFixture[str]
) -> None:
    installers.pip_fails_saying("ERROR: something odd")

    assert "could not be installed" in ended(environment, capsys)
    assert not environment.is_ready(DESK)

    installers.mend()
    environment.prepare(DESK)

    assert environment.is_ready(DESK)
    assert "stopped half-way" in capsys.readouterr().out


def test_a_persons_own_environment_is_added_to_not_thrown_away(
    environment: Environment, installers: FakeInstallers, root: Path
) -> None:
    environment.prepare(DESK)
    (environment.folder / "ready-desk").unlink()
    mine = environment.folder / "notebook.txt"
    mine.touch()

    environment.prepare(DESK)

    assert environment.is_ready(DESK)
    assert mine.exists()


def test_a_link_in_its_place_is_removed_without_touching_what_it_points_to(
    environment: Environment, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "precious").touch()
    environment.folder.symlink_to(elsewhere)

    environment.prepare(DESK)

    assert environment.is_ready(DESK)
    assert list(elsewhere.iterdir()) == [elsewhere / "precious"]


def test_pip_is_tried_where_uv_does_not_find_the_packages(environment: Environment, installers: FakeInstallers) -> None:
    installers.break_uv_install()

    environment.prepare(DESK)

    assert environment.is_ready(DESK)
    pip = installers.calls("python")[-1]
    assert {"--require-hashes", "--only-binary=:all:", "--no-input"} <= set(pip)


@pytest.mark.parametrize(
    ("own", "given"),
    [({}, {"--retries=2", "--timeout=15"}), ({"PIP_TIMEOUT": "99"}, {"--retries=2"})],
    ids=["nothing set", "own patience"],
)
def test_a_registry_that_hangs_is_given_up_on(
    environment: Environment,
    installers: FakeInstallers,
    monkeypatch: pytest.MonkeyPatch,
    own: dict[str, str],
    given: set[str],
) -> None:
    for name in ("PIP_TIMEOUT", "PIP_DEFAULT_TIMEOUT"):
        monkeypatch.delenv(name, raising=False)
    for name, value in own.items():
        monkeypatch.setenv(name, value)
    installers.break_uv_install()

    environment.prepare(DESK)

    pip = installers.calls("python")[-1]
    assert {word for word in pip if word.startswith(("--timeout", "--retries"))} == given


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("WARNING: Retrying (Retry(total=0)) after connection broken\nERROR: No match", "could not be reached"),
        ("ERROR: No matching distribution found for connectors==1.0", "own words are above"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.", "is not the one"),
        ("ERROR: Could not install packages: [Errno 28] No space left on device", "disk is full"),
        ("ERROR: something odd", "own words are above"),
    ],
)
def test_each_failure_of_the_installer_ends_in_a_sentence_after_its_own_words(
    environment: Environment, installers: FakeInstallers, capsys: pytest.CaptureFixture[str], said: str, words: str
) -> None:
    installers.pip_fails_saying(said)

    told = ended(environment, capsys)

    assert words in told
    assert "  | ERROR" in told


def test_a_python_without_its_venv_module_is_told_how_to_get_it_before_anything_is_thrown_away(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "ensurepip" else found(name))
    monkeypatch.setattr("shutil.which", lambda _name: None)
    environment = Environment(root)
    environment.folder.mkdir()

    assert "apt install python3-venv" in ended(environment, capsys)
    assert environment.folder.exists()


def test_a_missing_list_of_packages_is_said(
    environment: Environment, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / "requirements.txt").unlink()

    with pytest.raises(SystemExit):
        environment.is_ready(DESK)

    assert "requirements.txt is missing" in capsys.readouterr().err


def test_a_folder_that_cannot_be_written_to_is_said(
    environment: Environment, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / ".venv.lock").mkdir()

    assert "Cannot make" in ended(environment, capsys)


def test_a_second_first_start_waits_for_the_first(
    environment: Environment, root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fcntl = pytest.importorskip("fcntl")
    with (root / ".venv.lock").open("a+b") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        monkeypatch.setattr(time, "sleep", lambda _seconds: fcntl.flock(other, fcntl.LOCK_UN))

        environment.prepare(DESK)

    assert environment.is_ready(DESK)
    assert "Another start is preparing .venv" in capsys.readouterr().out


def test_packages_that_are_not_installed_are_noticed(environment: Environment, root: Path) -> None:
    (root / "requirements.txt").write_text("never-heard-of==1.0\nonly-elsewhere==2.0 ; sys_platform == 'other'\n")

    assert environment.damage(DESK) == "never-heard-of is missing"


def test_a_file_that_is_gone_from_an_installed_package_is_noticed(
    environment: Environment, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "site"
    (site / "thing-1.0.dist-info").mkdir(parents=True)
    (site / "thing-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: thing\nVersion: 1.0\n")
    (site / "thing-1.0.dist-info" / "RECORD").write_text("thing.py,,3\n__pycache__/thing.pyc,,\n")
    (site / "thing.py").write_text("x=1")
    (root / "requirements.txt").write_text("Thing==1.0\n")
    monkeypatch.setattr(sys, "path", [str(site)])
    assert environment.damage(DESK) is None

    (site / "thing.py").write_text("")
    assert environment.damage(DESK) == "thing lacks thing.py"
