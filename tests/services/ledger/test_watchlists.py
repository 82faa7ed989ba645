"""Watchlists keep their order, survive a restart, and say no in plain words."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.domain.errors import InvalidRequest
from services.ledger.engine import Ledger
from services.ledger.watchlists import Watchlist, Watchlists
from tests.support.clocks import FakeClock
from tests.support.ledger import new_ledger

NOW = datetime(2026, 11, 20, 9, 15, tzinfo=UTC)
RELIANCE, INFY, NIFTY = "NSE_EQ|INE002A01018", "NSE_EQ|INE009A01021", "NSE_INDEX|Nifty 50"


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with closing(new_ledger(tmp_path)) as made:
        yield made


@pytest.fixture
def lists(ledger: Ledger) -> Watchlists:
    return Watchlists(ledger, FakeClock(NOW))


def test_lists_come_back_in_the_order_of_their_making(lists: Watchlists) -> None:
    lists.create("Zinc", [NIFTY, RELIANCE])
    lists.create("Alpha")

    assert lists.all() == [Watchlist(1, "Zinc", (NIFTY, RELIANCE), None), Watchlist(2, "Alpha", (), None)]


def test_lists_survive_a_restart(lists: Watchlists, ledger: Ledger, tmp_path: Path) -> None:
    made = lists.set_columns(lists.create("Mine", [RELIANCE]).id, ["ltp", "volume"])
    ledger.close()

    with closing(new_ledger(tmp_path)) as again:
        assert Watchlists(again, FakeClock(NOW)).all() == [made]


def test_keys_are_added_removed_and_put_in_order(lists: Watchlists) -> None:
    number = lists.create("Mine", [RELIANCE, RELIANCE]).id

    assert lists.add(number, INFY).keys == (RELIANCE, INFY)
    assert lists.add(number, INFY).keys == (RELIANCE, INFY), "twice is once"
    assert lists.add(number, NIFTY).keys == (RELIANCE, INFY, NIFTY)
    assert lists.reorder(number, [NIFTY, RELIANCE, INFY]).keys == (NIFTY, RELIANCE, INFY)
    assert lists.remove(number, RELIANCE).keys == (NIFTY, INFY)
    assert lists.remove(number, RELIANCE).keys == (NIFTY, INFY)
    assert lists.replace(number, [INFY, RELIANCE]).keys == (INFY, RELIANCE)
    assert lists.all()[0].keys == (INFY, RELIANCE)


def test_one_list_is_found_by_its_number(lists: Watchlists) -> None:
    lists.create("First", [RELIANCE])
    second = lists.create("Second", [INFY, RELIANCE])

    assert lists.find(second.id) == second


def test_every_change_gives_the_list_as_it_is_then(lists: Watchlists) -> None:
    number = lists.create("Mine", [RELIANCE]).id

    assert lists.rename(number, "  My   own ") == Watchlist(number, "My own", (RELIANCE,), None)
    assert lists.set_columns(number, ["ltp", "oi", "ltp"]).columns == ("ltp", "oi")
    assert lists.set_columns(number, None).columns is None
    assert lists.all() == [Watchlist(number, "My own", (RELIANCE,), None)]


def test_a_deleted_list_is_gone_with_its_items_and_its_number_is_not_given_again(
    lists: Watchlists, ledger: Ledger
) -> None:
    first = lists.create("First", [RELIANCE])
    lists.delete(first.id)

    assert lists.find(first.id) is None
    assert lists.create("Second").id != first.id
    with ledger.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM watchlist_items").scalar_one() == 0
    with pytest.raises(InvalidRequest, match="does not exist any more"):
        lists.add(first.id, INFY)


@pytest.mark.parametrize("name", ["", "   ", "x" * 61, "a\x00b", "a\u202eb"])
def test_a_bad_name_is_refused(lists: Watchlists, name: str) -> None:
    number = lists.create("Good").id

    with pytest.raises(InvalidRequest, match="watchlist"):
        lists.create(name)
    with pytest.raises(InvalidRequest, match="watchlist"):
        lists.rename(number, name)


def test_a_name_is_there_once_whatever_its_letters(lists: Watchlists) -> None:
    lists.create("Bank Nifty")
    other = lists.create("Other")

    with pytest.raises(InvalidRequest, match="there is a watchlist named 'Bank Nifty' already"):
        lists.create("bank  nifty")
    with pytest.raises(InvalidRequest, match="already"):
        lists.rename(other.id, "BANK NIFTY")
    assert lists.rename(other.id, "OTHER").name == "OTHER", "its own name in other letters is fine"


def test_names_of_all_scripts_are_welcome(lists: Watchlists) -> None:
    assert lists.create("मेरी सूची ₹").name == "मेरी सूची ₹"


def test_a_key_that_cannot_be_one_is_refused_and_changes_nothing(lists: Watchlists) -> None:
    number = lists.create("Mine", [RELIANCE]).id

    for change in (
        lambda: lists.add(number, "RELIANCE"),
        lambda: lists.replace(number, [INFY, ""]),
        lambda: lists.create("Other", ["nonsense"]),
        lambda: lists.create("Other", RELIANCE),
    ):
        with pytest.raises(InvalidRequest):
            change()

    assert lists.all() == [Watchlist(number, "Mine", (RELIANCE,), None)]


def test_a_list_holds_500_keys_and_no_more(lists: Watchlists) -> None:
    keys = [f"NSE_FO|{n}" for n in range(501)]
    number = lists.create("Full", keys[:500]).id

    for change in (
        lambda: lists.add(number, keys[500]),
        lambda: lists.replace(number, keys),
        lambda: lists.create("Fuller", keys),
    ):
        with pytest.raises(InvalidRequest, match="at most 500 instruments, these are 501"):
            change()

    assert lists.all()[0].keys == tuple(keys[:500])


def test_an_order_that_misses_a_change_is_refused(lists: Watchlists) -> None:
    number = lists.create("Mine", [RELIANCE, INFY]).id

    for keys in ([RELIANCE], [RELIANCE, INFY, NIFTY], [RELIANCE, RELIANCE]):
        with pytest.raises(InvalidRequest, match="changed meanwhile"):
            lists.reorder(number, keys)


@pytest.mark.parametrize("columns", [[], [""], ["x" * 61]])
def test_columns_that_are_none_are_refused(lists: Watchlists, columns: list[str]) -> None:
    number = lists.create("Mine").id

    with pytest.raises(InvalidRequest, match="column"):
        lists.set_columns(number, columns)


def test_two_people_adding_at_once_lose_nothing(lists: Watchlists) -> None:
    number = lists.create("Shared").id

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda n: lists.add(number, f"NSE_FO|{n}"), range(40)))

    assert sorted(lists.all()[0].keys) == sorted(f"NSE_FO|{n}" for n in range(40))


def test_two_people_taking_one_name_at_once_get_one_list(lists: Watchlists) -> None:
    def create(_: int) -> bool:
        try:
            lists.create("Same")
        except InvalidRequest:
            return False
        return True

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(create, range(4))).count(True) == 1
