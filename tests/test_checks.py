from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from threading import Barrier

import pytest

from tests.checks import AUDIT, BROWSER, STAGES, Stage, run_all, run_stage, stage_environment
from tests.support.chromium import browser_required, find_chromium
from tests.support.shared_data import ROOT


class Record:
    """Runs nothing, notes the stages, and fails those that it is told to."""

    def __init__(self, *failing: str) -> None:
        self.failing = failing
        self.ran: list[str] = []

    def __call__(self, stage: Stage, environment: Mapping[str, str]) -> tuple[int, str]:
        self.ran.append(stage.name)
        return (1, f"{stage.name} complains") if stage.name in self.failing else (0, "chatter")


BESIDE = ["lint", "format", "types", "import rules", "collection"]
ALL = [*BESIDE, "tests", "browser tests"]


def in_turn(record: Record) -> list[str]:
    """What ran; those that run at the same time in the order in which they stand, whichever began first."""
    return sorted(record.ran[: len(BESIDE)], key=BESIDE.index) + record.ran[len(BESIDE) :]


def test_everything_is_run_and_summed_up(capsys: pytest.CaptureFixture[str]) -> None:
    record = Record()

    code = run_all(STAGES, "/usr/bin/chromium", required=True, runner=record)

    said = capsys.readouterr().out
    assert code == 0
    assert in_turn(record) == ALL
    assert [line[:14].rstrip() for line in said.splitlines()[-7:]] == ALL
    assert "chatter" not in said


def test_one_failure_does_not_hide_the_others_and_ends_the_run_as_failed(capsys: pytest.CaptureFixture[str]) -> None:
    record = Record("lint", "types")

    code = run_all(STAGES, "/usr/bin/chromium", required=False, runner=record)

    said = capsys.readouterr().out
    assert code == 1
    assert in_turn(record) == ALL
    assert "lint complains" in said
    assert "types complains" in said
    assert said.count("FAILED (exit code 1)") == 4  # each where it happened and in the sum


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="one core: one after the other")
def test_checks_that_need_one_core_run_at_the_same_time_and_what_needs_all_runs_alone() -> None:
    both, alone = Barrier(2, timeout=30), Stage("tests", ())
    inside: list[str] = []

    def meet(stage: Stage, environment: Mapping[str, str]) -> tuple[int, str]:
        inside.append(stage.name)
        if stage.beside:
            both.wait()
        return 0, ""

    stages = [Stage("one", (), beside=True), Stage("two", (), beside=True), alone]
    assert run_all(stages, None, required=False, runner=meet) == 0
    assert inside[2:] == ["tests"]


def test_without_chromium_browser_tests_are_skipped_at_home_and_that_is_said(
    capsys: pytest.CaptureFixture[str],
) -> None:
    record = Record()

    assert run_all(STAGES, None, required=False, runner=record) == 0
    assert BROWSER.name not in record.ran
    assert "skipped: no Chromium" in capsys.readouterr().out


def test_without_chromium_a_run_that_requires_it_fails(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_all(STAGES, None, required=True, runner=Record()) == 1
    assert "FAILED: no Chromium" in capsys.readouterr().out


def test_the_audit_is_a_stage_of_its_own() -> None:
    record = Record()

    run_all((*STAGES, AUDIT), None, required=False, runner=record)

    assert record.ran[-1] == "audit"
    assert "audit" not in [stage.name for stage in STAGES]


def test_a_stage_is_quiet_unless_it_streams(capfd: pytest.CaptureFixture[str]) -> None:
    command = ("-c", "print('word'); raise SystemExit(3)")

    assert run_stage(Stage("quiet", command), {}) == (3, "word\n")
    assert capfd.readouterr().out == ""

    assert run_stage(Stage("streams", command, streams=True), {}) == (3, "")
    assert capfd.readouterr().out == "word\n"


def test_no_check_sees_the_persons_own_desk() -> None:
    own = {
        "PATH": "/bin",
        "DESK_READ_TOKEN": "secret",
        "DESK_MODE": "live",
        "UPSTOX_CLIENT_SECRET": "secret",
        "ENCRYPTION_KEY": "secret",
        "DESK_REQUIRE_BROWSER": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }

    assert stage_environment(own) == {"PATH": "/bin", "DESK_REQUIRE_BROWSER": "1"}


@pytest.mark.parametrize(
    ("environment", "required"),
    [({}, False), ({"CI": "true"}, True), ({"CI": "false"}, False), ({"DESK_REQUIRE_BROWSER": "1"}, True)],
)
def test_a_browser_is_required_in_ci_and_on_request(environment: dict[str, str], required: bool) -> None:
    assert browser_required(environment) is required


def test_the_browser_that_was_named_is_taken_or_none(tmp_path: Path) -> None:
    browser = tmp_path / "my-chromium"

    assert find_chromium({"CHROMIUM": str(browser)}) is None

    browser.touch()
    assert find_chromium({"CHROMIUM": str(browser)}) == str(browser)


def test_help_comes_without_making_anything(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-S", "-m", "tests", "--help"], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0
    assert "arguments of pytest" in done.stdout.replace("[", "").replace("]", "")


def test_the_ci_script_is_a_bash_script_that_can_be_run() -> None:
    script = ROOT / ".ci" / "run"

    assert script.stat().st_mode & 0o111
    assert subprocess.run(["bash", "-n", str(script)], check=False).returncode == 0
    assert script.read_text(encoding="utf-8").rstrip().endswith("python3 -m tests")
