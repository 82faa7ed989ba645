"""The charges engine against worked examples, other people's calculators and real contract notes."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

import pytest

from services.domain.errors import InvalidRequest, NotPublished
from services.domain.orders import Side
from services.portfolio.charges.engine import Part, charge, charges_of_order
from services.portfolio.charges.kinds import Group, Kind, Line, Rate
from services.portfolio.charges.plan import PLUS_PLAN, STANDARD_PLAN, Brokerage
from services.portfolio.charges.rates import EARLIEST
from services.portfolio.charges.table import STANDARD
from services.portfolio.money import price_units
from tests.support.charges import IN_2026, by_order, part, round_trip
from tests.support.shared_data import shared

# kind, exchange, quantity, multiplier, buy, sell; brokerage, STT, exchange + IPFT, SEBI, stamp, DP, GST, exact, note
EXAMPLES = [
    ("E1", Kind.DELIVERY, "NSE", 100, 1, "1000", "1100",
     "40", "210", "6.4470", "0.2100", "15", "20", "11.9983", "303.6553", "303.66"),
    ("E2", Kind.INTRADAY, "NSE", 100, 1, "1000", "1005",
     "40", "25.1250", "6.1554", "0.2005", "3", "0", "8.3441", "82.8249", "82.70"),
    ("E3", Kind.FUTURE, "NSE", 65, 1, "25000", "25100",
     "40", "815.75", "59.5940", "3.2565", "32.5", "0", "18.5131", "969.6135", "970.36"),
    ("E4", Kind.OPTION, "NSE", 65, 1, "100", "120",
     "40", "11.7", "5.0808", "0.0143", "0.1950", "0", "8.1171", "65.1072", "65.21"),
    ("E5", Kind.OPTION, "BSE", 20, 1, "300", "250",
     "40", "7.5", "3.5750", "0.0110", "0.18", "0", "7.8455", "59.1115", "59.44"),
    ("E6", Kind.INTRADAY, "BSE", 10, 1, "500", "495",
     "9.95", "1.2375", "0.3731", "0.0100", "0.15", "0", "1.8600", "13.5805", "13.19"),
    ("E7", Kind.DELIVERY, "BSE", 5, 1, "200", "210",
     "40", "2.05", "0.0769", "0.0021", "0.15", "20", "10.8142", "73.0931", "72.89"),
    ("E8", Kind.CURRENCY_FUTURE, "NSE", 10, 1000, "85.00", "85.10",
     "40", "0", "6.8040", "1.7010", "0.8500", "0", "8.7309", "58.0859", "58.23"),
    ("E9", Kind.COMMODITY_FUTURE, "MCX", 1, 100, "5500", "5530",
     "40", "55.3", "23.1630", "1.1030", "11", "0", "11.5679", "142.1339", "141.83"),
    ("E10", Kind.COMMODITY_OPTION, "MCX", 1, 100, "150", "120",
     "40", "6", "11.2860", "0.0270", "0.45", "0", "9.2363", "66.9993", "66.56"),
]  # fmt: skip


def _four(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.0001"), rounding=ROUND_HALF_UP)


@pytest.mark.parametrize("example", EXAMPLES, ids=[example[0] for example in EXAMPLES])
def test_a_worked_round_trip_costs_what_the_market_facts_say(example: tuple[str, Kind, str, int, int, str]) -> None:
    _, kind, exchange, quantity, multiplier, buy, sell, *figures = example
    told = [Decimal(figure) for figure in figures]

    charged = round_trip(kind, quantity, buy, sell, exchange=exchange, multiplier=multiplier)

    lines = charged.total
    ours = [
        lines.rupees(Line.BROKERAGE),
        lines.rupees(Line.STT),
        lines.rupees(Line.EXCHANGE) + lines.rupees(Line.IPFT),
        lines.rupees(Line.SEBI),
        lines.rupees(Line.STAMP),
        lines.rupees(Line.DP),
        lines.rupees(Line.GST),
        lines.exact,
    ]
    assert [_four(one) for one in ours] == [_four(one) for one in told[:-1]]
    (note,) = charged.notes()
    assert note.printed.rupees == told[-1]


def test_e11_a_tiny_option_sale_pays_the_flat_brokerage() -> None:
    charged = charge([part(Kind.OPTION, "SELL", 65, "0.05")])

    assert _four(charged.total.exact) == Decimal("23.6062")
    assert charged.notes()[0].printed.rupees == Decimal("23.60")


def test_e12_a_schedule_without_the_sebi_fee_in_gst() -> None:
    plan = replace(STANDARD_PLAN, gst_on_sebi=False)

    lines = round_trip(Kind.DELIVERY, 100, "1000", "1000", plan=plan).total

    assert _four(lines.rupees(Line.GST)) == Decimal("11.9052")
    assert abs(lines.exact - Decimal("293.2454")) <= Decimal("0.0002")


def test_e13_another_brokers_calculator_but_for_its_clearing_charge() -> None:
    lines = round_trip(Kind.FUTURE, 75, "25000", "25000").total
    with_clearing = STANDARD.with_rates(
        [Rate(Line.CLEARING, Kind.FUTURE, IN_2026, Decimal("0.0005"), "that broker's list")]
    )
    theirs = round_trip(Kind.FUTURE, 75, "25000", "25000", rates=with_clearing).total

    assert _four(lines.exact) == Decimal("1107.6025")
    assert _four(theirs.exact) == Decimal("1129.7275")
    assert theirs.rupees(Line.EXCHANGE) + theirs.rupees(Line.CLEARING) == Decimal("87.37125")
    assert _four(theirs.rupees(Line.GST)) == Decimal("23.6025")


@pytest.mark.parametrize(
    ("place", "total"),
    [(0, "303.62"), (1, "82.80"), (2, "969.03"), (3, "65.12"), (4, "59.12"), (5, "13.59"), (6, "73.10")],
)  # fmt: skip
def test_paise_for_each_order_agree_with_an_independent_calculator(place: int, total: str) -> None:
    """It rounds each line of each order to the paisa and leaves the SEBI fee out of GST."""
    _, kind, exchange, quantity, multiplier, buy, sell, *_ = EXAMPLES[place]
    plan = replace(STANDARD_PLAN, gst_on_sebi=False)

    charged = round_trip(kind, quantity, buy, sell, exchange=exchange, multiplier=multiplier, plan=plan)

    each = [lines.in_paise().rupees for lines in by_order(charged).values()]
    assert abs(sum(each) - Decimal(total)) <= Decimal("0.01")


def test_cn1_a_real_note_of_shares_bought() -> None:
    note = _note("CN1")
    day = date(2023, 11, 15)
    plan = STANDARD_PLAN.with_brokerage([Kind.DELIVERY], Brokerage(EARLIEST, Decimal("0.01"), None, "the note"))
    rates = STANDARD.with_rates(
        # 0.69 on 20,419.25 fits no single published rate: the note's own is taken
        [Rate(Line.EXCHANGE, Kind.DELIVERY, day, Decimal("0.00328"), "the note", exchange="NSE")]
    )
    bought = part(Kind.DELIVERY, "BUY", 1, "20419.25", day=day)

    (ours,) = charge([bought], rates=rates, plan=plan).notes()

    assert ours.printed.brokerage == _paise(note["brokerage"])
    assert ours.printed.exchange + ours.printed.ipft == _paise(note["exchange_txn"])
    assert ours.printed.gst == _paise(note["gst"])
    assert ours.printed.stt == _paise(note["stt"])
    assert ours.printed.sebi == _paise(note["sebi"])
    assert ours.printed.stamp == _paise(note["stamp_duty"])
    assert ours.net == _paise(note["net_receivable"])


def test_cn2_a_real_note_of_96_option_orders() -> None:
    note = _note("CN2")
    day = date(2026, 5, 26)
    # The note tells sums only. Bought 41,60,355.00 and sold 41,68,000.00, of it 10,73,746.90 on BSE, fit all its lines.
    nse = [part(Kind.OPTION, side, 1, price, number=number, day=day) for number, (side, price) in enumerate(
        [("BUY", "3623481.55"), ("SELL", "3631126.55"), *[("BUY", "0.00"), ("SELL", "0.00")] * 46], 1)]  # fmt: skip
    bse = [part(Kind.OPTION, side, 1, "536873.45", number=number, exchange="BSE", day=day)
           for number, side in ((95, "BUY"), (96, "SELL"))]  # fmt: skip

    (ours,) = charge([*nse, *bse]).notes()

    assert ours.printed.brokerage == _paise(note["brokerage"])
    assert ours.printed.exchange + ours.printed.ipft == _paise(note["exchange_txn"])
    assert ours.printed.gst == _paise(note["gst"])
    assert ours.printed.stt == _paise(note["stt"])
    assert ours.printed.sebi == _paise(note["sebi"])
    assert ours.printed.stamp == _paise(note["stamp_duty"])
    assert ours.net_obligation == _paise(note["pay_in_out_obligation"])
    assert ours.net == _paise(note["net_receivable"])


def test_stt_on_derivatives_rises_on_the_first_of_october_2024() -> None:
    before, after = date(2024, 9, 30), date(2024, 10, 1)

    sold = [charge([part(Kind.FUTURE, "SELL", 1, "100000", day=day)]).total for day in (before, after)]
    options = [charge([part(Kind.OPTION, "SELL", 1, "100000", day=day)]).total for day in (before, after)]

    assert [lines.rupees(Line.STT) for lines in sold] == [Decimal("12.5"), Decimal(20)]
    assert [lines.rupees(Line.STT) for lines in options] == [Decimal("62.5"), Decimal(100)]
    assert options[1].rupees(Line.EXCHANGE) == Decimal("35.03")


@pytest.mark.parametrize(("kind", "total"), [(Kind.DELIVERY, "3.07"), (Kind.FUTURE, "1.83"), (Kind.OPTION, "35.53")])
def test_the_sum_of_charge_and_ipft_stays_on_the_first_of_march_2026(kind: Kind, total: str) -> None:
    days = [date(2026, 2, 28), date(2026, 3, 1)]

    lines = [charge([part(kind, "BUY", 1, "100000", day=day)]).total for day in days]

    assert [one.rupees(Line.EXCHANGE) + one.rupees(Line.IPFT) for one in lines] == [Decimal(total), Decimal(total)]
    assert lines[0].rupees(Line.IPFT) > lines[1].rupees(Line.IPFT)


@pytest.mark.parametrize(
    ("kind", "side", "before", "after"),
    [
        (Kind.FUTURE, "SELL", "20", "50"),
        (Kind.OPTION, "SELL", "100", "150"),
        (Kind.EXERCISE, "BUY", "125", "150"),
        (Kind.DELIVERY, "SELL", "100", "100"),
        (Kind.FUTURE, "BUY", "0", "0"),
    ],
)
def test_stt_on_both_sides_of_the_first_of_april_2026(kind: Kind, side: str, before: str, after: str) -> None:
    days = [date(2026, 3, 31), date(2026, 4, 1)]

    lines = [charge([part(kind, side, 1, "100000", day=day)]).total for day in days]

    assert [one.rupees(Line.STT) for one in lines] == [Decimal(before), Decimal(after)]


def test_a_day_before_the_table_is_unknown_and_not_free() -> None:
    with pytest.raises(NotPublished):
        charge([part(Kind.DELIVERY, "BUY", 1, "100", day=date(2023, 3, 31))])


def test_every_kind_on_every_exchange_that_trades_it_has_all_rates() -> None:
    commodity = {Kind.COMMODITY_FUTURE, Kind.COMMODITY_OPTION, Kind.COMMODITY_EXERCISE}
    for kind in Kind:
        exchanges = ("NSE", "BSE", "MCX") if kind in commodity else ("NSE", "BSE")
        for exchange in exchanges:
            for side in Side:
                for day in (EARLIEST, *STANDARD.changes, IN_2026):
                    assert len(STANDARD.units(kind, exchange, side, day)) == 6
                    STANDARD_PLAN.brokerage_of(kind, day)


def test_every_rate_names_its_source() -> None:
    assert all(rate.source and rate.percent >= 0 for rate in STANDARD.rates)


def test_an_etf_of_shares_pays_a_hundredth_of_the_tax_and_gold_none() -> None:
    units = [charge([part(kind, "SELL", 100, "1000")]).total.rupees(Line.STT)
             for kind in (Kind.DELIVERY, Kind.FUND_DELIVERY, Kind.UNTAXED_FUND_DELIVERY)]  # fmt: skip

    assert units == [Decimal(100), Decimal(1), Decimal(0)]
    assert charge([part(Kind.FUND_DELIVERY, "BUY", 100, "1000")]).total.stt == 0


def test_agricultural_commodities_pay_no_ctt_and_a_tenth_of_the_sebi_fee() -> None:
    sold = part(Kind.COMMODITY_FUTURE, "SELL", 1, "100000", exchange="MCX", group=Group.AGRICULTURAL)

    lines = charge([sold]).total

    assert lines.stt == 0
    assert lines.rupees(Line.SEBI) == Decimal("0.01")
    assert lines.rupees(Line.EXCHANGE) == Decimal("2.1")


def test_bse_groups_have_charges_of_their_own() -> None:
    groups = (Group.NONE, Group.BSE_X, Group.BSE_P, Group.BSE_M)

    bought = [part(Kind.DELIVERY, "BUY", 1, "100000", exchange="BSE", group=group) for group in groups]
    charges = [charge([one]).total.rupees(Line.EXCHANGE) for one in bought]

    assert charges == [Decimal("3.75"), Decimal(100), Decimal(1000), Decimal("2.75")]


def test_one_order_of_many_fills_pays_one_brokerage_and_its_fills_add_up() -> None:
    fills = [part(Kind.OPTION, "BUY", quantity, "100", number=number, order="O1")
             for number, quantity in enumerate((65, 130, 7), 1)]  # fmt: skip

    charged = charge(fills)

    assert charged.total.rupees(Line.BROKERAGE) == Decimal(20)
    assert sum(lines.fine for lines in charged.lines) == charged.total.fine
    assert sum(note.lines.fine for note in charged.notes()) == charged.total.fine


def test_the_depository_charge_is_one_for_each_scrip_and_day() -> None:
    day, next_day = date(2026, 5, 4), date(2026, 5, 5)
    sold = [
        part(Kind.DELIVERY, "SELL", 5, "100", number=1, day=day),
        part(Kind.DELIVERY, "SELL", 7, "101", number=2, day=day),
        part(Kind.DELIVERY, "SELL", 7, "101", number=3, day=day, scrip="INE009A01021"),
        part(Kind.DELIVERY, "SELL", 7, "101", number=4, day=next_day),
        part(Kind.INTRADAY, "SELL", 7, "101", number=5, day=next_day, scrip="INE467B01029"),
    ]

    assert charge(sold).total.rupees(Line.DP) == Decimal(60)


def test_it_does_not_matter_in_which_order_trades_come_in() -> None:
    fills = [part(Kind.DELIVERY, "SELL", 3 + number, "77.77", number=number, order=f"O{number % 3}")
             for number in range(1, 9)]  # fmt: skip

    forwards, backwards = charge(fills), charge(fills[::-1])

    assert forwards.lines == backwards.lines[::-1]


def test_an_assisted_order_pays_for_the_assistance_with_gst() -> None:
    plain = charge([part(Kind.OPTION, "SELL", 65, "100")]).total
    assisted = charge([part(Kind.OPTION, "SELL", 65, "100", assisted=True)]).total

    assert assisted.exact - plain.exact == Decimal(59)


def test_an_override_and_another_plan_change_what_they_name_only() -> None:
    fill = part(Kind.OPTION, "SELL", 65, "100")
    usual = charges_of_order([fill])
    plus = charges_of_order([fill], plan=PLUS_PLAN)
    free = charges_of_order([fill], plan=STANDARD_PLAN.with_brokerage(
        [Kind.OPTION], Brokerage(EARLIEST, Decimal(0), None, "a promotion")))  # fmt: skip

    assert plus.rupees(Line.BROKERAGE) - usual.rupees(Line.BROKERAGE) == 10
    assert plus.exact - usual.exact == Decimal("11.8")
    assert free.brokerage == 0
    assert free.stt == usual.stt


def test_commodities_stand_on_a_note_of_their_own() -> None:
    charged = charge([
        part(Kind.OPTION, "SELL", 65, "100", number=1),
        part(Kind.COMMODITY_OPTION, "SELL", 1, "100", number=2, exchange="MCX", multiplier=100),
    ])  # fmt: skip

    assert [note.key.of.value for note in charged.notes()] == ["commodities", "securities"]


def test_doubtful_rates_are_told() -> None:
    doubtful = STANDARD.unconfirmed(Kind.CURRENCY_FUTURE, "NSE", Side.BUY, IN_2026)

    assert [rate.line for rate in doubtful] == [Line.IPFT]
    assert STANDARD.unconfirmed(Kind.OPTION, "NSE", Side.SELL, IN_2026) == []


def test_nonsense_is_refused() -> None:
    with pytest.raises(InvalidRequest):
        part(Kind.OPTION, "SELL", 0, "100")
    with pytest.raises(InvalidRequest):
        price_units("1.00001")
    with pytest.raises(InvalidRequest):
        Rate(Line.STT, Kind.OPTION, IN_2026, Decimal("0.00000001"), "too fine")
    with pytest.raises(InvalidRequest):
        replace(STANDARD_PLAN, gst_percent=Decimal("18.5"))


def _note(name: str) -> dict[str, str]:
    with shared("data/tradebook/contract_note_totals.csv").open() as lines:
        return next(row for row in csv.DictReader(lines) if row["note"] == name)


def _paise(text: str) -> int:
    return int(Decimal(text) * 100)


def test_a_part_knows_its_value_with_the_multiplier() -> None:
    assert Part("1", "1", IN_2026, "MCX", Kind.COMMODITY_FUTURE, Side.BUY, 2, 55_000_000, 100).value == 11_000_000_000
