from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings

from services.pnl.kept import KeptBook
from services.pnl.values import ALL_ACCOUNTS, EVERYTHING, Filter, Held, PriceTold
from services.pnl.views import PnlView
from services.portfolio.charges.kinds import LINES
from services.portfolio.closed import By, closed_trades, total_of
from services.portfolio.lots.fills import Asset, Fill
from services.portfolio.lots.terms import Bucket
from services.portfolio.statistics import statistics_of
from tests.support.lots import fill, markets

NOW = datetime(2026, 4, 20, 8, 0, tzinfo=UTC)
DAYS = [date(2026, 4, day) for day in range(1, 21)]


def a_view(*fills: Fill, only: Filter = EVERYTHING, account: str = "A", **more: object) -> PnlView:
    return PnlView(KeptBook.of(fills), only, now=NOW, account=account, **more)  # type: ignore[arg-type]


@settings(max_examples=30, deadline=None)
@given(markets())
def test_groups_and_trades_add_up_to_the_whole_and_statistics_are_those_of_single_trades(fills: list[Fill]) -> None:
    kept = KeptBook.of(fills)
    view = PnlView(kept, Filter(account=ALL_ACCOUNTS), now=NOW)

    for by in By:
        groups = view.by(by)
        assert sum(one.gain for one in groups) == view.total.gain
        assert sum(one.charges.total for one in groups) == view.total.charges.total
    trades = view.trades
    assert int(trades.charges.sum()) == view.total.charges.total
    for line in LINES:
        assert int(view.trade_lines[line].sum()) == view.total.charges.of(line)
    assert int((trades.sell_value - trades.buy_value).sum()) == view.total.gain
    assert int(view.curve.net.sum()) == int(trades.net.sum())
    singles = closed_trades(kept.book, kept.costs)
    wanted = statistics_of(singles, capital=Decimal(100_000), trading_days=DAYS if singles else None)
    told = PnlView(
        kept, Filter(account=ALL_ACCOUNTS), now=NOW, capital=Decimal(100_000), trading_days=lambda first, last: DAYS
    )
    assert told.statistics == wanted
    assert len(set(trades.id.tolist())) == len(trades)


@settings(max_examples=20, deadline=None)
@given(markets())
def test_what_a_filter_lets_through_and_what_it_holds_back_make_the_whole(fills: list[Fill]) -> None:
    kept = KeptBook.of(fills)
    whole = PnlView(kept, Filter(account=ALL_ACCOUNTS), now=NOW)

    for name, values in (("bucket", list(Bucket)), ("segment", ["EQ", "FO"]), ("symbol", whole.symbols)):
        parts = [PnlView(kept, Filter(account=ALL_ACCOUNTS, **{name: str(value)}), now=NOW).total for value in values]
        assert sum(part.gain for part in parts) == whole.total.gain
        assert sum(part.charges.total for part in parts) == whole.total.charges.total
    middle = date(2026, 4, 10)
    early = PnlView(kept, Filter(account=ALL_ACCOUNTS, last=middle), now=NOW)
    late = PnlView(kept, Filter(account=ALL_ACCOUNTS, first=date(2026, 4, 11)), now=NOW)
    assert early.total.matches + late.total.matches == whole.total.matches


def test_ids_of_closed_trades_are_the_same_whatever_else_is_in_the_book_and_in_whatever_order_it_came() -> None:
    own = [fill("BUY", 10, "100", 0, at=1), fill("SELL", 4, "110", 1, at=1, order_id="O9"), fill("SELL", 6, "120", 2)]
    more = [fill("BUY", 5, "50", 0, instrument="INE009A01021"), fill("SELL", 5, "51", 3, instrument="INE009A01021")]

    alone = a_view(*own).trades.id.tolist()
    among = a_view(*reversed([*own, *more])).trades.id.tolist()

    assert len(alone) == 2
    assert set(alone) < set(among)


def test_a_closed_trade_tells_its_lots_and_charges_and_an_unknown_id_nothing() -> None:
    view = a_view(
        fill("BUY", 4, "100", 0, at=1), fill("BUY", 6, "102.5", 1, at=1), fill("SELL", 8, "110", 5, at=30, order_id="X")
    )
    trades = view.trades
    one = trades.id[0]

    lots = view.lots(one)

    assert [(lot.quantity, lot.bought, lot.gross) for lot in lots] == [
        (4, date(2026, 4, 6), 4000), (4, date(2026, 4, 7), 3000),
    ]  # fmt: skip
    assert (trades.side[0], trades.quantity[0], trades.gross[0]) == ("long", 8, 7000)
    assert (trades.buy_average[0], trades.sell_average[0]) == (1_012_500, 1_100_000)
    assert trades.bucket[0] == "short term"
    charges = view.charges(one)
    assert charges is not None
    assert sum(lot.charges.total for lot in lots) == charges.total == trades.charges[0]
    assert view.trade(one) == 0
    assert (view.trade("none"), view.lots("none"), view.charges("none")) == (None, (), None)


def test_a_trade_over_lots_of_several_buckets_names_them_and_a_filter_takes_its_part() -> None:
    fills = (fill("BUY", 4, "100", date(2024, 4, 1)), fill("BUY", 6, "100", 0), fill("SELL", 10, "110", 1))

    assert a_view(*fills).trades.bucket.tolist() == ["short term + long term"]
    part = a_view(*fills, only=Filter(bucket=Bucket.LONG_TERM.value)).trades
    assert (part.quantity.tolist(), part.bucket.tolist()) == ([4], ["long term"])


def test_contracts_are_grouped_by_what_they_are_written_on() -> None:
    calls = [f"NSE:NIFTY:2026-04-28:{strike}:CE" for strike in (25000, 26000)]
    trades = [
        fill(side, 65, price, day, asset=Asset.OPTION, instrument=call, symbol=call)
        for call in calls
        for side, price, day in (("BUY", "10", 0), ("SELL", "11", 1))
    ]

    view = a_view(*trades, fill("BUY", 1, "10", 0), fill("SELL", 1, "11", 1))

    assert [(one.label, one.matches) for one in view.by(By.UNDERLYING)] == [("NIFTY", 2), ("RELIANCE", 1)]
    assert len(view.by(By.SYMBOL)) == 3


def test_accounts_are_apart_and_the_running_one_is_shown_unless_it_is_said_otherwise() -> None:
    fills = (
        fill("BUY", 1, "100", 0, account="A"), fill("SELL", 1, "90", 1, account="B"),
        fill("SELL", 1, "130", 2, account="A"),
    )  # fmt: skip

    assert a_view(*fills).total.gross == 3000
    assert a_view(*fills, only=Filter(account="B")).total.matches == 0
    assert [flag.account for flag in a_view(*fills, only=Filter(account="B")).flags] == ["B"]
    assert a_view(*fills, only=Filter(account=ALL_ACCOUNTS)).accounts == ("A", "B")


def test_a_missing_price_makes_the_sum_undefined_and_says_why() -> None:
    fills = (fill("BUY", 10, "100", 0), fill("BUY", 5, "50", 0, instrument="INE009A01021", symbol="INFY"))
    prices = {"INE002A01018": PriceTold(1_100_000, "quote", NOW, close=1_050_000)}

    half = a_view(*fills, prices=prices)
    whole = a_view(*fills, prices=prices | {"INE009A01021": PriceTold(400_000, "feed", NOW, close=450_000)})

    assert half.unrealised_total.paise is None
    assert half.unrealised_total.why_not == "INFY: no price is known"
    assert [row.unrealised for row in half.unrealised] == [None, 10_000]
    assert whole.unrealised_total.paise == 10_000 - 5_000
    assert [row.told_by for row in whole.unrealised] == ["feed", "quote"]


def test_what_the_broker_holds_otherwise_or_beyond_the_book_is_told() -> None:
    held = [
        Held("INE002A01018", "RELIANCE", Asset.SHARE, 12, 1_000_000),
        Held("INE009A01021", "INFY", Asset.SHARE, 3, 500_000, key="NSE_EQ|INE009A01021"),
    ]
    prices = {"INE009A01021": PriceTold(600_000, "broker", NOW)}

    view = a_view(fill("BUY", 10, "100", 0), held=held, held_at=NOW, prices=prices)

    infy, reliance = view.unrealised
    assert (infy.from_broker, infy.unrealised, infy.average) == (True, 3_000, 500_000)
    assert "knows no purchase" in infy.doubt
    assert reliance.doubt == "the broker holds 12, the book 10"


def test_the_notes_of_a_day_are_told_order_by_order_and_add_up() -> None:
    view = a_view(
        fill("BUY", 10, "100", date(2026, 4, 20), at=1, order_id="X1"),
        fill("BUY", 5, "101", date(2026, 4, 20), at=2, order_id="X1"),
        fill("SELL", 15, "103", date(2026, 4, 20), at=9, order_id="X2"),
    )

    (note,) = view.today

    assert [(order.order_id, order.quantity, len(order.trades)) for order in note.orders] == [
        ("X1", 15, 2),
        ("X2", 15, 1),
    ]
    for line in LINES:
        assert sum(order.lines.of(line) for order in note.orders) == note.lines.of(line)
        for order in note.orders:
            assert sum(trade.lines.of(line) for trade in order.trades) == order.lines.of(line)
    assert note.obligation == (15 * 103 - 10 * 100 - 5 * 101) * 100
    assert note.net == note.obligation - note.lines.total


def test_a_tax_year_tells_heads_deductions_and_the_sales_before_the_change_of_rates() -> None:
    view = a_view(
        fill("BUY", 10, "100", date(2024, 4, 1)), fill("SELL", 4, "150", date(2024, 7, 22)),
        fill("SELL", 6, "150", date(2024, 7, 23)),
        fill("BUY", 1, "10", date(2024, 8, 1), asset=Asset.OPTION, instrument="C"),
        fill("SELL", 1, "4", date(2024, 8, 2), asset=Asset.OPTION, instrument="C"),
        fill("BUY", 1, "10", date(2025, 8, 1), asset=Asset.OPTION, instrument="C"),
    )  # fmt: skip

    year = view.tax("2024-25")

    short = year.row(Bucket.SHORT_TERM)
    assert short.sums.gross == 50_000
    assert short.deductible == short.sums.charges.total - short.sums.charges.stt
    assert [row.sums.gross for row in year.before_change] == [20_000, 0]
    assert year.row(Bucket.FUTURES_OPTIONS).turnover == 600 == year.business_turnover
    assert year.row(Bucket.LONG_TERM).sums.matches == 0
    assert view.tax("2025-26").before_change == ()
    assert view.years == ("2024-25",)


@pytest.mark.parametrize(
    ("bought", "sold"),
    [
        (fill("BUY", 1, "10", date(2001, 1, 1)), fill("SELL", 1, "11", 0)),
        *[(
            fill("BUY", 1, "10", 0, asset=Asset.CURRENCY_FUTURE, exchange="MCX", instrument="C"),
            fill("SELL", 1, "11", 1, asset=Asset.CURRENCY_FUTURE, exchange="MCX", instrument="C"),
        )],
    ],
    ids=["older than the rates", "of a kind without rates"],
)  # fmt: skip
def test_trades_whose_charges_are_not_known_are_told_apart(bought: Fill, sold: Fill) -> None:
    view = a_view(bought, sold)

    assert view.total.unpriced == 1
    assert view.trades.doubtful.tolist() == [True]
    assert view.total.gross == 100


def test_views_of_one_book_and_filter_share_what_was_worked_out() -> None:
    kept = KeptBook.of([fill("BUY", 1, "10", 0), fill("SELL", 1, "11", 1)])

    one, other = (PnlView(kept, Filter(segment="EQ"), now=NOW, account="A") for _ in range(2))

    assert one.trades is other.trades
    assert one.total is other.total
    assert one.statistics is other.statistics


def test_an_empty_book_has_no_figures_but_reasons() -> None:
    view = a_view()

    assert view.empty
    assert view.total.net == 0
    assert len(view.trades) == len(view.curve) == 0
    assert view.statistics.win_rate.why_not == "no trade was closed"
    assert (view.today, view.unrealised, view.years, view.symbols) == ((), (), (), ())
    assert view.unrealised_total.paise == 0


@pytest.mark.parametrize("by", list(By))
def test_a_filter_that_lets_nothing_through_has_no_groups(by: By) -> None:
    view = a_view(fill("BUY", 1, "10", 0), fill("SELL", 1, "11", 1), only=Filter(symbol="OTHER"))

    assert view.by(by) == []
    assert view.total == total_of(view.kept.book, view.kept.costs, np.zeros(1, bool))
