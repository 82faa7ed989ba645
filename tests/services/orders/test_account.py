"""A paper account is put away while a desk works on it, or while none does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from services.domain.intents import IntentState
from services.domain.orders import OrderChange, Status
from services.ledger.account_mark import AccountMarks
from services.ledger.audit import Audit
from services.orders.account import PUT_AWAY
from tests.support.order_desk import ASHA, Bench, no_answer, refused
from tests.support.orders import a_request


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.close()


def placed(bench: Bench, intent_id: str) -> str:
    [order_id] = bench.desk.place(a_request(), intent_id=intent_id, actor=ASHA).order_ids
    bench.pass_time(1)
    return order_id


def test_the_book_begins_anew_and_the_ledger_keeps_how_everything_ended(bench: Bench) -> None:
    bench.open()
    waiting, filled = placed(bench, "one"), placed(bench, "two")
    bench.broker.reset()

    bench.desk.follow_account()

    assert bench.desk.book().orders == ()
    assert bench.desk.trades().trades == ()
    kept = bench.desk.order(waiting)
    assert kept is not None
    assert (kept.status, kept.message) == (Status.CANCELLED, "The paper account was reset")
    assert bench.orders.alive() == []
    assert bench.desk.order(filled) is not None
    assert bench.desk.open_intents() == ()


def test_a_fill_that_nobody_had_heard_of_is_in_the_ledger_after_the_reset(bench: Bench) -> None:
    bench.open()
    order_id = placed(bench, "one")
    bench.broker.fill(order_id)
    bench.broker.reset()

    bench.desk.follow_account()

    kept = bench.desk.order(order_id)
    assert kept is not None
    assert kept.status == Status.COMPLETE
    today = bench.clock.now().date()
    (filed,) = bench.desk.past_trades(today, today)
    assert (filed.order_id, filed.account) == (order_id, "AB1234/1")
    assert bench.desk.trades().trades == ()


def test_a_reset_by_somebody_else_is_noticed_when_the_book_lacks_orders(bench: Bench) -> None:
    bench.open()
    old = placed(bench, "one")
    bench.broker.reset()

    bench.pass_time(30)

    assert bench.desk.book().orders == ()
    assert bench.orders.alive() == []
    new = placed(bench, "two")
    assert new > old
    assert [order.order_id for order in bench.desk.book().orders] == [new]


def test_a_reset_while_no_desk_ran_is_noticed_at_the_start(bench: Bench) -> None:
    bench.open()
    placed(bench, "one")
    bench.desk.close()
    bench.broker.reset()
    new = bench.broker.place(a_request(), tag="somebody-else").value[0]

    bench.restart()
    bench.open()

    assert [order.order_id for order in bench.desk.book().orders] == [new]
    assert bench.orders.alive() == [bench.broker.orders[new]]


def test_a_desk_that_starts_without_a_broker_still_knows_which_orders_are_of_this_account(bench: Bench) -> None:
    bench.open()
    placed(bench, "one")
    bench.broker.reset()
    bench.desk.follow_account()
    new = placed(bench, "two")
    bench.desk.close()
    for operation in ("account", "book"):
        bench.broker.fail(operation, no_answer, times=1000)

    bench.restart()
    bench.open()

    assert [order.order_id for order in bench.desk.book().orders] == [new]


def test_an_order_whose_answer_was_lost_is_found_in_the_account_that_was_put_away(bench: Bench) -> None:
    bench.open()
    bench.broker.fail("place", no_answer, acts=True)
    bench.desk.place(a_request(), intent_id="one", actor=ASHA)
    bench.broker.reset()

    bench.pass_time(60)

    intent = bench.intent("one")
    assert (intent.state, len(intent.order_ids)) == (IntentState.ACCEPTED, 1)


def test_an_order_that_never_arrived_is_still_told_so(bench: Bench) -> None:
    bench.open()
    bench.broker.fail("place", no_answer)
    bench.desk.place(a_request(), intent_id="one", actor=ASHA)
    bench.broker.reset()

    bench.desk.follow_account()
    bench.pass_time(60)

    assert bench.intent("one").state is IntentState.ABSENT


def test_a_cancellation_without_an_answer_is_settled_by_how_the_order_ended(bench: Bench) -> None:
    bench.open()
    order_id = placed(bench, "one")
    bench.broker.fail("cancel", no_answer)
    bench.desk.cancel(order_id, intent_id="stop", actor=ASHA)
    bench.broker.reset()

    bench.desk.follow_account()

    assert bench.intent("stop").state is IntentState.ACCEPTED


def test_what_nobody_can_find_out_any_more_is_given_up_in_words(bench: Bench) -> None:
    bench.open()
    order_id = placed(bench, "one")
    bench.broker.fail("modify", no_answer)
    bench.desk.modify(order_id, OrderChange(quantity=5), intent_id="change", actor=ASHA)
    bench.broker.reset()

    bench.desk.follow_account()
    bench.pass_time(60)

    intent = bench.intent("change")
    assert (intent.state, intent.reason) == (IntentState.ABANDONED, PUT_AWAY)
    assert bench.desk.open_intents() == ()


def test_a_desk_that_ended_between_reset_and_marking_does_the_rest_at_its_next_start(bench: Bench) -> None:
    bench.open()
    order_id = placed(bench, "one")
    bench.broker.reset()
    bench.broker.fail("archive", KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        bench.desk.follow_account()

    bench.restart()
    bench.open()

    kept = bench.desk.order(order_id)
    assert kept is not None
    assert kept.terminal
    assert bench.desk.book().orders == ()


def test_several_resets_in_a_row_are_all_filed(bench: Bench) -> None:
    bench.open()
    first = placed(bench, "one")
    bench.broker.reset()
    second = bench.broker.place(a_request(), tag="somebody-else").value[0]
    bench.broker.reset()

    bench.desk.follow_account()

    kept = [bench.desk.order(one) for one in (first, second)]
    assert [order is not None and order.status for order in kept] == [Status.CANCELLED, Status.CANCELLED]
    assert AccountMarks(bench.ledger, bench.clock).get() == bench.broker.mark
    [entry] = Audit(bench.ledger, bench.clock).about("account")
    assert (entry.before, entry.after) == (
        {"number": 1, "after_order": ""},
        {"number": 3, "after_order": second},
    )


def test_a_broker_that_does_not_tell_its_account_keeps_everything_as_it_is(bench: Bench) -> None:
    bench.broker.fail("account", refused, times=1000)
    bench.open()

    order_id = placed(bench, "one")
    bench.desk.follow_account()

    assert [order.order_id for order in bench.desk.book().orders] == [order_id]


def test_a_real_broker_is_never_asked_which_account_runs(tmp_path: Path) -> None:
    bench = Bench(tmp_path, on_paper=False)
    bench.open()
    placed(bench, "one")
    bench.broker.orders.clear()

    bench.pass_time(60)
    bench.desk.follow_account()

    assert bench.broker.sent("account") == 0
    assert len(bench.desk.book().orders) == 1
    bench.close()
