"""What a desk does before it lets anything be sent, and how it follows the broker after that."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from services.domain.clock import IST
from services.domain.errors import BrokerFault, LoginRequired, NoAnswer, NotSent
from services.domain.intents import IntentState
from services.domain.orders import Status
from services.orders.bodies import body_of
from services.orders.views import News
from tests.support.ledger import TRADER, new_intent
from tests.support.order_desk import ASHA, Bench, no_answer
from tests.support.orders import a_request, told


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.close()


def left_behind(bench: Bench, *, arrived: bool) -> None:
    """A desk ended between its intent and the answer."""
    bench.open()
    bench.broker.fail("place", KeyboardInterrupt, acts=arrived)
    with pytest.raises(KeyboardInterrupt):
        bench.desk.place(a_request(), intent_id="one", actor=ASHA)
    bench.restart()


def test_nothing_is_sent_before_the_first_reconciliation(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.orders.kit.FIRST_PASS_SECONDS", 0.1)
    bench.broker.fail("book", no_answer, times=1000)
    bench.broker.fail("details", no_answer, times=1000)
    bench.orders.apply(told(), source="book")  # an order that may still be open, and whose page does not tell either

    with pytest.raises(NotSent, match="looked up first"):
        bench.desk.place(a_request(), intent_id="one", actor=ASHA)

    assert bench.desk.ready() != ""
    assert bench.broker.sent("place") == 0
    assert bench.intents.get("one") is None


def test_whoever_has_to_log_in_is_told_that(bench: Bench) -> None:
    bench.broker.fail("book", lambda: LoginRequired("log in", login_url="https://x"), times=1000)

    with pytest.raises(LoginRequired):
        bench.desk.place(a_request(), intent_id="one", actor=ASHA)


def test_the_first_write_waits_for_the_first_reconciliation(bench: Bench) -> None:
    assert bench.desk.place(a_request(), intent_id="one", actor=ASHA).accepted


def test_what_was_open_is_found_before_anything_else_is_sent(bench: Bench) -> None:
    left_behind(bench, arrived=True)

    bench.open()

    assert bench.intent("one").state is IntentState.ACCEPTED
    assert bench.broker.calls[-1] != "place"


def test_what_never_arrived_is_unknown_at_first_and_its_button_blocked(bench: Bench) -> None:
    left_behind(bench, arrived=False)

    bench.open()
    [unknown] = bench.desk.open_intents()
    bench.pass_time(60)

    assert unknown.state is IntentState.UNKNOWN
    assert unknown.request == a_request()
    assert bench.intent("one").state is IntentState.ABSENT


def test_without_the_book_the_desk_opens_where_nothing_was_open(bench: Bench) -> None:
    bench.broker.fail("book", lambda: BrokerFault("trouble", status=500), times=1000)

    bench.step()

    assert bench.desk.ready() == ""
    assert bench.desk.book().error is not None


def test_without_the_book_open_orders_are_asked_one_by_one(bench: Bench) -> None:
    bench.open()
    order_id = bench.desk.place(a_request(), intent_id="one", actor=ASHA).order_ids[0]
    bench.pass_time(5)
    bench.broker.move(order_id, Status.CANCELLED)
    bench.broker.fail("book", lambda: BrokerFault("trouble", status=500), times=1000)
    bench.restart()

    bench.step()

    assert bench.desk.ready() == ""
    order = bench.desk.order(order_id)
    assert order is not None
    assert order.status == Status.CANCELLED


def test_an_intent_of_another_process_is_left_to_it_while_it_may_be_on_its_way(bench: Bench) -> None:
    bench.open()
    bench.intents.prepare(new_intent("theirs", actor=TRADER, tag="theirs"), allow=lambda standing: None)

    bench.pass_time(30)
    early = bench.intent("theirs").state
    bench.pass_time(90)

    assert early is IntentState.PREPARED
    assert bench.intent("theirs").state in {IntentState.UNKNOWN, IntentState.PREPARED}


def test_an_intent_that_cannot_be_read_does_not_stop_the_others(bench: Bench) -> None:
    left_behind(bench, arrived=True)
    bench.intents.prepare(new_intent("odd", body={"a": 1}, tag="odd"), allow=lambda standing: None)

    bench.step()

    assert bench.intent("one").state is IntentState.ACCEPTED


def test_fills_and_ends_are_announced_and_what_was_before_is_not(bench: Bench) -> None:
    bench.broker._new(a_request(), "elsewhere")
    old = next(iter(bench.broker.orders))
    bench.broker.fill(old)
    bench.open()
    first = bench.desk.place(a_request(), intent_id="one", actor=ASHA).order_ids[0]
    second = bench.desk.place(a_request(quantity=11), intent_id="two", actor=ASHA).order_ids[0]
    third = bench.desk.place(a_request(quantity=12), intent_id="three", actor=ASHA).order_ids[0]

    bench.broker.fill(first, 4)
    bench.pass_time(5)
    bench.broker.fill(first)
    bench.broker.move(second, Status.REJECTED, message="no funds")
    bench.broker.move(third, Status.CANCELLED)
    bench.pass_time(5)

    told_of = [(one.kind, one.order_id) for one in bench.desk.announcements(0)]
    assert told_of[0] == (News.FILL, first)
    assert sorted(told_of[1:]) == sorted([(News.FILL, first), (News.REJECT, second), (News.CANCEL, third)])
    assert "4 of 10" in bench.desk.announcements(0)[0].text
    assert bench.desk.announcements(bench.desk.announcements(0)[-1].number) == ()
    assert len(bench.desk.trades().trades) == 3
    assert bench.filled > 0


def test_what_happened_while_the_desk_was_down_is_announced(bench: Bench) -> None:
    bench.open()
    order_id = bench.desk.place(a_request(), intent_id="one", actor=ASHA).order_ids[0]
    bench.pass_time(5)
    bench.broker.fill(order_id)
    bench.restart()

    bench.open()

    assert [one.kind for one in bench.desk.announcements(0)] == [News.FILL]


def test_a_book_that_fails_keeps_its_age_and_is_asked_ever_more_rarely(bench: Bench) -> None:
    bench.open()
    bench.desk.place(a_request(), intent_id="one", actor=ASHA)
    bench.pass_time(5)
    before = bench.desk.book()
    bench.broker.fail("book", lambda: BrokerFault("trouble", status=500), times=1000)
    asked = bench.broker.sent("book")

    bench.pass_time(300)
    view = bench.desk.book()

    assert (view.orders, view.as_of) == (before.orders, before.as_of)
    assert view.error is not None
    assert bench.broker.sent("book") - asked < 15


def test_with_the_stream_up_the_book_is_asked_rarely(bench: Bench) -> None:
    bench.open()
    bench.desk.place(a_request(), intent_id="one", actor=ASHA)
    bench.stream_up = True
    bench.desk.stream_opened()
    bench.pass_time(5)
    asked = bench.broker.sent("book")

    bench.pass_time(120)

    assert bench.broker.sent("book") - asked <= 5


def test_each_opening_of_the_stream_has_the_book_read(bench: Bench) -> None:
    bench.open()
    bench.stream_up = True
    bench.desk.refresh()
    asked = bench.broker.sent("book")

    bench.desk.stream_opened()
    bench.step()

    assert bench.broker.sent("book") == asked + 1


def test_an_update_of_the_stream_is_known_at_once(bench: Bench) -> None:
    bench.open()
    order_id = bench.desk.place(a_request(), intent_id="one", actor=ASHA).order_ids[0]
    bench.pass_time(1)
    version = bench.desk.book().version

    bench.desk.heard(_update(order_id, "complete"))
    again = bench.desk.book().version
    bench.desk.heard(_update(order_id, "complete"))
    bench.desk.heard(_update(order_id, "open"))

    order = bench.desk.order(order_id)
    assert order is not None
    assert order.status == "complete"
    assert again > version
    assert bench.desk.book().version == again, "repeats and what is older change nothing"


def test_an_update_that_is_not_understood_has_the_book_asked(bench: Bench) -> None:
    bench.open()
    bench.pass_time(1)
    asked = bench.broker.sent("book")

    bench.desk.heard({"update_type": "order", "order_id": 7})
    bench.step()

    assert bench.broker.sent("book") == asked + 1


def test_another_day_begins_with_its_own_orders(bench: Bench) -> None:
    bench.open()
    order_id = bench.desk.place(a_request(), intent_id="one", actor=ASHA).order_ids[0]
    bench.pass_time(1)
    bench.broker.move(order_id, Status.CANCELLED)
    bench.pass_time(5)

    bench.broker.orders.clear()
    bench.clock.move(days=1)
    bench.pass_time(30)

    assert bench.desk.book().orders == ()
    assert bench.desk.order(order_id) is not None


def test_what_was_lost_on_another_day_is_left_to_a_person(bench: Bench) -> None:
    left_behind(bench, arrived=False)
    bench.clock.move(days=1)

    bench.open()
    bench.pass_time(120)

    [unknown] = bench.desk.open_intents()
    assert "another day" in unknown.evidence
    assert unknown.may_send_anew
    assert bench.intent("one").state is IntentState.UNKNOWN


def test_an_order_of_another_day_that_the_broker_knows_no_more_is_not_shown_as_open(bench: Bench) -> None:
    bench.open()
    order_id = bench.desk.place(a_request(), intent_id="one", actor=ASHA).order_ids[0]
    bench.pass_time(5)
    bench.broker.orders.clear()
    bench.clock.move(days=1)
    bench.restart()

    bench.open()

    assert bench.desk.book().orders == ()
    order = bench.desk.order(order_id)
    assert order is not None
    assert (order.status, order.pending_quantity) == (Status.UNTOLD, 0), "nothing of it waits any more"
    assert bench.orders.alive() == []


def test_an_order_of_another_day_is_asked_for_again_when_the_broker_gave_no_answer(bench: Bench) -> None:
    bench.open()
    order_id = bench.desk.place(a_request(), intent_id="one", actor=ASHA).order_ids[0]
    bench.pass_time(5)
    bench.clock.move(days=1)
    bench.broker.move(order_id, Status.CANCELLED)
    bench.broker.book = list  # type: ignore[method-assign,assignment]  # a new day's book
    bench.broker.fail("details", lambda: NoAnswer("nobody answers"))
    bench.pass_time(5)
    assert bench.desk.ready() == ""

    bench.pass_time(40)

    order = bench.desk.order(order_id)
    assert order is not None
    assert order.status == Status.CANCELLED


def test_an_order_of_another_day_that_the_broker_still_knows_is_followed(bench: Bench) -> None:
    bench.open()
    order_id = bench.desk.place(a_request(), intent_id="one", actor=ASHA).order_ids[0]
    bench.pass_time(5)
    bench.clock.move(days=1)
    bench.broker.move(order_id, Status.CANCELLED)
    bench.broker.book = list  # type: ignore[method-assign,assignment]  # a new day's book

    bench.pass_time(5)

    order = bench.desk.order(order_id)
    assert order is not None
    assert order.status == Status.CANCELLED


def test_an_order_that_was_filled_on_a_day_before_is_told_with_its_day_and_is_none_of_todays(bench: Bench) -> None:
    bench.open()
    order_id = bench.desk.place(a_request(), intent_id="one", actor=ASHA).order_ids[0]
    bench.pass_time(5)
    filled_at = bench.clock.now()
    filled = replace(bench.broker.details(order_id), status=Status.COMPLETE, filled_quantity=10, pending_quantity=0)
    bench.clock.move(days=1)
    bench.broker.orders[order_id] = replace(filled, average_price=Decimal(1470), exchange_at=filled_at)
    bench.broker.book = list  # type: ignore[method-assign,assignment]  # a new day's book
    bench.pass_time(5)

    [told] = [one for one in bench.desk.announcements(0) if one.kind is News.FILL]
    assert told.text.endswith(f", on {filled_at.astimezone(IST):%a %d %b, %H:%M} IST")
    order = bench.desk.order(order_id)
    assert order is not None
    assert order.status == Status.COMPLETE
    assert bench.desk.book().orders == ()
    bench.restart()
    bench.open()
    assert bench.desk.book().orders == (), "nor after a restart"
    bench.broker.book = lambda: [order]  # type: ignore[method-assign]  # the broker tells of it again
    bench.pass_time(60)
    assert bench.desk.announcements(0) == (), "what was said before the restart is no news after it"


def test_an_after_market_order_that_ends_today_is_one_of_todays(bench: Bench) -> None:
    bench.open()
    order_id = bench.desk.place(a_request(), intent_id="one", actor=ASHA).order_ids[0]
    bench.pass_time(5)
    bench.clock.move(days=1)
    bench.broker.orders[order_id] = replace(
        bench.broker.details(order_id), status=Status.COMPLETE, filled_quantity=10, pending_quantity=0,
        exchange_at=bench.clock.now(),
    )  # fmt: skip
    bench.pass_time(5)

    assert [one.order_id for one in bench.desk.book().orders] == [order_id]
    [told] = [one for one in bench.desk.announcements(0) if one.kind is News.FILL]
    assert "IST" not in told.text


def test_a_login_is_noticed_within_a_moment(bench: Bench) -> None:
    bench.broker.fail("book", lambda: LoginRequired("log in"), times=50)
    pauses = [bench.step() for _ in range(50)]

    bench.step()

    assert max(pauses) <= 1.0
    assert bench.desk.ready() == ""


def test_a_burst_of_fills_asks_for_trades_once_in_a_while(bench: Bench) -> None:
    bench.open()
    order_id = bench.desk.place(a_request(quantity=100), intent_id="one", actor=ASHA).order_ids[0]
    bench.pass_time(3)
    asked = bench.broker.sent("trades")

    for _ in range(50):
        bench.desk._keeper.hear(bench.broker.fill(order_id, 1), "stream")
        bench.pass_time(0.1)
    bench.pass_time(5)

    assert bench.broker.sent("trades") - asked <= 5
    assert len(bench.desk.trades().trades) == 50


def _update(order_id: str, status: str) -> dict[str, object]:
    order = replace(told(status), order_id=order_id)
    done = order.quantity if status == "complete" else 0
    return {
        "update_type": "order", "order_id": order_id, "instrument_token": order.key, "instrument_key": order.key,
        "transaction_type": "BUY", "quantity": 10, "order_type": "LIMIT", "product": "D", "validity": "DAY",
        "price": 1470.0, "trigger_price": 0.0, "status": status, "filled_quantity": done, "pending_quantity": 10 - done,
        "average_price": 1470.0 if done else 0.0, "disclosed_quantity": 0, "trading_symbol": "RELIANCE",
        "exchange": "NSE", "tag": None, "status_message": "", "status_message_raw": None, "exchange_order_id": "",
        "parent_order_id": None, "order_request_id": "1", "order_ref_id": "", "variety": "SIMPLE", "is_amo": False,
        "order_timestamp": "2026-11-20 09:45:00", "exchange_timestamp": "2026-11-20 09:45:00",
    }  # fmt: skip


def test_an_order_that_another_process_has_just_sent_is_not_announced_as_found(bench: Bench) -> None:
    bench.open()
    sent = new_intent("theirs", body=body_of(a_request()))
    bench.intents.prepare(sent, allow=lambda _: None)
    bench.broker.place(a_request(), tag=sent.tag)

    bench.desk.refresh()

    assert bench.intent("theirs").state is IntentState.ACCEPTED
    assert not [one for one in bench.desk.announcements() if one.kind is News.FOUND]


def test_fills_are_not_current_while_the_book_that_tells_of_them_cannot_be_read(bench: Bench) -> None:
    bench.open()
    order_id = bench.desk.place(a_request(), intent_id="one", actor=ASHA).order_ids[0]
    bench.broker.fill(order_id)
    bench.pass_time(5)
    before = bench.desk.trades()
    bench.broker.fail("book", no_answer, times=1000)
    bench.pass_time(60)

    assert before.error is None
    assert bench.desk.trades().trades == before.trades
    assert bench.desk.trades().as_of == before.as_of
    assert bench.desk.trades().error == bench.desk.book().error is not None
