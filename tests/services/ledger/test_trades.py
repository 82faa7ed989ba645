"""A fill is kept once, exactly, and never overwritten."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.domain.errors import MalformedPayload
from services.domain.orders import PastTrade, Side, Trade
from services.ledger.alerts import Alerts
from services.ledger.audit import Audit
from services.ledger.engine import Ledger
from services.ledger.trades import Trades
from tests.support.clocks import FakeClock
from tests.support.ledger import NOW, RELIANCE, new_ledger, trade

TODAY = NOW.date()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOW)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with closing(new_ledger(tmp_path)) as made:
        yield made


@pytest.fixture
def trades(ledger: Ledger, clock: FakeClock) -> Trades:
    return Trades(ledger, clock)


def past(trade_id: str = "50091502", **changes: Any) -> PastTrade:
    told: dict[str, Any] = {
        "trade_id": trade_id,
        "key": RELIANCE,
        "segment": "EQ",
        "exchange": "NSE",
        "side": Side.BUY,
        "quantity": 10,
        "price": Decimal("1234.45"),
        "amount": Decimal("12344.50"),
        "traded_on": "2026-11-20",
        "symbol": "RELIANCE",
        "name": "RELIANCE INDUSTRIES",
    }
    return PastTrade(**told | changes)


def test_a_fill_comes_back_as_it_was_told(trades: Trades) -> None:
    told = trade(price=Decimal("82.0025"), exchange_order_id="11", reference_id="GTT-1", side=Side.SELL)

    assert trades.add([told], "trades") == 1

    (kept,) = trades.of_day(TODAY)
    for name in Trade.__dataclass_fields__:
        assert getattr(kept, name) == getattr(told, name), name
    assert (kept.day, kept.segment, kept.source, kept.recorded_at) == (TODAY, "NSE_EQ", "trades", NOW)
    assert kept.amount == Decimal("820.025")


def test_the_same_fill_told_again_is_one_fill(trades: Trades, ledger: Ledger) -> None:
    assert trades.add([trade(), trade(), trade("2")], "trades") == 2
    assert trades.add([trade(), trade("2")], "book") == 0
    assert trades.add([], "book") == 0

    assert trades.count() == 2
    assert Alerts(ledger, FakeClock(NOW)).all() == []


def test_numbers_begin_anew_each_day_and_in_each_segment(trades: Trades, clock: FakeClock) -> None:
    future = trade(key="NSE_FO|56983", quantity=65)
    assert trades.add([trade(), future], "trades") == 2
    clock.move(days=3)
    assert trades.add([trade(traded_at=NOW + timedelta(days=3))], "trades") == 1

    assert trades.count() == 3
    assert trades.count(TODAY) == 2
    assert trades.count(TODAY + timedelta(days=1)) == 0


@pytest.mark.parametrize(
    "change",
    [
        {"price": Decimal("1234.50")},
        {"quantity": 11},
        {"key": "NSE_EQ|INE009A01021"},
        {"order_id": "261120000000002"},
    ],
)
def test_a_fill_told_otherwise_is_kept_as_it_was_and_raises_one_alert(
    trades: Trades, ledger: Ledger, change: dict[str, Any]
) -> None:
    trades.add([trade()], "trades")
    kept = trades.of_day(TODAY)
    told = replace(trade(), **change)

    assert [trades.add([told, trade("2")], "book") for _ in range(3)] == [1, 0, 0]

    assert [one for one in trades.of_day(TODAY) if one.trade_id != "2"] == kept
    (alert,) = Alerts(ledger, FakeClock(NOW)).all()
    assert (alert.kind, alert.severity) == ("trade_conflict", "critical")
    assert "50091502" in alert.message
    acts = Audit(ledger, FakeClock(NOW)).recent()
    assert [act.what for act in acts] == ["trade told otherwise"], "a poll that repeats it is no news"


def test_the_two_sides_of_one_match_are_two_fills(trades: Trades, ledger: Ledger) -> None:
    sale = trade(side=Side.SELL, order_id="261120000000002")

    assert [trades.add([trade(), sale], "trades") for _ in range(2)] == [2, 0]
    assert Alerts(ledger, FakeClock(NOW)).all() == []


def test_two_tellings_in_one_answer_that_contradict_each_other_keep_the_first(trades: Trades, ledger: Ledger) -> None:
    assert trades.add([trade(), trade(quantity=3)], "trades") == 1

    assert trades.of_day(TODAY)[0].quantity == 10
    assert len(Alerts(ledger, FakeClock(NOW)).all()) == 1


def test_the_history_of_past_days_adds_what_was_missed_and_nothing_twice(trades: Trades) -> None:
    trades.add([trade()], "trades")

    assert trades.add([past(), past("2", traded_on="2026-11-19", price=Decimal("0.385"))], "past trades") == 1

    missed, known = trades.between(TODAY - timedelta(days=30), TODAY)
    assert (missed.trade_id, missed.day, missed.order_id, missed.traded_at) == (
        "2", TODAY - timedelta(days=1), "", None,
    )  # fmt: skip
    assert missed.price == Decimal("0.385")
    assert known.order_id == "261120000000001"


def test_what_only_the_history_knew_learns_its_order_later(trades: Trades) -> None:
    trades.add([past()], "past trades")
    assert trades.of_order("261120000000001") == []

    assert trades.add([trade()], "trades") == 0

    (kept,) = trades.of_order("261120000000001")
    assert (kept.product, kept.order_type, kept.traded_at, kept.source) == ("D", "LIMIT", NOW, "past trades")
    assert trades.add([trade(), past()], "trades") == 0


@pytest.mark.parametrize(
    ("exchange", "segment", "kept"),
    [("MCX", "COM", "MCX_FO"), ("CDS", "CD", "NCD_FO"), ("NSE", "EQ", "NSE_EQ"), ("BSE", "FO", "BSE_FO")],
)
def test_a_past_fill_without_a_key_is_told_apart_by_exchange_and_segment(
    trades: Trades, exchange: str, segment: str, kept: str
) -> None:
    trades.add([past(key="", exchange=exchange, segment=segment)], "past trades")

    assert [one.segment for one in trades.of_day(TODAY)] == [kept]


def test_a_past_fill_without_a_key_is_the_one_that_is_known_with_it(trades: Trades) -> None:
    trades.add([trade(key="MCX_FO|430267", quantity=2)], "trades")

    assert trades.add([past(key="", exchange="MCX", segment="COM", quantity=2)], "past trades") == 0


def test_funds_are_bought_without_a_number_and_still_kept_once(trades: Trades) -> None:
    unit = past("", key="BMF_MF|INF846K01K35", exchange="BMF", segment="MF", amount=Decimal("999.9852"))
    bought = [unit, unit, replace(unit, quantity=11)]

    assert trades.add(bought, "past trades") == 3
    assert trades.add(bought, "past trades") == 0
    assert trades.add([*bought, unit], "past trades") == 1, "a third purchase that looks the same"


def test_a_fill_that_cannot_be_told_apart_or_dated_is_malformed_and_nothing_is_kept(trades: Trades) -> None:
    for bad in (trade(""), past(traded_on="20-11-2026"), past(traded_on="")):
        with pytest.raises(MalformedPayload) as caught:
            trades.add([trade("good"), bad], "trades")
        assert caught.value.field
    assert trades.count() == 0


def test_fills_come_in_the_order_of_trading(trades: Trades) -> None:
    times = {"9": 3, "10": 3, "1": 7, "2": 0}
    trades.add([trade(name, traded_at=NOW + timedelta(seconds=at)) for name, at in times.items()], "trades")

    assert [one.trade_id for one in trades.between(TODAY, TODAY)] == ["2", "9", "10", "1"]
    assert [one.trade_id for one in trades.of_order("261120000000001")] == ["2", "9", "10", "1"]
    assert [one.trade_id for one in trades.of_day(TODAY)] == ["1", "10", "9", "2"]
    assert trades.between(TODAY, TODAY - timedelta(days=1)) == []


def test_the_day_is_the_day_in_india(trades: Trades) -> None:
    late = NOW.replace(hour=18, minute=29)
    trades.add([trade("1", traded_at=late), trade("2", traded_at=late + timedelta(minutes=1))], "trades")

    assert [one.trade_id for one in trades.of_day(TODAY)] == ["1"]
    assert [one.trade_id for one in trades.of_day(TODAY + timedelta(days=1))] == ["2"]


def test_many_pollers_at_once_keep_each_fill_once(trades: Trades) -> None:
    fills = [trade(str(n)) for n in range(40)]

    with ThreadPoolExecutor(8) as threads:
        new = list(threads.map(lambda n: trades.add(fills[n : n + 20], "trades"), [*range(0, 21)] * 2))

    assert sum(new) == trades.count() == 40


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    fills=st.lists(
        st.tuples(st.integers(1, 30), st.integers(1, 5000), st.decimals(min_value="0.05", max_value="90000", places=4)),
        unique_by=lambda fill: fill[0],
        max_size=12,
    ),
    repeats=st.randoms(),
)
def test_money_in_is_money_kept_whatever_is_repeated(
    trades: Trades, ledger: Ledger, clock: FakeClock, fills: list[tuple[int, int, Decimal]], repeats: Any
) -> None:
    clock.move(days=1)  # each example has a day to itself
    day = clock.now().date()
    told = [
        trade(str(number), quantity=quantity, price=price, traded_at=clock.now()) for number, quantity, price in fills
    ]
    for _ in range(3):
        trades.add(repeats.sample(told, repeats.randint(0, len(told))), "trades")
    trades.add(told, "trades")

    assert sum(one.amount for one in trades.of_day(day)) == sum(price * quantity for _, quantity, price in fills)
    assert trades.count(day) == len(fills)
