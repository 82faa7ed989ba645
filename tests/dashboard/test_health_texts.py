"""Log search, folder sizes, tables and the diagnostics of the health page."""

from __future__ import annotations

import logging
import os
import secrets
from dataclasses import replace
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dashboard.components.health_latency import order_facts
from dashboard.components.health_system import file_facts
from dashboard.desk_version import desk_version, versions
from dashboard.health_diagnostics import diagnostics
from dashboard.health_folder import Entry, entries
from dashboard.health_log import LogLine, search
from dashboard.health_tables import HOPS, budget_rows, call_rows, error_rows, hop_data
from services.logs import hide, setup_logging
from services.measures.checks import CheckBook
from services.measures.verdicts import RULES
from tests.support.measures import FEED, NOW, REST, WELL, but


def test_the_log_is_searched_from_its_newest_line_with_tracebacks_whole(tmp_path: Path) -> None:
    secret = secrets.token_urlsafe(24)
    (tmp_path / "logs").mkdir()
    rotated = tmp_path / "logs" / "desk.log.1"
    rotated.write_text("2026-11-19T10:00:00.000Z WARNING old thread: an older trouble\nno head at all\n")
    with setup_logging(tmp_path, terminal=StringIO()):
        log = logging.getLogger("desk.test")
        log.info("nothing special")
        try:
            raise ValueError("in the Middle")
        except ValueError:
            log.exception("a fault")
        log.warning("the last")

    told = search(tmp_path, level="WARNING")

    assert [one.text.splitlines()[0].rpartition(": ")[2] for one in told] == ["the last", "a fault", "an older trouble"]
    assert "ValueError: in the Middle" in told[1].text
    assert told[2].at == datetime(2026, 11, 19, 10, tzinfo=UTC)
    assert [one.text for one in search(tmp_path, "MIDDLE fault", "INFO")] == [told[1].text]
    assert search(tmp_path, "no such word") == []
    assert len(search(tmp_path, level="INFO", limit=2)) == 2

    with rotated.open("a") as file:  # written by a program that knew nothing of the secret
        file.write(f"2026-11-19T10:00:01.000Z ERROR x: {secret}\n")
    hide(secret)
    assert secret not in repr(search(tmp_path))


def test_no_log_is_no_lines(tmp_path: Path) -> None:
    assert search(tmp_path) == []


def test_a_line_that_only_looks_like_a_beginning_belongs_to_the_one_above(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "desk.log").write_text(
        "2026-11-19T10:00:00.000Z ERROR main x: the broker said\n2026-99-99T99:99:99.999Z ERROR and this\n"
    )

    [told] = search(tmp_path)

    assert told.text.endswith("the broker said\n2026-99-99T99:99:99.999Z ERROR and this")


def test_the_data_folder_is_summed_up_with_companions_of_databases(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").write_bytes(b"x" * 100)
    (tmp_path / "ledger.db-wal").write_bytes(b"x" * 50)
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "desk.log").write_bytes(b"x" * 500)
    (tmp_path / "logs" / "desk.log.1").write_bytes(b"x" * 500)

    assert [(one.name, one.files, one.size) for one in entries(tmp_path)] == [("logs", 2, 1000), ("ledger.db", 2, 150)]


def test_a_folder_that_cannot_be_listed_is_not_told_as_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inside = tmp_path / "recordings" / "2026-11"
    inside.mkdir(parents=True)
    (tmp_path / "recordings" / "one").write_bytes(b"x" * 10)
    whole = os.scandir

    def closed(path: Any) -> Any:
        if str(path) == str(inside):
            raise PermissionError(13, "Permission denied", str(path))
        return whole(path)

    monkeypatch.setattr(os, "scandir", closed)

    [found] = entries(tmp_path)
    assert (found.files, found.size, found.complete) == (1, 10, False)


def test_calls_with_failures_stand_first_and_figures_that_are_missing_are_none() -> None:
    idle = replace(
        REST.operations[1], operation="trades", answers={}, took=replace(REST.operations[1].took, buckets=())
    )

    first, second, third = call_rows([REST.operations[1], idle, REST.operations[0]])

    assert (first["Operation"], first["Failed"], first["Failed %"], first["Median ms"]) == ("quotes", 5, 5.0, 10.0)
    assert (second["Operation"], second["95 % ms"]) == ("order book", 10.0)
    assert (third["Failed %"], third["Median ms"]) == (None, None)


def test_budgets_are_told_with_the_tightest_first() -> None:
    quotes, orders = budget_rows(REST.budgets)

    assert (quotes["Budget"], quotes["Left in 1 min"], quotes["Calls, 1 min"]) == ("quotes", 80.0, "100 of 500")
    assert (orders["Budget"], orders["Left in 1 s"]) == ("orders (shared)", 90.0)


def test_every_hop_is_shown_even_before_a_price_took_it() -> None:
    told = hop_data(FEED)

    assert [one["count"] for one in told] == [100, 100, 0, 0, 0]
    assert told[0]["p"] == [10.0, 100.0, 100.0]
    assert sum(share for _, share in told[0]["bars"]) == 1.0
    assert hop_data(None)[0]["bars"] == []
    assert len(told) == len(HOPS)


def test_causes_of_errors_are_told_in_words_with_first_and_last_time() -> None:
    cause = SimpleNamespace(
        error_type="RateLimited", endpoint="GET /v3/x", status_code=429, count=7, first_at=NOW, last_at=NOW, message="m"
    )
    [told] = error_rows([cause], NOW)

    assert told["What"] == "Too many requests for the broker"
    assert (told["Times"], told["First"], told["Last"]) == (7, "10:30 IST", "10:30 IST")


def test_diagnostics_tell_everything_but_secrets() -> None:
    secret = secrets.token_urlsafe(24)
    hide(secret)
    spoilt = replace(WELL, rest=replace(REST, last_failure=f"quotes: refused {secret}", failing_since=99.0))

    text = diagnostics(
        spoilt,
        CheckBook(RULES).look(spoilt, 0.0),
        mode="Paper",
        versions=versions(),
        folder=[Entry("ledger.db", "", 2, 150, True)],
        warnings=[SimpleNamespace(at=NOW, level="WARNING", text=f"trouble with {secret}\nTraceback")],  # type: ignore[list-item]
    )

    assert secret not in text
    for part in (
        "FAIL  rest", "feed.connected: yes", "quotes v3: 95 2xx, 5 5xx", "ledger.db: 150 bytes in 2 files",
        f"Upstox Desk: {desk_version()}", "storage.pools[ledger.db].wal_bytes: not known",
        "feed.hops[exchange to received]",
        "rest.budgets[quotes].windows[60.0].used: 100", "WARNING trouble with",
    ):  # fmt: skip
        assert part in text, part


def test_what_nobody_knows_yet_is_told_as_that() -> None:
    assert order_facts(WELL)["Of unknown outcome"] == "0"
    assert order_facts(but("orders", unknown=None))["Of unknown outcome"] == "not known yet"
    assert "Writable" not in file_facts(WELL)
    assert file_facts(but("storage", read_only=None))["Writable"] == "not known"
    assert file_facts(but("storage", read_only=True))["Writable"].startswith("no")
    assert file_facts(but("storage", free_bytes=None))["Disk"] == "not known"


def test_diagnostics_say_of_what_cannot_be_read_that_it_cannot() -> None:
    def told(folder: list[Entry] | None, warnings: list[LogLine] | None) -> list[str]:
        text = diagnostics(WELL, (), mode="Paper", versions={}, folder=folder, warnings=warnings)
        return text[text.index("## Data folder") :].split("\n")

    assert told(None, None).count("it cannot be read") == 2
    assert "it cannot be read" not in told([], [])
    assert "logs: at least 5 bytes in at least 2 files" in told([Entry("logs", "", 2, 5, False)], [])
