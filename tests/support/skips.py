"""Which tests may be left out. At home whatever lacks its tool; in CI, where `.ci/run` installs them all, next to none:
a test that silently stops to run is one that cannot fail."""

from __future__ import annotations

import os
from collections.abc import Mapping

import pytest

MAY = (
    "a long run;",
    "real data not here:",
    "this machine has no address but loopback",
    "this machine is too slow to make 51 calls in a second",
    "only who may mount a file system",
    "one core:",
)
"""Reasons of which no installed tool is the cause."""


def is_ci(environment: Mapping[str, str] = os.environ) -> bool:
    return environment.get("CI", "").lower() not in ("", "0", "false", "no")


def judged(
    report: pytest.TestReport | pytest.CollectReport, environment: Mapping[str, str] = os.environ
) -> pytest.TestReport | pytest.CollectReport:
    """The report; in CI a skip for another reason than those is a failure that tells the reason."""
    if report.skipped and is_ci(environment) and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        if not reason.removeprefix("Skipped: ").startswith(MAY):
            report.outcome = "failed"
            report.longrepr = f"in CI nothing is left out, and this was: {reason}"
    return report
