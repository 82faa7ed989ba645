"""Whatever is sent: a documented code, never a fault of the broker's own, and the account goes on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.paper.envelope import ERRORS
from tests.support.paper import CALL, CRUDE, INFY, NIFTY, RELIANCE
from tests.support.paper_trading import Trader, trading

WORDS = st.sampled_from(
    [
        RELIANCE, CALL, CRUDE, NIFTY, INFY, "", "BUY", "SELL", "D", "I", "MTF", "DAY", "IOC", "MARKET", "LIMIT", "SL",
        "SL-M", "SINGLE", "MULTIPLE", "ENTRY", "TARGET", "STOPLOSS", "ABOVE", "IMMEDIATE", "GTT-1", "1", "ENABLE",
        "DISABLE", "NSE_EQ", "\u0000", "\u20b9" * 50,
    ]
)  # fmt: skip
NUMBERS = st.sampled_from([0, 1, -1, 10, 65, 1e308, -0.0, 0.0001, 1472.5, 1472.55, 10**18, 2**63, 1e-300])
MEMBERS = st.sampled_from(
    [
        "quantity", "product", "validity", "price", "tag", "instrument_token", "order_type", "transaction_type",
        "disclosed_quantity", "trigger_price", "is_amo", "slice", "market_protection", "correlation_id", "order_id",
        "type", "rules", "gtt_order_id", "strategy", "trigger_type", "trailing_gap", "old_product", "new_product",
        "instruments", "instrument_key", "segment", "action", "confirm", "opening", "mcx_open",
    ]
)  # fmt: skip
LEAVES = st.none() | st.booleans() | NUMBERS | WORDS
JSON = st.recursive(
    st.dictionaries(MEMBERS, LEAVES, max_size=14),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(MEMBERS, inner | LEAVES, max_size=14),
    max_leaves=12,
)
WRITES = [
    ("POST", "/v3/order/place"),
    ("POST", "/v2/order/place"),
    ("PUT", "/v3/order/modify"),
    ("DELETE", "/v3/order/cancel"),
    ("POST", "/v2/order/multi/place"),
    ("POST", "/v3/order/gtt/place"),
    ("PUT", "/v3/order/gtt/modify"),
    ("DELETE", "/v3/order/gtt/cancel"),
    ("PUT", "/v2/portfolio/convert-position"),
    ("POST", "/v2/charges/margin"),
    ("POST", "/v2/user/kill-switch"),
    ("POST", "/_paper/reset"),
    ("POST", "/_paper/trading"),
]
WHOLE: dict[str, Any] = {
    "quantity": 10, "product": "I", "validity": "DAY", "price": 1472.5, "tag": "fuzz", "instrument_token": RELIANCE,
    "order_type": "LIMIT", "transaction_type": "BUY", "disclosed_quantity": 0, "trigger_price": 0, "is_amo": False,
    "type": "SINGLE", "old_product": "I", "new_product": "D", "correlation_id": "a",
    "rules": [{"strategy": "ENTRY", "trigger_type": "BELOW", "trigger_price": 1470.0}],
}  # fmt: skip


@pytest.fixture(scope="module")
def trader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trader]:
    folder: Path = tmp_path_factory.mktemp("fuzz")
    with trading(folder) as made:
        yield made


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(route=st.sampled_from(WRITES), body=JSON | st.dictionaries(MEMBERS, LEAVES).map(lambda change: WHOLE | change))
def test_any_body_is_answered_in_due_form(trader: Trader, route: tuple[str, str], body: Any) -> None:
    answer = trader.send(*route, json=body)

    told = answer.json()
    assert answer.status_code in {200, 207, 400}, answer.text
    for entry in told.get("errors") or ():
        assert entry["error_code"] in ERRORS
    assert trader.get("/v2/portfolio/short-term-positions").status_code == 200


@settings(deadline=None, max_examples=80)
@given(
    path=st.sampled_from(
        [
            "/v2/charges/brokerage",
            "/v2/order/history",
            "/v2/order/details",
            "/v2/order/trades",
            "/v2/charges/historical-trades",
            "/v2/trade/profit-loss/metadata",
            "/v2/trade/profit-loss/data",
            "/v2/trade/profit-loss/charges",
            "/v3/order/gtt",
            "/v2/user/get-funds-and-margin",
        ]
    ),
    query=st.dictionaries(
        st.sampled_from(
            [
                "instrument_token", "quantity", "product", "transaction_type", "price", "order_id", "tag", "segment",
                "start_date", "end_date", "page_number", "page_size", "gtt_order_id", "financial_year", "from_date",
                "to_date",
            ]
        ),
        WORDS
        | st.sampled_from(["NaN", "1e9", "-1", "2026-11-20", "2026-13-01", "99999999999999999999", "²", "EQ"])
        | st.sampled_from(["20-11-2026", "31-02-2027", "2627", "2628", "٢٦٢٧"]),
    ),
)  # fmt: skip
def test_any_query_is_answered_in_due_form(trader: Trader, path: str, query: dict[str, str]) -> None:
    answer = trader.get(path, params=query)

    assert answer.status_code in {200, 400}, answer.text
    assert all(entry["error_code"] in ERRORS for entry in answer.json().get("errors") or ())
