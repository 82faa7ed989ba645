"""`python -m services.paper` as a program."""

from __future__ import annotations

import base64
import os
import signal
import subprocess
import sys
from pathlib import Path

import orjson
import pytest
import requests

from services.paper.__main__ import main, read_options
from tests.support.shared_data import ROOT


def start(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "services.paper", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(*arguments: str) -> tuple[int, str, str]:
    process = start(*arguments)
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_one_line_serves_and_ends_with_0(tmp_path: Path, number: signal.Signals) -> None:
    process = start("--port", "0", "--data-dir", str(tmp_path), "--clock", "2026-11-20T11:15:00+05:30", "--seed", "3")
    assert process.stdout is not None
    told = orjson.loads(process.stdout.readline())
    headers = {"Authorization": f"Bearer {told['access_token']}"}
    profile = requests.get(f"{told['base_url']}/v2/user/profile", headers=headers, timeout=30)
    second = run("--data-dir", str(tmp_path))
    process.send_signal(number)
    out, err = process.communicate(timeout=30)

    assert told.keys() == {"base_url", "access_token"}
    assert profile.status_code == 200
    assert (process.returncode, out, err) == (0, "", "")
    assert second[0] == 3
    assert told["base_url"] in second[2]
    assert second[2].count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ([], "--data-dir"),
        (["--port", "http"], "http"),
        (["--port", "70000"], "70000"),
        (["--clock", "noon"], "noon"),
        (["--clock", "2026-11-20T11:15:00+05:30x-1"], "speed"),
        (["--seed", "x"], "--seed"),
        (["--instruments", "/nowhere/at/all.json"], "all.json"),
        (["--candles", "/nowhere/at/all"], "/nowhere/at/all"),
        (["--prices", "guessed"], "guessed"),
        (["--prices", "replay:/nowhere/at/all.csv"], "all.csv"),
        (["--notifier", "https://evil.example/"], "notifier"),
        (["--fault"], "--fault"),
        (["--bananas"], "--bananas"),
    ],
)
def test_bad_options_end_in_one_clear_line_and_2(tmp_path: Path, arguments: list[str], named: str) -> None:
    folder = [] if not arguments else ["--data-dir", str(tmp_path)]

    code, out, err = run(*folder, *arguments)

    assert (code, out) == (2, "")
    assert err.count("\n") == 1, err
    assert named in err


def test_a_live_trading_token_in_the_environment_ends_in_2_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    claims = base64.urlsafe_b64encode(orjson.dumps({"iss": "udapi-gateway-service", "sub": "X"})).rstrip(b"=").decode()
    for foreign in (f"e30.{claims}.c2ln", "opaque"):
        monkeypatch.setenv("DESK_ACCESS_TOKEN", foreign)

        assert main(["--data-dir", str(tmp_path / "none")]) == 2

        said = capsys.readouterr()
        assert said.out == ""
        assert "live trading token" in said.err
        assert foreign not in said.err
    assert not (tmp_path / "none").exists()


def test_options_are_read(tmp_path: Path) -> None:
    options = read_options(
        ["--data-dir", str(tmp_path), "--port", "8123", "--clock", "exchange", "--seed", "9", "--faults", "--no-limits"]
    )

    assert options.folder == tmp_path
    assert (options.port, options.clock, options.seed) == (8123, "exchange", 9)
    assert (options.faults, options.limits, options.prices) == (True, False, "simulated")
