"""A real Prometheus, and what the desk ships for it."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import orjson

from dashboard.options import free_port
from tests.support.shared_data import ROOT

OPERATIONS = ROOT / "docs" / "operations"
BOARD, RULES, CONFIG = OPERATIONS / "grafana-board.json", OPERATIONS / "desk-rules.yml", OPERATIONS / "prometheus.yml"
PROMETHEUS, PROMTOOL = shutil.which("prometheus"), shutil.which("promtool")


def board() -> dict[str, Any]:
    """The board for Grafana."""
    found: dict[str, Any] = orjson.loads(BOARD.read_bytes())
    return found


def board_queries() -> list[str]:
    """Every query of the board, its variables filled in."""
    return [
        target["expr"].replace("$__rate_interval", "30s").replace("$job", "desk").replace("$instance", ".*")
        for panel in board()["panels"]
        for target in panel.get("targets", ())
    ]


def always(expression: str) -> str:
    """An alert's expression that tells 0 or 1 instead of nothing where it does not fire."""
    return re.sub(r"(?<![=!<>~])(==|!=|<=|>=|<|>)(?![=~]|\s*\")", r"\1 bool", expression)


class Prometheus:
    """`with Prometheus(folder, target) as prometheus:` scrapes `target` every second, with the shipped rules."""

    def __init__(self, folder: Path, target: str) -> None:
        assert PROMETHEUS is not None
        self.port = free_port("127.0.0.1")
        config = folder / "prometheus.yml"
        text = CONFIG.read_text().replace("127.0.0.1:8501", target).replace("15s", "1s")
        config.write_text(text.replace("desk-rules.yml", str(RULES)))
        self._log = folder / "prometheus.log"
        self._command = [
            PROMETHEUS, f"--config.file={config}", f"--storage.tsdb.path={folder / 'tsdb'}",
            f"--web.listen-address=127.0.0.1:{self.port}", "--log.level=warn",
        ]  # fmt: skip

    def __enter__(self) -> Self:
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=subprocess.STDOUT)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._process.terminate()
        self._process.wait(30)

    def ask(self, path: str, **query: str) -> Any:  # Any: JSON
        """The `data` of an answer of its API; `None` while it starts."""
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(query)}"
        try:
            with urllib.request.urlopen(url, timeout=30) as answer:
                return orjson.loads(answer.read())["data"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{query}: {error.read()[:500]!r}") from error
        except OSError:
            assert self._process.poll() is None, self._log.read_text()
            return None

    def without_data(self, queries: list[str], *, seconds: float = 90.0) -> list[str]:
        """Those of `queries` that return nothing, asked until all return something or the time is over."""
        end, empty = time.monotonic() + seconds, queries
        while True:
            empty = [query for query in empty if not (self.ask("query", query=query) or {}).get("result")]
            if not empty or time.monotonic() > end:
                return empty
            time.sleep(1.0)


def rules(prometheus: Prometheus) -> Iterator[dict[str, Any]]:
    """Every rule as Prometheus has read it."""
    for group in (prometheus.ask("rules") or {"groups": []})["groups"]:
        yield from group["rules"]
