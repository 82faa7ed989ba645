"""Price alerts: rung once when the price gets there, over when it is back, never by an old price."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from services.alerts.prices import PriceNow
from services.domain.errors import Forbidden, InvalidRequest, StorageError
from services.ledger.price_alerts import PriceAlert, Side, Watched
from tests.support.alerts import FULL, TRADER, VIEWER, Bench, alerting

ON_BOTH = True

INFY = "NSE_EQ|INE009A01021"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with alerting(tmp_path) as made:
        yield made


def at(bench: Bench, price: float, percent: float = 0.0, *, age: float = 0.0) -> None:
    """INFY is at `price`; one look."""
    bench.pass_time(2)
    bench.known[INFY] = PriceNow(price, percent, bench.clock.now() - timedelta(seconds=age))
    bench.desk.round()


def wanted(bench: Bench, level: str, direction: Side = Side.ABOVE, **more: Any) -> PriceAlert:
    return bench.watch.add(INFY, "INFY", TRADER, level=Decimal(level), direction=direction, **more)


def test_it_rings_once_when_the_price_gets_there_and_is_over_when_it_is_back(bench: Bench) -> None:
    made = wanted(bench, "1500", note="sell half")
    at(bench, 1499.95)
    assert bench.open() == {}
    at(bench, 1500.0)
    at(bench, 1510.0)
    assert bench.open() == {
        ("price", str(made.id)): "INFY is at 1,500.00: you wanted to hear of 1,500.00 or above. sell half"
    }
    at(bench, 1499.0)
    assert bench.lives("price") == ["open"], "a little below is not back"
    for _ in range(7):
        at(bench, 1490.0)
    assert bench.lives("price") == ["auto-resolved"]

    at(bench, 1505.0)
    assert bench.lives("price") == ["auto-resolved"], "once is once"
    bench.watch.again(made.id, TRADER)
    at(bench, 1490.0)
    at(bench, 1505.0)
    assert bench.lives("price") == ["auto-resolved", "open"]


def test_one_that_is_to_ring_each_time_does(bench: Bench) -> None:
    wanted(bench, "1400", Side.BELOW, once=False)
    for price in (1395.0, *[1450.0] * 7, 1399.0):
        at(bench, price)

    assert bench.lives("price") == ["auto-resolved", "open"]


def test_a_crossing_between_two_looks_is_not_missed(bench: Bench) -> None:
    wanted(bench, "1500")
    at(bench, 1490.0)
    bench.watch.heard(0, [(INFY, 1501.5, 0, 1, 1), (INFY, 1489.0, 0, 1, 1), ("NSE_EQ|OTHER", 9999.0, 0, 1, 1)])
    at(bench, 1489.0)

    assert "INFY is at 1,501.50" in next(iter(bench.open().values()))


def test_the_change_of_the_day_can_be_waited_for(bench: Bench) -> None:
    wanted(bench, "-2", Side.BELOW, measure=Watched.PERCENT)
    at(bench, 1490.0, -1.9)
    assert bench.open() == {}
    at(bench, 1480.0, -2.0)

    assert "INFY is at -2.00 %" in next(iter(bench.open().values()))


def test_an_old_price_rings_nothing(bench: Bench) -> None:
    wanted(bench, "1500")
    at(bench, 1600.0, age=300.0)

    assert bench.open() == {}
    assert bench.watch.states()[0].value is None


def test_a_clock_that_is_put_back_does_not_silence_it(bench: Bench) -> None:
    wanted(bench, "1500")
    bench.clock.move(hours=-1)
    at(bench, 1501.0)

    assert bench.lives("price") == ["open"]


def test_a_level_that_is_reached_already_is_refused_in_words(bench: Bench) -> None:
    at(bench, 1510.0)

    with pytest.raises(InvalidRequest, match=r"INFY is at 1,510\.00 already; choose a level above that"):
        wanted(bench, "1500")
    with pytest.raises(InvalidRequest, match="above 0"):
        wanted(bench, "-1", Side.BELOW)
    with pytest.raises(InvalidRequest, match="four decimals"):
        wanted(bench, "1600.00001")
    with pytest.raises(Forbidden):
        bench.watch.add(INFY, "INFY", VIEWER, level=Decimal(1600), direction=Side.ABOVE)


def test_a_double_click_is_one_wish(bench: Bench) -> None:
    first, second = wanted(bench, "1500"), wanted(bench, "1500")

    assert first == second
    assert wanted(bench, "1500.05").id != first.id
    at(bench, 1502.0)
    assert wanted(bench, "1510").id not in {first.id, second.id}
    assert len(bench.open()) == 2, "one for each level that was reached"


def test_one_that_is_removed_takes_its_open_alert_with_it(bench: Bench) -> None:
    made = wanted(bench, "1500")
    at(bench, 1500.0)
    bench.watch.remove(made.id, TRADER)
    at(bench, 1500.0)

    assert (bench.lives("price"), bench.watch.states()) == (["auto-resolved"], [])


def test_after_a_restart_what_rang_still_rings_and_ends_by_itself(bench: Bench) -> None:
    wanted(bench, "1500")
    at(bench, 1500.0)
    bench.close()
    bench.start()
    at(bench, 1505.0)
    assert bench.lives("price") == ["open"]
    assert bench.watch.states()[0].ringing
    for _ in range(7):
        at(bench, 1490.0)

    assert bench.lives("price") == ["auto-resolved"]


def test_one_that_rings_while_the_disk_is_full_rings_once(bench: Bench) -> None:
    made = wanted(bench, "1500")
    at(bench, 1490.0)
    bench.ledger.full = FULL
    at(bench, 1500.0)
    at(bench, 1501.0)
    assert ("price", str(made.id)) in bench.open()
    bench.ledger.full = None
    at(bench, 1502.0)
    at(bench, 1502.0)

    assert bench.lives("price") == ["open"]
    assert not bench.watch.states()[0].alert.waits


def test_what_rang_before_a_start_rings_though_that_could_not_be_read_at_first(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted(bench, "1500")
    at(bench, 1500.0)
    bench.close()
    bench.start()

    def broken(open_only: bool) -> None:
        raise StorageError("the file is locked")

    with monkeypatch.context() as locked:
        locked.setattr(bench.kept, "all", broken)
        at(bench, 1505.0)
        assert not bench.desk.standing().complete
    at(bench, 1505.0)
    assert bench.watch.states()[0].ringing
    for _ in range(7):
        at(bench, 1490.0)

    assert bench.lives("price") == ["auto-resolved"]


def test_all_that_are_reached_ring_while_the_disk_is_full_and_each_once(bench: Bench) -> None:
    first, second = wanted(bench, "1500"), wanted(bench, "1510")
    at(bench, 1490.0)
    bench.ledger.full = FULL
    for price in (1500.0, 1515.0, *[1490.0] * 7, 1505.0):
        at(bench, price)
        if price == 1515.0:
            assert {subject for kind, subject in bench.open() if kind == "price"} == {str(first.id), str(second.id)}
    assert not [kind for kind, _ in bench.open() if kind == "price"], "once is once"
    bench.ledger.full = None
    at(bench, 1505.0)

    assert bench.lives("price") == ["auto-resolved", "auto-resolved"]


def test_a_price_of_before_the_wish_rings_nothing(bench: Bench) -> None:
    wanted(bench, "2000")
    at(bench, 1490.0)
    bench.watch.heard(0, [(INFY, 1501.5, 0, 1, 1)])
    wanted(bench, "1500")
    at(bench, 1489.0)

    assert bench.open() == {}


@pytest.mark.parametrize("known_before", [True, False])
def test_a_crossing_between_the_wish_and_the_first_look_is_not_missed(bench: Bench, known_before: bool) -> None:
    if known_before:
        wanted(bench, "2000")
        at(bench, 1490.0)
    wanted(bench, "1500")
    bench.watch.heard(0, [(INFY, 1501.5, 0, 1, 1), (INFY, 1489.0, 0, 1, 1)])
    at(bench, 1489.0)

    assert "INFY is at 1,501.50" in next(iter(bench.open().values()))


def test_one_that_waits_anew_hears_from_then_on(bench: Bench) -> None:
    made = wanted(bench, "1500")
    for price in (1490.0, 1505.0, *[1490.0] * 7):
        at(bench, price)
    bench.watch.heard(0, [(INFY, 1502.0, 0, 1, 1)])
    bench.watch.again(made.id, TRADER)
    at(bench, 1490.0)
    assert bench.lives("price") == ["auto-resolved"], "what was before does not count"
    bench.watch.again(made.id, TRADER)
    bench.watch.heard(0, [(INFY, 1502.0, 0, 1, 1)])
    at(bench, 1490.0)

    assert bench.lives("price") == ["auto-resolved", "open"]


def test_a_crossing_is_not_missed_though_prices_could_not_be_read_once(bench: Bench) -> None:
    wanted(bench, "1500")
    at(bench, 1490.0)
    bench.watch.heard(0, [(INFY, 1501.5, 0, 1, 1)])
    prices = bench.watch._prices

    def broken(keys: object) -> dict[str, PriceNow]:
        raise StorageError("the file is locked")

    bench.watch._prices = broken
    at(bench, 1489.0)
    bench.watch._prices = prices
    at(bench, 1489.0)

    assert "INFY is at 1,501.50" in next(iter(bench.open().values()))
