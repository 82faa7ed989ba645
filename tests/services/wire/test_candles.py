from __future__ import annotations

from datetime import UTC, datetime

import pytest

from services.domain.errors import MalformedPayload
from services.domain.quotes import Bar
from services.wire.candles import parse_bars
from tests.support.payloads import data


def test_bars_come_oldest_first_once_each_in_utc() -> None:
    bars = parse_bars(data("candles"))

    assert bars == [
        Bar(datetime(2026, 11, 20, 4, 25, tzinfo=UTC), 2840.0, 2843.5, 2839.9, 2843.0, 12233, 0),
        Bar(datetime(2026, 11, 20, 4, 30, tzinfo=UTC), 2843.0, 2845.0, 2842.1, 2844.6, 9120, 0),
    ]


def test_no_candles_is_an_answer() -> None:
    assert parse_bars(data("candles_empty")) == []


@pytest.mark.parametrize(
    "candle",
    [
        [], "x", ["2026-11-20T10:00:00+05:30", 1.0], ["2026-11-20T10:00:00", 1.0, 1.0, 1.0, 1.0, 1, 0],
        [1795113000000, 1.0, 1.0, 1.0, 1.0, 1, 0], ["2026-11-20T10:00:00+05:30", "1", 1.0, 1.0, 1.0, 1, 0],
        ["2026-11-20T10:00:00+05:30", 1.0, 1.0, None, 1.0, 1, 0],
    ],
)  # fmt: skip
def test_a_candle_of_another_shape_is_named(candle: object) -> None:
    with pytest.raises(MalformedPayload) as caught:
        parse_bars({"candles": [candle]})

    assert caught.value.field.startswith("data.candles[0]")


def test_a_missing_list_is_malformed() -> None:
    with pytest.raises(MalformedPayload):
        parse_bars({})
