"""Charges of lots, groupings of what was closed, marks of what is open."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.portfolio.charges.engine import charge
from services.portfolio.charges.kinds import LINES, Kind, Line
from services.portfolio.closed import By, closed_trades, financial_year, sums_by, total_of
from services.portfolio.costs import costs_of, parts_of
from services.portfolio.lots.actions import Split
from services.portfolio.lots.book import Book, build_book
from services.portfolio.lots.fills import Asset, Fill
from services.portfolio.lots.terms import Bucket
from services.portfolio.marks import marks_of
from tests.support.lots import FIRST, fill, markets

RUPEE = 10_000
OPTION = {"asset": Asset.OPTION, "instrument": "NSE:NIFTY:2026-04-28:25000:CE", "symbol": "NIFTY 25000 CE"}


def mixed() -> list[Fill]:
    """Shares over two years, an intraday trade, options, commodities; two accounts."""
    crude = {"asset": Asset.COMMODITY_FUTURE, "instrument": "MCX:CRUDEOIL", "symbol": "CRUDEOIL", "multiplier": 100,
             "exchange": "MCX"}  # fmt: skip
    return [
        fill("BUY", 10, "100.05", date(2024, 5, 6), trade_id="1"),
        fill("BUY", 30, "120.15", date(2025, 7, 7), trade_id="2"),
        fill("SELL", 25, "150.35", date(2026, 3, 30), trade_id="3", order_id="O3"),
        fill("SELL", 5, "151", date(2026, 3, 30), trade_id="4", order_id="O3"),
        fill("BUY", 7, "1000", 3, at=560, instrument="INE009A01021", symbol="INFY", product="I", trade_id="5"),
        fill("SELL", 7, "998.5", 3, at=660, instrument="INE009A01021", symbol="INFY", product="I", trade_id="6"),
        fill("SELL", 65, "100", 4, at=560, trade_id="7", **OPTION),
        fill("BUY", 65, "80", 5, at=560, trade_id="8", **OPTION),
        fill("BUY", 2, "5500", 6, trade_id="9", account="B", **crude),
        fill("SELL", 1, "5530", 7, trade_id="10", account="B", **crude),
    ]  # fmt: skip


def test_the_kinds_of_fills_follow_from_what_they_were_matched_with() -> None:
    fills = [
        fill("BUY", 10, "100", 0, trade_id="1"),
        fill("BUY", 5, "130", 3, at=600, trade_id="2"),
        fill("SELL", 8, "140", 3, at=700, trade_id="3"),
        fill("BUY", 4, "130", 4, product="I", trade_id="4"),
    ]  # fmt: skip
    settled = [
        ("1", Kind.DELIVERY, 10),
        ("2", Kind.INTRADAY, 5),
        ("3", Kind.INTRADAY, 5),
        ("3", Kind.DELIVERY, 3),
    ]

    def kinds(as_of: date) -> list[tuple[str, Kind, int]]:
        return [(part.trade_id, part.kind, part.quantity) for part in parts_of(build_book(fills, as_of=as_of))]

    assert kinds(FIRST + timedelta(days=4)) == [*settled, ("4", Kind.INTRADAY, 4)]
    assert kinds(FIRST + timedelta(days=5)) == [*settled, ("4", Kind.DELIVERY, 4)]  # it was converted


def test_a_long_option_that_is_settled_in_the_money_pays_its_tax_alone() -> None:
    bought = fill("BUY", 65, "100", 0, expiry=date(2026, 4, 28), **OPTION)

    book = build_book([bought], settlements={OPTION["instrument"]: 120 * RUPEE})

    exercised = parts_of(book)[1]
    assert exercised.kind is Kind.EXERCISE
    assert charge([exercised]).total.exact == Decimal("11.70")  # 0.15% of 7,800
    assert costs_of(book).notes() == {note.key: note.printed for note in charge(parts_of(book)).notes()}
    assert len(parts_of(build_book([bought], settlements={OPTION["instrument"]: 0}))) == 1


def test_costs_of_a_book_are_those_of_the_exact_engines_notes() -> None:
    book = build_book(mixed())

    costs = costs_of(book)

    assert costs.notes() == {note.key: note.printed for note in charge(parts_of(book)).notes()}
    assert costs.total.total == sum(note.total for note in costs.notes().values())


@pytest.mark.parametrize("by", list(By))
def test_the_parts_of_every_grouping_add_up_to_the_whole(by: By) -> None:
    book = build_book(mixed())
    costs = costs_of(book)

    groups, whole = sums_by(book, by, costs), total_of(book, costs)

    assert len(groups) > 1 or by is By.BUCKET
    assert sum(group.gain for group in groups) == whole.gain
    assert sum(group.gross for group in groups) == whole.gross
    assert sum(group.net for group in groups) == whole.net
    assert sum(group.turnover for group in groups) == whole.turnover
    for line in LINES:
        assert sum(group.charges.of(line) for group in groups) == whole.charges.of(line)


def test_groups_have_the_labels_a_reader_expects() -> None:
    book = build_book(mixed())

    assert [group.label for group in sums_by(book, By.SEGMENT)] == ["COM", "EQ", "FO"]
    assert [group.label for group in sums_by(book, By.YEAR)] == ["2025-26", "2026-27"]
    assert [group.label for group in sums_by(book, By.BUCKET)] == [
        Bucket.FUTURES_OPTIONS, Bucket.COMMODITY, Bucket.INTRADAY, Bucket.LONG_TERM, Bucket.SHORT_TERM,
    ]  # fmt: skip
    assert [financial_year(date(2026, 3, 31)), financial_year(date(2026, 4, 1))] == ["2025-26", "2026-27"]
    assert financial_year(date(2099, 12, 1)) == "2099-00"


def test_turnover_is_absolute_gains_for_business_and_sales_for_delivery() -> None:
    groups = {group.label: group for group in sums_by(build_book(mixed()), By.BUCKET)}

    assert groups[Bucket.FUTURES_OPTIONS].turnover == 65 * 20 * RUPEE
    assert groups[Bucket.INTRADAY].turnover == round(7 * 1.5 * RUPEE)
    assert groups[Bucket.INTRADAY].gain < 0
    assert groups[Bucket.LONG_TERM].turnover == groups[Bucket.LONG_TERM].sold


def test_a_closed_trade_is_what_one_order_closed() -> None:
    book = build_book(mixed())
    costs = costs_of(book)

    trades = closed_trades(book, costs)

    assert len(trades) == 4
    assert sum(trade.net for trade in trades) == total_of(book, costs).net
    assert sum(trade.net for trade in closed_trades(book)) == total_of(book).gross
    intraday = next(trade for trade in trades if trade.closed == FIRST + timedelta(days=3))
    assert (intraday.days_held, intraday.held_ms) == (0, 100 * 60_000)
    assert closed_trades(build_book([])) == []


def test_a_book_without_trades_costs_nothing() -> None:
    costs = costs_of(build_book([]))

    assert costs.total.total == 0
    assert costs.notes() == {}
    assert total_of(build_book([]), costs).net == 0


def test_trades_older_than_the_rates_are_named_and_the_others_still_priced() -> None:
    book = build_book([
        fill("BUY", 10, "100", date(2021, 5, 3)),
        fill("SELL", 4, "110", date(2022, 5, 3)),
        fill("SELL", 6, "110", 5),
    ])  # fmt: skip

    costs = costs_of(book)

    assert costs.unpriced.tolist() == [0, 1]
    assert costs.incomplete.tolist() == [True, True]
    assert costs.total.stt > 0
    assert [group.unpriced for group in sums_by(book, By.YEAR, costs)] == [1, 1]


def test_charges_of_what_is_still_open_are_not_those_of_what_was_closed() -> None:
    book = build_book([fill("BUY", 10, "100", 0, order_id="O"), fill("SELL", 4, "110", 5)])

    costs = costs_of(book)

    bought = sum(int(costs.fills[line][0]) for line in LINES)
    sold = sum(int(costs.fills[line][1]) for line in LINES)
    closed = sum(int(costs.matches[line].sum()) for line in LINES)
    assert sold < closed < bought + sold
    assert int(costs.matches[Line.STT].sum()) == int(costs.fills[Line.STT][0]) * 4 // 10 + int(costs.fills[Line.STT][1])


@given(st.integers(1, 9), st.integers(1, 5), st.integers(1, 5))
@settings(max_examples=40, deadline=None)
def test_charges_of_split_lots_are_those_of_their_fill(sold: int, new: int, old: int) -> None:
    split = Split("INE002A01018", FIRST + timedelta(days=10), new, old)
    fills = [fill("BUY", 10 * old, "100", 0), *(fill("SELL", new, "100", 20 + day) for day in range(sold))]

    book = build_book(fills, [split])
    costs = costs_of(book)

    bought = sum(int(costs.fills[line][0]) for line in LINES)
    share = sum(int(costs.matches[line].sum()) for line in LINES) - sum(
        int(costs.fills[line][1:].sum()) for line in LINES
    )
    assert abs(share - bought * sold / 10) <= len(LINES)


def test_what_is_open_is_worth_its_price_and_unknown_without_one() -> None:
    book = build_book([
        fill("BUY", 10, "100", 0, trade_id="1"),
        fill("BUY", 5, "130", 3, trade_id="2"),
        fill("SELL", 3, "140", 3, trade_id="3", product="D", at=900),
        fill("SELL", 65, "100", 2, trade_id="4", **OPTION),
    ])  # fmt: skip
    today = FIRST + timedelta(days=3)

    share, option = marks_of(book, {"INE002A01018": 150 * RUPEE}, {"INE002A01018": 120 * RUPEE}, today=today)

    assert (share.quantity, share.cost, share.average) == (12, (1000 + 2 * 130) * RUPEE, 105 * RUPEE)
    assert share.unrealised == (12 * 150 - 1260) * RUPEE
    assert share.day_change == (12 * 150 - 10 * 120 - 5 * 130 + 3 * 140) * RUPEE
    assert (option.quantity, option.cost) == (-65, -6500 * RUPEE)
    assert option.value is option.unrealised is option.day_change is None


def test_a_short_gains_when_the_price_falls() -> None:
    book = build_book([fill("SELL", 65, "100", 2, **OPTION)])

    (mark,) = marks_of(book, {OPTION["instrument"]: 90 * RUPEE})

    assert mark.unrealised == 650 * RUPEE
    assert mark.day_change is None


def test_what_was_closed_today_still_changes_the_day() -> None:
    book = build_book([fill("BUY", 10, "100", 0), fill("SELL", 10, "118", 3)])

    (mark,) = marks_of(book, {}, {"INE002A01018": 120 * RUPEE}, today=FIRST + timedelta(days=3))

    assert (mark.quantity, mark.unrealised, mark.day_change) == (0, 0, -20 * RUPEE)


def test_a_filter_counts_only_what_it_names() -> None:
    book: Book = build_book(mixed())
    only = np.arange(len(book.matched.matches)) == 0

    assert total_of(book, only=only).gain == int(book.matched.matches.realised[0])
    assert len(closed_trades(book, only=only)) == 1
    assert closed_trades(book, only=~(only | True)) == []


@given(markets((Asset.SHARE, Asset.OPTION, Asset.COMMODITY_FUTURE)))
@settings(max_examples=60, deadline=None)
def test_parts_add_up_to_the_whole_whatever_was_traded(fills: list[Fill]) -> None:
    book = build_book(fills)
    costs = costs_of(book)

    whole = total_of(book, costs)

    notes = charge(parts_of(book)).notes()
    assert costs.notes() == {note.key: note.printed for note in notes}
    assert costs.total.total == sum(note.printed.total for note in notes)
    for by in By:
        groups = sums_by(book, by, costs)
        assert sum(group.gain for group in groups) == whole.gain == int(book.matched.matches.realised.sum())
        assert sum(group.net for group in groups) == whole.net
    assert sum(trade.net for trade in closed_trades(book, costs)) == whole.net


@given(markets((Asset.SHARE, Asset.OPTION)), st.integers(0, 10**6))
@settings(max_examples=60, deadline=None)
def test_splitting_a_fill_in_two_changes_neither_notes_nor_net_results(fills: list[Fill], where: int) -> None:
    place = where % len(fills)
    one = fills[place]
    if one.quantity == 1:
        return
    first = 1 + where % (one.quantity - 1)
    order = one.order_id or one.trade_id
    halves = [
        replace(one, order_id=order, trade_id=one.trade_id + "a", quantity=first),
        replace(one, order_id=order, trade_id=one.trade_id + "b", quantity=one.quantity - first),
    ]

    whole, split = build_book(fills), build_book([*fills[:place], *halves, *fills[place + 1 :]])

    assert costs_of(whole).notes() == costs_of(split).notes()
    assert total_of(whole).gain == total_of(split).gain
