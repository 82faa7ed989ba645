"""The guide's own usage examples run as they stand, `scripts` replaced by `services`, against the paper broker."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from services.runtime import Runtime, use_runtime
from services.settings import load_settings
from tests.support.pnl_account import fill_account
from tests.support.shared_data import FOLDER, shared

BUILT = {
    "market_quote_v3", "candle_fetcher_v3", "websocket_v3_streamer", "order_manager_v3", "market_info_service",
    "database_pool", "error_handler", "auth_manager",
}  # fmt: skip
"""The public services whose examples must run."""


def _examples() -> list[tuple[str, str]]:
    found = []
    for path in sorted((FOLDER / "guide").glob("*")) if (FOLDER / "guide").exists() else []:
        blocks = re.findall(r"```python\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL)
        for block in blocks:
            modules = set(re.findall(r"from scripts\.(\w+) import", block))
            if modules and modules <= BUILT:
                found.append((f"{path.stem[:3]}-{'+'.join(sorted(modules))}-{len(found)}", block))
    return found


EXAMPLES = _examples()


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runtime]:
    folder: Path = tmp_path_factory.mktemp("guide")
    fill_account(folder / "paper", 12)  # so that the account has something to tell of
    with Runtime(load_settings(data_dir=folder, mode="paper")) as made, use_runtime(made):
        yield made


def test_the_guide_has_examples_for_each_service_that_is_built() -> None:
    shared("guide")

    text = "".join(block for _, block in EXAMPLES)

    assert {name for name in BUILT if f"scripts.{name}" in text} >= BUILT - {"auth_manager"}


@pytest.mark.parametrize("block", [block for _, block in EXAMPLES], ids=[name for name, _ in EXAMPLES])
def test_the_example_runs_as_it_stands(runtime: Runtime, block: str, capsys: pytest.CaptureFixture[str]) -> None:
    code = compile(block.replace("from scripts.", "from services."), "guide example", "exec")

    exec(code, {"__name__": "guide"})

    printed = capsys.readouterr().out
    assert "None" not in printed
    if "LTP" in block:
        assert re.search(r"LTP: \d+\.\d+", printed)


def test_the_portfolio_example_runs_as_it_stands(runtime: Runtime, capsys: pytest.CaptureFixture[str]) -> None:
    from services.order_manager_v3 import OrderManagerV3

    shared("guide")
    texts = [path.read_text(encoding="utf-8") for path in sorted((FOLDER / "guide").glob("*"))]
    blocks = [block for text in texts for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL)]
    (block,) = [block for block in blocks if "portfolio_services_v3" in block and "get_pnl_report" in block]
    OrderManagerV3().place_order("INFY", "BUY", 10, product_type="MIS")
    names: dict[str, Any] = {"__name__": "guide"}

    exec(compile(block.replace("from scripts.", "from services."), "guide example", "exec"), names)

    printed = capsys.readouterr().out
    assert re.search(r"Total P&L: -?\d+\.\d\d\n", printed)
    assert re.search(r"Win Rate: \d+\.\d\d%", printed)
    assert names["success"] is True
    assert names["pnl"]["segments"][0]["status"] == "ok"
    assert names["charges"]["status"] == "unknown trade"
    assert names["charges"]["total"] is None


def test_twenty_five_inserts_by_five_workers(runtime: Runtime) -> None:
    from concurrent.futures import ThreadPoolExecutor

    from services.database_pool import get_db_pool

    pool = get_db_pool("inserts.db", pool_size=5)
    with pool.get_connection() as conn:
        conn.cursor().execute("CREATE TABLE t (worker INTEGER, n INTEGER)")

    def work(worker: int) -> None:
        for n in range(5):
            with pool.get_connection() as conn:
                conn.cursor().execute("INSERT INTO t VALUES (?, ?)", (worker, n))

    with ThreadPoolExecutor(5) as workers:
        list(workers.map(work, range(5)))

    with pool.get_connection() as conn:
        rows = conn.cursor().execute("SELECT worker, count(*) AS n FROM t GROUP BY worker").fetchall()
    assert [row["n"] for row in rows] == [5] * 5
