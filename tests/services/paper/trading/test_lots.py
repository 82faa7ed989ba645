"""The broker's own matching, against a slow one that goes unit by unit."""

from __future__ import annotations

from collections import Counter, deque

from hypothesis import given, settings
from hypothesis import strategies as st

from services.paper.trading.lots import Leg, OpenLots, Pair, pairs_of_day


def leg(number: int, side: str, quantity: int, *, scrip: str = "A", share: bool = True, intraday: bool = False) -> Leg:
    return Leg(number, scrip, share, intraday, side == "BUY", quantity)


def test_what_is_bought_first_is_sold_first() -> None:
    lots = OpenLots()

    assert lots.add([leg(0, "BUY", 10), leg(1, "BUY", 5)]) == []
    assert lots.add([leg(2, "SELL", 12)]) == [Pair(0, 2, 10), Pair(1, 2, 2)]
    assert list(lots.open()) == [(1, 3)]


def test_shares_of_one_day_belong_to_each_other_before_older_ones() -> None:
    lots = OpenLots()
    lots.add([leg(0, "BUY", 10)])

    assert lots.add([leg(1, "SELL", 4), leg(2, "BUY", 10)]) == [Pair(2, 1, 4)]
    assert list(lots.open()) == [(0, 10), (2, 6)]


def test_within_the_day_what_was_traded_for_the_day_comes_first() -> None:
    day = [leg(0, "BUY", 10), leg(1, "BUY", 10, intraday=True), leg(2, "SELL", 10, intraday=True), leg(3, "SELL", 3)]

    assert pairs_of_day(day) == [Pair(1, 2, 10), Pair(0, 3, 3)]


def test_contracts_go_by_their_order_alone_and_may_be_sold_first() -> None:
    lots = OpenLots()

    assert lots.add([leg(0, "BUY", 65, share=False)]) == []
    assert lots.add([leg(1, "BUY", 65, share=False), leg(2, "SELL", 195, share=False)]) == [
        Pair(0, 2, 65),
        Pair(1, 2, 65),
    ]
    assert lots.add([leg(3, "BUY", 65, share=False)]) == [Pair(3, 2, 65)]
    assert list(lots.open()) == []


@st.composite
def histories(draw: st.DrawFn) -> list[list[Leg]]:
    days, number = [], 0
    for _ in range(draw(st.integers(1, 5))):
        day = []
        for _ in range(draw(st.integers(0, 6))):
            scrip = draw(st.sampled_from(["A", "B", "F"]))
            side, many = draw(st.sampled_from(["BUY", "SELL"])), draw(st.integers(1, 6))
            share = scrip != "F"
            day.append(leg(number, side, many, scrip=scrip, share=share, intraday=share and draw(st.booleans())))
            number += 1
        days.append(day)
    return days


@settings(max_examples=100)
@given(histories())
def test_it_agrees_with_a_matching_unit_by_unit(days: list[list[Leg]]) -> None:
    lots, slow = OpenLots(), _Slow()
    for day in days:
        found: dict[tuple[int, int], int] = {}
        for pair in lots.add(day):
            found[pair.buy, pair.sell] = found.get((pair.buy, pair.sell), 0) + pair.quantity
        assert found == slow.add(day)
    assert sum(many for _, many in lots.open()) == sum(len(queue) for queue in slow.queues.values())


class _Slow:
    """Each unit is a thing of its own."""

    def __init__(self) -> None:
        self.queues: dict[str, deque[Leg]] = {}

    def add(self, day: list[Leg]) -> dict[tuple[int, int], int]:
        found: Counter[tuple[int, int]] = Counter()
        units = [one for one in day for _ in range(one.quantity)]
        for only_intraday in (True, False):
            taken = [one for one in units if one.share and (one.intraday or not only_intraday)]
            rest = [one for one in units if not (one.share and (one.intraday or not only_intraday))]
            waiting: dict[str, deque[Leg]] = {}
            for one in taken:
                self._take(waiting, one, found)
            left = Counter(one.number for queue in waiting.values() for one in queue)
            units = sorted([*rest, *(one for one in set(taken) for _ in range(left[one.number]))])
        for one in units:
            self._take(self.queues, one, found)
        return dict(found)

    def _take(self, queues: dict[str, deque[Leg]], one: Leg, found: Counter[tuple[int, int]]) -> None:
        queue = queues.setdefault(one.scrip, deque())
        if not queue or queue[0].buys is one.buys:
            queue.append(one)
            return
        other = queue.popleft()
        found[(one.number, other.number) if one.buys else (other.number, one.number)] += 1
