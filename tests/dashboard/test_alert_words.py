"""Alerts in the words of a screen."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from dashboard.alert_words import (
    channel_told,
    direction_of,
    level_told,
    life_told,
    price_state_told,
    read_level,
    rule_told,
    since_told,
)
from services.alerts import (
    Alert,
    Channel,
    ChannelState,
    PriceAlert,
    PriceAlertState,
    RuleState,
    Severity,
    Side,
    Watched,
)
from services.alerts.rules import RULES
from tests.support.ledger import NOW

ALERT = Alert(7, "error_rate", "", Severity.WARNING, "24 errors a minute", None, NOW, None, None)
PRICE = PriceAlert(
    1, "NSE_EQ|X", "INFY", Watched.PRICE, Side.ABOVE, Decimal(1500), "", True, "asha", NOW, None, None
)  # fmt: skip
CHANNEL = Channel(1, "Phone", "Telegram", Severity.WARNING, True, True, "asha", NOW)


def test_an_open_alert_tells_since_when_who_saw_it_and_whether_it_is_kept() -> None:
    now = NOW + timedelta(minutes=2)
    assert since_told(ALERT, now) == "since 09:45:00 IST (2 min 00 s)"
    seen = replace(ALERT, id=-1, acknowledged_at=NOW + timedelta(seconds=30), acknowledged_by="asha")
    assert since_told(seen, now) == (
        "since 09:45:00 IST (2 min 00 s), seen by asha 09:45:30 IST, in memory only: the disk takes nothing"
    )


def test_an_alert_that_ended_tells_how() -> None:
    over = replace(ALERT, resolved_at=NOW + timedelta(minutes=5))
    assert life_told(ALERT, NOW) == "open"
    assert life_told(over, NOW) == "over by itself 09:50:00 IST, after 5 min 00 s"
    assert life_told(replace(over, resolved_by="asha"), NOW).startswith("resolved by asha 09:50:00 IST")


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("1500", Decimal(1500)),
        (" ₹1,500.50 ", Decimal("1500.50")),
        ("+2%", Decimal(2)),
        ("\N{MINUS SIGN}1.5 %", Decimal("-1.5")),
        ("", None),
        ("a lot", None),
        ("NaN", None),
        ("1e300", None),
    ],
)
def test_a_level_is_read_as_people_type_it(text: str, level: Decimal | None) -> None:
    assert read_level(text) == level


def test_the_direction_of_a_level_follows_from_the_price_of_now() -> None:
    assert direction_of(Decimal(1500), 1490.0) is Side.ABOVE
    assert direction_of(Decimal(1480), 1490.0) is Side.BELOW
    assert direction_of(Decimal("1490.05"), 1490.05) is None
    assert direction_of(Decimal(1500), None) is None


def test_a_price_alert_tells_what_it_waits_for_and_how_far_it_is() -> None:
    assert level_told(PRICE) == "rises to 1,500.00"
    fall = replace(PRICE, measure=Watched.PERCENT, direction=Side.BELOW, level=Decimal(-2))
    assert level_told(fall) == "change of the day falls to −2.00%"
    assert price_state_told(PriceAlertState(PRICE, False, 1485.0), NOW) == "now 1,485.00, +1.01% to go"
    assert price_state_told(PriceAlertState(PRICE, False, 0.0), NOW) == "now 0.00", "an option that ended worthless"
    assert price_state_told(PriceAlertState(PRICE, False, None), NOW) == "waits for a current price"
    rung = replace(PRICE, fired_at=NOW)
    assert price_state_told(PriceAlertState(rung, True, 1501.0), NOW) == "rings, since 09:45:00 IST"
    assert price_state_told(PriceAlertState(rung, False, 1490.0), NOW) == "was reached 09:45:00 IST"


def test_a_channel_tells_how_it_does() -> None:
    assert channel_told(ChannelState(CHANNEL), NOW) == ("gray", "nothing was sent over it yet")
    assert channel_told(ChannelState(CHANNEL, testing=True), NOW)[0] == "blue"
    failed = ChannelState(CHANNEL, last_sent=NOW, failures=2, reason="error=401", failed_at=NOW + timedelta(seconds=9))
    assert channel_told(failed, NOW) == ("red", "failed 09:45:09 IST, 2 times in a row: error=401")
    put_back = replace(failed, last_sent=NOW + timedelta(hours=1))
    assert channel_told(put_back, NOW)[0] == "red", "whatever the clock did meanwhile: the last one failed"
    fine = ChannelState(CHANNEL, last_sent=NOW + timedelta(seconds=10), reason="error=401", failed_at=NOW)
    assert channel_told(fine, NOW) == ("green", "last message sent 09:45:10 IST")


def test_every_rule_tells_when_it_opens_and_closes() -> None:
    told = {rule.kind: rule_told(RuleState(rule, rule, "")) for rule in RULES}
    assert told["error_rate"] == "above 10 errors a minute, over at 5; not again within 5 min 00 s"
    assert told["disk_low"] == "below 500 megabytes, over at 700"
    assert told["order_unknown"] == "as soon as it is so; after 5 s"
    assert all(told.values())
    assert rule_told(RuleState(replace(RULES[0], active=False), RULES[0], "")) == "off"
