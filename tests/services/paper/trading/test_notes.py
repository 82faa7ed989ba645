"""The contract note of a day, as the paper broker writes it by itself."""

from __future__ import annotations

from dataclasses import replace
from itertools import count

import pytest

from services.paper.trading.notes import DayCharges, Noted, notes_of, row_of, total_of
from services.paper.trading.order_values import Fill

_numbers = count(1)
SHARE = Fill(
    "", 1, "", "", "NSE_EQ|INE002A01018", "NSE_EQ", "NSE", "RELIANCE", True, 1, 1, "D", "LIMIT", "", 0, 0, "2026-11-20",
    1, name="RELIANCE INDUSTRIES LTD", isin="INE002A01018",
)  # fmt: skip
BSE = replace(SHARE, key="BSE_EQ|INE002A01018", segment="BSE_EQ", exchange="BSE")
FUTURE = replace(
    SHARE, key="NSE_FO|54012", segment="NSE_FO", exchange="NFO", isin="", name="NIFTY", expiry="2026-11-24"
)
OPTION = replace(FUTURE, key="NSE_FO|56983", option_type="CE", strike=260_000_000)
SENSEX = replace(OPTION, key="BSE_FO|1", segment="BSE_FO", exchange="BFO", name="SENSEX")
DOLLAR = replace(FUTURE, key="NCD_FO|1", segment="NCD_FO", exchange="CDS", name="USDINR", multiplier=1000)
CRUDE = replace(FUTURE, key="MCX_FO|1", segment="MCX_FO", exchange="MCX", name="CRUDEOIL", multiplier=100)
CRUDE_OPTION = replace(CRUDE, key="MCX_FO|2", option_type="CE")


def noted(fill: Fill, side: str, quantity: int, price: float, product: str = "D", *, order: str = "") -> Noted:
    number = next(_numbers)
    traded = replace(
        fill, buys=side == "BUY", quantity=quantity, price=round(price * 10_000), product=product, number=number,
        trade_id=str(number), order_id=order or f"O{number}",
    )  # fmt: skip
    return Noted(traded, row_of(traded))


def cost(*fills: Noted, day: str = "2026-11-20") -> DayCharges:
    [note] = notes_of(day, fills)
    return note


@pytest.mark.parametrize(
    ("fill", "quantity", "bought", "sold", "product", "printed"),
    [
        (FUTURE, 65, 25_000, 25_100, "D", 970_36),
        (OPTION, 65, 100, 120, "D", 65_21),
        (SENSEX, 20, 300, 250, "D", 59_44),
        (SHARE, 100, 1000, 1005, "I", 82_70),
        (BSE, 10, 500, 495, "I", 13_19),
        (DOLLAR, 10, 85.00, 85.10, "D", 58_23),
        (CRUDE, 1, 5500, 5530, "D", 141_83),
        (CRUDE_OPTION, 1, 150, 120, "D", 66_56),
    ],
)
def test_worked_examples_of_round_trips(
    fill: Fill, quantity: int, bought: float, sold: float, product: str, printed: int
) -> None:
    note = cost(noted(fill, "BUY", quantity, bought, product), noted(fill, "SELL", quantity, sold, product))

    assert note.total == printed


def test_worked_examples_of_delivery_are_two_notes() -> None:
    bought = cost(noted(SHARE, "BUY", 100, 1000), day="2026-11-19")
    sold = cost(noted(SHARE, "SELL", 100, 1100))

    # On one note, as the example has it, 303.66: stamp, exchange, IPFT and SEBI are of whole paise there and here.
    assert (bought.stt, bought.stamp_duty, bought.brokerage, bought.depository) == (100_00, 15_00, 20_00, 0)
    assert (sold.stt, sold.stamp_duty, sold.brokerage, sold.depository) == (110_00, 0, 20_00, 20_00)
    assert abs(bought.total + sold.total - 303_66) <= 1


def test_a_tiny_sale_of_an_option_costs_the_flat_brokerage() -> None:
    assert cost(noted(OPTION, "SELL", 65, 0.05)).total == 23_60


def test_brokerage_is_for_each_order_and_not_for_each_fill() -> None:
    fills = [noted(OPTION, "BUY", 65, 100, order="one") for _ in range(3)]

    assert cost(*fills).brokerage == 20_00
    assert cost(*fills, noted(OPTION, "BUY", 65, 100)).brokerage == 40_00


def test_what_is_bought_and_sold_on_one_day_is_intraday_whatever_its_product() -> None:
    same_day = cost(noted(SHARE, "BUY", 100, 1000), noted(SHARE, "SELL", 100, 1005))

    assert same_day == cost(noted(SHARE, "BUY", 100, 1000, "I"), noted(SHARE, "SELL", 100, 1005, "I"))
    assert same_day.depository == 0


def test_what_an_intraday_product_leaves_open_was_converted_and_is_delivered() -> None:
    assert cost(noted(SHARE, "BUY", 10, 1000, "I")) == cost(noted(SHARE, "BUY", 10, 1000, "D"))


def test_an_order_of_which_a_part_is_delivered_is_taxed_part_by_part() -> None:
    note = cost(noted(SHARE, "BUY", 100, 1000), noted(SHARE, "SELL", 40, 1000))

    # 60 delivered at 0.1%; of the 40 the sale pays 0.025%. Stamp duty 0.015% and 0.003% of the purchase.
    assert (note.stt, note.stamp_duty) == (60_00 + 10_00, 10_00)
    assert note.depository == 0


def test_the_depository_takes_once_for_a_share_and_day() -> None:
    sold = [noted(SHARE, "SELL", 1, 1000), noted(SHARE, "SELL", 1, 1000), noted(BSE, "SELL", 1, 1000)]
    other = noted(replace(SHARE, isin="INE009A01021", key="NSE_EQ|INE009A01021"), "SELL", 1, 1000)

    assert cost(*sold).depository == 20_00
    assert cost(*sold, other).depository == 40_00
    assert cost(*sold, day="2025-03-31").depository == 18_50


@pytest.mark.parametrize(
    ("day", "stt"), [("2024-09-30", 13), ("2024-10-01", 20), ("2026-03-31", 20), ("2026-04-01", 50)]
)
def test_rates_are_those_of_the_day(day: str, stt: int) -> None:
    assert cost(noted(FUTURE, "SELL", 10, 10_000), day=day).stt == stt * 100


def test_an_order_that_the_broker_sent_costs_its_fee_with_tax() -> None:
    plain = noted(SHARE, "SELL", 10, 1000, "I")
    sent = cost(noted(SHARE, "BUY", 10, 1000, "I"), replace(plain, by_broker=True))
    usual = cost(noted(SHARE, "BUY", 10, 1000, "I"), plain)

    assert (sent.others, sent.gst - usual.gst, sent.total - usual.total) == (50_00, 9_00, 59_00)


def test_an_option_that_ends_worthless_costs_nothing() -> None:
    assert notes_of("2026-11-24", [noted(OPTION, "SELL", 65, 0)]) == []


def test_crops_pay_no_transaction_tax() -> None:
    assert cost(noted(replace(CRUDE, name="COTTON"), "SELL", 1, 5500)).stt == 0


def test_segments_add_up_to_the_one_note_of_the_day() -> None:
    traded = [
        noted(SHARE, "BUY", 7, 1234.55), noted(OPTION, "BUY", 65, 187.3), noted(OPTION, "SELL", 65, 190.05),
        noted(DOLLAR, "BUY", 3, 90.0025), noted(FUTURE, "SELL", 65, 25_011.35), noted(CRUDE, "SELL", 1, 5531),
    ]  # fmt: skip

    notes = {note.segment: note for note in notes_of("2026-11-20", traded)}

    assert list(notes) == ["EQ", "FO", "CD", "COM"]
    securities = [notes[name] for name in ("EQ", "FO", "CD")]
    for line in ("stt", "stamp_duty"):
        assert sum(getattr(one, line) for one in securities) % 100 == 0
        assert getattr(notes["COM"], line) % 100 == 0
    taxed = sum(
        one.brokerage + one.transaction + one.ipft + one.sebi_turnover + one.depository + one.others
        for one in securities
    )
    assert sum(one.gst for one in securities) == (taxed * 18 + 50) // 100
    assert total_of(notes.values()) == sum(one.total for one in notes.values())


def test_the_order_in_which_trades_are_told_changes_nothing() -> None:
    traded = [noted(SHARE, "BUY", 10, 1000), noted(SHARE, "SELL", 4, 1010), noted(BSE, "SELL", 2, 1005)]

    assert notes_of("2026-11-20", traded) == notes_of("2026-11-20", traded[::-1])
