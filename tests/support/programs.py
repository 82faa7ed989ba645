"""Short Python programs that a test runs as processes of their own: to be killed, forked, or started at once."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

from tests.support.shared_data import ROOT


def start(source: str, *arguments: object) -> subprocess.Popen[str]:
    """Run `source` with `sys.argv[1:] = arguments`; the project can be imported."""
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(source), *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str], *, code: int = 0, seconds: float = 60) -> str:
    """What it printed; it must end with exit code `code`."""
    try:
        out, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    assert process.returncode == code, f"exit code {process.returncode}:\n{out}{err}"
    return out.strip()


def run(source: str, *arguments: object, code: int = 0) -> str:
    """Start and finish."""
    return finish(start(source, *arguments), code=code)
