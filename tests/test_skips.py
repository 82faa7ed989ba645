"""In CI a test that lacks its tool fails; at home it is skipped."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.checks import stage_environment
from tests.support.skips import MAY, judged


def skipped(reason: str) -> pytest.TestReport:
    return pytest.TestReport(
        "tests/test_one.py::test_one", ("tests/test_one.py", 0, "test_one"), {}, "skipped",
        ("tests/test_one.py", 3, f"Skipped: {reason}"), "setup",
    )  # fmt: skip


@pytest.mark.parametrize("ci", ["true", "1"])
def test_in_ci_a_missing_tool_is_a_failure_that_says_what_is_missing(ci: str) -> None:
    report = judged(skipped("no promtool here (apt install prometheus)"), {"CI": ci})

    assert report.failed
    assert "no promtool here" in str(report.longrepr)


@pytest.mark.parametrize("environment", [{}, {"CI": ""}, {"CI": "false"}])
def test_at_home_it_stays_a_skip(environment: dict[str, str]) -> None:
    assert judged(skipped("no promtool here"), environment).skipped


@pytest.mark.parametrize("reason", MAY)
def test_what_no_tool_mends_stays_a_skip_everywhere(reason: str) -> None:
    assert judged(skipped(f"{reason} and so on"), {"CI": "true"}).skipped


@pytest.mark.parametrize("skip", ["@pytest.mark.skipif(True, reason='no tool')", "pytest.importorskip('no_such_tool')"])
def test_the_rule_holds_for_a_test_and_for_a_whole_file(tmp_path: Path, skip: str) -> None:
    file = tmp_path / "test_one.py"
    file.write_text(f"import pytest\n{skip}\ndef test_one(): pass\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.conftest", "-p", "no:cacheprovider", str(file)]

    codes = [
        subprocess.run(
            command, env=stage_environment({"PATH": "/usr/bin:/bin", "CI": ci}), capture_output=True
        ).returncode
        for ci in ("true", "")
    ]

    assert codes[0] in (1, 2)
    assert codes[1] in (0, 5)
