"""The day's comparison with the broker, and what of it becomes an alert."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from services.domain.errors import NoAnswer, StorageError, UpstoxError
from services.domain.pnl_reports import BrokerCharges
from services.pnl.daily_check import AFTER_SECONDS, AGAIN_SECONDS, DailyCheck
from services.portfolio.charges.kinds import LINES, Line
from tests.support.order_desk import eventually
from tests.support.pnl_desk import PnlDesk, past, row, traded

YEAR = date(2026, 11, 18), date(2026, 11, 19)


class Hands:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[PnlDesk]:
    made = PnlDesk(tmp_path)
    made.trades.add(
        [traded("3", "BUY", 10, "100", day=YEAR[0]), traded("4", "SELL", 10, "104", day=YEAR[1])],
        "trades",
        account="AB1234",
    )
    made.broker.rows = {"EQ": [row("2026-11-18", "2026-11-19", "40")]}
    made.broker.charged = {"EQ": _as_ours(made)}
    yield made
    made.close()


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
def check(desk: PnlDesk, hands: Hands) -> Iterator[DailyCheck]:
    made = DailyCheck(lambda: desk.book, lambda: desk.clock, monotonic=hands)
    yield made
    made.close()


def _fails(*given: object) -> None:
    raise StorageError("the disk is away")


def _as_ours(desk: PnlDesk) -> BrokerCharges:
    desk.book.read_whole()
    [span] = [one for one in desk.book.reconcile().spans if one.segment == "EQ"]
    ours = {line: Decimal(span.charges_traded.of(line)).scaleb(-2) for line in LINES}
    return BrokerCharges(
        total=sum(ours.values(), Decimal(0)), brokerage=ours[Line.BROKERAGE], gst=ours[Line.GST], stt=ours[Line.STT],
        stamp_duty=ours[Line.STAMP], transaction=ours[Line.EXCHANGE], clearing=Decimal(0), ipft=ours[Line.IPFT],
        others=Decimal(0), sebi_turnover=ours[Line.SEBI], demat_transaction=ours[Line.DP],
    )  # fmt: skip


def test_nothing_is_said_before_anything_was_compared(check: DailyCheck) -> None:
    assert check.differences() is None


def test_books_that_agree_leave_no_difference(check: DailyCheck) -> None:
    check.check()

    assert check.differences() == []


def test_a_gain_of_the_broker_s_that_is_another_is_told_with_both_figures(desk: PnlDesk, check: DailyCheck) -> None:
    desk.broker.rows = {"EQ": [row("2026-11-18", "2026-11-19", "4000.50")]}

    check.check()

    [(about, words)] = check.differences() or []
    assert about == "gross EQ 2026-27"
    assert "ours is Rs 40.00, the broker's Rs 4,000.50" in words

    desk.broker.rows = {"EQ": [row("2026-11-18", "2026-11-19", "40")]}
    check.check()
    assert check.differences() == []


def test_a_broker_that_does_not_answer_changes_nothing(desk: PnlDesk, check: DailyCheck) -> None:
    desk.broker.rows = {"EQ": [row("2026-11-18", "2026-11-19", "4000.50")]}
    check.check()
    before = check.differences()

    desk.broker.down = NoAnswer("silence")
    with pytest.raises(UpstoxError):
        check.check()
    assert check.differences() == before

    desk.broker.down, desk.broker.broken = None, lambda period: NoAnswer("silence")
    check.check()
    assert check.differences() == before


def test_a_segment_that_is_not_told_today_keeps_what_was_wrong_with_it_and_is_asked_again(
    desk: PnlDesk, check: DailyCheck, hands: Hands
) -> None:
    desk.broker.rows = {"EQ": [row("2026-11-18", "2026-11-19", "4000.50")]}
    check.check()
    before = check.differences()
    assert before

    desk.clock.instant += timedelta(days=1)
    desk.broker.broken = lambda period: NoAnswer("silence") if period.segment == "EQ" else None
    check.check()
    assert check.differences() == before

    desk.broker.broken = lambda period: None
    desk.broker.rows = {"EQ": [row("2026-11-18", "2026-11-19", "40")]}
    hands.now = AFTER_SECONDS
    eventually(lambda: check.differences() == [])


def test_a_book_that_cannot_be_read_is_not_compared_as_an_empty_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = PnlDesk(tmp_path)
    try:
        monkeypatch.setattr(broken.book._current._builder, "build", _fails)
        with pytest.raises(StorageError, match="nothing to compare"):
            broken.book.reconcile()
    finally:
        broken.close()


def test_it_compares_by_itself_once_a_day(desk: PnlDesk, check: DailyCheck, hands: Hands) -> None:
    asked = len(desk.broker.asked)
    hands.now = AFTER_SECONDS - 1
    assert check.differences() is None
    assert len(desk.broker.asked) == asked

    hands.now = AFTER_SECONDS
    eventually(lambda: check.differences() == [])

    asked = len(desk.broker.asked)
    hands.now += AGAIN_SECONDS
    assert check.differences() == []
    assert len(desk.broker.asked) == asked, "it was compared today"

    desk.broker.today = []
    desk.broker.history = [past("9", "BUY", 1, "100", "2026-11-20")]
    desk.clock.instant += timedelta(days=1)
    hands.now += AGAIN_SECONDS
    check.differences()
    eventually(lambda: len(desk.broker.asked) > asked)
