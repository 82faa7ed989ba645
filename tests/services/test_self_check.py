"""Each public service checks itself on a paper broker, by its module's name or its file's."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from services import self_check
from services.runtime import Runtime, get_runtime
from services.self_check import assure, on_paper

ROOT = Path(__file__).resolve().parents[2]
PUBLIC = (
    "market_quote_v3", "candle_fetcher_v3", "order_manager_v3", "portfolio_services_v3", "market_info_service",
    "database_pool", "error_handler", "auth_manager", "websocket_v3_streamer",
)  # fmt: skip


@pytest.fixture(scope="module")
def paper() -> Iterator[Runtime]:
    with on_paper() as runtime:
        yield runtime


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_service_finds_itself_well(paper: Runtime, name: str) -> None:
    lines = list(importlib.import_module(f"services.{name}").check_itself())

    assert lines
    assert all("None" not in line for line in lines)


def test_a_file_run_by_its_path_checks_itself_whatever_desk_the_environment_names(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("DESK_MODE=live\n")
    environment = os.environ | {"DESK_DATA_DIR": str(tmp_path / "own"), "DESK_MODE": "live"}

    done = subprocess.run(
        [sys.executable, "-W", "error", ROOT / "services" / "database_pool.py"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=100,
    )  # fmt: skip

    assert (done.returncode, done.stdout) == (0, "25 inserts by 5 workers: 25 rows stored\nall well\n"), done.stderr
    assert not (tmp_path / "own").exists()


def test_what_does_not_hold_ends_with_one_and_its_reason(
    paper: Runtime, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def check() -> Iterator[str]:
        yield "begun"
        assure(get_runtime() is not paper, "two and two are five")

    monkeypatch.setattr(self_check, "on_paper", lambda: _Nothing())

    with pytest.raises(SystemExit) as end:
        self_check.main(check)

    assert end.value.code == 1
    assert capsys.readouterr() == ("begun\n", "FAILED: two and two are five\n")


def test_the_environment_is_as_before_afterwards(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DESK_MODE", "live")
    monkeypatch.chdir(tmp_path)

    with on_paper() as runtime:
        assert "DESK_MODE" not in os.environ
        assert runtime.settings.mode.value == "paper"

    assert os.environ["DESK_MODE"] == "live"
    assert Path.cwd() == tmp_path


class _Nothing:
    def __enter__(self) -> None: ...
    def __exit__(self, *_: object) -> None: ...
