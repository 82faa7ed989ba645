from __future__ import annotations

from decimal import Decimal

import pytest

from services.domain.errors import InvalidRequest
from services.domain.gtt import GttLeg, GttLegState, GttOrder, GttRequest, Strategy, TriggerType
from services.domain.orders import Product, Side

RELIANCE = "NSE_EQ|INE002A01018"


def _leg(strategy: Strategy, price: float, kind: TriggerType = TriggerType.IMMEDIATE, **more: Decimal) -> GttLeg:
    return GttLeg(strategy, kind, Decimal(str(price)), **more)


ENTRY = _leg(Strategy.ENTRY, 1440, TriggerType.BELOW)
TARGET = _leg(Strategy.TARGET, 1510)
STOP = _leg(Strategy.STOPLOSS, 1405)


def _request(*legs: GttLeg, side: Side = Side.BUY, quantity: int = 2) -> GttRequest:
    return GttRequest(RELIANCE, side, quantity, Product.DELIVERY, legs)


def test_one_leg_is_single_and_more_are_a_bracket() -> None:
    assert _request(ENTRY).kind == "SINGLE"
    assert _request(ENTRY, TARGET).kind == "MULTIPLE"
    assert _request(STOP, TARGET, ENTRY).leg(Strategy.ENTRY) is ENTRY


@pytest.mark.parametrize(
    "legs",
    [(), (TARGET,), (TARGET, STOP), (ENTRY, ENTRY), (ENTRY, TARGET, TARGET)],
    ids=["none", "no entry", "exits only", "two entries", "two targets"],
)
def test_a_set_of_legs_that_the_broker_does_not_know_is_refused(legs: tuple[GttLeg, ...]) -> None:
    with pytest.raises(InvalidRequest):
        _request(*legs)


def test_a_target_wins_and_a_stop_loses() -> None:
    for legs in ((ENTRY, _leg(Strategy.TARGET, 1430)), (ENTRY, _leg(Strategy.STOPLOSS, 1440))):
        with pytest.raises(InvalidRequest):
            _request(*legs)
        _request(
            *(legs[0], _leg(legs[1].strategy, 1430 if legs[1].strategy is Strategy.TARGET else 1450)), side=Side.SELL
        )


@pytest.mark.parametrize(
    "make",
    [
        lambda: _leg(Strategy.ENTRY, 0),
        lambda: _leg(Strategy.ENTRY, float("nan")),
        lambda: _leg(Strategy.TARGET, 1510, TriggerType.ABOVE),
        lambda: _leg(Strategy.TARGET, 1510, trailing_gap=Decimal(5)),
        lambda: _leg(Strategy.STOPLOSS, 1405, trailing_gap=Decimal(0)),
        lambda: _leg(Strategy.STOPLOSS, 1405, market_protection=Decimal(0)),
        lambda: _leg(Strategy.STOPLOSS, 1405, market_protection=Decimal(26)),
        lambda: _request(ENTRY, quantity=0),
        lambda: _request(ENTRY, quantity=True),
        lambda: GttRequest("RELIANCE", Side.BUY, 1, Product.DELIVERY, (ENTRY,)),
        lambda: GttRequest(RELIANCE, Side.BUY, 1, Product.COVER, (ENTRY,)),
    ],
)
def test_nonsense_is_refused_when_it_is_made(make: object) -> None:
    with pytest.raises(InvalidRequest):
        make()  # type: ignore[operator]


def _told(*statuses: str) -> GttOrder:
    names = ("ENTRY", "TARGET", "STOPLOSS")
    legs = tuple(
        GttLegState(name, status, "IMMEDIATE", Decimal(1), Side.BUY)
        for name, status in zip(names, statuses, strict=False)
    )
    return GttOrder("GTT-C1", "MULTIPLE", RELIANCE, 1, "D", legs)


@pytest.mark.parametrize(
    ("statuses", "alive"),
    [
        (("SCHEDULED", "INACTIVE"), True),
        (("COMPLETED", "OPEN", "OPEN"), True),
        (("COMPLETED", "COMPLETED", "CANCELLED"), False),
        (("COMPLETED",), False),
        (("FAILED", "INACTIVE"), False),
        (("CANCELLED", "CANCELLED"), False),
        (("SOMETHING NEW",), True),
    ],
)
def test_a_waiting_order_is_alive_while_something_can_still_happen(statuses: tuple[str, ...], alive: bool) -> None:
    assert _told(*statuses).alive is alive
