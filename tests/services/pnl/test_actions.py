"""Corporate actions and settlement prices: kept as entered, once, and taken back by whoever says so."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from services.domain.errors import InvalidRequest
from services.ledger.audit import Audit
from services.ledger.engine import Ledger
from services.pnl.actions import Actions
from services.portfolio.lots.actions import Action, Bonus, Demerger, Rename, Split
from services.portfolio.lots.book import build_book
from tests.support.clocks import FakeClock
from tests.support.ledger import NOW, TRADER, new_ledger
from tests.support.lots import fill

ON_BOTH = True

EX = date(2026, 5, 4)
OLD, NEW = "INE002A01018", "INE002A01026"
ALL: tuple[Action, ...] = (
    Split(OLD, EX, 2, 1, into=NEW),
    Bonus(OLD, EX, 1, 3),
    Bonus("INE009A01021", EX, 1, 1, free_lots=True),
    Rename("NSE:ZOMATO", EX, "NSE:ETERNAL"),
    Demerger(OLD, EX, NEW, 1, 10, Decimal("4.6812")),
)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with closing(new_ledger(tmp_path)) as made:
        yield made


def test_every_kind_of_action_comes_back_as_it_was_entered_and_once(ledger: Ledger) -> None:
    told: list[int] = []
    actions = Actions(ledger, FakeClock(NOW), changed=lambda: told.append(1))

    entered = [actions.add(action, TRADER, note=" NSE circular ") for action in ALL]
    again = [actions.add(action, TRADER) for action in ALL]

    assert entered == again == actions.all()
    assert tuple(one.action for one in actions.all()) == ALL
    assert {(one.note, one.actor, one.entered_at) for one in actions.all()} == {("NSE circular", TRADER, NOW)}
    assert len(told) == len(ALL)


def test_an_action_that_is_taken_back_is_known_to_the_audit_and_may_come_again(ledger: Ledger) -> None:
    actions = Actions(ledger, FakeClock(NOW))
    entered, stamp = actions.add(ALL[4], TRADER), actions.stamp()

    assert actions.remove(entered.id, TRADER) == entered
    with pytest.raises(InvalidRequest, match="taken back already"):
        actions.remove(entered.id, TRADER)
    again = actions.add(ALL[4], TRADER)

    assert (again.action, again.id) == (ALL[4], entered.id + 1)
    assert actions.stamp() != stamp
    acts = Audit(ledger, FakeClock(NOW)).about(f"corporate action {entered.id}")
    assert [act.what for act in acts] == ["corporate action taken back", "corporate action entered"]
    assert acts[0].before is not None
    assert acts[0].before["cost_percent"] == "4.6812"


@pytest.mark.parametrize(
    "action",
    [
        Split(OLD, EX, 5, 1),
        Split("x" * 121, EX, 2, 1),
        Split(" ", EX, 2, 1),
        Split("A\x07", EX, 2, 1),
        Split("ANY", EX, 10**7, 1),
        Demerger("ANY", EX, NEW, 1, 1, Decimal("4.68125")),
    ],
    ids=repr,
)
def test_a_contradiction_and_nonsense_are_refused(ledger: Ledger, action: Action) -> None:
    actions = Actions(ledger, FakeClock(NOW))
    entered = actions.add(Split(OLD, EX, 2, 1), TRADER)

    with pytest.raises(InvalidRequest):
        actions.add(action, TRADER)

    assert actions.all() == [entered]


def test_a_settlement_price_is_entered_changed_and_taken_back(ledger: Ledger) -> None:
    told: list[int] = []
    actions = Actions(ledger, FakeClock(NOW), changed=lambda: told.append(1))
    contract, stamps = "NSE:NIFTY:2026-04-28:25000:CE", [actions.stamp()]

    for price in ("120.05", "0", "0"):
        actions.settle(contract, Decimal(price), TRADER)
        stamps.append(actions.stamp())
    (kept,) = actions.settlements()
    actions.unsettle(contract, TRADER)
    with pytest.raises(InvalidRequest, match="no settlement price"):
        actions.unsettle(contract, TRADER)

    assert (kept.instrument, kept.price, kept.actor) == (contract, 0, TRADER)
    assert actions.settlements() == []
    acts = Audit(ledger, FakeClock(NOW)).about(contract)
    assert [(act.before, act.after) for act in acts] == [
        ({"price": "0"}, None),
        ({"price": "120.05"}, {"price": "0"}),
        (None, {"price": "120.05"}),
    ]
    assert stamps[2] == stamps[3]
    assert len(set(stamps)) == 3
    for wrong in ("-1", "0.00001", "1e20", "NaN"):
        with pytest.raises(InvalidRequest):
            actions.settle(contract, Decimal(wrong), TRADER)


def test_a_book_obeys_what_was_entered(ledger: Ledger) -> None:
    actions = Actions(ledger, FakeClock(NOW))
    fills = [fill("BUY", 10, "100", 0, instrument=OLD), fill("SELL", 20, "60", 60, instrument=NEW)]
    before = build_book(fills)

    actions.add(ALL[0], TRADER)
    after = build_book(fills, [one.action for one in actions.all()])

    assert before.doubtful()
    assert not after.doubtful()
    assert int(after.matched.matches.realised.sum()) == 200 * 10_000
