"""The official SDK reads the P&L report, charges, brokerage, margin and the trades of earlier days from the paper
broker, with the members of the published samples, and with the values that our own book gives for the same trades."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from services.pnl.values import Filter
from services.portfolio.charges.kinds import LINES, Line
from services.portfolio.closed import SEGMENTS as SEGMENT_OF
from services.portfolio.closed import By, closing_day
from services.portfolio.costs import Costs, costs_of
from services.portfolio.lots.book import Book, build_book
from services.portfolio.lots.fills import day_number, day_of
from services.portfolio.money import to_paise
from services.portfolio.readers.tradebooks import fills_of_history
from services.runtime import Runtime
from services.settings import load_settings
from services.wire.trades import parse_past_trades
from tests.contract.conftest import upstox_client
from tests.support.paper import FUTURE, RELIANCE
from tests.support.paper_trading import BookMarket, Trader, trading
from tests.support.pnl_account import fill_account
from tests.support.samples import same_shape, sample

LAST = date(2026, 11, 19)
YEARS = {"2526": (date(2025, 4, 1), date(2026, 3, 31)), "2627": (date(2026, 4, 1), date(2027, 3, 31))}
SEGMENTS = ("EQ", "FO", "CD", "COM")
Told = dict[Line, int]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made: Path = tmp_path_factory.mktemp("sdk-pnl")
    fill_account(made, 400, days=200, last=LAST)
    return made


@pytest.fixture(scope="module")
def trader(folder: Path) -> Iterator[Trader]:
    with trading(folder, market=BookMarket()) as made:
        yield made


@pytest.fixture
def api(trader: Trader) -> Any:
    configuration = upstox_client.Configuration()
    configuration.host = configuration.order_host = trader.base
    configuration.access_token = str(trader.session.headers["Authorization"]).removeprefix("Bearer ")
    return upstox_client.ApiClient(configuration)


@pytest.fixture
def report(api: Any) -> Any:
    return upstox_client.TradeProfitAndLossApi(api)


@pytest.fixture(scope="module")
def book(trader: Trader) -> Book:
    """Our own book of the trades that the broker tells."""
    page = {"start_date": "2025-04-01", "end_date": "2026-11-30", "page_number": 1, "page_size": 5000}
    told = trader.get("/v2/charges/historical-trades", params=page).json()
    trades = parse_past_trades(told["data"], told["meta_data"]).trades
    read = fills_of_history(
        trades, account="PAPER1", multiplier=lambda one: int(one.amount / (one.price * one.quantity))
    )
    assert (len(read.taken), read.refused) == (400, ())
    return build_book(read.taken)


@pytest.fixture(scope="module")
def costs(book: Book) -> Costs:
    return costs_of(book)


def test_the_report_has_the_gains_of_our_own_book(report: Any, book: Book) -> None:
    told: dict[tuple[str, date, date], list[Decimal]] = {}
    counts = 0
    for year in YEARS:
        for segment in SEGMENTS:
            size = report.get_trade_wise_profit_and_loss_meta_data(segment, year, "2.0").data
            assert size.page_size_limit == 5000
            rows = report.get_trade_wise_profit_and_loss_data(segment, year, 1, size.page_size_limit, "2.0").data
            assert len(rows) == size.trades_count
            counts += len(rows)
            for row in rows:
                scrip = row.isin or row.scrip_name
                sums = told.setdefault((scrip, _day(row.buy_date), _day(row.sell_date)), [Decimal(0), Decimal(0)])
                sums[0] += Decimal(str(row.buy_amount))
                sums[1] += Decimal(str(row.sell_amount))
                assert row.buy_amount == pytest.approx(row.quantity * row.buy_average, abs=row.quantity * 1e-6)
    assert counts == len(told) > 100

    ours: dict[tuple[str, date, date], list[Decimal]] = {}
    closed = book.matched.matches
    for place in range(len(closed)):
        key = (_scrip(book, int(closed.series[place])), day_of(closed.buy_day[place]), day_of(closed.sell_day[place]))
        sums = ours.setdefault(key, [Decimal(0), Decimal(0)])
        sums[0] += Decimal(int(closed.buy_value[place])).scaleb(-4)
        sums[1] += Decimal(int(closed.sell_value[place])).scaleb(-4)
    assert told == ours


@pytest.mark.parametrize("year", YEARS)
def test_the_charges_are_those_of_our_own_notes(report: Any, book: Book, costs: Costs, year: str) -> None:
    first, last = YEARS[year]
    told = {segment: _lines(report.get_profit_and_loss_charges(segment, year, "2.0").data) for segment in SEGMENTS}
    ours = {segment: _cost(book, costs, segment, first, last) for segment in SEGMENTS}

    assert told == ours
    assert min(told["EQ"][Line.DP], told["FO"][Line.STT], told["EQ"][Line.STAMP]) > 0


def test_the_desk_shows_the_values_that_the_sdk_reads(tmp_path: Path) -> None:
    fill_account(tmp_path / "paper", 120, days=20, last=LAST)
    settings = load_settings(data_dir=tmp_path, mode="paper", paper_clock="2026-11-20T11:15:00+05:30x0.001")
    with Runtime(settings) as desk:
        desk.pnl.refresh()
        view = desk.pnl.read_whole(Filter(first=date(2026, 4, 1), last=LAST))
        beside = desk.pnl.reconcile(Filter(first=date(2026, 4, 1), last=LAST))
        configuration = upstox_client.Configuration()
        configuration.host, configuration.access_token = desk.broker.api, desk.link.access_token()
        report = upstox_client.TradeProfitAndLossApi(upstox_client.ApiClient(configuration))
        shown = {sums.label: sums.gross for sums in view.by(By.SEGMENT)}
        spans = {span.segment: span for span in beside.spans}
        for segment in SEGMENTS:
            rows = report.get_trade_wise_profit_and_loss_data(segment, "2627", 1, 5000, "2.0").data
            gain = sum((Decimal(str(row.sell_amount)) - Decimal(str(row.buy_amount)) for row in rows), Decimal(0))
            assert to_paise(gain) == shown.get(segment, 0) == spans[segment].gross
            told = _lines(report.get_profit_and_loss_charges(segment, "2627", "2.0").data)
            assert told == {line: spans[segment].charges_traded.of(line) for line in LINES}
            assert [one for one in spans[segment].differences if one.off_by] == []
    assert shown.keys() >= {"EQ", "FO"}


def test_a_range_has_its_own_rows_and_charges(report: Any, book: Book) -> None:
    whole = {"segment": "EQ", "financial_year": "2627", "api_version": "2.0"}
    parts = [{"to_date": "30-09-2026"}, {"from_date": "01-10-2026"}]

    counts = [report.get_trade_wise_profit_and_loss_meta_data(**whole, **part).data.trades_count for part in parts]
    totals = [_lines(report.get_profit_and_loss_charges(**whole, **part).data) for part in parts]

    assert sum(counts) == report.get_trade_wise_profit_and_loss_meta_data(**whole).data.trades_count
    all_of_it = _lines(report.get_profit_and_loss_charges(**whole).data)
    assert {line: totals[0][line] + totals[1][line] for line in LINES} == all_of_it
    rows = report.get_trade_wise_profit_and_loss_data(**whole, page_number=1, page_size=5000, **parts[1]).data
    assert {max(_day(row.buy_date), _day(row.sell_date)) >= date(2026, 10, 1) for row in rows} == {True}
    days = closing_day(book)
    series = book.matched.matches.series
    names = [SEGMENT_OF[name.asset] == "EQ" for name in book.matched.names]
    mine = np.array(names)[series] & (days >= day_number(date(2026, 10, 1)))
    gain = sum(to_paise(Decimal(str(row.sell_amount)) - Decimal(str(row.buy_amount))) for row in rows)
    assert gain == int(book.matched.matches.realised[mine].sum()) // 100


def test_pages_follow_each_other(report: Any) -> None:
    asked = {"segment": "EQ", "financial_year": "2627", "api_version": "2.0"}
    whole = report.get_trade_wise_profit_and_loss_data(**asked, page_number=1, page_size=5000)

    pages = [report.get_trade_wise_profit_and_loss_data(**asked, page_number=n, page_size=30) for n in range(1, 9)]

    assert [row.to_dict() for page in pages for row in page.data] == [row.to_dict() for row in whole.data]
    assert (pages[2].metadata.page.page_number, pages[2].metadata.page.page_size) == (3, 30)


def test_trades_of_earlier_days_brokerage_and_margin(api: Any) -> None:
    trades = upstox_client.PostTradeApi(api).get_trades_by_date_range("2025-04-01", "2026-11-30", 1, 100, segment="FO")
    assert trades.data
    assert all(one.exchange == "NSE" and one.amount == pytest.approx(one.quantity * one.price) for one in trades.data)
    charges = upstox_client.ChargeApi(api)
    assert charges.get_brokerage(RELIANCE, 10, "D", "SELL", 1470.0, "2.0").data.charges.taxes.stt == 15.0
    line = upstox_client.Instrument(instrument_key=FUTURE, quantity=65, product="D", transaction_type="BUY")
    assert charges.post_margin(upstox_client.MarginRequest(instruments=[line])).data.required_margin == 780.0


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/v2/trade/profit-loss/metadata?segment=EQ&financial_year=2627", "pnl_metadata"),
        ("/v2/trade/profit-loss/data?segment=EQ&financial_year=2627&page_number=1&page_size=500", "pnl_data"),
        ("/v2/trade/profit-loss/charges?segment=EQ&financial_year=2627", "pnl_charges"),
        ("/portfolio/trades/p-and-l?segment=FO&financial_year=2627&page_number=1&page_size=500", "pnl_data"),
        ("/portfolio/trades/charges?segment=FO&financial_year=2627", "pnl_charges"),
        (
            "/v2/charges/historical-trades?start_date=2026-04-01&end_date=2026-11-20&page_number=1&page_size=100",
            "trades_historical",
        ),
    ],
)
def test_answers_have_the_documented_members_and_types(trader: Trader, path: str, name: str) -> None:
    told = trader.get(path).json()

    assert told["data"]
    same_shape(told, sample(name))


def test_wrong_questions_are_refused_with_the_documented_codes(report: Any) -> None:
    def code(*asked: Any, **more: Any) -> str:
        with pytest.raises(upstox_client.rest.ApiException) as caught:
            report.get_profit_and_loss_charges(*asked, "2.0", **more)
        assert caught.value.status == 400
        return str(orjson.loads(caught.value.body)["errors"][0]["errorCode"])

    assert code("MF", "2627") == "UDAPI1066"
    assert code("EQ", "2026") == "UDAPI100051"
    assert code("EQ", "2627", from_date="31-03-2026") == "UDAPI1105"


def _day(text: str) -> date:
    return datetime.strptime(text, "%d-%m-%Y").date()  # noqa: DTZ007  # a day only


def _scrip(book: Book, series: int) -> str:
    """As the report names it."""
    instrument = book.matched.names[series].instrument
    if ":" not in instrument:
        return instrument
    _, symbol, expiry, strike, kind = instrument.split(":")
    day = f"{date.fromisoformat(expiry):%d %b %y}".upper()
    return f"{symbol} FUT {day}" if kind == "FUT" else f"{symbol} {strike} {kind} {day}"


def _lines(data: Any) -> Told:
    """The broker's charges in our lines, in paise."""
    told = data.charges_breakdown
    found = {
        Line.BROKERAGE: told.brokerage,
        Line.STT: told.taxes.stt,
        Line.EXCHANGE: told.charges.transaction,
        Line.SEBI: told.charges.sebi_turnover,
        Line.STAMP: told.taxes.stamp_duty,
        Line.CLEARING: told.charges.clearing,
        Line.DP: told.charges.demat_transaction,
        Line.GST: told.taxes.gst,
    }
    assert told.charges.others == 0
    paise = {line: to_paise(Decimal(str(amount))) for line, amount in found.items()}
    # The SDK's model has no IPFT: it is what is missing in the sum.
    return {**paise, Line.IPFT: to_paise(Decimal(str(told.total))) - sum(paise.values())}


def _cost(book: Book, costs: Costs, segment: str, first: date, last: date) -> Told:
    fills = book.fills
    mine = np.array([SEGMENT_OF[name.asset] == segment for name in book.matched.names], bool)[fills.series]
    mine &= (fills.day >= day_number(first)) & (fills.day <= day_number(last))
    return {line: int(costs.fills[line][mine].sum()) for line in LINES}
