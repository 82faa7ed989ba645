from __future__ import annotations

import pytest

from services.domain.errors import InvalidRequest, MalformedPayload
from services.domain.margins import SegmentSwitch
from services.wire.kill_switch import kill_switch_body, parse_kill_switch
from tests.support.payloads import data


def test_segments_and_their_switches() -> None:
    assert parse_kill_switch(data("kill_switch")) == [
        SegmentSwitch("NSE_EQ", active=True, killed=False),
        SegmentSwitch("NSE_FO", active=True, killed=True),
        SegmentSwitch("MCX_FO", active=False, killed=False),
    ]


@pytest.mark.parametrize("value", [None, "false", 0])
def test_a_switch_that_is_neither_on_nor_off_is_malformed(value: object) -> None:
    rows = data("kill_switch")
    rows[0]["kill_switch_enabled"] = value

    with pytest.raises(MalformedPayload):
        parse_kill_switch(rows)


def test_the_brokers_words_are_about_trading() -> None:
    assert kill_switch_body({"NSE_FO": False, "NSE_EQ": True}) == [
        {"segment": "NSE_FO", "action": "DISABLE"},
        {"segment": "NSE_EQ", "action": "ENABLE"},
    ]


@pytest.mark.parametrize("trading", [{}, {"NSE": True}, {"NSE_INDEX": False}])
def test_nonsense_is_not_sent(trading: dict[str, bool]) -> None:
    with pytest.raises(InvalidRequest):
        kill_switch_body(trading)
