from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from threading import Event

import pytest

from services.domain.errors import StorageError
from services.pnl.building import Built, Stamp
from services.pnl.current import QUICK_BUILD
from services.portfolio.lots.actions import Split
from tests.support.ledger import TRADER
from tests.support.pnl_desk import PnlDesk, traded


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[PnlDesk]:
    made = PnlDesk(tmp_path)
    yield made
    made.close()


def test_a_question_that_brought_nothing_new_builds_nothing_anew(desk: PnlDesk) -> None:
    desk.broker.today = [traded("9", "BUY", 6, "120")]
    desk.book.refresh()
    before = desk.book.read_whole().version

    desk.book.refresh()
    assert desk.book.read_whole().version == before

    desk.broker.today = [traded("9", "BUY", 6, "120"), traded("10", "SELL", 6, "121")]
    desk.book.refresh()
    assert desk.book.read_whole().version == before + 1


def test_a_new_fill_and_what_a_person_enters_come_into_the_book_by_themselves(desk: PnlDesk) -> None:
    desk.trades.add([traded("1", "BUY", 10, "100", day=date(2026, 11, 2))], "trades", account="AB1234")
    first = desk.book.read_whole()
    assert first.total.matches == 0

    desk.trades.add([traded("2", "SELL", 20, "60")], "trades", account="AB1234")
    desk.book.changed()
    second = desk.book.read_whole()
    assert second.version > first.version
    assert [flag.quantity for flag in second.flags] == [10]

    desk.actions.add(Split("INE002A01018", date(2026, 11, 10), 2, 1), TRADER)
    third = desk.book.read_whole()
    assert third.total.gross == (20 * 60 - 10 * 100) * 100
    assert third.flags == ()


def test_a_large_book_is_built_anew_behind_its_readers_back(desk: PnlDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.trades.add([traded("1", "BUY", 5, "100")], "trades", account="AB1234")
    before = desk.book.read_whole()
    build, go = desk.book._current._builder.build, Event()

    def slow(stamp: Stamp, account: str, version: int) -> Built:
        assert go.wait(30)
        return build(stamp, account, version)

    monkeypatch.setattr(desk.book._current._builder, "build", slow)
    desk.book._current._built = replace(desk.book._current._built, seconds=QUICK_BUILD * 2)
    monkeypatch.setattr("services.pnl.current.REST", 0.0)
    desk.trades.add([traded("2", "SELL", 5, "120", minute=1)], "trades", account="AB1234")
    desk.book.changed()

    during = desk.book.read()
    go.set()
    after = desk.book.read_whole()

    assert (during.version, during.building) == (before.version, True)
    assert (after.total.gross, after.building) == (10_000, False)


def test_a_fault_of_the_desks_own_ends_the_building_and_is_told(desk: PnlDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise KeyError("secret")

    monkeypatch.setattr(desk.rates, "current", broken)

    with pytest.raises(StorageError, match="could not be read"):
        desk.book.read_whole()
    view = desk.book.read()

    assert (view.version, view.building, desk.book.state.building) == (0, False, False)
    assert view.missing[0].endswith("a fault of the desk's own (KeyError); the log has it")
