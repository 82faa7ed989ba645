"""One decision, one request: whatever happens to its answer, and however often it is pressed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.domain.actors import Actor, Role
from services.domain.errors import (
    BrokerFault,
    Forbidden,
    InvalidRequest,
    LoginRequired,
    NotSent,
    RateLimited,
    StorageError,
)
from services.domain.intents import IntentKind, IntentState, NewIntent, Witness
from services.domain.order_facts import OrderLimits
from services.domain.orders import OrderChange, OrderType, Side, Status
from services.ledger.intents import Intents
from services.orders.bodies import body_of
from services.orders.views import News, Outcome
from tests.support.order_desk import ASHA, Bench, garbage, no_answer, refused
from tests.support.orders import RELIANCE, a_request


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    made.open()
    yield made
    made.close()


def test_an_order_is_placed_and_its_outcome_recorded(bench: Bench) -> None:
    told = bench.desk.place(a_request(), intent_id="one", actor=ASHA)

    assert (told.state, told.repeated, len(told.order_ids)) == (IntentState.ACCEPTED, False, 1)
    assert bench.broker.orders[told.order_ids[0]].tag == told.tag
    assert bench.intent("one").order_ids == told.order_ids


def test_the_intent_lies_in_the_ledger_before_the_request_leaves(bench: Bench) -> None:
    seen: list[IntentState] = []
    bench.broker.meanwhile = lambda operation: (
        seen.append(bench.intents.open()[0].state) if operation == "place" else None
    )

    bench.desk.place(a_request(), intent_id="one", actor=ASHA)

    assert seen == [IntentState.PREPARED]


def test_the_same_decision_again_sends_nothing_and_tells_the_first_result(bench: Bench) -> None:
    first = bench.desk.place(a_request(), intent_id="one", actor=ASHA)

    again = bench.desk.place(a_request(), intent_id="one", actor=Actor("bela"))

    assert again.repeated
    assert (again.state, again.order_ids, again.tag) == (first.state, first.order_ids, first.tag)
    assert bench.broker.sent("place") == 1


def test_the_same_decision_with_other_particulars_is_refused(bench: Bench) -> None:
    bench.desk.place(a_request(), intent_id="one", actor=ASHA)

    with pytest.raises(InvalidRequest, match="other particulars"):
        bench.desk.place(a_request(quantity=20), intent_id="one", actor=ASHA)

    assert bench.broker.sent("place") == 1


def test_a_repeated_decision_is_not_checked_again(bench: Bench) -> None:
    bench.desk.place(a_request(), intent_id="one", actor=ASHA)
    bench.desk.set_kill_switch(True, actor=ASHA)
    bench.quotes.prices.clear()

    assert bench.desk.place(a_request(), intent_id="one", actor=ASHA).repeated


def test_two_tabs_press_at_the_same_moment_and_one_order_leaves(bench: Bench) -> None:
    in_the_air, go_on = threading.Event(), threading.Event()
    bench.broker.meanwhile = lambda operation: _hold(operation, in_the_air, go_on)
    told = []
    tabs = [
        threading.Thread(target=lambda: told.append(bench.desk.place(a_request(), intent_id="one", actor=ASHA)))
        for _ in range(2)
    ]

    tabs[0].start()
    assert in_the_air.wait(30)
    tabs[1].start()
    go_on.set()
    for tab in tabs:
        tab.join(30)

    assert bench.broker.sent("place") == 1
    assert {one.order_ids for one in told} == {tuple(bench.broker.orders)}
    assert sorted(one.repeated for one in told) == [False, True]


def test_thirty_two_windows_with_eight_decisions_send_eight_orders(bench: Bench) -> None:
    bench.desk.set_limits(OrderLimits(max_orders_per_second=10), actor=ASHA)
    gate = threading.Barrier(32)
    told: list[Outcome] = []

    def press(number: int) -> None:
        gate.wait()
        request = a_request(quantity=10 + number % 8)
        told.append(bench.desk.place(request, intent_id=f"n{number % 8}", actor=ASHA))

    windows = [threading.Thread(target=press, args=(number,)) for number in range(32)]
    for window in windows:
        window.start()
    for window in windows:
        window.join(30)

    assert len(told) == 32
    assert bench.broker.sent("place") == 8
    assert sum(not one.repeated for one in told) == 8
    assert len({(one.intent_id, one.order_ids) for one in told}) == 8


def test_a_decision_that_another_process_is_sending_is_waited_for(bench: Bench) -> None:
    other = Intents(bench.ledger, bench.clock)
    new = NewIntent("theirs", IntentKind.PLACE, RELIANCE, body_of(a_request()), ASHA, "their-tag")
    other.prepare(new, allow=lambda standing: None)
    polls = []

    def answer(seconds: float) -> None:
        polls.append(seconds)
        if len(polls) == 3:
            other.settle("theirs", IntentState.ACCEPTED, order_ids=("261120000000777",))

    bench.on_sleep = answer

    told = bench.desk.place(a_request(), intent_id="theirs", actor=ASHA)

    assert (told.state, told.repeated, told.order_ids) == (IntentState.ACCEPTED, True, ("261120000000777",))
    assert bench.broker.sent("place") == 0


def _hold(operation: str, here: threading.Event, go_on: threading.Event) -> None:
    if operation == "place":
        here.set()
        assert go_on.wait(30)


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (no_answer, IntentState.UNKNOWN),
        (garbage, IntentState.UNKNOWN),
        (lambda: BrokerFault("trouble", status=500, code="UDAPI100500"), IntentState.UNKNOWN),
        (lambda: refused("UDAPI1052", "quantity is zero"), IntentState.REFUSED),
        (lambda: RateLimited("slow down", status=429, code="UDAPI10005"), IntentState.REFUSED),
        (lambda: NotSent("connection refused"), IntentState.NOT_SENT),
    ],
)
def test_what_an_error_says_of_the_order(bench: Bench, error, state: IntentState) -> None:  # type: ignore[no-untyped-def]
    bench.broker.fail("place", error)

    told = bench.desk.place(a_request(), intent_id="one", actor=ASHA)

    assert told.state is state
    assert told.reason
    assert bench.broker.sent("place") == 1
    assert bench.intent("one").state is state


def test_a_login_that_is_needed_is_told_as_such_and_the_order_was_not_sent(bench: Bench) -> None:
    bench.broker.fail("place", lambda: LoginRequired("log in", login_url="https://x"))

    with pytest.raises(LoginRequired):
        bench.desk.place(a_request(), intent_id="one", actor=ASHA)

    assert bench.intent("one").state is IntentState.NOT_SENT


def test_without_a_token_that_trades_nothing_is_even_written_down(bench: Bench) -> None:
    bench.no_token = LoginRequired("log in")

    with pytest.raises(LoginRequired):
        bench.desk.place(a_request(), intent_id="one", actor=ASHA)

    assert bench.intents.get("one") is None
    assert bench.broker.sent("place") == 0


def test_an_interrupted_request_is_unknown_and_the_interruption_goes_on(bench: Bench) -> None:
    bench.broker.fail("place", KeyboardInterrupt, acts=True)

    with pytest.raises(KeyboardInterrupt):
        bench.desk.place(a_request(), intent_id="one", actor=ASHA)
    assert bench.intent("one").state is IntentState.UNKNOWN
    bench.pass_time(2)

    assert bench.intent("one").state is IntentState.ACCEPTED


def test_an_answer_that_cannot_be_written_down_is_told_and_found_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object, **kwargs: object) -> None:
        raise StorageError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(bench.intents, "settle", full)
        told = bench.desk.place(a_request(), intent_id="one", actor=ASHA)
    before = bench.intents.get("one")
    bench.pass_time(3)

    assert told.state is IntentState.ACCEPTED
    assert "disk is full" in told.reason
    assert before is not None
    assert before.state is IntentState.PREPARED
    assert bench.intent("one").state is IntentState.ACCEPTED
    assert bench.broker.sent("place") == 1


def test_a_lost_answer_is_found_by_its_tag(bench: Bench) -> None:
    bench.broker.fail("place", no_answer, acts=True)

    told = bench.desk.place(a_request(), intent_id="one", actor=ASHA)
    open_then = bench.desk.open_intents()
    bench.pass_time(3)

    assert told.state is IntentState.UNKNOWN
    assert [one.intent_id for one in open_then] == ["one"]
    found = bench.intent("one")
    assert (found.state, found.order_ids, found.settled_by) == (
        IntentState.ACCEPTED, tuple(bench.broker.orders), Witness.BOOK,
    )  # fmt: skip
    assert bench.desk.open_intents() == ()
    assert bench.broker.sent("place") == 1
    assert [one.kind for one in bench.desk.announcements(0)][:2] == [News.UNKNOWN, News.FOUND]


def test_a_lost_answer_is_found_by_the_stream_at_once(bench: Bench) -> None:
    bench.stream_up = True

    def tell(operation: str) -> None:
        if operation == "place":
            bench.broker.meanwhile = lambda operation: None
            order_id = bench.broker._new(a_request(), bench.intents.open()[0].tag)
            bench.desk._keeper.hear(bench.broker.orders[order_id], "stream")

    bench.broker.meanwhile = tell
    bench.broker.fail("place", no_answer)

    told = bench.desk.place(a_request(), intent_id="one", actor=ASHA)

    assert (told.state, len(told.order_ids)) == (IntentState.ACCEPTED, 1)
    assert bench.intent("one").settled_by is Witness.STREAM


def test_an_order_that_never_arrived_is_absent_only_after_several_looks_and_the_time_it_could_travel(
    bench: Bench,
) -> None:
    bench.broker.fail("place", no_answer)
    bench.desk.place(a_request(), intent_id="one", actor=ASHA)

    bench.pass_time(14)
    early = bench.intents.get("one")
    looked = bench.desk.open_intents()[0].looks
    bench.pass_time(20)

    assert early is not None
    assert early.state is IntentState.UNKNOWN
    assert looked >= 3
    assert bench.intent("one").state is IntentState.ABSENT
    assert bench.broker.sent("place") == 1


def test_a_book_that_cannot_be_read_never_makes_an_order_absent(bench: Bench) -> None:
    bench.broker.fail("place", no_answer)
    bench.broker.fail("book", no_answer, times=1000)

    bench.desk.place(a_request(), intent_id="one", actor=ASHA)
    bench.pass_time(300)

    assert bench.intent("one").state is IntentState.UNKNOWN


def test_without_the_book_an_order_is_found_by_the_history_of_its_tag(bench: Bench) -> None:
    bench.broker.fail("place", no_answer, acts=True)
    bench.broker.fail("book", no_answer, times=1000)

    bench.desk.place(a_request(), intent_id="one", actor=ASHA)
    bench.pass_time(5)

    found = bench.intent("one")
    assert (found.state, found.settled_by) == (IntentState.ACCEPTED, Witness.HISTORY)


def test_an_order_that_shows_up_after_all_is_believed(bench: Bench) -> None:
    bench.broker.fail("place", no_answer)
    told = bench.desk.place(a_request(), intent_id="one", actor=ASHA)
    bench.pass_time(60)
    assert bench.intent("one").state is IntentState.ABSENT

    bench.broker._new(a_request(), told.tag)
    bench.pass_time(40)

    assert bench.intent("one").state is IntentState.ACCEPTED


def test_the_same_button_is_blocked_until_the_fate_is_known_and_then_free(bench: Bench) -> None:
    bench.broker.fail("place", no_answer)
    bench.desk.place(a_request(), intent_id="one", actor=ASHA)

    with pytest.raises(InvalidRequest, match="not known yet"):
        bench.desk.place(a_request(), intent_id="two", actor=ASHA)
    other_side = bench.desk.place(a_request(side=Side.SELL), intent_id="three", actor=ASHA)
    bench.pass_time(60)
    anew = bench.desk.place(a_request(), intent_id="four", actor=ASHA)

    assert other_side.accepted
    assert anew.accepted
    assert bench.broker.sent("place") == 3


def test_a_person_may_decide_over_an_unknown_one(bench: Bench) -> None:
    bench.broker.fail("place", no_answer)
    bench.desk.place(a_request(), intent_id="one", actor=ASHA)

    decided = bench.desk.resolve("one", False, actor=Actor("bela"))

    assert decided.state is IntentState.ABSENT
    assert "bela" in decided.reason
    assert bench.desk.open_intents() == ()
    assert bench.desk.place(a_request(), intent_id="two", actor=ASHA).accepted
    with pytest.raises(InvalidRequest, match="nothing to decide"):
        bench.desk.resolve("one", True, actor=ASHA)


def test_slices_are_accepted_when_all_children_of_the_tag_are_there(bench: Bench) -> None:
    bench.broker.fail("place", no_answer, acts=True)
    request = a_request(quantity=1000, slice=True)

    bench.desk.place(request, intent_id="one", actor=ASHA)
    child = next(iter(bench.broker.orders))
    second = bench.broker.orders.popitem()
    bench.desk._keeper.hear(bench.broker.orders[child], "stream")
    bench.pass_time(3)
    half = bench.intents.get("one")
    bench.broker.orders[second[0]] = second[1]
    bench.pass_time(10)

    assert half is not None
    assert half.state is IntentState.UNKNOWN
    found = bench.intent("one")
    assert (found.state, len(found.order_ids), found.reason) == (IntentState.ACCEPTED, 2, "")


def test_slices_of_which_only_a_part_arrived_say_so(bench: Bench) -> None:
    bench.broker.fail("place", no_answer, acts=True)

    bench.desk.place(a_request(quantity=1000, slice=True), intent_id="one", actor=ASHA)
    bench.broker.orders.popitem()
    bench.pass_time(60)

    found = bench.intent("one")
    assert (found.state, len(found.order_ids)) == (IntentState.ACCEPTED, 1)
    assert "only 500 of 1000" in found.reason


def test_a_viewer_sends_nothing(bench: Bench) -> None:
    viewer = Actor("guest", Role.VIEWER)

    with pytest.raises(InvalidRequest, match="not trade"):
        bench.desk.place(a_request(), intent_id="one", actor=viewer)
    with pytest.raises(Forbidden, match="not trade"):
        bench.desk.set_kill_switch(True, actor=viewer)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.TRADER, Role.DESK])
def test_only_operators_let_orders_leave_again_and_change_limits(bench: Bench, role: Role) -> None:
    who = Actor("ravi", role)
    bench.desk.set_kill_switch(True, actor=ASHA)

    for change in (
        lambda: bench.desk.set_kill_switch(False, actor=who),
        lambda: bench.desk.set_limits(bench.desk.limits(), actor=who),
        lambda: bench.desk.set_broker_kill_switch({"NSE_EQ": False}, intent_id="one", actor=who),
    ):
        with pytest.raises(Forbidden):
            change()
    assert bench.desk.kill_switch().on
    assert not bench.desk.set_kill_switch(False, actor=Actor("omar", Role.OPERATOR)).on


def test_a_change_with_a_lost_answer_is_found_by_the_order_itself(bench: Bench) -> None:
    order_id = bench.desk.place(a_request(), intent_id="one", actor=ASHA).order_ids[0]
    bench.broker.fail("modify", no_answer, acts=True)

    told = bench.desk.modify(order_id, OrderChange(quantity=20), intent_id="two", actor=ASHA)
    bench.pass_time(5)

    assert told.state is IntentState.UNKNOWN
    assert bench.intent("two").state is IntentState.ACCEPTED
    assert bench.broker.sent("modify") == 1


def test_a_change_that_never_arrived_is_absent_in_the_end(bench: Bench) -> None:
    order_id = bench.desk.place(a_request(), intent_id="one", actor=ASHA).order_ids[0]
    bench.broker.fail("modify", no_answer)

    bench.desk.modify(order_id, OrderChange(quantity=20), intent_id="two", actor=ASHA)
    with pytest.raises(InvalidRequest, match="not known yet"):
        bench.desk.modify(order_id, OrderChange(quantity=30), intent_id="three", actor=ASHA)
    bench.pass_time(60)

    assert bench.intent("two").state is IntentState.ABSENT
    assert bench.desk.modify(order_id, OrderChange(quantity=30), intent_id="four", actor=ASHA).accepted


def test_a_cancellation_with_a_lost_answer_is_found_by_the_order_itself(bench: Bench) -> None:
    order_id = bench.desk.place(a_request(), intent_id="one", actor=ASHA).order_ids[0]
    bench.broker.fail("cancel", no_answer, acts=True)

    bench.desk.cancel(order_id, intent_id="two", actor=ASHA)
    bench.pass_time(5)

    assert bench.intent("two").state is IntentState.ACCEPTED
    order = bench.desk.order(order_id)
    assert order is not None
    assert order.status == Status.CANCELLED


def test_a_cancellation_that_came_too_late_is_refused_by_the_books(bench: Bench) -> None:
    order_id = bench.desk.place(a_request(), intent_id="one", actor=ASHA).order_ids[0]
    bench.broker.fail("cancel", no_answer)
    bench.broker.fill(order_id)

    bench.desk.cancel(order_id, intent_id="two", actor=ASHA)
    bench.pass_time(5)

    found = bench.intent("two")
    assert (found.state, "complete" in found.reason) == (IntentState.REFUSED, True)


def test_an_order_that_has_ended_is_not_changed_and_says_why(bench: Bench) -> None:
    order_id = bench.desk.place(a_request(order_type=OrderType.MARKET), intent_id="one", actor=ASHA).order_ids[0]
    bench.broker.fill(order_id)

    told = bench.desk.modify(order_id, OrderChange(price=a_request().price), intent_id="two", actor=ASHA)

    assert (told.state, told.code) == (IntentState.REFUSED, "UDAPI100041")
    assert bench.broker.sent("modify") == 0
