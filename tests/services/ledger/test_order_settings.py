"""Limits and kill switch: shared, audited, and closed when they cannot be read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa

from services.domain.actors import Actor
from services.domain.errors import InvalidRequest, StorageError
from services.domain.intents import KillSwitch
from services.domain.order_checks import OrderLimits
from services.ledger.audit import Audit
from services.ledger.engine import Ledger
from services.ledger.intents import Intents
from services.ledger.order_settings import OrderSettings
from services.ledger.order_tables import order_settings
from tests.support.clocks import FakeClock
from tests.support.ledger import NOW, TRADER, new_intent, new_ledger

OTHER = Actor("ravi", session="notebook")


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with closing(new_ledger(tmp_path)) as made:
        yield made


@pytest.fixture
def settings(ledger: Ledger) -> OrderSettings:
    return OrderSettings(ledger, FakeClock(NOW))


def test_until_somebody_sets_them_the_usual_limits_hold_and_the_switch_is_off(ledger: Ledger) -> None:
    usual = replace(OrderLimits(), max_value=Decimal(50_000))
    settings = OrderSettings(ledger, FakeClock(NOW), usual)

    assert settings.limits() == usual
    assert settings.kill_switch() == KillSwitch()


def test_limits_come_back_exactly_and_for_everybody(settings: OrderSettings, tmp_path: Path) -> None:
    wanted = replace(
        OrderLimits(),
        max_value=Decimal("123456.75"),
        price_distance_percent=Decimal("2.5"),
        max_orders_per_second=3,
        max_quote_age_seconds=7.5,
    )

    settings.set_limits(wanted, TRADER)

    assert settings.limits() == wanted
    with closing(new_ledger(tmp_path)) as second:
        assert OrderSettings(second, FakeClock(NOW), OrderLimits()).limits() == wanted


def test_the_switch_tells_who_turned_it_when_and_why(settings: OrderSettings) -> None:
    on = settings.set_kill_switch(True, "news", OTHER)

    assert on == settings.kill_switch() == KillSwitch(True, "news", OTHER, NOW)
    assert settings.set_kill_switch(False, "", TRADER) == settings.kill_switch() == KillSwitch(False, "", TRADER, NOW)


def test_changes_are_audited_with_before_and_after(settings: OrderSettings, ledger: Ledger) -> None:
    settings.set_kill_switch(True, "news", OTHER)
    settings.set_limits(replace(OrderLimits(), max_quantity=7), TRADER)
    settings.set_limits(replace(OrderLimits(), max_quantity=8), TRADER)

    latest, earlier, switch = Audit(ledger, FakeClock(NOW)).recent()

    assert (switch.what, switch.actor) == ("kill switch", OTHER)
    assert (switch.before, switch.after) == ({"on": False, "reason": ""}, {"on": True, "reason": "news"})
    assert earlier.before is not None
    assert latest.before is not None
    assert latest.after is not None
    assert earlier.before["max_quantity"] == OrderLimits().max_quantity
    assert (latest.before["max_quantity"], latest.after["max_quantity"]) == (7, 8)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("limits", '{"max_value": "lots"}'),
        ("limits", '{"max_value": -1}'),
        ("limits", '{"no_such_limit": 1}'),
        ("limits", "[]"),
        ("kill switch", "{}"),
        ("kill switch", '{"on": 0, "reason": ""}'),
    ],
)
def test_what_is_stored_and_not_understood_stops_orders_until_it_is_set_anew(
    settings: OrderSettings, ledger: Ledger, name: str, value: str
) -> None:
    with ledger.write() as connection:
        told = {
            "name": name,
            "value": json.loads(value),
            "actor": "x",
            "role": "trader",
            "session": "",
            "changed_at": NOW,
        }
        connection.execute(sa.insert(order_settings).values(told))

    with pytest.raises(StorageError, match="anew"):
        settings.limits()
    with pytest.raises(StorageError, match="anew"):
        Intents(ledger, FakeClock(NOW), settings).prepare(new_intent(), allow=lambda standing: None)

    settings.set_limits(OrderLimits(), TRADER)
    settings.set_kill_switch(False, "", TRADER)
    assert settings.limits() == OrderLimits()


def test_a_long_reason_is_refused(settings: OrderSettings) -> None:
    with pytest.raises(InvalidRequest, match="500"):
        settings.set_kill_switch(True, "x" * 501, TRADER)
    assert not settings.kill_switch().on
