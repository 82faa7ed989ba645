"""The examples of the documents run: README's Python, and every Python and console block of docs/services.md."""

from __future__ import annotations

import io
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from services.__main__ import VERBS, main
from services.runtime import Runtime
from services.self_check import on_paper
from tests.support.shared_data import ROOT

PASSWORD = "correct horse battery"
PROGRAM = ".venv/bin/python -m services "
BLOCK = re.compile(r"^```(python|console)(?: exit=(\d))?\n(.*?)^```", re.DOTALL | re.MULTILINE)
SERVICES = (ROOT / "docs/services.md").read_text(encoding="utf-8")
PUBLIC = (
    "market_quote_v3", "candle_fetcher_v3", "websocket_v3_streamer", "order_manager_v3", "portfolio_services_v3",
    "market_info_service", "auth_manager", "error_handler", "database_pool", "frames",
)  # fmt: skip


@pytest.fixture(scope="module")
def paper() -> Iterator[Runtime]:
    """One account for all examples."""
    with on_paper() as runtime:
        yield runtime


@pytest.fixture
def beside(paper: Runtime, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Commands find the account as they find a running desk's; a password waits to be read."""
    monkeypatch.setenv("DESK_DATA_DIR", str(paper.settings.data_dir))
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n"))
    monkeypatch.chdir(tmp_path)


def _blocks(text: str) -> list[tuple[str, int, str]]:
    return [(kind, int(code or 0), body) for kind, code, body in BLOCK.findall(text)]


@pytest.mark.usefixtures("beside")
def test_every_example_of_the_services_document_runs(paper: Runtime, capsys: pytest.CaptureFixture[str]) -> None:
    blocks = _blocks(SERVICES)
    python = [body for kind, _, body in blocks if kind == "python"]

    for body in python:
        exec(compile(body, "docs/services.md", "exec"), {"__name__": "example"})
        assert capsys.readouterr().out, body
    for kind, code, body in blocks:
        if kind == "console":
            _run(body, code, paper.folder, capsys)

    assert SERVICES.count("```python") == len(python)
    assert SERVICES.count("```console") == len(blocks) - len(python)
    assert [name for name in PUBLIC if f"services.{name}" not in "".join(python)] == []


def test_readmes_python_runs(paper: Runtime, capsys: pytest.CaptureFixture[str]) -> None:
    blocks = [body for kind, _, body in _blocks((ROOT / "README.md").read_text(encoding="utf-8")) if kind == "python"]
    names: dict[str, Any] = {"__name__": "example"}

    for body in blocks:
        exec(compile(body, "README.md", "exec"), names)

    assert len(blocks) == 2
    assert re.search(r"\d+\.\d", capsys.readouterr().out)
    assert [row["status"] for row in names["orders"].get_order_book() if row["order_id"] == names["order_id"]] == [
        "cancelled"
    ]


def test_no_document_names_a_command_that_is_none() -> None:
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md"))]

    named = {verb for text in texts for verb in re.findall(r"-m services (\w+)", text)}

    assert named
    assert named <= VERBS.keys()


def _run(body: str, code: int, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each command of a block; where the document shows what it says, the first line has the same words or columns."""
    lines = body.splitlines()
    for number, line in enumerate(lines):
        if not line.startswith("$ "):
            continue
        assert line.startswith(f"$ {PROGRAM}"), line
        words = shlex.split(line.removeprefix(f"$ {PROGRAM}"))
        copies = sorted(Path.cwd().glob("safe/*.db"))
        done = main([str(copies[-1]) if word.endswith("COPY.db") else word for word in words])
        said = capsys.readouterr()
        assert done == code, f"{line}\n{said.out}{said.err}"
        shown = lines[number + 1 : number + 2]
        if shown and not shown[0].startswith("$ "):
            assert _head(said.out) == _head(shown[0]), line


def _head(text: str) -> list[str]:
    """Of the first line the columns of a table, else its words without names of files."""
    first = (text.splitlines() or [""])[0]
    columns = re.split(r"\s{2,}", first.strip())
    return columns if len(columns) > 1 else [word for word in first.split() if "/" not in word]
