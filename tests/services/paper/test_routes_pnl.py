"""The P&L report, the charges and the trades of earlier days over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.paper.clock import PaperClock
from services.paper.options import PaperOptions
from services.paper.server import PaperServer
from tests.support.paper import CALL, INFY, RELIANCE, Hands, running
from tests.support.paper_trading import BookMarket, Trader
from tests.support.pnl_account import fill_account, trading_days

META, DATA, CHARGES = (f"/v2/trade/profit-loss/{name}" for name in ("metadata", "data", "charges"))
PAST = "/v2/charges/historical-trades"
YEAR = {"segment": "EQ", "financial_year": "2627"}
PAGE = {"page_number": 1, "page_size": 100}
WINDOW = {"start_date": "2026-11-01", "end_date": "2026-11-30"}


class Days:
    """A broker whose clock the test moves."""

    def __init__(self, folder: Path) -> None:
        self.market, self._hands = BookMarket(), Hands("2026-11-19T10:00:00+05:30")
        clock: Any = PaperClock(self._hands, "simulated")  # type: ignore[arg-type]
        self._server = PaperServer(PaperOptions(folder=folder, limits=False), market=self.market, clock=clock).start()
        self.trader = Trader(self._server)

    def go(self, to: str) -> None:
        self._hands.instant = datetime.fromisoformat(f"{to}+05:30")
        self.trader.session.headers["Authorization"] = f"Bearer {self._server.access_token()}"

    def close(self) -> None:
        self.trader.session.close()
        self._server.stop()


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Days]:
    made = Days(tmp_path_factory.mktemp("pnl-days"))
    trader = made.trader
    trader.order(quantity=10)  # at 1472.60
    trader.order(instrument_token=CALL, quantity=65)  # at 187.90
    made.go("2026-11-20T10:00:00")
    made.market.move(RELIANCE, 1500.0)
    trader.order(quantity=4, transaction_type="SELL")  # at 1499.90
    trader.order(instrument_token=INFY, quantity=5, product="I")
    trader.order(instrument_token=INFY, quantity=5, product="I", transaction_type="SELL")
    trader.order(instrument_token=CALL, quantity=65, transaction_type="SELL")
    made.go("2026-11-23T10:00:00")
    yield made
    made.close()


@pytest.fixture
def trader(days: Days) -> Trader:
    return days.trader


def test_the_report_tells_what_was_closed_on_finished_days(trader: Trader) -> None:
    assert trader.data(META, params=YEAR) == {"trades_count": 2, "page_size_limit": 5000}

    answer = trader.get(DATA, params=YEAR | PAGE).json()

    assert answer["metadata"] == {"page": {"page_number": 1, "page_size": 100}}
    assert {row["scrip_name"]: row for row in answer["data"]} == {
        "RELIANCE INDUSTRIES LTD": {
            "quantity": 4.0,
            "isin": "INE002A01018",
            "scrip_name": "RELIANCE INDUSTRIES LTD",
            "trade_type": "EQ",
            "buy_date": "19-11-2026",
            "buy_average": 1472.6,
            "sell_date": "20-11-2026",
            "sell_average": 1499.9,
            "buy_amount": 5890.4,
            "sell_amount": 5999.6,
        },
        "INFOSYS LIMITED": {
            "quantity": 5.0,
            "isin": "INE009A01021",
            "scrip_name": "INFOSYS LIMITED",
            "trade_type": "EQ",
            "buy_date": "20-11-2026",
            "buy_average": 100.1,
            "sell_date": "20-11-2026",
            "sell_average": 99.9,
            "buy_amount": 500.5,
            "sell_amount": 499.5,
        },
    }
    [option] = trader.data(DATA, params=YEAR | PAGE | {"segment": "FO"})
    assert (option["scrip_name"], option["trade_type"], option["isin"]) == ("NIFTY 26000 CE 23 NOV 26", "OPT", "")
    assert trader.data(DATA, params=YEAR | PAGE | {"segment": "COM"}) == []


def test_days_can_be_asked_for(trader: Trader) -> None:
    def count(**dates: str) -> int:
        told: int = trader.data(META, params=YEAR | dates)["trades_count"]
        return told

    assert count(from_date="20-11-2026", to_date="20-11-2026") == 2
    assert count(to_date="19-11-2026") == 0
    assert count(from_date="21-11-2026") == 0
    assert trader.data(META, params=YEAR | {"financial_year": "2526"})["trades_count"] == 0


def test_pages_are_cut_as_asked(trader: Trader) -> None:
    pages = [trader.data(DATA, params=YEAR | {"page_number": page, "page_size": 1}) for page in (1, 2, 3)]

    assert [len(page) for page in pages] == [1, 1, 0]
    assert [*pages[0], *pages[1]] == trader.data(DATA, params=YEAR | PAGE)


def test_charges_are_the_notes_of_the_days(trader: Trader) -> None:
    def told(**more: str) -> dict[str, Any]:
        found: dict[str, Any] = trader.data(CHARGES, params=YEAR | more)["charges_breakdown"]
        return found

    both, first, second = told(), told(to_date="19-11-2026"), told(from_date="20-11-2026")
    # One note for both segments of the day: stamp duty of 2.21 and 0.37 is printed as 3, handed back as 2.63 and 0.37.
    assert (first["brokerage"], first["taxes"]["stt"], first["taxes"]["stamp_duty"]) == (20.0, 15.0, 2.63)
    assert told(segment="FO", to_date="19-11-2026")["taxes"]["stamp_duty"] == 0.37
    assert first["charges"]["demat_transaction"] == 0.0
    # Three orders: one delivered shares and costs 20, the other two 0.1% of their values each.
    assert (second["brokerage"], second["charges"]["demat_transaction"]) == (21.0, 20.0)
    assert second["taxes"]["stt"] == 6.12  # 0.1% of 5,999.60 and 0.025% of 499.50; the rupee is rounded in F&O
    for part in (both, first, second):
        taxed = part["brokerage"] + sum(part["charges"].values())
        assert part["taxes"]["gst"] == pytest.approx(0.18 * taxed, abs=0.02)
        assert part["total"] == pytest.approx(taxed + sum(part["taxes"].values()), abs=1e-9)
    assert both["total"] == pytest.approx(first["total"] + second["total"], abs=1e-9)
    assert told(segment="FO")["brokerage"] == 40.0
    assert told(segment="CD")["total"] == 0.0
    assert told(financial_year="2526")["total"] == 0.0


def test_cash_is_what_report_and_charges_say(trader: Trader) -> None:
    realised = charged = 0.0
    for segment in ("EQ", "FO", "COM", "CD"):
        rows = trader.data(DATA, params=YEAR | PAGE | {"segment": segment})
        realised += sum(row["sell_amount"] - row["buy_amount"] for row in rows)
        charged += trader.data(CHARGES, params=YEAR | {"segment": segment})["charges_breakdown"]["total"]
    held = 6 * 1472.6

    balance = trader.data("/_paper/account")["balance"]

    assert round(balance + held - 1_000_000, 4) == round(realised - charged, 4)


def test_the_guides_paths_answer_as_the_published_ones_do(trader: Trader) -> None:
    assert trader.data("/portfolio/trades/p-and-l", params=YEAR | PAGE) == trader.data(DATA, params=YEAR | PAGE)
    assert trader.data("/portfolio/trades/charges", params=YEAR) == trader.data(CHARGES, params=YEAR)


def test_trades_of_earlier_days_come_newest_first(trader: Trader) -> None:
    told = trader.get(PAST, params=WINDOW | PAGE).json()

    assert [row["trade_date"] for row in told["data"]] == ["2026-11-20"] * 4 + ["2026-11-19"] * 2
    assert told["meta_data"]["page"]["total_records"] == 6
    assert len(trader.data(PAST, params=WINDOW | PAGE | {"segment": "FO"})) == 2
    assert trader.data(PAST, params=WINDOW | PAGE | {"segment": "MF"}) == []


@pytest.mark.parametrize("path", [META, DATA, CHARGES])
@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"segment": ""}, "UDAPI1067"),
        ({"segment": "MF"}, "UDAPI1066"),
        ({"segment": "eq"}, "UDAPI1066"),
        ({"financial_year": ""}, "UDAPI1070"),
        ({"financial_year": "202627"}, "UDAPI1073"),
        ({"financial_year": "26-7"}, "UDAPI1074"),
        ({"financial_year": "26"}, "UDAPI1074"),
        ({"financial_year": "2628"}, "UDAPI100051"),
        ({"from_date": "2026-11-20"}, "UDAPI1075"),
        ({"to_date": "31-11-2026"}, "UDAPI1075"),
        ({"from_date": "20-11-2026", "to_date": "19-11-2026"}, "UDAPI1075"),
        ({"from_date": "31-03-2026"}, "UDAPI1105"),
        ({"to_date": "01-04-2027"}, "UDAPI1105"),
    ],
)
def test_a_report_that_is_asked_for_wrongly(trader: Trader, path: str, change: dict[str, str], code: str) -> None:
    assert trader.error(path, params=YEAR | PAGE | change) == (400, code)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"page_number": ""}, "UDAPI1071"),
        ({"page_size": ""}, "UDAPI1072"),
        ({"page_size": "0"}, "UDAPI1106"),
        ({"page_size": "5001"}, "UDAPI1107"),
        ({"page_number": "0"}, "UDAPI100036"),
        ({"page_number": "one"}, "UDAPI100036"),
    ],
)
@pytest.mark.parametrize("path", [DATA, PAST])
def test_pages_that_do_not_exist(trader: Trader, path: str, change: dict[str, str], code: str) -> None:
    assert trader.error(path, params=YEAR | WINDOW | PAGE | change) == (400, code)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"start_date": ""}, "UDAPI1068"),
        ({"end_date": ""}, "UDAPI1069"),
        ({"start_date": "01-11-2026"}, "UDAPI1088"),
        ({"start_date": "2026-12-01"}, "UDAPI1015"),
        ({"segment": "EQUITY"}, "UDAPI1066"),
    ],
)
def test_trades_that_are_asked_for_wrongly(trader: Trader, change: dict[str, str], code: str) -> None:
    assert trader.error(PAST, params=WINDOW | PAGE | change) == (400, code)


def test_faults_meet_the_new_operations(tmp_path: Path) -> None:
    with running(tmp_path, faults=True) as client:
        for operation, path in (("pnl_metadata", META), ("pnl_data", DATA), ("pnl_charges", CHARGES)):
            fault = {"operation": operation, "kind": "status", "status": 503}
            assert client.send("POST", "/_paper/faults", json=fault).status_code == 200
            assert client.get(path, params=YEAR | PAGE).status_code == 503
            assert client.get(path, params=YEAR | PAGE).status_code == 200
        assert client.get(META, params=YEAR, headers={"Authorization": "Bearer no"}).status_code == 401


def test_years_are_told_apart_and_old_trades_are_told_no_more(tmp_path: Path) -> None:
    last = date(2026, 11, 19)
    filled = fill_account(tmp_path, 60, days=480, last=last, shares_only=True)
    assert filled.first < date(2025, 3, 31)
    with running(tmp_path, market=BookMarket(), clock="2027-05-03T11:00:00+05:30x0.000001", limits=False) as client:
        counts = {
            year: client.data(META, params={"segment": "EQ", "financial_year": year})["trades_count"]
            for year in ("2324", "2425", "2526", "2627", "2728")
        }
        assert counts["2324"] == counts["2728"] == 0
        assert min(counts["2425"], counts["2526"], counts["2627"]) > 0
        rows = client.data(DATA, params={"segment": "EQ", "financial_year": "2526"} | PAGE)
        closed = [max(_iso(row["buy_date"]), _iso(row["sell_date"])) for row in rows]
        assert closed == sorted(closed)
        assert all(date(2025, 4, 1) <= day <= date(2026, 3, 31) for day in closed)
        window = {"start_date": "2024-01-01", "end_date": "2027-05-03"}
        told = client.data(PAST, params=window | PAGE | {"page_size": 5000})
        assert min(row["trade_date"] for row in told) >= "2025-04-01"  # three financial years


def test_days_of_trading_are_days_of_the_exchange() -> None:
    found = trading_days(date(2026, 11, 19), 20)

    assert (found[-1], len(found)) == (date(2026, 11, 19), 20)
    assert all(day.weekday() < 5 for day in found)
    assert found == sorted(set(found))
    assert found[-1] - found[0] < timedelta(days=35)


def _iso(text: str) -> date:
    return datetime.strptime(text, "%d-%m-%Y").date()  # noqa: DTZ007
