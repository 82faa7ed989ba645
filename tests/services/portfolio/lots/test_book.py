"""The book of lots: examples, the real tradebook, and properties."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.domain.errors import InvalidRequest
from services.portfolio.lots.actions import Action, Bonus, Demerger, Rename, Split
from services.portfolio.lots.book import Book, Cause, base_symbol, build_book
from services.portfolio.lots.fills import Asset, Fill, day_number
from services.portfolio.lots.terms import BUCKETS, Bucket, more_than_twelve_months
from services.portfolio.readers.tradebooks import read_zerodha
from tests.support.lots import FIRST, fill, markets, plain_fifo, total
from tests.support.shared_data import shared

DECIDABLE = frozenset({
    "GODFRYPHLP", "INDIAMART", "ACE", "GESHIP", "BAJAJHIND", "BANKBARODA", "ICIL", "DEEPAKFERT", "ICICIBANK",
    "CHOLAHLDNG", "GENUSPOWER", "BASF", "GSPL", "GREAVESCOT",
})  # fmt: skip
RUPEE = 10_000
NIFTY = {"asset": Asset.OPTION, "instrument": "NSE:NIFTY:2026-11-24:25000:CE", "symbol": "NIFTY 25000 CE"}


def realised(book: Book) -> int:
    return total(book.matched.matches.realised)


def held(book: Book) -> dict[str, int]:
    items = book.matched.open
    out: dict[str, int] = {}
    for series, sells, quantity in zip(
        items.series.tolist(), items.sells.tolist(), items.quantity.tolist(), strict=True
    ):
        name = book.matched.names[series].instrument
        out[name] = out.get(name, 0) + (-quantity if sells else quantity)
    return out


def open_cost(book: Book) -> int:
    items = book.matched.open
    return total(items.values(np.arange(len(items)), np.zeros_like(items.quantity), items.quantity))


def in_buckets(book: Book) -> dict[Bucket, int]:
    sums: dict[Bucket, int] = {}
    for number, gain in zip(book.bucket.tolist(), book.matched.matches.realised.tolist(), strict=True):
        sums[BUCKETS[number]] = sums.get(BUCKETS[number], 0) + gain
    return sums


def test_the_first_lots_go_first() -> None:
    book = build_book([fill("BUY", 10, "100", 0), fill("BUY", 10, "110", 1), fill("SELL", 15, "120", 2)])

    assert realised(book) == (10 * 20 + 5 * 10) * RUPEE
    assert held(book) == {"INE002A01018": 5}
    assert open_cost(book) == 5 * 110 * RUPEE
    assert in_buckets(book) == {Bucket.SHORT_TERM: 250 * RUPEE}


def test_pairs_of_the_same_day_go_before_older_lots() -> None:
    book = build_book([
        fill("BUY", 10, "100", 0),
        fill("BUY", 5, "130", 3, at=600),
        fill("SELL", 8, "140", 3, at=700),
    ])  # fmt: skip

    assert in_buckets(book) == {Bucket.INTRADAY: 5 * 10 * RUPEE, Bucket.SHORT_TERM: 3 * 40 * RUPEE}
    assert held(book) == {"INE002A01018": 7}


def test_an_intraday_short_beside_a_delivery_purchase_stays_with_its_product() -> None:
    book = build_book([
        fill("BUY", 10, "100", 0, at=570, product="D"),
        fill("SELL", 10, "105", 0, at=600, product="I"),
        fill("BUY", 10, "103", 0, at=700, product="I"),
    ])  # fmt: skip

    assert realised(book) == 20 * RUPEE
    assert open_cost(book) == 1000 * RUPEE
    assert not bool(book.matched.matches.long[0])


def test_what_is_traded_intraday_stays_open_until_the_day_is_over() -> None:
    fills = [
        fill("BUY", 10, "100", 0),
        fill("BUY", 7, "104", 1, at=570, product="D"),
        fill("SELL", 25, "105", 1, at=600, product="I"),
        fill("BUY", 5, "103", 1, at=700, product="I"),
    ]

    running = build_book(fills, as_of=FIRST + timedelta(days=1))
    over = build_book(fills, as_of=FIRST + timedelta(days=2))

    assert running.flags == ()
    assert realised(running) == 5 * 2 * RUPEE
    assert held(running) == {"INE002A01018": 10 + 7 - 20}
    assert [flag.cause for flag in over.flags] == [Cause.BOUGHT_BEFORE]
    assert realised(over) == (5 * 2 + 7 * 1 + 10 * 5) * RUPEE


def test_a_short_of_today_is_no_sale_of_what_nobody_knows() -> None:
    short = fill("SELL", 120, "1500", 0, at=600, product="I")

    assert build_book([short], as_of=FIRST).flags == ()
    assert held(build_book([short], as_of=FIRST)) == {"INE002A01018": -120}
    assert [flag.cause for flag in build_book([short], as_of=FIRST + timedelta(days=1)).flags] == [Cause.BOUGHT_BEFORE]


def test_a_contract_may_be_short_over_days_and_flip() -> None:
    book = build_book([
        fill("SELL", 65, "100", 0, **NIFTY),
        fill("BUY", 130, "80", 1, **NIFTY),
        fill("SELL", 65, "90", 2, **NIFTY),
    ])  # fmt: skip

    assert book.matched.matches.realised.tolist() == [65 * 20 * RUPEE, 65 * 10 * RUPEE]
    assert book.matched.matches.long.tolist() == [False, True]
    assert in_buckets(book) == {Bucket.FUTURES_OPTIONS: 65 * 30 * RUPEE}
    assert held(book) == {}


def test_multipliers_make_rupees_of_lots() -> None:
    crude = {"asset": Asset.COMMODITY_FUTURE, "instrument": "MCX:CRUDEOIL", "symbol": "CRUDEOIL", "multiplier": 100}

    book = build_book([fill("BUY", 2, "5500", 0, **crude), fill("SELL", 1, "5530", 1, **crude)])

    assert in_buckets(book) == {Bucket.COMMODITY: 3000 * RUPEE}


def test_accounts_do_not_mix_and_exchanges_of_one_isin_do() -> None:
    book = build_book([
        fill("BUY", 10, "100", 0, account="A"),
        fill("BUY", 10, "200", 0, account="B"),
        fill("SELL", 10, "150", 5, account="B", exchange="BSE"),
    ])  # fmt: skip

    assert realised(book) == -500 * RUPEE


def test_an_open_contract_is_settled_at_its_expiry_or_flagged() -> None:
    expiry = date(2026, 4, 28)
    bought = fill("BUY", 65, "100", 0, expiry=expiry, **NIFTY)

    settled = build_book([bought], settlements={NIFTY["instrument"]: 120 * RUPEE}, as_of=date(2026, 5, 1))
    worthless = build_book([bought], settlements={NIFTY["instrument"]: 0}, as_of=date(2026, 5, 1))
    unknown = build_book([bought], as_of=date(2026, 5, 1))

    assert realised(settled) == 65 * 20 * RUPEE
    assert realised(worthless) == -65 * 100 * RUPEE
    assert settled.flags == worthless.flags == ()
    assert [flag.cause for flag in unknown.flags] == [Cause.EXPIRED]


def test_shares_sold_without_a_purchase_are_named_and_not_guessed() -> None:
    book = build_book([fill("SELL", 10, "100", 1), fill("BUY", 4, "90", 5)])

    assert realised(book) == 0
    assert book.matched.unexplained.quantity.tolist() == [10]
    assert held(book) == {"INE002A01018": 4}
    (flag,) = book.flags
    assert (flag.cause, flag.quantity) == (Cause.BOUGHT_BEFORE, 10)
    assert book.doubtful() == frozenset({0})


def test_what_is_not_in_the_book_was_there_first() -> None:
    book = build_book([fill("BUY", 5, "90", 0), fill("SELL", 8, "100", 1)])

    assert book.matched.unexplained.quantity.tolist() == [3]
    assert realised(book) == 5 * 10 * RUPEE


@pytest.mark.parametrize(
    ("bought", "sold", "long"),
    [
        (date(2023, 3, 1), date(2024, 3, 1), False),  # 366 days, not more than twelve months
        (date(2023, 3, 1), date(2024, 3, 2), True),
        (date(2025, 3, 1), date(2026, 3, 1), False),
        (date(2025, 3, 1), date(2026, 3, 2), True),
        (date(2024, 2, 29), date(2025, 2, 28), False),
        (date(2024, 2, 29), date(2025, 3, 1), True),
        (date(2023, 2, 28), date(2024, 2, 28), False),
        (date(2023, 2, 28), date(2024, 2, 29), True),
        (date(2025, 12, 31), date(2026, 12, 31), False),
    ],
)
def test_long_term_is_more_than_twelve_months(bought: date, sold: date, long: bool) -> None:
    found = more_than_twelve_months(np.array([day_number(bought)]), np.array([day_number(sold)]))

    assert found.tolist() == [long]


# -- corporate actions -------------------------------------------------------------------------------------------------

EX = FIRST.replace(day=20)
OLD, NEW = "INE324A01024", "INE324A01032"


def test_a_split_under_a_new_isin_keeps_the_cost_and_the_day() -> None:
    split = Split(OLD, EX, new=2, old=1, into=NEW)
    fills = [fill("BUY", 57, "577.80", 0, instrument=OLD), fill("SELL", 114, "285.55", 60, instrument=NEW)]

    book = build_book(fills, [split])

    assert realised(book) == round((114 * Decimal("285.55") - 57 * Decimal("577.80")) * RUPEE)
    assert book.matched.matches.buy_day.tolist() == [day_number(FIRST)]
    assert book.flags == ()
    assert held(book) == {}


def test_without_the_split_the_new_isin_is_flagged_with_that_cause() -> None:
    fills = [fill("BUY", 57, "577.80", 0, instrument=OLD), fill("SELL", 114, "285.55", 60, instrument=NEW)]

    book = build_book(fills)

    assert {flag.cause for flag in book.flags} == {Cause.ISIN_CHANGED}
    assert {flag.instrument for flag in book.flags} == {OLD, NEW}


def test_a_bonus_spreads_the_cost_or_makes_free_lots() -> None:
    fills = [fill("BUY", 10, "300", 0), fill("SELL", 15, "160", 60)]

    spread = build_book(fills, [Bonus("INE002A01018", EX, new=1, old=1)])
    free = build_book(fills, [Bonus("INE002A01018", EX, new=1, old=1, free_lots=True)])

    assert realised(spread) == 15 * 10 * RUPEE
    assert realised(free) == (15 * 160 - 10 * 300) * RUPEE
    assert held(spread) == held(free) == {"INE002A01018": 5}
    assert open_cost(spread) == 750 * 2 * RUPEE // 2
    assert open_cost(free) == 0


def test_a_rename_goes_on_under_the_new_name() -> None:
    fills = [fill("BUY", 10, "100", 0, instrument="OLD"), fill("SELL", 10, "130", 60, instrument="NEW")]

    book = build_book(fills, [Rename("OLD", EX, "NEW")])

    assert realised(book) == 300 * RUPEE
    assert book.flags == ()


def test_a_demerger_moves_a_part_of_the_cost() -> None:
    demerger = Demerger("PARENT", EX, "CHILD", new=1, old=1, cost_percent=Decimal("4.68"))
    fills = [
        fill("BUY", 10, "1000", 0, instrument="PARENT"),
        fill("SELL", 10, "260", 60, instrument="CHILD"),
        fill("SELL", 10, "1100", 60, instrument="PARENT"),
    ]

    book = build_book(fills, [demerger])

    closed = book.matched.matches
    columns = zip(closed.series.tolist(), closed.realised.tolist(), strict=True)
    gains = {book.matched.names[series].instrument: gain for series, gain in columns}
    assert gains == {"CHILD": (2600 - 468) * RUPEE, "PARENT": (11000 - 9532) * RUPEE}


def test_a_fraction_that_nobody_can_hold_is_flagged_with_its_cost() -> None:
    book = build_book([fill("BUY", 15, "100", 0)], [Bonus("INE002A01018", EX, new=1, old=2)])

    assert held(book) == {"INE002A01018": 22}
    (left,) = book.matched.left
    assert open_cost(book) + left.cost == 1500 * RUPEE
    assert [flag.cause for flag in book.flags] == [Cause.FRACTION]


def test_an_action_touches_only_what_was_held_before_its_day() -> None:
    split = Split("INE002A01018", EX, new=10, old=1)
    fills = [fill("BUY", 1, "1000", 0), fill("BUY", 10, "100", EX), fill("SELL", 20, "101", 60)]

    assert realised(build_book(fills, [split])) == 20 * RUPEE


# -- the real tradebook ------------------------------------------------------------------------------------------------


def _real() -> list[Fill]:
    reading = read_zerodha(shared("data/tradebook/zerodha_tradebook_fy2425_A-J.csv").read_text(), account="Z")
    assert reading.refused == ()
    assert len(reading.taken) == 169
    return list(reading.taken)


def _brokers() -> dict[str, tuple[int, int, int]]:
    """Quantity, buy value and sell value in paise, by symbol, terms together."""
    sums: dict[str, tuple[int, int, int]] = {}
    with shared("data/tradebook/zerodha_tax_pnl_fy2425_A-J.csv").open() as lines:
        for row in csv.DictReader(lines):
            own = (int(row["quantity"]), *(int(Decimal(row[name]) * 100) for name in ("buy_value", "sell_value")))
            before = sums.get(row["symbol"], (0, 0, 0))
            sums[row["symbol"]] = (before[0] + own[0], before[1] + own[1], before[2] + own[2])
    return sums


def _ours(book: Book) -> dict[str, tuple[int, int, int]]:
    closed = book.matched.matches
    sums: dict[str, tuple[int, int, int]] = {}
    columns = zip(
        *(one.tolist() for one in (closed.series, closed.quantity, closed.buy_value, closed.sell_value)), strict=True
    )
    for series, *own in columns:
        symbol = base_symbol(book.symbols[series])
        sums[symbol] = tuple(a + b for a, b in zip(sums.get(symbol, (0, 0, 0)), own, strict=True))
    return {symbol: (quantity, buy // 100, sell // 100) for symbol, (quantity, buy, sell) in sums.items()}


def test_fifo_equals_the_brokers_realised_gains_to_the_paisa() -> None:
    book, brokers = build_book(_real()), _brokers()

    ours = _ours(book)

    assert {symbol for symbol in ours if ours[symbol] == brokers.get(symbol)} >= DECIDABLE
    doubtful = {base_symbol(book.symbols[series]) for series in book.doubtful()}
    assert not doubtful & DECIDABLE


def test_every_other_symbol_of_the_brokers_report_is_flagged_with_its_cause() -> None:
    book = build_book(_real())

    causes = {base_symbol(flag.symbol): flag.cause for flag in book.flags}
    others = {base_symbol(symbol) for symbol in _brokers()} - DECIDABLE - {"GET&D"}
    assert others <= set(causes)
    assert causes["JINDALSAW"] is Cause.ISIN_CHANGED
    assert causes["GVT&D"] is Cause.RENAMED  # the report of the broker still calls it GET&D
    assert {causes[symbol] for symbol in others - {"JINDALSAW"}} == {Cause.BOUGHT_BEFORE}


def test_the_renamed_share_is_matched_across_its_names() -> None:
    assert _ours(build_book(_real()))["GVT&D"] == _brokers()["GET&D"]


def test_the_split_that_the_flag_asks_for_explains_the_split_share() -> None:
    book = build_book(_real(), [Split(OLD, date(2024, 10, 9), new=2, old=1, into=NEW)])

    assert _ours(book)["JINDALSAW"] == _brokers()["JINDALSAW"]
    assert "JINDALSAW" not in {flag.symbol for flag in book.flags}


def test_the_real_tradebook_imported_twice_is_the_same_book() -> None:
    fills = _real()

    once, twice = build_book(fills), build_book([*fills[::-1], *fills])

    assert _ours(once) == _ours(twice)
    assert once.flags == twice.flags
    assert once.fills.rows == twice.fills.rows


def test_two_tellings_that_differ_are_a_conflict() -> None:
    told = [fill("BUY", 10, "100", 0, trade_id="T1"), fill("BUY", 11, "100", 0, trade_id="T1")]

    book, other = build_book(told), build_book(told[::-1])

    assert [flag.cause for flag in book.flags] == [Cause.TOLD_TWICE]
    assert book.flags == other.flags


def test_a_fill_that_cannot_be_real_is_refused() -> None:
    with pytest.raises(InvalidRequest):
        fill("BUY", 10**9, "1000000", 0)
    with pytest.raises(InvalidRequest):
        fill("BUY", 0, "1", 0)


# -- properties --------------------------------------------------------------------------------------------------------


@st.composite
def actions(draw: st.DrawFn) -> list[Action]:
    name = f"share {draw(st.integers(1, 2))}"
    day = FIRST.replace(day=1) if draw(st.booleans()) else date(2026, 5, draw(st.integers(1, 28)))
    ratio = {"new": draw(st.integers(1, 5)), "old": draw(st.integers(1, 5))}
    return draw(
        st.sampled_from([
            [],
            [Split(name, day, **ratio)],
            [Bonus(name, day, **ratio)],
            [Bonus(name, day, **ratio, free_lots=True)],
            [Split(name, day, **ratio, into="share 1" if name == "share 2" else "share 2")],
            [Demerger(name, day, "child", **ratio, cost_percent=Decimal("33.3"))],
            [Demerger(name, day, "child", 1, 3, Decimal("10.07")), Split("child", date(2026, 5, 29), 3, 2)],
        ])
    )  # fmt: skip


def _facts(book: Book) -> dict[str, object]:
    sums: dict[tuple[str, str], int] = {}
    closed = book.matched.matches
    for series, bucket, gain in zip(
        closed.series.tolist(), book.bucket.tolist(), closed.realised.tolist(), strict=True
    ):
        key = (book.matched.names[series].instrument, BUCKETS[bucket].value)
        sums[key] = sums.get(key, 0) + gain
    missing: dict[str, int] = {}
    lost = book.matched.unexplained
    for series, quantity in zip(lost.series.tolist(), lost.quantity.tolist(), strict=True):
        missing[book.matched.names[series].instrument] = (
            missing.get(book.matched.names[series].instrument, 0) + quantity
        )
    return {"realised": sums, "held": held(book), "cost": open_cost(book), "missing": missing,
            "left": sorted((book.matched.names[left.series].instrument, left.units, left.cost)
                           for left in book.matched.left)}  # fmt: skip


@given(markets((Asset.OPTION,)))
@settings(max_examples=150, deadline=None)
def test_contracts_equal_a_queue_worked_off_unit_by_unit(fills: list[Fill]) -> None:
    book = build_book(fills)

    gain, open_units = plain_fifo(fills)

    assert realised(book) == gain
    assert held(book) == {name: units for name, units in open_units.items() if units}


@given(markets(), actions(), st.integers(0, 10**6))
@settings(max_examples=200, deadline=None)
def test_splitting_a_fill_in_two_never_changes_anything(fills: list[Fill], events: list[Action], where: int) -> None:
    place = where % len(fills)
    one = fills[place]
    if one.quantity == 1:
        return
    first = 1 + where % (one.quantity - 1)
    halves = [_part(one, one.trade_id + "a", first), _part(one, one.trade_id + "b", one.quantity - first)]

    whole, split = build_book(fills, events), build_book([*fills[:place], *halves, *fills[place + 1 :]], events)

    assert _facts(whole) == _facts(split)


@given(markets(), actions(), st.randoms(use_true_random=False))
@settings(max_examples=100, deadline=None)
def test_the_order_and_number_of_imports_never_matter(fills: list[Fill], events: list[Action], dice) -> None:
    told = [*fills, *(one for one in fills if dice.random() < 0.5)]
    dice.shuffle(told)

    assert _facts(build_book(fills, events)) == _facts(build_book(told, [*events[::-1], *events]))


@given(markets((Asset.OPTION,)))
@settings(max_examples=100, deadline=None)
def test_long_and_short_mirror_each_other(fills: list[Fill]) -> None:
    mirrored = [replace(one, side=one.side.other) for one in fills]

    book, mirror = build_book(fills), build_book(mirrored)

    assert book.matched.matches.realised.tolist() == (-mirror.matched.matches.realised).tolist()
    assert book.matched.matches.long.tolist() == (~mirror.matched.matches.long).tolist()
    assert held(book) == {name: -units for name, units in held(mirror).items()}


@given(markets(), actions())
@settings(max_examples=150, deadline=None)
def test_nothing_is_lost_between_what_was_traded_and_where_it_stands(fills: list[Fill], events: list[Action]) -> None:
    """Money in and out is what was realised, what is open and what cannot be explained."""
    book = build_book(fills, events)

    flow = sum(one.value * -one.side.sign for one in fills)
    items = book.matched.open
    amounts = items.values(np.arange(len(items)), np.zeros_like(items.quantity), items.quantity)
    open_value = total(np.where(items.sells, -amounts, amounts))
    unexplained = total(book.matched.unexplained.sell_value)
    shorts_left = sum(left.cost for left in book.matched.left)
    assert flow == realised(book) - open_value + unexplained - shorts_left


@given(markets(), actions())
@settings(max_examples=80, deadline=None)
def test_the_stretches_of_a_fill_touch_and_never_overlap(fills: list[Fill], events: list[Action]) -> None:
    book = build_book(fills, events)

    stretches: dict[int, list[tuple[int, int]]] = {}
    closed, lost = book.matched.matches, book.matched.unexplained
    for fill_of, start, end in (
        (closed.buy, closed.buy_from, closed.buy_to),
        (closed.sell, closed.sell_from, closed.sell_to),
        (lost.sell, lost.sell_from, lost.sell_to),
    ):
        for place, begin, upto in zip(fill_of.tolist(), start.tolist(), end.tolist(), strict=True):
            if upto > begin:
                stretches.setdefault(place, []).append((begin, upto))
    for place, found in stretches.items():
        found.sort()
        assert all(one[1] <= other[0] for one, other in pairwise(found))
        assert found[0][0] >= 0
        assert found[-1][1] <= book.fills.rows[place].quantity


def _part(one: Fill, trade_id: str, quantity: int) -> Fill:
    return replace(one, trade_id=trade_id, quantity=quantity)
