"""What came of a confirmation, in words: never better, and never worse, than what is known."""

from __future__ import annotations

import pytest

from dashboard.order_told import Mood, failed, told
from services.domain.errors import InvalidRequest, LoginRequired, NoAnswer
from services.domain.intents import IntentKind, IntentState
from services.domain.orders import OrderRequest, OrderType, Side
from services.orders.views import BasketLeg, BasketOutcome, BulkLine, BulkOutcome, Outcome

REQUEST = OrderRequest("NSE_EQ|INE002A01018", Side.BUY, 1, OrderType.MARKET)


def outcome(state, kind=IntentKind.PLACE, **more) -> Outcome:
    return Outcome(state, "id", kind, **more)


def words(result):
    return told(result, lambda request: "Buy 1 RELIANCE")


def test_an_accepted_order_is_followed_by_its_number():
    end = words(outcome(IntentState.ACCEPTED, order_ids=("261120",)))

    assert (end.mood, end.title, end.order_ids) == (Mood.GOOD, "The broker has the order", ("261120",))
    assert "261120" in end.text


def test_slices_are_told_as_several_orders():
    assert words(outcome(IntentState.ACCEPTED, order_ids=("1", "2", "3"))).text == "It became 3 orders."


def test_a_second_press_says_that_nothing_was_sent_again():
    end = words(outcome(IntentState.ACCEPTED, order_ids=("1",), repeated=True))

    assert "nothing was sent a second time" in end.text


@pytest.mark.parametrize("state", [IntentState.UNKNOWN, IntentState.PREPARED])
def test_what_is_not_known_is_neither_good_nor_bad(state):
    end = words(outcome(state))

    assert end.mood is Mood.OPEN
    assert "Do not place it again" in end.text


@pytest.mark.parametrize(
    ("state", "title"),
    [
        (IntentState.REFUSED, "The broker refused it"),
        (IntentState.NOT_SENT, "Not sent"),
        (IntentState.ABSENT, "It never arrived"),
        (IntentState.ABANDONED, "Given up"),
    ],
)
def test_what_failed_says_how(state, title):
    end = words(outcome(state, code="UDAPI1054", reason="the product is not valid here"))

    assert (end.mood, end.title) == (Mood.BAD, title)
    assert end.text == "The product is not valid here (UDAPI1054)."


def test_a_code_that_is_in_the_reason_is_not_told_twice():
    end = words(outcome(IntentState.REFUSED, code="UDAPI1", reason="no (UDAPI1)"))

    assert end.text.count("UDAPI1") == 1


@pytest.mark.parametrize(
    ("states", "mood"),
    [
        ([IntentState.ACCEPTED, IntentState.ACCEPTED], Mood.GOOD),
        ([IntentState.ACCEPTED, IntentState.REFUSED], Mood.PARTLY),
        ([IntentState.REFUSED, IntentState.NOT_SENT], Mood.BAD),
        ([IntentState.ACCEPTED, IntentState.UNKNOWN], Mood.OPEN),
    ],
)
def test_a_basket_is_as_good_as_its_legs(states, mood):
    legs = tuple(BasketLeg(REQUEST, outcome(state, reason="why")) for state in states)

    end = words(BasketOutcome("id", legs))

    assert end.mood is mood
    assert len(end.lines) == len(states)
    assert end.lines[0][0] == "Buy 1 RELIANCE"


def test_a_bulk_call_tells_each_line_and_says_all_only_where_it_is_all():
    lines = (BulkLine("1", IntentState.ACCEPTED), BulkLine("2", IntentState.REFUSED, "UDAPI100040", "too late"))

    end = words(BulkOutcome(IntentState.REFUSED, "id", IntentKind.CANCEL_ALL, lines))
    whole = words(BulkOutcome(IntentState.ACCEPTED, "id", IntentKind.CANCEL_ALL, (lines[0], lines[0])))

    assert end.mood is Mood.PARTLY
    assert end.title == "1 of 2 orders cancelled"
    assert end.lines == (("1", "accepted"), ("2", "refused: Too late (UDAPI100040)."))
    assert (whole.mood, whole.title) == (Mood.GOOD, "All 2 orders cancelled")


def test_a_bulk_call_without_an_answer_is_open():
    end = words(BulkOutcome(IntentState.UNKNOWN, "id", IntentKind.EXIT_ALL))

    assert end.mood is Mood.OPEN


def test_what_the_desk_refused_itself_says_that_nothing_left():
    end = failed(InvalidRequest("the price is between two ticks"))

    assert (end.mood, end.title) == (Mood.BAD, "Not sent")
    assert end.text == "The price is between two ticks. Nothing went to the broker."
    assert "Log in" in failed(LoginRequired("no token")).text


def test_an_error_that_may_have_been_acted_on_is_not_called_not_sent():
    assert failed(NoAnswer("timeout")).mood is Mood.OPEN
