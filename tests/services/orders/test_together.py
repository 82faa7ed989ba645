"""Several processes on one ledger, at one broker: one asks for all, and what another one sends is left to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from services.domain.errors import InvalidRequest, StorageError
from services.domain.intents import IntentState, NewIntent, Prepared, Witness
from services.domain.orders import OrderChange, Status
from services.ledger.intents import Allow
from services.orders.bodies import body_of
from services.orders.sending import HELD_UP
from services.orders.together import BookNote, OverRedis
from services.orders.views import News
from services.shared.lease import Lease
from services.shared.link import RedisLink
from tests.services.orders.test_start import _update
from tests.support.clocks import FakeMonotonic
from tests.support.ledger import NOW, new_intent, new_ledger
from tests.support.order_desk import ASHA, Bench, One, Seat, no_answer
from tests.support.orders import a_request


class Two:
    """Two processes; `one` asks the broker."""

    def __init__(self, folder: Path) -> None:
        among = One()
        self.seats = Seat(among), Seat(among)
        self.seats[0].take()
        self.one = Bench(folder, together=self.seats[0])
        self.two = Bench(folder, ledger=new_ledger(folder), beside=self.one, together=self.seats[1], first_tag=500)
        self.one.open()
        self.one.step()
        self.two.open()

    def close(self) -> None:
        self.one.close()
        self.two.close()


@pytest.fixture
def both(tmp_path: Path) -> Iterator[Two]:
    made = Two(tmp_path)
    yield made
    made.close()


# -- who asks ------------------------------------------------------------------------------------------------------


def test_one_process_asks_for_the_book_and_the_others_know_what_it_was_told(both: Two) -> None:
    order_id = both.one.desk.place(a_request(), intent_id="one", actor=ASHA).order_ids[0]
    both.one.pass_time(5)
    both.two.pass_time(5)
    both.one.broker.fill(order_id)
    both.one.clock.move(seconds=5)
    asked = both.one.broker.sent("book"), both.one.broker.sent("trades")
    both.two.pass_time(30)
    unasked = both.one.broker.sent("book"), both.one.broker.sent("trades")
    both.one.pass_time(30)
    both.two.pass_time(2)

    here, there = both.one.desk, both.two.desk
    assert unasked == asked
    assert there.book().orders == here.book().orders
    assert there.book().as_of == here.book().as_of
    assert there.trades() == here.trades()
    assert [one.kind for one in there.announcements()] == [News.FILL]
    assert both.two.filled > 0


def test_an_order_of_another_day_whose_end_nobody_told_is_in_no_book_of_today(both: Two) -> None:
    order_id = both.one.desk.place(a_request(), intent_id="one", actor=ASHA).order_ids[0]
    both.one.pass_time(5)
    both.two.pass_time(5)
    both.one.broker.orders.clear()
    both.one.clock.move(days=1)
    both.one.pass_time(5)
    both.two.pass_time(5)
    today = both.one.desk.place(a_request(), intent_id="two", actor=ASHA).order_ids
    both.one.pass_time(5)
    both.two.pass_time(5)

    for desk in (both.one.desk, both.two.desk):
        assert tuple(order.order_id for order in desk.book().orders) == today
        order = desk.order(order_id)
        assert order is not None
        assert order.status == Status.UNTOLD


def test_whoever_follows_asks_by_itself_when_nothing_is_heard_of_the_one_that_asks(both: Two) -> None:
    order_id = both.one.desk.place(a_request(), intent_id="one", actor=ASHA).order_ids[0]
    both.one.pass_time(5)
    both.two.pass_time(2)
    asked = both.two.broker.sent("book")
    both.seats[1].among.silent = True

    both.two.pass_time(10)
    both.two.desk.heard(_update(order_id, "complete"))

    assert both.two.broker.sent("book") - asked >= 2
    assert both.two.desk.book().orders[0].status == "complete"


def test_who_takes_over_asks_at_once_for_book_and_fills(both: Two) -> None:
    order_id = both.one.desk.place(a_request(), intent_id="one", actor=ASHA).order_ids[0]
    both.one.pass_time(5)
    both.two.pass_time(5)
    both.one.broker.fill(order_id)
    asked = both.two.broker.sent("book"), both.two.broker.sent("trades")

    both.seats[1].take()
    both.two.step()

    assert (both.two.broker.sent("book"), both.two.broker.sent("trades")) == (asked[0] + 1, asked[1] + 1)
    assert both.two.desk.book().orders[0].status == Status.COMPLETE


def test_an_error_of_the_one_that_asks_is_told_by_all(both: Two) -> None:
    both.one.broker.fail("book", no_answer, times=1000)
    both.one.pass_time(40)
    both.two.pass_time(2)

    assert both.two.desk.book().error == both.one.desk.book().error != None  # noqa: E711  # two comparisons in one


def test_an_update_of_the_stream_is_written_once_and_known_to_all(both: Two) -> None:
    order_id = both.one.desk.place(a_request(), intent_id="one", actor=ASHA).order_ids[0]
    both.one.pass_time(5)
    both.two.pass_time(5)
    writes = both.two.ledger.stats().writes

    both.two.desk.heard(_update(order_id, "complete"))
    both.one.desk.heard(_update(order_id, "complete"))
    pause = both.two.step()

    assert both.two.ledger.stats().writes == writes
    assert both.two.desk.book().orders[0].status == "complete"
    assert [event.status for event in both.two.desk.timeline(order_id)].count("complete") == 1
    assert pause < 0.2, "until it stands in the ledger, it is looked for"


def test_what_a_stale_holder_was_told_changes_nothing(both: Two) -> None:
    """It was stopped in the middle, another one took over, and it wakes with what it had received."""
    order_id = both.one.desk.place(a_request(), intent_id="one", actor=ASHA).order_ids[0]
    both.one.pass_time(5)
    stale = both.one.broker.book()
    both.seats[1].take()
    both.two.broker.fill(order_id)
    both.two.pass_time(5)
    before = both.two.desk.timeline(order_id), both.two.intent("one")

    both.one.desk.heard(_update(order_id, "open"))  # as one that follows
    both.one.desk._keeper.hear(stale[0], "stream")  # even if it believed itself the holder
    both.one.desk._keeper._take(stale, "book")
    both.one.step()
    both.two.step()

    assert (both.two.desk.timeline(order_id), both.two.intent("one")) == before
    assert both.one.desk.book().orders[0].status == both.two.desk.book().orders[0].status == Status.COMPLETE


def test_a_change_is_decided_by_what_the_ledger_holds_now(both: Two) -> None:
    order_id = both.one.desk.place(a_request(), intent_id="one", actor=ASHA).order_ids[0]
    both.two.pass_time(5)
    both.one.stream_up = both.two.stream_up = True
    both.one.desk.modify(order_id, OrderChange(quantity=20), intent_id="two", actor=ASHA)
    both.one.desk.refresh()

    both.two.desk.modify(order_id, OrderChange(quantity=30), intent_id="three", actor=ASHA)

    before = both.two.intent("three").before
    assert before is not None
    assert before["quantity"] == 20


def test_another_account_is_gone_over_to_by_all(tmp_path: Path) -> None:
    among = One()
    seats = Seat(among), Seat(among)
    seats[0].take()
    one = Bench(tmp_path, together=seats[0])
    two = Bench(tmp_path, ledger=new_ledger(tmp_path), beside=one, together=seats[1])
    one.open()
    one.desk.place(a_request(), intent_id="one", actor=ASHA)
    one.pass_time(5)
    two.open()

    one.broker.reset()
    one.desk.follow_account()
    two.step()

    assert two.desk.book().orders == ()
    one.close()
    two.close()


# -- whose intent it is --------------------------------------------------------------------------------------------


def test_a_process_that_starts_leaves_what_another_one_is_sending_to_it(both: Two) -> None:
    both.one.intents.prepare(new_intent("theirs", body=body_of(a_request())), allow=lambda _: None)

    both.two.restart()
    both.two.open()
    both.two.pass_time(30)

    assert both.two.intent("theirs").state is IntentState.PREPARED
    assert both.two.desk.ready() == ""


@pytest.mark.parametrize("arrived", [True, False])
def test_what_an_ended_process_left_is_found_out_by_those_that_live(both: Two, arrived: bool) -> None:
    left = new_intent("theirs", body=body_of(a_request()))
    both.one.intents.prepare(left, allow=lambda _: None)
    both.two.pass_time(3)
    if arrived:
        both.one.broker.place(a_request(), tag=left.tag)
    both.two.ended.add(both.one.life.name)
    both.two.pass_time(2)
    early = both.two.intent("theirs").state
    both.two.pass_time(20)

    assert early is (IntentState.ACCEPTED if arrived else IntentState.UNKNOWN)
    assert both.two.intent("theirs").state is (IntentState.ACCEPTED if arrived else IntentState.ABSENT)


def test_where_nobody_can_tell_whether_a_process_has_ended_time_does(both: Two) -> None:
    both.one.intents.prepare(new_intent("theirs", body=body_of(a_request())), allow=lambda _: None)
    both.two.pass_time(39)
    sending = both.two.intent("theirs").state
    both.two.pass_time(10)
    lost = both.two.intent("theirs").state
    both.two.pass_time(12)
    still = both.two.intent("theirs").state
    both.two.pass_time(30)

    assert (sending, lost, still) == (IntentState.PREPARED, IntentState.UNKNOWN, IntentState.UNKNOWN)
    assert both.two.intent("theirs").state is IntentState.ABSENT


def test_nobody_decides_about_what_another_process_is_sending(both: Two) -> None:
    both.one.intents.prepare(new_intent("theirs", body=body_of(a_request())), allow=lambda _: None)
    both.two.pass_time(10)

    [shown] = both.two.desk.open_intents()
    with pytest.raises(InvalidRequest, match="on its way"):
        both.two.desk.resolve("theirs", False, actor=ASHA)
    both.two.pass_time(35)

    assert not shown.may_send_anew
    assert both.two.desk.resolve("theirs", False, actor=ASHA).state is IntentState.ABSENT


def test_its_answer_that_comes_late_is_waited_for_from_its_loss_on(both: Two) -> None:
    """Another process loses the answer long after it was seen here: the broker may act on it for a while from then."""
    both.one.intents.prepare(new_intent("theirs", body=body_of(a_request())), allow=lambda _: None)
    both.two.pass_time(30)
    both.one.intents.settle("theirs", IntentState.UNKNOWN, by=Witness.ANSWER)
    both.two.pass_time(12)

    assert both.two.intent("theirs").state is IntentState.UNKNOWN


def test_a_result_that_the_ledger_did_not_take_is_found_out_by_its_own_process(
    both: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*given: object, **told: object) -> None:
        raise StorageError("PostgreSQL does not answer")

    with monkeypatch.context() as patch:
        patch.setattr(both.two.intents, "settle", away)
        told = both.two.desk.place(a_request(), intent_id="one", actor=ASHA)
    before = both.two.intent("one").state
    both.two.pass_time(3)

    assert told.accepted
    assert "could not write this down" in told.reason
    assert before is IntentState.PREPARED
    assert both.two.intent("one").state is IntentState.ACCEPTED
    assert both.two.broker.sent("place") == 1


def test_an_intent_that_was_kept_though_the_ledger_did_not_say_so_is_known_never_to_have_left(
    both: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare = both.two.intents.prepare

    def lost(new: NewIntent, *, allow: Allow) -> Prepared:
        prepare(new, allow=allow)
        raise StorageError("PostgreSQL does not answer. It happened while a transaction was being kept")

    with monkeypatch.context() as patch:
        patch.setattr(both.two.intents, "prepare", lost)
        for name in ("one", "two"):
            with pytest.raises(StorageError):
                both.two.desk.place(a_request(), intent_id=name, actor=ASHA)
    again = both.two.desk.place(a_request(), intent_id="one", actor=ASHA)
    both.two.step()

    assert (again.state, again.repeated) == (IntentState.NOT_SENT, True)
    assert [both.two.intent(name).state for name in ("one", "two")] == [IntentState.NOT_SENT] * 2
    assert both.two.desk.place(a_request(), intent_id="three", actor=ASHA).accepted
    assert both.two.broker.sent("place") == 1
    assert both.two.slept == []


def test_what_another_process_finds_out_is_told_to_those_who_were_shown_that_it_is_unknown(both: Two) -> None:
    both.two.broker.fail("place", no_answer)
    both.two.desk.place(a_request(), intent_id="one", actor=ASHA)
    both.one.pass_time(3)
    both.two.desk.resolve("one", False, actor=ASHA)
    both.one.pass_time(3)

    assert [one.kind for one in both.one.desk.announcements()] == [News.FOUND]
    assert both.one.desk.open_intents() == ()


# -- a process that is held up -------------------------------------------------------------------------------------


def _stopped(bench: Bench, monkeypatch: pytest.MonkeyPatch, seconds: float, meanwhile: object) -> None:
    """The process stands still between the intent and the request."""
    prepare, sender, late = bench.intents.prepare, bench.desk._resolver._sender, [0.0]
    real = sender._awake

    def held_up(new: object, *, allow: object) -> object:
        prepared = prepare(new, allow=allow)  # type: ignore[arg-type]
        late[0] = seconds
        meanwhile()  # type: ignore[operator]
        return prepared

    monkeypatch.setattr(sender, "_awake", lambda: real() + late[0])
    monkeypatch.setattr(bench.intents, "prepare", held_up)


def test_who_wakes_and_finds_its_decision_given_up_sends_nothing(both: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    _stopped(both.one, monkeypatch, 90, lambda: both.two.pass_time(100))

    told = both.one.desk.place(a_request(), intent_id="one", actor=ASHA)

    assert told.state is IntentState.ABSENT
    assert both.one.broker.sent("place") == 0


def test_who_wakes_while_it_is_only_taken_for_lost_sends_nothing_and_says_so(
    both: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    _stopped(both.one, monkeypatch, 45, lambda: both.two.pass_time(45))

    told = both.one.desk.place(a_request(), intent_id="one", actor=ASHA)

    assert (told.state, told.reason) == (IntentState.ABSENT, HELD_UP)
    assert both.one.broker.sent("place") == 0


def test_who_wakes_before_anybody_gave_it_up_sends_it(both: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    _stopped(both.one, monkeypatch, 30, lambda: both.two.pass_time(30))

    assert both.one.desk.place(a_request(), intent_id="one", actor=ASHA).accepted
    assert both.one.broker.sent("place") == 1


def test_the_legs_of_a_basket_that_were_given_up_meanwhile_stay_here(
    both: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    both.one.desk.set_limits(both.one.desk.limits().__class__(max_orders_per_second=1), actor=ASHA)
    sender, real = both.one.desk._resolver._sender, both.one.desk._resolver._sender._awake
    late = [0.0]
    monkeypatch.setattr(sender, "_awake", lambda: real() + late[0])

    def stand_still(seconds: float) -> None:
        late[0] = 100.0
        both.two.pass_time(100)

    both.one.on_sleep = stand_still
    told = both.one.desk.place_basket([a_request(), a_request(quantity=11)], intent_id="b", actor=ASHA)

    assert [leg.outcome.state for leg in told.legs] == [IntentState.ACCEPTED, IntentState.ABSENT]
    assert both.one.broker.sent("place_many") == 1


# -- how the one that asks is heard --------------------------------------------------------------------------------


class Holding:
    """A lease, as its holder sees it."""

    def __init__(self, token: int | None) -> None:
        self.token = token

    def leads(self) -> bool:
        return self.token is not None


def test_only_the_one_that_leads_is_heard_and_only_while_it_tells(redis_link: RedisLink) -> None:
    time = FakeMonotonic()
    holder, former, other = (
        OverRedis(redis_link, cast("Lease", Holding(token)), monotonic=time) for token in (8, 7, None)
    )
    redis_link.client.hset(redis_link.key("lease"), mapping={"token": 8})
    nothing = other.told()
    holder.tell(BookNote(NOW, None, NOW, "no answer"))
    former.tell(BookNote(None, "what a stale holder knows"))
    told = other.told()
    time.now += 50
    holder.tell(BookNote(NOW, None, NOW, "no answer"))  # the same once more: it still says so
    other.told()
    time.now += 50
    still = other.told()
    time.now += 61

    assert nothing is None
    assert told == still == BookNote(NOW, None, NOW, "no answer")
    assert other.told() is None
    assert (other.follows(), holder.follows()) == (True, False)
