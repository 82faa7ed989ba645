"""The same button is blocked while it is not known what became of its last press; the same decision is told again, and
another one under its id is refused. In whatever window or process: the ledger knows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from services.domain.errors import BrokerFault, InvalidRequest, LoginRequired, StorageError
from services.domain.gtt import GttLeg, GttRequest, Strategy, TriggerType
from services.domain.intents import IntentKind, IntentState, NewIntent
from services.domain.margins import Margin
from services.domain.orders import OrderChange, Product, Side
from services.domain.positions import Position
from services.orders.bodies import body_of
from services.orders.views import BulkOutcome
from tests.support.ledger import new_ledger
from tests.support.order_desk import ASHA, Bench, no_answer
from tests.support.orders import RELIANCE, a_request

WAITING = GttRequest(
    RELIANCE, Side.BUY, 10, Product.DELIVERY, (GttLeg(Strategy.ENTRY, TriggerType.BELOW, Decimal(1400)),)
)
OPTION = "NSE_FO|56983"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    made.open()
    yield made
    made.close()


def _order(bench: Bench) -> str:
    """An order that lies open."""
    order_id = bench.broker._new(a_request(), "elsewhere")
    bench.desk.refresh()
    return order_id


def _waiting(bench: Bench) -> str:
    return bench.desk.gtt_place(WAITING, intent_id="waits", actor=ASHA).order_ids[0]


def _many(bench: Bench, count: int = 12) -> None:
    bench.broker.held = [Position(f"NSE_EQ|INE00000{n:04d}", "I", 10) for n in range(count)]


Write = Callable[[Bench, str, Any], Any]
Arrange = Callable[[Bench], Any]
WRITES: dict[str, tuple[str, Arrange, Write]] = {
    "place": ("place", lambda bench: None, lambda bench, name, _: bench.desk.place(a_request(), **_by(name))),
    "basket": (
        "place_many",
        lambda bench: None,
        lambda bench, name, _: bench.desk.place_basket([a_request(), a_request(quantity=11)], **_by(name)),
    ),
    "modify": (
        "modify",
        _order,
        lambda bench, name, order: bench.desk.modify(order, OrderChange(quantity=20), **_by(name)),
    ),
    "cancel": ("cancel", _order, lambda bench, name, order: bench.desk.cancel(order, **_by(name))),
    "cancel all": ("cancel_many", _order, lambda bench, name, _: bench.desk.cancel_all(**_by(name))),
    "exit all": (
        "exit_positions",
        lambda bench: setattr(bench.broker, "held", [Position(RELIANCE, "I", 10)]),
        lambda bench, name, _: bench.desk.exit_all(**_by(name)),
    ),
    "exit of many": ("place_many", _many, lambda bench, name, _: bench.desk.exit_all(**_by(name))),
    "convert": (
        "convert",
        lambda bench: setattr(bench.broker, "held", [Position(RELIANCE, "I", 10)]),
        lambda bench, name, _: bench.desk.convert(RELIANCE, Side.BUY, 6, "MIS", "CNC", **_by(name)),
    ),
    "waiting order": (
        "gtt_place",
        lambda bench: None,
        lambda bench, name, _: bench.desk.gtt_place(WAITING, **_by(name)),
    ),
    "change of a waiting order": (
        "gtt_modify",
        _waiting,
        lambda bench, name, gtt: bench.desk.gtt_modify(gtt, WAITING, **_by(name)),
    ),
    "end of a waiting order": (
        "gtt_cancel",
        _waiting,
        lambda bench, name, gtt: bench.desk.gtt_cancel(gtt, **_by(name)),
    ),
    "the broker's switch": (
        "set_kill_switch",
        lambda bench: None,
        lambda bench, name, _: bench.desk.set_broker_kill_switch({"NSE_FO": True}, **_by(name)),
    ),
}


def _by(name: str) -> Any:
    return {"intent_id": name, "actor": ASHA}


@pytest.mark.parametrize("arrived", [True, False])
@pytest.mark.parametrize("name", WRITES)
def test_after_a_lost_answer_the_button_is_blocked_and_the_same_decision_sends_nothing(
    bench: Bench, name: str, arrived: bool
) -> None:
    operation, arrange, write = WRITES[name]
    about = arrange(bench)
    bench.clock.move(seconds=2)
    bench.broker.fail(operation, no_answer, acts=arrived, times=2)
    write(bench, "one", about)
    sent = bench.broker.sent(operation)

    with pytest.raises(InvalidRequest, match=r"not known yet|there is no open"):  # or it is seen to be done
        write(bench, "two", about)
    again = write(bench, "one", about)

    assert again.repeated
    assert bench.broker.sent(operation) == sent
    assert bench.intents.get("two") is None
    assert bench.intents.of_basket("two") == []


@pytest.mark.parametrize("name", WRITES)
def test_a_decision_that_was_carried_out_is_told_again_whatever_is_wrong_now(bench: Bench, name: str) -> None:
    _, arrange, write = WRITES[name]
    about = arrange(bench)
    bench.clock.move(seconds=2)
    write(bench, "one", about)
    calls = list(bench.broker.calls)
    bench.no_token = LoginRequired("log in")
    bench.instruments.clear()
    bench.quotes.prices.clear()

    again = write(bench, "one", about)

    assert again.repeated
    assert bench.broker.calls == calls, "nobody was asked anything"


@pytest.mark.parametrize("name", [name for name in WRITES if name not in {"place", "basket", "exit of many"}])
def test_while_the_first_press_is_on_its_way_in_another_process_a_second_one_is_refused(
    bench: Bench, name: str
) -> None:
    operation, arrange, write = WRITES[name]
    about = arrange(bench)
    bench.clock.move(seconds=2)
    bench.broker.fail(operation, no_answer)
    write(bench, "known", about)
    like = bench.intent("known")
    bench.desk.resolve("known", None, actor=ASHA)
    theirs = NewIntent("theirs", like.kind, like.target, like.body, ASHA, before=like.before)
    bench.intents.prepare(theirs, allow=lambda standing: None)
    sent = bench.broker.sent(operation)

    with pytest.raises(InvalidRequest, match=r"no answer has come yet|not known yet"):
        write(bench, "two", about)

    assert bench.broker.sent(operation) == sent


def test_orders_may_leave_one_after_the_other_but_one_that_hangs_holds_back_the_next(bench: Bench) -> None:
    theirs = NewIntent("theirs", IntentKind.PLACE, RELIANCE, body_of(a_request()), ASHA, "their-tag")
    bench.intents.prepare(theirs, allow=lambda standing: None)

    at_once = bench.desk.place(a_request(), intent_id="one", actor=ASHA)
    bench.clock.move(seconds=4)
    with pytest.raises(InvalidRequest, match="no answer has come yet"):
        bench.desk.place(a_request(), intent_id="two", actor=ASHA)
    other_side = bench.desk.place(a_request(side=Side.SELL), intent_id="three", actor=ASHA)

    assert at_once.accepted
    assert other_side.accepted


@pytest.mark.parametrize(
    ("first", "second", "blocked"),
    [(None, "NSE_EQ", True), ("NSE_EQ", None, True), ("NSE_EQ", "NSE_EQ", True), ("NSE_EQ", "NSE_FO", False)],
)
def test_an_exit_of_all_and_one_of_a_segment_are_about_the_same_positions(
    bench: Bench, first: str | None, second: str | None, blocked: bool
) -> None:
    bench.broker.held = [Position(RELIANCE, "I", 10), Position(OPTION, "D", 75)]
    bench.broker.fail("exit_positions", no_answer)
    bench.desk.exit_all(first, intent_id="one", actor=ASHA)

    if blocked:
        with pytest.raises(InvalidRequest, match=r"not known yet what became of the (same action|exit)"):
            bench.desk.exit_all(second, intent_id="two", actor=ASHA)
        assert bench.broker.sent("exit_positions") == 1
    else:
        assert bench.desk.exit_all(second, intent_id="two", actor=ASHA).accepted == 1


def test_the_exit_of_many_positions_waits_for_an_exit_whose_fate_is_not_known(bench: Bench) -> None:
    bench.broker.held = [Position(RELIANCE, "I", 10)]
    bench.broker.fail("exit_positions", no_answer)
    bench.desk.exit_all(intent_id="one", actor=ASHA)
    _many(bench)

    with pytest.raises(InvalidRequest, match="the exit before this one"):
        bench.desk.exit_all(intent_id="two", actor=ASHA)

    assert bench.broker.sent("place_many") == 0


@pytest.mark.parametrize("counts", [(11, 10), (10, 11), (11, 12)])
@pytest.mark.parametrize("apart", [False, True])
def test_an_exit_that_is_pressed_twice_at_once_goes_one_way_whatever_is_held_by_then(
    bench: Bench, tmp_path: Path, counts: tuple[int, int], apart: bool
) -> None:
    other = Bench(tmp_path, ledger=new_ledger(tmp_path), beside=bench, first_tag=500) if apart else bench
    first: list[BulkOutcome] = []

    def in_between(operation: str) -> None:
        if operation == "positions":
            bench.broker.meanwhile = lambda operation: None
            _many(bench, counts[0])
            first.append(other.desk.exit_all(**_by("one")))
            _many(bench, counts[1])

    bench.broker.meanwhile = in_between
    try:
        again = bench.desk.exit_all(**_by("one"))
    finally:
        if apart:
            other.close()

    assert again.repeated
    assert (again.state, again.lines) == (first[0].state, first[0].lines)
    assert (bench.broker.sent("exit_positions"), len(bench.broker.orders)) == ((1, 0) if counts[0] == 10 else (0, 11))
    assert not bench.intents.open()


def test_an_id_belongs_to_the_decision_that_was_made_under_it(bench: Bench) -> None:
    order_id = _order(bench)
    bench.broker.held = [Position(RELIANCE, "I", 10)]
    bench.desk.cancel_all(intent_id="all", actor=ASHA)
    bench.desk.place_basket([a_request()], intent_id="basket", actor=ASHA)
    sent = list(bench.broker.calls)

    for other in (
        lambda: bench.desk.exit_all(intent_id="all", actor=ASHA),
        lambda: bench.desk.cancel_all("NSE_EQ", intent_id="all", actor=ASHA),
        lambda: bench.desk.cancel(order_id, intent_id="all", actor=ASHA),
        lambda: bench.desk.place_basket([a_request(quantity=11)], intent_id="basket", actor=ASHA),
        lambda: bench.desk.place_basket([a_request(), a_request()], intent_id="basket", actor=ASHA),
        lambda: bench.desk.cancel_all(intent_id="basket", actor=ASHA),
    ):
        with pytest.raises(InvalidRequest, match="other particulars"):
            other()

    assert bench.broker.calls == sent


def test_a_cancel_all_into_the_dark_with_a_lost_answer_is_not_taken_for_done(bench: Bench) -> None:
    """Nobody here knew what was open: there is nothing of before to compare with, and the book of after must tell."""
    order_id = bench.broker._new(a_request(), "unseen")
    bench.broker.fail("book", lambda: BrokerFault("trouble", status=500))
    bench.broker.fail("cancel_many", no_answer)

    bench.desk.cancel_all(intent_id="all", actor=ASHA)
    bench.pass_time(60)

    assert not bench.broker.orders[order_id].terminal
    assert bench.intent("all").state is IntentState.ABSENT


def test_a_cancel_all_into_the_dark_that_arrived_names_what_it_cancelled(bench: Bench) -> None:
    order_id = bench.broker._new(a_request(), "unseen")
    bench.broker.fail("book", lambda: BrokerFault("trouble", status=500))
    bench.broker.fail("cancel_many", no_answer, acts=True)

    bench.desk.cancel_all(intent_id="all", actor=ASHA)
    bench.pass_time(60)

    found = bench.intent("all")
    assert (found.state, found.order_ids) == (IntentState.ACCEPTED, (order_id,))


def test_a_waiting_order_can_be_cancelled_while_the_list_cannot_be_read(bench: Bench) -> None:
    gtt_id = _waiting(bench)
    bench.broker.fail("gtts", no_answer, times=100)

    assert bench.desk.gtt_cancel(gtt_id, intent_id="one", actor=ASHA).accepted
    with pytest.raises(type(no_answer())):
        bench.desk.gtt_place(WAITING, intent_id="two", actor=ASHA)

    assert bench.broker.waiting == []
    assert bench.broker.sent("gtt_place") == 1


def test_who_waits_for_a_turn_at_the_ledger_sends_no_order_on_an_old_price(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare = bench.intents.prepare

    def late(new: Any, *, allow: Any) -> Any:
        bench.clock.move(seconds=20)
        return prepare(new, allow=allow)

    monkeypatch.setattr(bench.intents, "prepare", late)

    with pytest.raises(InvalidRequest, match="20 s old"):
        bench.desk.place(a_request(), intent_id="one", actor=ASHA)

    assert bench.broker.sent("place") == 0


def test_the_margin_of_a_basket_counts_where_it_is_known(bench: Bench) -> None:
    legs = [a_request(quantity=700), a_request(quantity=701)]
    bench.broker.margin = lambda lines: Margin(Decimal(0), 600_000 * Decimal(len(lines)))  # type: ignore[method-assign]
    bench.desk.preview_basket(legs, wait=True)

    with pytest.raises(InvalidRequest, match="is available"):
        bench.desk.place_basket(legs, intent_id="b", actor=ASHA)

    assert bench.broker.sent("place_many") == 0


def test_a_disk_that_fails_behind_a_lost_answer_does_not_hide_that_the_order_may_have_left(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*given: object) -> None:
        raise StorageError("the disk is full")

    bench.broker.fail("place", no_answer, acts=True)
    with monkeypatch.context() as patch:
        patch.setattr(bench.desk._cases, "lost", full)
        told = bench.desk.place(a_request(), intent_id="one", actor=ASHA)
    bench.pass_time(5)

    assert told.state is IntentState.UNKNOWN
    assert bench.intent("one").state is IntentState.ACCEPTED
    assert bench.broker.sent("place") == 1
