from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from services.domain.errors import MalformedPayload
from services.domain.orders import Side
from services.wire.gtt import parse_gtt_ids, parse_gtts
from tests.support.payloads import data


def test_waiting_orders_with_times_of_every_size() -> None:
    bracket, dead = parse_gtts(data("gtts"))

    assert (bracket.gtt_id, bracket.kind, bracket.segment, bracket.symbol) == (
        "GTT-CU26112000000007", "MULTIPLE", "NSE_EQ", "TCS",
    )  # fmt: skip
    assert bracket.created_at == datetime(2026, 11, 20, 3, 50, 5, tzinfo=UTC)
    assert dead.created_at == bracket.created_at  # one in microseconds, the other in milliseconds as text
    assert [leg.status for leg in bracket.legs] == ["SCHEDULED", "INACTIVE", "INACTIVE"]
    assert bracket.legs[2].trailing_gap == Decimal("12.5")
    assert (bracket.side, bracket.alive, dead.alive) == (Side.BUY, True, False)
    assert dead.legs[0].order_id == "261120000000050"


def test_ids() -> None:
    assert parse_gtt_ids(data("gtt_ids")) == ("GTT-CU26112000000007",)


@pytest.mark.parametrize("raw", [{}, {"gtt_order_ids": []}, {"gtt_order_ids": [None]}, None])
def test_an_acceptance_without_an_id_is_no_answer(raw: object) -> None:
    with pytest.raises(MalformedPayload):
        parse_gtt_ids(raw)


@pytest.mark.parametrize("name", ["gtt_order_id", "rules", "instrument_token", "quantity"])
def test_without_what_makes_it_one_the_answer_is_malformed(name: str) -> None:
    rows = data("gtts")
    del rows[0][name]

    with pytest.raises(MalformedPayload):
        parse_gtts(rows)
