from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.paper import error_of
from tests.support.paper_trading import USER, Trader, limit, trading

ACCOUNT, RESET, UPDATE_FAULTS = "/_paper/account", "/_paper/reset", "/_paper/update-faults"
ARCHIVE = "/_paper/archive"


@pytest.fixture
def trader(tmp_path: Path) -> Iterator[Trader]:
    with trading(tmp_path) as made:
        yield made


def test_a_reset_puts_everything_away_and_begins_with_the_money_asked_for(trader: Trader) -> None:
    trader.order()
    trader.order(**limit(1400.0))
    gtt = {
        "type": "SINGLE", "quantity": 1, "product": "D", "instrument_token": "NSE_EQ|INE002A01018",
        "transaction_type": "BUY",
        "rules": [{"strategy": "ENTRY", "trigger_type": "BELOW", "trigger_price": 1400}],
    }  # fmt: skip
    assert trader.send("POST", "/v3/order/gtt/place", json=gtt).status_code == 200

    answer = trader.send("POST", RESET, json={"confirm": USER, "opening": 250_000})

    assert answer.status_code == 200, answer.text
    told = answer.json()["data"]
    assert (told["opening"], told["available"], told["orders_today"], told["trades_today"]) == (250_000, 250_000, 0, 0)
    [archive] = told["archives"]
    assert (archive["opening"], archive["orders"], archive["trades"]) == (1_000_000, 2, 1)
    for path in (
        "/v2/order/retrieve-all",
        "/v2/order/trades/get-trades-for-day",
        "/v2/portfolio/short-term-positions",
        "/v2/portfolio/long-term-holdings",
        "/v3/order/gtt",
    ):
        assert trader.data(path) == [], path
    assert trader.data("/v2/user/get-funds-and-margin")["equity"]["available_margin"] == 250_000


def test_a_new_account_may_have_a_past(trader: Trader) -> None:
    trader.order()
    answer = trader.send("POST", RESET, json={"confirm": USER, "past_days": 12})

    assert answer.status_code == 200, answer.text
    told = answer.json()["data"]
    assert (told["number"], told["trades_today"], told["orders_today"]) == (2, 0, 0)
    assert told["opened"] < "2026-11-10"
    page = {"page_number": 1, "page_size": 500}
    trades = trader.data(
        "/v2/charges/historical-trades", params=page | {"start_date": "2026-10-01", "end_date": "2026-11-20"}
    )
    days = {row["trade_date"] for row in trades}
    assert (len(trades) > 20, max(days) <= "2026-11-19", min(days) >= told["opened"][:10]) == (True, True, True)
    realised = charged = 0.0
    for segment in ("EQ", "FO"):
        asked = {"segment": segment, "financial_year": "2627"}
        rows = trader.data("/v2/trade/profit-loss/data", params=asked | page)
        realised += sum(row["sell_amount"] - row["buy_amount"] for row in rows)
        charged += trader.data("/v2/trade/profit-loss/charges", params=asked)["charges_breakdown"]["total"]
    held = sum(row["average_price"] * row["quantity"] for row in trader.data("/v2/portfolio/long-term-holdings"))
    assert charged > 0
    assert told["balance"] == pytest.approx(1_000_000 + realised - charged - held, abs=0.01)
    assert trader.details(trader.order())["status"] == "complete"

    again = trader.send("POST", RESET, json={"confirm": USER}).json()["data"]
    assert (again["number"], again["balance"]) == (3, 1_000_000)


@pytest.mark.parametrize("days", [-1, 251, "sixty", 1.5, True])
def test_a_past_has_its_limits(trader: Trader, days: object) -> None:
    answer = trader.send("POST", RESET, json={"confirm": USER, "past_days": days})

    assert error_of(answer) == (400, "UDAPI100036")
    assert trader.data(ACCOUNT)["number"] == 1


def test_order_ids_are_never_used_twice(trader: Trader) -> None:
    before = trader.order(**limit(1400.0))

    trader.send("POST", RESET, json={"confirm": USER})

    assert trader.order(**limit(1400.0)) != before
    assert trader.data(ACCOUNT)["opening"] == 1_000_000


def test_an_account_tells_its_number_and_where_its_orders_begin(trader: Trader) -> None:
    told = trader.data(ACCOUNT)
    assert (told["number"], told["after_order"]) == (1, "")
    trader.order()
    last = trader.order(**limit(1400.0))

    trader.send("POST", RESET, json={"confirm": USER})

    told = trader.data(ACCOUNT)
    assert (told["number"], told["after_order"]) == (2, last)
    assert trader.order() > last


def test_an_archive_tells_what_became_of_every_order_and_fill_of_its_last_day(trader: Trader) -> None:
    filled, waiting = trader.order(tag="t1"), trader.order(**limit(1400.0))
    trader.send("POST", RESET, json={"confirm": USER})
    trader.order()

    told = trader.data(ARCHIVE, params={"number": 1})

    assert [(one["order_id"], one["status"]) for one in told["orders"]] == [
        (filled, "complete"),
        (waiting, "cancelled"),
    ]
    assert told["orders"][0]["tag"] == "t1"
    assert told["orders"][1]["status_message"] == "The paper account was reset"
    assert [one["order_id"] for one in told["trades"]] == [filled]


@pytest.mark.parametrize("number", ["", "0", "2", "7", "-1", "one"])
def test_only_accounts_that_were_put_away_have_an_archive(trader: Trader, number: str) -> None:
    trader.order()
    trader.send("POST", RESET, json={"confirm": USER})

    assert error_of(trader.get(ARCHIVE, params={"number": number})) == (400, "UDAPI100036")


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"confirm": "yes"},
        {"confirm": USER, "opening": 0},
        {"confirm": USER, "opening": -5},
        {"confirm": USER, "opening": 100.005},
        {"confirm": USER, "opening": 1e12},
        {"confirm": USER, "opening": "1000"},
    ],
)
def test_without_the_right_words_nothing_is_put_away(trader: Trader, sent: dict[str, Any]) -> None:
    trader.order()

    assert error_of(trader.send("POST", RESET, json=sent)) == (400, "UDAPI100036")
    assert trader.data(ACCOUNT)["trades_today"] == 1


def test_nothing_of_this_is_open_without_a_token(trader: Trader) -> None:
    del trader.session.headers["Authorization"]

    for method, path in (
        ("GET", ACCOUNT),
        ("GET", ARCHIVE),
        ("POST", RESET),
        ("GET", "/_paper/trading"),
        ("POST", "/_paper/trading"),
        ("POST", "/_paper/read-only-token"),
    ):
        assert error_of(trader.send(method, path, json={})) == (401, "UDAPI100050"), path


def test_update_faults_exist_with_faults_only(trader: Trader, tmp_path_factory: pytest.TempPathFactory) -> None:
    assert error_of(trader.get(UPDATE_FAULTS)) == (404, "UDAPI100060")

    with trading(tmp_path_factory.mktemp("faulty"), faults=True) as faulty:
        wanted = {"kind": "duplicate", "times": 2, "update_type": "order"}
        assert faulty.send("POST", UPDATE_FAULTS, json=wanted).json()["data"] == wanted
        assert faulty.data(UPDATE_FAULTS) == [wanted]
        assert error_of(faulty.send("POST", UPDATE_FAULTS, json={"kind": "late"})) == (400, "UDAPI100036")
        assert faulty.send("DELETE", UPDATE_FAULTS).json()["data"] == []
