"""Files come in whole, once, and go as they came; what is wrong with one is said before anything is stored."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import date, timedelta
from itertools import permutations
from pathlib import Path

import pytest

from services.domain.errors import InvalidRequest, StorageError
from services.ledger.audit import Audit
from services.ledger.engine import Ledger
from services.ledger.imported_files import ABANDONED_AFTER, PORTION
from services.pnl.imports import LARGEST, Imports
from services.portfolio.charges.kinds import Line
from services.portfolio.closed import By, Sums, sums_by
from services.portfolio.lots.book import build_book
from services.portfolio.lots.fills import unique
from services.portfolio.readers.tradebooks import OURS, ZERODHA, write_ours
from services.portfolio.records import FileKind
from tests.support.clocks import FakeClock
from tests.support.ledger import NOW, TRADER, new_ledger
from tests.support.ledger_engines import counts_of, trouble_of
from tests.support.lots import fill
from tests.support.shared_data import shared

ON_BOTH = True

HEAD = "symbol,isin,trade_date,exchange,segment,trade_type,quantity,price,trade_id,order_id,order_execution_time\n"
NOTES = "note,trade_date,segment,pay_in_out_obligation,brokerage,gst,stt,stamp_duty,net_receivable\n"
REAL = "data/tradebook/zerodha_tradebook_fy2425_A-J.csv"


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with closing(new_ledger(tmp_path)) as made:
        yield made


@pytest.fixture
def imports(ledger: Ledger) -> Imports:
    return Imports(ledger, FakeClock(NOW), account=lambda: "UP1234/1")


def table(*numbers: int, quantity: int = 5) -> bytes:
    """A file of Zerodha: purchases and sales of one share in turn, a day each."""
    rows = [
        f"ACE,INE731H01025,{date(2024, 4, 1) + timedelta(days=n)},NSE,EQ,{'sell' if n % 2 else 'buy'},{quantity},"
        f"{100 + n},T{n},O{n},\n"
        for n in numbers
    ]
    return (HEAD + "".join(rows)).encode()


def take(imports: Imports, data: bytes, name: str = "trades.csv", account: str = "") -> int:
    return imports.commit(imports.preview(data, name, account=account), TRADER).file.id


def sums_of(imports: Imports) -> list[Sums]:
    return sums_by(build_book(imports.fills()), By.SYMBOL)


# -- the real tradebook ------------------------------------------------------------------------------------------------


def test_the_real_tradebook_twice_and_once_more_in_other_words_is_one_tradebook(imports: Imports) -> None:
    data = shared(REAL).read_bytes()
    first = imports.preview(data, "tradebook.csv")
    done = imports.commit(first, TRADER)
    once = sums_of(imports)

    again = imports.preview(data, "tradebook (1).csv")
    repeated = imports.commit(again, TRADER)
    other = imports.preview(data.replace(b"\n", b"\r\n") + b"\r\n", "saved again.csv")
    imports.commit(other, TRADER)

    assert (first.source, first.account, first.taken, first.new, first.refused) == (ZERODHA, "Zerodha", 169, 169, ())
    assert (first.first, first.last, len(first.symbols)) == (date(2024, 4, 1), date(2025, 3, 3), 35)
    assert (done.added, repeated.added, repeated.file) == (169, 0, done.file)
    assert (again.already, again.known, again.new) == (done.file, 169, 0)
    assert (other.already, other.known, other.new, other.conflicting) == (None, 169, 0, 0)
    assert len(imports.files()) == 2
    assert len(unique(imports.fills())[0]) == 169
    assert sums_of(imports) == once
    assert imports.fills("UP1234/1") == []


def test_what_is_stored_is_what_was_read_to_the_last_field(imports: Imports) -> None:
    fills = imports.preview(shared(REAL).read_bytes(), "z.csv").fills
    odd = replace(fills[0], expiry=date(2024, 4, 25), settled=True, multiplier=75, at_ms=None, order_id="", product="I")

    imports.commit(imports.preview(write_ours([odd, *fills[1:]]).encode(), "ours.csv"), TRADER)

    assert set(imports.fills()) == {odd, *fills[1:]}


# -- once, in any order, and back --------------------------------------------------------------------------------------


def test_overlapping_files_in_any_order_make_the_same_book_and_each_goes_without_the_others(
    imports: Imports, ledger: Ledger
) -> None:
    files = [table(*range(10)), table(*range(5, 15)), table(*range(20))]
    books: list[list[Sums]] = []

    for order in permutations(files):
        numbers = [take(imports, data) for data in order]
        books.append(sums_of(imports))
        imports.remove(numbers[order.index(files[2])], TRADER)
        assert {one.trade_id for one in imports.fills()} == {f"T{n}" for n in range(15)}
        for number in set(numbers) & {file.id for file in imports.files()}:
            imports.remove(number, TRADER)

    assert all(book == books[0] for book in books)
    assert books[0][0].matches == 10
    assert (imports.fills(), imports.files()) == ([], [])
    counts = counts_of(ledger)
    assert (trouble_of(ledger), counts["imported_fills"]) == ([], 0)
    assert counts["imported_files"] == 18, "the record of files stays"


def test_a_removed_file_may_come_again_and_the_audit_knows_who_did_what(imports: Imports, ledger: Ledger) -> None:
    number = take(imports, table(1, 2))
    stamps = [imports.stamp()]
    imports.remove(number, TRADER)
    stamps.append(imports.stamp())

    with pytest.raises(InvalidRequest, match="removed already"):
        imports.remove(number, TRADER)
    later = take(imports, table(1, 2))
    stamps.append(imports.stamp())

    acts = Audit(ledger, FakeClock(NOW)).about(f"file {number}")
    assert [act.what for act in acts] == ["file removed", "file imported"]
    assert {act.actor for act in acts} == {TRADER}
    assert acts[1].after is not None
    assert (acts[1].after["name"], acts[1].after["taken"]) == ("trades.csv", 2)
    assert later != number
    assert len(set(stamps)) == 3


def test_the_same_rows_belong_to_the_account_that_was_named(imports: Imports) -> None:
    take(imports, table(1, 2))
    preview = imports.preview(table(1, 2), "mine.csv", account=" UP1234/1 ")

    imports.commit(preview, TRADER)

    assert (preview.account, preview.accounts, preview.new, preview.already) == ("UP1234/1", ("UP1234/1",), 2, None)
    assert len(imports.fills()) == 4
    assert {one.account for one in imports.fills("UP1234/1")} == {"UP1234/1"}
    with pytest.raises(InvalidRequest, match="account"):
        imports.preview(table(1), "x.csv", account="x" * 81)


def test_our_own_tradebook_keeps_its_accounts_and_the_history_of_upstox_is_the_running_ones(imports: Imports) -> None:
    mine = [fill("BUY", 5, "100.05", 0, account="A"), fill("SELL", 5, "101", 1, account="B", at=600)]
    ours = imports.preview(write_ours(mine).encode(), "book.csv")
    imports.commit(ours, TRADER)
    history = (
        b"exchange,segment,option_type,quantity,trade_id,trade_date,transaction_type,symbol,strike_price,expiry,price\n"
        b"NFO,FO,CE,25,1,2023-03-31,SELL,BANKNIFTY,40000.0,2023-04-06,609.5\n"
    )
    named = imports.preview(history, "history.csv")

    nobodys = imports.preview(write_ours([replace(mine[0], account=""), mine[1]]).encode(), "cut.csv")
    moved = imports.preview(write_ours(mine).encode(), "book.csv", account="C")

    assert (ours.source, ours.account, ours.accounts) == (OURS, "", ("A", "B"))
    assert (nobodys.accounts, moved.accounts, moved.new) == (("B", "UP1234/1"), ("C",), 2)
    assert set(imports.fills()) == set(mine)
    assert (named.account, named.fills[0].account) == ("UP1234/1", "UP1234/1")


def test_without_an_account_of_its_own_the_desk_asks_whose_a_file_is(ledger: Ledger) -> None:
    imports = Imports(ledger, FakeClock(NOW), account=lambda: "")
    notes = (NOTES + "CN1,2026-05-26,FO,-10,1,1,1,1,\n").encode()

    with pytest.raises(InvalidRequest, match="log in, or name the account"):
        imports.preview(notes, "notes.csv")

    assert imports.preview(notes, "notes.csv", account="UP1234").accounts == ("UP1234",)
    assert imports.preview(table(1), "zerodha.csv").account == "Zerodha"


def test_trades_that_the_desk_knows_itself_are_not_counted_as_new(ledger: Ledger) -> None:
    mine = fill("BUY", 5, "100.05", 0, account="UP1234/1")
    imports = Imports(ledger, FakeClock(NOW), account=lambda: "UP1234/1", known=lambda: {mine.identity})

    preview = imports.preview(write_ours([mine, fill("SELL", 5, "101", 1)]).encode(), "book.csv")

    assert (preview.taken, preview.known, preview.new) == (2, 1, 1)


def test_a_trade_told_otherwise_is_named_before_it_is_taken(imports: Imports) -> None:
    take(imports, table(1, 2, 3))
    lines = table(2, 3, quantity=6) + table(2, quantity=6).split(b"\n")[1] + b"\n"

    preview = imports.preview(lines, "other.csv")

    assert (preview.taken, preview.known, preview.repeated, preview.conflicting) == (3, 2, 1, 2)
    assert preview.conflicts[0] == (
        "trade T2 of 2024-04-03 (ACE, buy): 6 at ₹102 here, 5 at ₹102 in a file that is here"
    )


# -- contract notes ----------------------------------------------------------------------------------------------------


def test_notes_are_kept_once_and_the_newest_file_says_what_stands_on_one(imports: Imports) -> None:
    data = shared("data/tradebook/contract_note_totals.csv").read_bytes()
    take(imports, data, "notes.csv")
    assert imports.commit(imports.preview(data, "again.csv"), TRADER).added == 0
    corrected = (NOTES + "CN2,2026-05-26,NSE+BSE index options,7645.00,1920.00,873.87,6251.00,125.00,\n").encode()
    preview = imports.preview(corrected, "corrected.csv")
    number = imports.commit(preview, TRADER).file.id

    now = imports.notes()
    imports.remove(number, TRADER)
    before = imports.notes()

    assert preview.kind is FileKind.NOTES
    assert (preview.new, preview.known, preview.conflicting) == (1, 0, 1)
    assert [(one.totals.name, one.totals.lines[Line.STT]) for one in now] == [("CN2", 625_100), ("CN1", 2_000)]
    assert [(one.totals.name, one.totals.lines[Line.STT]) for one in before] == [("CN2", 625_200), ("CN1", 2_000)]
    assert (before[0].account, before[0].totals.net, before[0].totals.off_by) == ("UP1234/1", -446_073, 0)
    assert (before[1].totals.day, before[1].totals.lines[Line.IPFT]) == (None, None)
    assert imports.notes("another") == []
    assert imports.fills() == []


# -- files that are none -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", r"x\.csv: the file is empty"),
        (b"PK\x03\x04\x14\x00xl/workbook.xml", "Excel workbook"),
        (b"a,b,c\n1,2,3\n", "no heading that is known"),
        (HEAD.encode(), "a heading and not a single row"),
        (HEAD.replace(",", ";").encode() + b"ACE;INE731H01025;2024-04-01\n", "separated by semicolons"),
        (HEAD.replace(",", "\t").encode(), "separated by tabs"),
        (b"x" * (LARGEST + 1), "at most 50 MB"),
        (bytes(range(256)) * 20, "bytes of no text|not in UTF-8"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_file_that_cannot_be_read_is_refused_in_words_and_nothing_is_lost(
    imports: Imports, data: bytes, words: str
) -> None:
    take(imports, table(1, 2))

    with pytest.raises(InvalidRequest, match=words):
        imports.preview(data, "C:\\fakepath\\x.csv")

    assert len(imports.fills()) == 2


def test_a_file_without_a_usable_row_shows_why_and_cannot_be_taken(imports: Imports) -> None:
    preview = imports.preview(table(1, 2).replace(b"NSE", b"XXX"), "../../etc/\x07trades.csv")

    assert (preview.name, preview.taken, preview.first) == ("trades.csv", 0, None)
    assert [(one.line, one.reason) for one in preview.refused] == [
        (2, "exchange 'XXX' is not known"),
        (3, "exchange 'XXX' is not known"),
    ]
    with pytest.raises(InvalidRequest, match="no row can be used"):
        imports.commit(preview, TRADER)
    assert imports.files() == []


# -- all or nothing ----------------------------------------------------------------------------------------------------


class _Closed(Exception):
    """The page that waited went away."""


def _close_at(count: int) -> Callable[[float], None]:
    left = iter(range(count))

    def progress(share: float) -> None:
        if next(left, None) is None:
            raise _Closed

    return progress


def _many(count: int) -> bytes:
    return write_ours(fill("BUY", 5, "100", 0, trade_id=f"N{n}") for n in range(count)).encode()


def test_an_import_that_is_cut_off_counts_for_nothing_and_may_be_done_again(imports: Imports, ledger: Ledger) -> None:
    preview = imports.preview(_many(2 * PORTION + 1), "big.csv")
    shares: list[float] = []

    with pytest.raises(_Closed):
        imports.commit(preview, TRADER, progress=_close_at(1))
    assert (imports.files(), imports.fills(), trouble_of(ledger)) == ([], [], [])
    imports.commit(preview, TRADER, progress=shares.append)

    assert len(imports.fills()) == 2 * PORTION + 1
    assert shares[-1] == 1.0
    assert shares == sorted(shares)
    counts = counts_of(ledger)
    assert (trouble_of(ledger), counts["imported_fills"]) == ([], 2 * PORTION + 1), "what was left is deleted"


def test_a_removal_that_is_cut_off_is_a_removal_and_the_rest_is_swept(imports: Imports, ledger: Ledger) -> None:
    number = imports.commit(imports.preview(_many(PORTION + 1), "big.csv"), TRADER).file.id

    with pytest.raises(_Closed):
        imports.remove(number, TRADER, progress=_close_at(0))

    assert (imports.files(), imports.fills()) == ([], [])
    take(imports, table(1))
    assert counts_of(ledger)["imported_fills"] == 1


def test_two_that_take_one_file_at_once_take_it_once_and_a_dead_ones_rows_are_swept(
    ledger: Ledger, tmp_path: Path
) -> None:
    clock = FakeClock(NOW)
    one, other = (Imports(ledger, clock, account=lambda: "A") for _ in range(2))
    preview = one.preview(table(1, 2, 3), "trades.csv")
    done: list[int] = []

    def meanwhile(share: float) -> None:
        done.append(other.commit(preview, TRADER).added)

    result = one.commit(preview, TRADER, progress=meanwhile)

    assert (done, result.added, result.known) == ([3], 0, 3)
    assert len(one.files()) == 1
    assert len(one.fills()) == 3

    slow = one.preview(_many(PORTION + 1), "slow.csv")

    def too_late(share: float) -> None:
        clock.instant += 2 * ABANDONED_AFTER
        take(other, table(7))

    with pytest.raises(StorageError, match="ended by another one"):
        one.commit(slow, TRADER, progress=too_late)
    assert len(one.fills()) == 4
    assert trouble_of(ledger) == []


def test_whoever_keeps_the_book_is_told_when_the_files_change(ledger: Ledger) -> None:
    told: list[int] = []
    imports = Imports(ledger, FakeClock(NOW), account=lambda: "A", changed=lambda: told.append(1))

    number = take(imports, table(1))
    take(imports, table(1))
    assert len(told) == 1
    imports.remove(number, TRADER)
    assert len(told) == 2


def test_the_preview_tells_how_far_it_is(imports: Imports) -> None:
    shares: list[float] = []

    imports.preview(_many(9_000), "big.csv", progress=shares.append)

    assert shares == sorted(shares)
    assert len(shares) == 3
    assert shares[-1] == 1.0
