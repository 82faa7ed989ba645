"""What a second static scan finds is answered in writing (`docs/security.md`)."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

from tests.support.shared_data import ROOT

pytest.importorskip("bandit")


def test_every_finding_of_medium_weight_or_more_is_answered() -> None:
    command = [sys.executable, "-m", "bandit", "-q", "-ll", "-f", "json", "-r", "services", "dashboard", "pages"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
    found = {(one["test_id"], one["filename"]) for one in json.loads(done.stdout)["results"]}

    rows = re.findall(r"^\| (B\d{3}) \| ([^|]+) \|", (ROOT / "docs" / "security.md").read_text("utf-8"), re.MULTILINE)
    answered = {(rule, name) for rule, names in rows for name in re.findall(r"`([^`]+)`", names)}

    assert found - answered == set(), "new"
    assert answered - found == set(), "gone"
