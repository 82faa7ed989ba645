"""docs/migration.md: what stands under "now" runs, and what stands under "before" is what the guide shows."""

from __future__ import annotations

import re
from typing import Any

from services.auth_manager import AuthManager
from services.domain.candles import Interval
from services.domain.orders import read_product
from services.market_quote_v3 import MarketQuoteV3
from services.self_check import INFOSYS, on_paper
from tests.support.shared_data import ROOT, shared

PAGE = (ROOT / "docs/migration.md").read_text(encoding="utf-8")


def _rows(heading: str) -> list[list[str]]:
    """The cells of the first table below a heading."""
    part = PAGE.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in part.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines[1:]]


def _code(cell: str) -> str:
    return cell.strip("`").replace("\\|", "|")


def test_every_new_call_runs() -> None:
    with on_paper():
        price = round(0.99 * MarketQuoteV3().get_quote(INFOSYS)["ltp"])
        names: dict[str, Any] = {"__name__": "migration", "price": price}
        for _, now in _rows("Calls"):
            exec(compile(_code(now), now, "exec"), names)

        book = {row["order_id"]: row for row in names["orders"]}
        with names["conn"] as connection:
            days = connection.execute("SELECT count(*) AS n FROM ohlc_data").fetchone()["n"]

    changed = book[names["order_id"]]
    assert (changed["status"], changed["quantity"]) == ("cancelled", 2)
    assert names["quote"]["ltp"] > 0
    assert len(names["token"]) > 20
    assert days > 50
    assert names["done"] is True


def test_the_old_calls_are_those_of_the_guide() -> None:
    shared("guide")
    guide = "".join(path.read_text(encoding="utf-8") for path in sorted((ROOT.parent / "shared/guide").glob("*")))
    before = "\n".join(_code(cell) for cell, _ in _rows("Calls"))

    old = re.findall(r"# Old \(v2\)\n(.*?)\n\n", guide, re.DOTALL)

    assert len(old) == 3
    assert [line for block in old for line in block.splitlines() if line not in before] == []
    assert not hasattr(AuthManager, "get_token")


def test_other_brokers_words_are_taken() -> None:
    for first, upstox, _ in _rows("Words"):
        old, new = re.findall(r"`([\w/]+)`", first), re.findall(r"`([\w/]+)`", upstox)
        read = Interval.parse if "interval" in first else read_product
        assert [read(word) for word in old][: len(new)] == [read(word) for word in new]
