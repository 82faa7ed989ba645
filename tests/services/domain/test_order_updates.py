from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.domain.order_updates import apply_update, rank
from services.domain.orders import TERMINAL, BookOrder, Status
from tests.support.orders import MORNING, told


def test_the_first_word_is_believed_whatever_it_is() -> None:
    assert apply_update(None, told("gathering dust")).order.status == "gathering dust"


def test_the_same_told_again_changes_nothing() -> None:
    order = told(Status.OPEN, filled_quantity=3, average_price=Decimal("1469.9"))

    again = apply_update(order, replace(order))

    assert again.order is order
    assert not again.changed


def test_the_steps_before_the_exchange_do_not_come_back() -> None:
    known = told(Status.OPEN)

    for status in (Status.RECEIVED, Status.VALIDATING, Status.OPENING, Status.AMO_RECEIVED):
        applied = apply_update(known, told(status))
        assert (applied.order, applied.changed) == (known, False)
        assert applied.ignored


@pytest.mark.parametrize("end", sorted(TERMINAL - {Status.UNTOLD}))
@pytest.mark.parametrize("status", sorted(Status))
def test_an_order_that_has_ended_does_not_move(end: Status, status: Status) -> None:
    known = told(end, filled_quantity=4)

    applied = apply_update(known, told(status, filled_quantity=9, request_id="7", price=Decimal(1)))

    assert applied.order.status == end
    if status != end:
        assert (applied.order, applied.changed) == (known, False)


def test_only_the_brokers_own_word_for_the_end_stands_for_one_that_was_not_told() -> None:
    known = told(Status.UNTOLD, filled_quantity=1, average_price=Decimal("1469.5"))

    assert not apply_update(known, told(Status.OPEN, filled_quantity=1)).changed
    order = apply_update(known, told(Status.CANCELLED, filled_quantity=3, average_price=Decimal("1469.9"))).order

    assert (order.status, order.filled_quantity, order.average_price) == (Status.CANCELLED, 3, Decimal("1469.9"))


def test_the_end_is_believed_even_with_an_older_fill_beside_it() -> None:
    known = told(Status.OPEN, filled_quantity=4, average_price=Decimal("1469.5"), pending_quantity=6)

    order = apply_update(known, told(Status.CANCELLED, filled_quantity=0, pending_quantity=0)).order

    assert (order.status, order.filled_quantity, order.average_price) == (Status.CANCELLED, 4, Decimal("1469.5"))
    assert order.pending_quantity == 0


def test_a_last_fill_that_was_told_late_still_counts() -> None:
    known = told(Status.CANCELLED, filled_quantity=3, average_price=Decimal("1469.5"))

    applied = apply_update(known, told(Status.CANCELLED, filled_quantity=5, average_price=Decimal("1469.7")))

    assert applied.changed
    assert (applied.order.filled_quantity, applied.order.average_price) == (5, Decimal("1469.7"))


def test_the_reason_of_a_rejection_may_come_later_than_the_rejection() -> None:
    known = told(Status.REJECTED)

    order = apply_update(known, told(Status.REJECTED, message="not enough funds", raw_message="RMS: margin")).order

    assert (order.message, order.raw_message) == ("not enough funds", "RMS: margin")
    assert apply_update(order, known).order == order


def test_what_is_filled_never_falls() -> None:
    known = told(Status.OPEN, filled_quantity=6, average_price=Decimal("1469.9"))

    applied = apply_update(known, told(Status.OPEN, filled_quantity=2, average_price=Decimal("1470")))

    assert (applied.order, applied.changed) == (known, False)


def test_an_earlier_modification_does_not_overwrite_a_later_one() -> None:
    known = told(Status.OPEN, request_id="10", price=Decimal(1480), quantity=20)

    applied = apply_update(known, told(Status.OPEN, request_id="9", price=Decimal(1470), exchange_at=MORNING))

    assert (applied.order.price, applied.order.quantity, applied.order.request_id) == (Decimal(1480), 20, "10")


def test_a_fill_told_with_the_terms_of_before_the_modification_counts_without_them() -> None:
    known = told(Status.MODIFIED, request_id="2", price=Decimal(1480), quantity=20, pending_quantity=20)

    order = apply_update(known, told(Status.OPEN, request_id="1", filled_quantity=5)).order

    assert (order.filled_quantity, order.pending_quantity) == (5, 15)
    assert (order.price, order.quantity, order.request_id) == (Decimal(1480), 20, "2")


def test_the_exchanges_older_time_does_not_overwrite_a_later_one() -> None:
    known = told(Status.CANCELLING, exchange_at=MORNING + timedelta(seconds=9))

    assert not apply_update(known, told(Status.OPEN, exchange_at=MORNING)).changed


def test_the_exchanges_later_time_is_believed_over_the_number_of_the_modification() -> None:
    known = told(Status.MODIFYING, request_id="2", price=Decimal(1480), exchange_at=MORNING)

    order = apply_update(known, told(Status.OPEN, request_id="1", exchange_at=MORNING + timedelta(seconds=1))).order

    assert (order.status, order.price) == (Status.OPEN, Decimal("1470.0"))


def test_an_order_comes_back_from_a_cancellation_that_did_not_happen() -> None:
    known = told(Status.CANCELLING)

    assert apply_update(known, told(Status.NOT_CANCELLED, message="in the auction")).order.message == "in the auction"
    back = apply_update(known, told(Status.OPEN)).order
    assert back.status == Status.OPEN


def test_the_message_of_one_state_does_not_stick_to_the_next() -> None:
    known = told(Status.NOT_MODIFIED, message="outside the circuit")

    assert apply_update(known, told(Status.OPEN)).order.message is None


def test_a_stop_that_has_fired_does_not_wait_again() -> None:
    known = told(Status.OPEN, order_type="SL", trigger_price=Decimal(1465))

    assert not apply_update(known, replace(known, status=Status.TRIGGER_PENDING)).changed
    limit = told(Status.OPEN)
    assert apply_update(limit, replace(limit, status=Status.TRIGGER_PENDING, order_type="SL")).changed


def test_unknown_words_are_kept_and_mean_alive() -> None:
    strange = apply_update(told(Status.OPEN), told("frozen by the exchange")).order

    assert strange.status == "frozen by the exchange"
    assert not strange.terminal
    assert apply_update(strange, told(Status.OPENING)).order.status == Status.OPENING
    assert apply_update(strange, told(Status.COMPLETE, filled_quantity=10)).order.status == Status.COMPLETE


def test_what_one_message_leaves_out_another_has_told() -> None:
    known = told(Status.OPEN, tag="desk-1", symbol="RELIANCE-EQ", reference_id="GTT-1", exchange_order_id="11")

    order = apply_update(known, told(Status.OPEN, filled_quantity=2, symbol="RELIANCE", exchange="NSE")).order

    assert (order.tag, order.symbol, order.reference_id, order.exchange_order_id, order.exchange) == (
        "desk-1", "RELIANCE-EQ", "GTT-1", "11", "NSE",
    )  # fmt: skip


def test_two_sources_that_print_an_average_differently_do_not_take_turns() -> None:
    known = told(Status.OPEN, filled_quantity=3, average_price=Decimal("1469.95"))

    assert not apply_update(known, replace(known, average_price=Decimal("1469.9500000001"))).changed


def test_another_order_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="tells nothing"):
        apply_update(told(), told(order_id="other"))


def test_ranks_rise_along_the_documented_way() -> None:
    way = (Status.AMO_RECEIVED, Status.RECEIVED, Status.VALIDATING, Status.OPENING, Status.OPEN, Status.COMPLETE)

    ranks = [rank(status) for status in way]
    assert ranks == sorted(ranks, key=lambda found: -1 if found is None else found)
    assert rank("something new") is None


# -- over every life of an order, however it is told ----------------------------------------------------------------


class _Life:
    """Plays one order through the documented transitions and keeps what a broker would tell after each step."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.bumps_early = draw(st.booleans())
        stop = draw(st.booleans())
        self.order = told(
            Status.RECEIVED,
            order_type="SL" if stop else "LIMIT",
            trigger_price=Decimal(1465 if stop else 0),
            quantity=draw(st.integers(2, 30)),
        )
        self.fired = not stop
        self.seconds = 0
        self.snapshots: list[BookOrder] = []

    def tell(self, status: str, **changes: object) -> None:
        self.seconds += self.draw(st.integers(0, 2))  # the exchange's time has whole seconds: many share one
        at = MORNING + timedelta(seconds=self.seconds)
        if rank(status) not in {0, 1, 2, 3, 4}:
            changes.setdefault("exchange_at", at)
        self.order = replace(self.order, status=status, **changes)  # type: ignore[arg-type]
        pending = 0 if self.order.terminal else self.order.quantity - self.order.filled_quantity
        self.order = replace(self.order, pending_quantity=pending)
        self.snapshots.append(self.order)

    def resting(self) -> str:
        return Status.OPEN if self.fired else Status.TRIGGER_PENDING

    def fill(self) -> None:
        left = self.order.quantity - self.order.filled_quantity
        some = self.draw(st.integers(1, left))
        filled = self.order.filled_quantity + some
        average = Decimal(1470) - Decimal(filled) / 100
        self.tell(
            Status.COMPLETE if filled == self.order.quantity else self.order.status,
            filled_quantity=filled,
            average_price=average,
        )

    def bumped(self) -> str:
        return str(int(self.order.request_id) + 1)

    def modify(self) -> None:
        early = {"request_id": self.bumped()} if self.bumps_early else {}
        self.tell(Status.MODIFY_VALIDATING, **early)
        self.tell(Status.MODIFYING)
        if self.fired and self.draw(st.booleans()):
            self.fill()
            if self.order.terminal:
                return
        if self.draw(st.booleans()):
            late = {} if self.bumps_early else {"request_id": self.bumped()}
            price = Decimal(self.draw(st.integers(1400, 1500)))
            quantity = self.order.filled_quantity + self.draw(st.integers(1, 30))
            self.tell(Status.MODIFIED, price=price, quantity=quantity, **late)
        else:
            self.tell(Status.NOT_MODIFIED, message="outside the circuit")
        self.tell(self.resting(), message=None)

    def cancel(self) -> None:
        self.tell(Status.CANCELLING)
        if self.fired and self.draw(st.booleans()):
            self.fill()
            if self.order.terminal:
                return
        if self.draw(st.booleans()):
            self.tell(Status.CANCELLED)
        else:
            self.tell(Status.NOT_CANCELLED, message="too late")
            self.tell(self.resting(), message=None)

    def live(self) -> list[BookOrder]:
        if self.draw(st.booleans()):
            self.tell(Status.AMO_RECEIVED, amo=True)
            for _ in range(self.draw(st.integers(0, 2))):
                self.tell(Status.AMO_MODIFIED, price=Decimal(self.draw(st.integers(1400, 1500))))
            if self.draw(st.booleans()):
                self.tell(Status.AMO_CANCELLED)
                return self.snapshots
        self.tell(Status.RECEIVED)
        self.tell(Status.VALIDATING)
        if self.draw(st.integers(0, 5)) == 0:
            self.tell(Status.REJECTED, message="not enough funds")
            return self.snapshots
        self.tell(Status.OPENING)
        self.tell(self.resting(), exchange_order_id="1100000012345678")
        for step in self.draw(st.lists(st.sampled_from(["fill", "modify", "cancel", "fire"]), max_size=6)):
            if self.order.terminal:
                break
            if not self.fired and step in {"fill", "fire"}:
                self.fired = True
                self.tell(Status.OPEN)
            elif step != "fire":
                getattr(self, step)()
        return self.snapshots


@st.composite
def _tellings(draw: st.DrawFn) -> tuple[list[BookOrder], BookOrder]:
    """A life, told in any order, some of it twice and some never; its last state is told last."""
    life = _Life(draw).live()
    told_of = draw(st.lists(st.sampled_from(life), max_size=3 * len(life)))
    cut = draw(st.integers(0, len(told_of)))
    # What history and stream know, books may leave out, and the other way round.
    blanks = draw(st.lists(st.booleans(), min_size=len(told_of), max_size=len(told_of)))
    told_of = [
        replace(one, exchange_order_id=None) if blank else one for one, blank in zip(told_of, blanks, strict=True)
    ]
    late = told_of[cut:] if life[-1].terminal else []
    return [*told_of[: cut if late else None], life[-1], *late], life[-1]


@given(_tellings())
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_however_a_life_is_told_it_ends_in_its_true_state(telling: tuple[list[BookOrder], BookOrder]) -> None:
    messages, truth = telling
    order: BookOrder | None = None

    for message in messages:
        before = order
        applied = apply_update(before, message)
        order = applied.order
        if before is not None:
            assert order.filled_quantity >= before.filled_quantity
            assert int(order.request_id) >= int(before.request_id)
            assert not before.terminal or order.status == before.status
            assert applied.changed == (order != before)
        again = apply_update(order, order)
        assert not again.changed

    assert order == truth
