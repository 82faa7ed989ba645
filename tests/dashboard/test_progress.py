from __future__ import annotations

import sys
from pathlib import Path

import pytest

from dashboard.progress import Step, refuse


def test_the_packages_are_counted_as_pip_names_them() -> None:
    step = Step("packages", [], total=3)

    step.note("Collecting pandas==3.1.1 (from -r requirements.txt (line 5))")
    assert step.progress(0.2) == "  packages: 1 of 3, pandas"

    step.note("Ignoring colorama: markers 'sys_platform == \"win32\"' don't match your environment")
    step.note("Requirement already satisfied: uvicorn==0.54 in /x (from -r requirements.txt)")
    assert step.progress(7.4) == "  packages: 2 of 2, uvicorn (7 s)"

    step.note("Installing collected packages: pandas, uvicorn")
    assert step.progress(9) == "  packages: unpacking (9 s)"


def test_a_registry_that_does_not_answer_is_said_while_it_is_tried_again() -> None:
    step = Step("packages", [], total=3)

    step.note("WARNING: Retrying (Retry(total=1, connect=None)) after connection broken by 'NewConnectionError'")

    assert "does not answer, trying again" in step.progress(20)


def test_an_installer_is_run_to_its_end_and_its_words_are_kept(tmp_path: Path) -> None:
    step = Step("something", [sys.executable, "-c", "import os; print(os.getcwd()); raise SystemExit(3)"])

    assert step.run(tmp_path) == 3
    assert list(step.said) == [str(tmp_path)]


def test_of_the_last_words_only_the_errors_are_shown_where_there_are_some(capsys: pytest.CaptureFixture[str]) -> None:
    step = Step("packages", [])
    for line in ("Looking in indexes", "ERROR: No matching distribution found for x", "[notice] A new release"):
        step.note(line)

    step.show_last_words()

    assert capsys.readouterr().err == "  | ERROR: No matching distribution found for x\n"


def test_an_installer_does_not_meet_the_persons_own_python_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    step = Step("something", [sys.executable, "-c", "import os; print('PYTHONPATH' in os.environ)"])

    step.run(tmp_path)

    assert list(step.said) == ["False"]


def test_a_refusal_is_a_sentence_and_an_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        refuse("The port is taken.", 2)

    assert end.value.code == 2
    assert capsys.readouterr().err == "The port is taken.\n"
