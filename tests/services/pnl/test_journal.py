"""Notes and tags of trades: replaced as a whole, taken away when empty, and what stood there is known."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from services.domain.actors import Actor
from services.domain.errors import InvalidRequest
from services.ledger.audit import Audit
from services.ledger.engine import Ledger
from services.pnl.journal import MAX_TAG, MAX_TAGS, MAX_TEXT, Journal
from tests.support.clocks import FakeClock
from tests.support.ledger import NOW, TRADER, new_ledger


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with closing(new_ledger(tmp_path)) as made:
        yield made


def test_a_note_is_written_changed_and_taken_away_and_the_audit_keeps_all_of_it(ledger: Ledger) -> None:
    clock, told = FakeClock(NOW), list[int]()
    journal = Journal(ledger, clock, changed=lambda: told.append(1))
    stamps = [journal.stamp()]

    first = journal.write("t1", " Bought the gap.\r\nToo early. ", ["#gap", " news  day ", "gap", ""], TRADER)
    stamps.append(journal.stamp())
    clock.instant += timedelta(seconds=1)
    journal.write("t1", "Bought the gap.", ["Gap"], Actor("ravi"))
    stamps.append(journal.stamp())
    kept = journal.note("t1")
    gone = journal.write("t1", "  ", [" # "], TRADER)
    stamps.append(journal.stamp())

    assert first is not None
    assert (first.text, first.tags, first.actor) == ("Bought the gap.\nToo early.", ("gap", "news day"), TRADER)
    assert kept is not None
    assert (kept.text, kept.tags, kept.actor.name) == ("Bought the gap.", ("gap",), "ravi")
    assert kept.written_at == clock.now()
    assert (gone, journal.note("t1"), journal.all(), journal.tags()) == (None, None, {}, {})
    acts = Audit(ledger, clock).about("t1")
    assert [(act.before or {}).get("text", "") for act in acts] == [
        "Bought the gap.",
        "Bought the gap.\nToo early.",
        "",
    ]
    assert [act.after is None for act in acts] == [True, False, False]
    assert len(told) == 3
    assert stamps[0] == stamps[3] != stamps[1] != stamps[2] != stamps[0]


def test_the_same_again_changes_nothing_and_nothing_about_nothing_is_no_note(ledger: Ledger) -> None:
    clock = FakeClock(NOW)
    journal = Journal(ledger, clock)
    first = journal.write("t1", "x", ["a", "b"], TRADER)
    clock.instant += timedelta(hours=1)

    assert journal.write("t1", "x", ["b", "a"], TRADER) == first
    assert journal.write("t2", "", [], TRADER) is None
    assert len(Audit(ledger, clock).recent()) == 1


def test_tags_are_counted_and_spelled_as_they_were_first(ledger: Ledger) -> None:
    journal = Journal(ledger, FakeClock(NOW))
    journal.write("t1", "", ["Breakout", "zeal"], TRADER)
    journal.write("t2", "late", ["BREAKOUT", "alpha"], TRADER)

    assert journal.tags() == {"alpha": 1, "Breakout": 2, "zeal": 1}
    assert list(journal.tags()) == ["alpha", "Breakout", "zeal"]
    assert {name: note.tags for name, note in journal.all().items()} == {
        "t1": ("Breakout", "zeal"),
        "t2": ("alpha", "Breakout"),
    }


def test_what_is_too_long_is_refused_and_the_note_stays(ledger: Ledger) -> None:
    journal = Journal(ledger, FakeClock(NOW))
    kept = journal.write("t1", "x" * MAX_TEXT, [str(n) for n in range(MAX_TAGS)], TRADER)

    too_much: list[tuple[str, list[str]]] = [
        ("x" * (MAX_TEXT + 1), []),
        ("", [str(n) for n in range(MAX_TAGS + 1)]),
        ("", ["t" * (MAX_TAG + 1)]),
        ("", ["a\x07b"]),
        ("a\0b", []),
    ]
    for text, tags in too_much:
        with pytest.raises(InvalidRequest):
            journal.write("t1", text, tags, TRADER)
    with pytest.raises(InvalidRequest):
        journal.write("", "x", [], TRADER)

    assert journal.note("t1") == kept
