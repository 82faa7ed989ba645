"""What an operator scripts, beside a desk that runs: its broker, plain tables, JSON, exit codes, one line of error."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests

from services.__main__ import VERBS, main
from services.candle_fetcher_v3 import CandleFetcherV3
from services.domain.actors import Actor, Role
from services.domain.intents import IntentKind, IntentState, NewIntent, Witness
from services.order_manager_v3 import OrderManagerV3
from services.orders.bodies import body_of
from services.paper.finding import read_card
from services.paper.options import PaperOptions
from services.paper.server import PaperServer
from services.runtime import Runtime, use_runtime
from services.self_check import INFOSYS, on_paper
from services.settings import Mode, Settings, load_settings
from tests.support.orders import RELIANCE, a_request
from tests.support.shared_data import ROOT

NIFTY, NOBODY = "NSE_INDEX|Nifty 50", "NSE_EQ|INE000000000"
REFUSED = [
    ([], "one of quote, candles"),
    (["burn"], "one of quote, candles"),
    (["quote"], "required: instrument"),
    (["quote", "INFY", "--mode", "dream"], "invalid choice: 'dream'"),
    (["quote", "XYZZY"], "nothing that can be traded is called 'XYZZY'"),
    (["candles", NOBODY], "UDAPI100011"),
    (["candles", "INFY", "--interval", "fortnight"], "fortnight"),
    (["candles", "INFY", "--to", "2026-11-20"], "--to needs --from"),
    (["candles", "INFY", "--from", "20.11.2026"], "not a date YYYY-MM-DD"),
    (["candles", "INFY", "--from", "2026-11-20", "--to", "2026-11-19"], "there are no days"),
    (["candles", "INFY", "--from", "2026-11-20", "--count", "3"], "do not go together"),
    (["candles", "INFY", "--csv", "-", "--json"], "do not go together"),
    (["retention", "burn"], "invalid choice"),
    (["users", "role", "nobody", "viewer"], "no user nobody"),
    (["orders", "--data-dir", "/proc/nowhere"], "cannot be used"),
]


@dataclass
class Said:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out, parse_float=Decimal)

    def column(self, name: str) -> list[str]:
        """A column of the table: its cells stand between the same two places as its head, or end where it ends."""
        heads, *rows = [re.split(r"\s{2,}", line.strip()) for line in self.out.splitlines()]
        return [row[heads.index(name)] for row in rows]


class Commands:
    """The commands in this process, and what they say."""

    def __init__(self, capsys: pytest.CaptureFixture[str], secrets: list[str]) -> None:
        self._capsys, self._secrets = capsys, secrets

    def __call__(self, *words: str) -> Said:
        self._capsys.readouterr()
        code = main(words)
        told = self._capsys.readouterr()
        assert not [secret for secret in self._secrets if secret in told.out + told.err]
        return Said(code, told.out, told.err)


@pytest.fixture(scope="module")
def paper() -> Iterator[Runtime]:
    """The desk beside which the commands run."""
    with on_paper() as runtime:
        yield runtime


@pytest.fixture
def run(paper: Runtime, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Commands:
    monkeypatch.setenv("DESK_DATA_DIR", str(paper.settings.data_dir))
    paper.login.token()
    card = read_card(paper.folder)
    assert card is not None
    return Commands(capsys, [card.access_token])


def test_quotes_by_symbol_index_and_key_with_their_source_and_age(run: Commands) -> None:
    table = run("quote", "infy", "NIFTY", "NSE_EQ|INE467B01029")
    told = run("quote", "INFY", "--json")

    assert (table.code, table.err) == (0, "")
    assert table.column("symbol") == ["INFY", "Nifty 50", "TCS"]
    assert set(table.column("source")) == {"simulated"}
    assert all(age.endswith(" s") for age in table.column("age"))
    (quote,) = told.json["quotes"].values()
    assert len(quote["depth"]["buy"]) == 5
    assert quote["received_at"].endswith("+05:30")


def test_one_unknown_key_is_trouble_and_the_others_still_come(run: Commands) -> None:
    told = run("quote", NOBODY, INFOSYS, "--json")

    assert told.code == 1
    assert list(told.json["quotes"]) == [INFOSYS]
    assert list(told.json["problems"]) == [NOBODY]
    assert told.err.startswith(f"python -m services quote: {NOBODY}: ")
    assert told.err.count("\n") == 1


def test_candles_are_written_whole_as_the_public_service_tells_them(run: Commands, tmp_path: Path) -> None:
    file = tmp_path / "infy.csv"

    done = run("candles", "INFY", "--interval", "day", "--from", "2026-08-03", "--to", "2026-10-30", "--csv", str(file))

    rows = list(csv.DictReader(io.StringIO(file.read_text(encoding="utf-8"))))
    wanted = CandleFetcherV3().fetch_candles(INFOSYS, "day", "2026-08-03", "2026-10-30")
    assert done.code == 0
    assert [(row["timestamp"], float(row["close"]), int(row["volume"])) for row in rows] == [
        (bar["timestamp"], bar["close"], bar["volume"]) for bar in wanted
    ]
    assert {row["symbol"] for row in rows} == {"INFY"}
    assert list(tmp_path.iterdir()) == [file]
    assert run("candles", "INFY", "--count", "1", "--csv", str(tmp_path / "no" / "infy.csv")).code == 1


def test_candles_tell_their_source_and_what_may_still_change(run: Commands) -> None:
    table = run("candles", INFOSYS, "--count", "3")
    told = run("candles", "NIFTY", "--interval", "5m", "--count", "4", "--json").json

    assert len(table.column("close")) == 3
    assert "(simulated)" in table.err
    assert "may still change" in table.err
    assert (told["instrument_key"], len(told["candles"]), told["missing"]) == (NIFTY, 4, [])
    assert told["sources"][0]["fetched_at"]


def test_the_order_book_is_the_desks_own_and_prices_are_exact(run: Commands) -> None:
    orders = OrderManagerV3()
    order_id = orders.place_order("INFY", "BUY", 2, order_type="LIMIT", price=Decimal("1100.10"))
    orders.place_order("INFY", "BUY", 1)

    table, waiting, fills = (
        run("orders"),
        run("orders", "--open", "--json").json,
        run("orders", "--trades", "--json").json,
    )

    assert (table.code, len(table.column("status"))) == (0, 2)
    assert "orders: 2 (simulated), told " in table.err
    assert [(row["order_id"], row["price"]) for row in waiting["orders"]] == [(order_id, "1100.1000")]
    assert waiting["as_of"]
    assert [row["quantity"] for row in fills["trades"]] == [1]


def test_an_order_of_which_nobody_knows_what_became_of_it_is_trouble(run: Commands, tmp_path: Path) -> None:
    new = NewIntent("lost", IntentKind.PLACE, RELIANCE, body_of(a_request()), Actor("asha", Role.TRADER, "t"), "a-tag")
    here = ("--data-dir", str(tmp_path))
    with Runtime(Settings(mode=Mode.PAPER, data_dir=tmp_path)) as quiet:  # a desk that does not look for it meanwhile
        quiet.intents.prepare(new, allow=lambda standing: None)
        sending = run("orders", *here)
        quiet.intents.settle("lost", IntentState.UNKNOWN, by=Witness.ANSWER, reason="no answer")
        book, health = run("orders", *here), run("health", *here)
        quiet.intents.settle("lost", IntentState.ABSENT, by=Witness.BOOK, reason="never arrived")
        settled = run("orders", *here)

    assert sending.code == 0  # it is on its way this moment
    assert (book.code, health.code, settled.code) == (1, 1, 0)
    assert "nobody knows what became of 1 decision to" in book.err
    assert dict(zip(health.column("check"), health.column("state"), strict=True))["orders"] == "fail"


def test_a_book_that_is_not_told_now_is_shown_with_its_age_and_is_trouble(
    run: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = PaperServer(PaperOptions(folder=tmp_path / "broker", faults=True)).start()
    monkeypatch.setenv("DESK_API_BASE", server.base_url)
    monkeypatch.setenv("DESK_ACCESS_TOKEN", server.access_token())
    monkeypatch.setenv("DESK_DATA_DIR", str(tmp_path))
    with Runtime(load_settings()) as runtime, use_runtime(runtime):
        OrderManagerV3().place_order("INFY", "BUY", 1)
        OrderManagerV3().get_order_book()
    fault = {"operation": "order_book", "kind": "status", "status": 500, "times": None}
    told = requests.post(
        f"{server.base_url}/_paper/faults",
        json=fault,
        headers={"Authorization": f"Bearer {server.access_token()}"},
        timeout=30,
    )
    assert told.status_code == 200, told.text

    said = run("orders")

    server.stop()
    assert (said.code, said.column("quantity")) == (1, ["1"])
    assert "as the ledger knows them" in said.err
    assert "python -m services orders: not told now: " in said.err


def test_without_a_running_desk_health_looks_by_itself(run: Commands) -> None:
    own, told = run("health"), run("health", "--running", "--json")

    assert own.code == 0
    assert own.column("check") == ["desk", "broker", "orders", "storage", "token", "market"]
    assert own.column("state")[:3] == ["warn", "pass", "pass"]
    assert (told.code, told.json["ok"], told.json["desk"]) == (1, False, None)


def test_the_ledger_is_copied_and_what_a_restore_would_do_is_told(
    run: Commands, paper: Runtime, tmp_path: Path
) -> None:
    paper.watchlists.all()  # whoever comes first makes the ledger
    copy = run("backup", "--to", str(tmp_path), "--json")
    asked = run("restore", copy.json["file"], "--json")

    assert (copy.code, copy.json["sound"]) == (0, True)
    assert Path(copy.json["file"]).parent == tmp_path
    assert (asked.code, asked.json["rows"]) == (2, copy.json["rows"])
    assert "nothing was changed" in asked.err
    assert run("ledger", "check", copy.json["file"]).code == 0
    gone = run("restore", str(tmp_path / "none.db"), "--yes")
    assert (gone.code, gone.err.count("\n")) == (1, 1)


def test_users_are_told_as_json(run: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("correct horse battery\n"))
    added = run("users", "add", "ravi", "--role", "trader", "--json")

    (ravi,) = run("users", "list", "--json").json

    assert added.json == {"done": "ravi may sign in now, as trader."}
    assert (ravi["name"], ravi["role"], ravi["proof"], ravi["signed_in"]) == ("ravi", "trader", "password", 0)
    assert run("users", "remove", "ravi").code == 0


@pytest.mark.parametrize(("words", "said"), REFUSED, ids=[" ".join(words) for words, _ in REFUSED])
def test_what_cannot_be_done_is_one_line_and_two(run: Commands, words: list[str], said: str) -> None:
    told = run(*words)

    assert (told.code, told.out) == (2, "")
    assert said in told.err
    assert told.err.count("\n") == 1


def test_every_verb_helps_and_takes_the_common_options(run: Commands) -> None:
    assert all(verb in run("--help").out for verb in VERBS)
    for verb in VERBS.keys() - {"paper", "ledger"}:
        told = run(verb, "--help")
        assert told.code == 0
        assert all(option in told.out for option in ("--json", "--mode", "--data-dir"))


def test_a_broker_that_is_gone_is_one_line_and_one(tmp_path: Path) -> None:
    """As a program, without anything of this process: nothing else reaches the terminal."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "services", "orders", "--mode", "live", "--data-dir", str(tmp_path)],
        cwd=ROOT,
        env={"PATH": "/usr/bin", "DESK_LIVE_REHEARSAL": "1", "DESK_API_BASE": "http://127.0.0.1:9"},
        capture_output=True,
        text=True,
        timeout=100,
    )

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("python -m services orders: ")
    assert done.stderr.count("\n") == 1
