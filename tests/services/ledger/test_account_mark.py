"""Which paper account the ledger follows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from services.domain.actors import THE_DESK
from services.domain.errors import StorageError
from services.domain.paper_accounts import AccountMark
from services.ledger.account_mark import AccountMarks
from services.ledger.audit import Audit
from services.ledger.engine import Ledger
from services.ledger.order_tables import order_settings
from tests.support.clocks import FakeClock
from tests.support.ledger import NOW, new_ledger

SECOND = AccountMark(2, "261120000000007")


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    made = new_ledger(tmp_path)
    yield made
    made.close()


@pytest.fixture
def marks(ledger: Ledger) -> AccountMarks:
    return AccountMarks(ledger, FakeClock(NOW))


def test_a_new_ledger_follows_the_first_account_from_its_beginning(marks: AccountMarks) -> None:
    assert marks.get() == AccountMark(1, "")


def test_a_mark_is_kept_and_its_change_written_down_once(marks: AccountMarks, ledger: Ledger) -> None:
    for _ in range(2):
        marks.put(SECOND, THE_DESK)

    assert marks.get() == SECOND
    [entry] = Audit(ledger, FakeClock(NOW)).about("account")
    assert (entry.what, entry.before, entry.after) == (
        "account begun anew",
        {"number": 1, "after_order": ""},
        {"number": 2, "after_order": "261120000000007"},
    )


def test_a_mark_that_cannot_be_read_is_not_taken_for_none(marks: AccountMarks, ledger: Ledger) -> None:
    marks.put(SECOND, THE_DESK)
    with ledger.write() as connection:
        connection.execute(sa.update(order_settings).values(value={"number": "two"}))

    with pytest.raises(StorageError, match="paper account"):
        marks.get()


@pytest.mark.parametrize(
    ("order_id", "before"),
    [
        ("261120000000006", True),
        ("261120000000007", True),
        ("261120000000008", False),
        ("261121000000001", False),
        ("1", True),
        ("2611200000000071", False),
        ("", False),
        (None, False),
    ],
)
def test_orders_up_to_the_mark_belong_to_accounts_that_were_put_away(order_id: str | None, before: bool) -> None:
    assert SECOND.is_before(order_id) is before
    assert not AccountMark().is_before(order_id)
