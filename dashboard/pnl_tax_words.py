"""The tax figures of a year as rows, and the rules behind them in words. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from dashboard.formatting import quantity
from dashboard.pnl_markup import Cell, Head, Row, Tone, gain
from dashboard.pnl_words import money
from services.portfolio.charges.kinds import Line
from services.portfolio.lots.terms import Bucket
from services.portfolio.money import paise_of_units
from services.portfolio.tax import CHANGED, TaxRow, TaxYear

NEW_ACT = date(2026, 4, 1)
"""From this day the Income-tax Act 2025 applies; its "tax year" is the financial year."""
HEADS = {
    Bucket.SHORT_TERM: ("Short-term capital gains", "shares held up to 12 months"),
    Bucket.LONG_TERM: ("Long-term capital gains", "shares held for more than 12 months"),
    Bucket.INTRADAY: ("Intraday", "speculative business"),
    Bucket.FUTURES_OPTIONS: ("Futures and options", "business, not speculative"),
    Bucket.COMMODITY: ("Commodity derivatives", "business, not speculative"),
    Bucket.CURRENCY: ("Currency derivatives", "business, not speculative"),
}
ORDER = tuple(HEADS)
COLUMNS = (
    Head("Head", number=False),
    Head("Lots"),
    Head("Bought"),
    Head("Sold"),
    Head("Gain"),
    Head("Deductible"),
    Head("STT apart"),
    Head("Gain less deductible"),
    Head("Turnover"),
)


@dataclass(frozen=True, slots=True)
class Figure:
    """One of the figures at the top: what it is, paise, and what it is made of."""

    name: str
    paise: int
    words: str


def year_name(year: TaxYear) -> str:
    """`FY 2025-26`; from April 2026 the law's own word too."""
    return f"Tax year {year.year} (FY)" if year.first >= NEW_ACT else f"FY {year.year}"


def top_figures(year: TaxYear) -> list[Figure]:
    """What a return asks for first."""
    short, long = year.row(Bucket.SHORT_TERM), year.row(Bucket.LONG_TERM)
    intraday, contracts = year.row(Bucket.INTRADAY), year.row(Bucket.FUTURES_OPTIONS)
    return [
        Figure("Short term (STCG)", short.taxable, _made_of(short)),
        Figure("Long term (LTCG)", long.taxable, _made_of(long)),
        Figure("Intraday", intraday.taxable, _made_of(intraday)),
        Figure("F&O", contracts.taxable, _made_of(contracts)),
        Figure(
            "F&O turnover", contracts.turnover, f"of {quantity(contracts.sums.matches)} closed lots, trade by trade"
        ),
    ]


def _made_of(row: TaxRow) -> str:
    if not row.sums.matches:
        return "nothing was closed"
    return f"gain {money(row.sums.gross)} less {money(row.deductible)} of charges"


def rows_of(rows: tuple[TaxRow, ...]) -> list[Row]:
    """One row a head in which anything was closed."""
    by_bucket = {row.bucket: row for row in rows}
    return [_row(by_bucket[bucket]) for bucket in ORDER if bucket in by_bucket and by_bucket[bucket].sums.matches]


def _row(row: TaxRow) -> Row:
    name, small = HEADS[row.bucket]
    sums = row.sums
    doubt = f"charges of {quantity(sums.unpriced)} lots not known in full" if sums.unpriced else ""
    stt = sums.charges.of(Line.STT)
    return (
        Cell(name, small=small),
        quantity(sums.matches),
        money(paise_of_units(sums.bought)),
        money(paise_of_units(sums.sold)),
        gain(sums.gross),
        Cell(money(row.deductible), Tone.WARN if doubt else Tone.PLAIN, doubt),
        money(stt) if row.capital_gains else Cell("deducted", Tone.MUTED),
        gain(row.taxable),
        money(row.turnover),
    )


def split_rows(year: TaxYear) -> list[Row]:
    """Of 2024-25: capital gains before and after the day the rates changed."""
    rows: list[Row] = []
    for early in year.before_change:
        whole = year.row(early.bucket)
        if not whole.sums.matches:
            continue
        name = HEADS[early.bucket][0]
        rows.append((Cell(name, small="sold before 23 Jul 2024"), quantity(early.sums.matches), gain(early.taxable)))
        later = whole.sums.matches - early.sums.matches
        rest = whole.taxable - early.taxable
        rows.append((Cell(name, small="sold from 23 Jul 2024 on"), quantity(later), gain(rest)))
    return rows


def rules(year: TaxYear) -> list[tuple[str, str]]:
    """The rules that these figures follow: a name and one or two sentences."""
    after = year.last >= CHANGED
    rates = (
        "Short term 20%, long term 12.5% above ₹1,25,000 a year, of listed shares sold since 23 Jul 2024"
        if after
        else "Short term 15%, long term 10% above ₹1,00,000 a year, of listed shares"
    )
    if year.before_change:
        rates += " (15% and 10% above ₹1,00,000 before)"
    told = [
        (
            "Which lots",
            "First in, first out within one demat account, as the law asks for (section 45(2A) of the 1961 Act). What "
            "was bought and sold on one day is paired first and is intraday, also where it was ordered for delivery.",
        ),
        (
            "Short or long",
            "Long term is held for more than 12 months, by the calendar: bought 1 Mar 2023 and sold 1 Mar 2024 is "
            "still short term, sold a day later it is long. Reports that count 365 days differ around leap years.",
        ),
        (
            "Charges",
            "STT cannot be deducted from capital gains; all other charges can. From business income (intraday, F&O, "
            "commodity, currency) all of them can, STT and CTT too.",
        ),
        (
            "Turnover",
            "The sum of the absolute gain or loss of every closed lot, trade by trade; netting scrip by scrip would "
            "give less. The premium of sold options is not added again (guidance note of the ICAI, 2022 edition). Of "
            "delivery it is the value sold.",
        ),
        (
            "Tax rates",
            f"{rates}. The desk applies no rate, no exemption and no set-off of losses to these figures, and adds no "
            "surcharge or cess.",
        ),
    ]  # fmt: skip
    if year.last >= NEW_ACT:
        told.append(
            ("Law", "From 1 Apr 2026 the Income-tax Act 2025 applies; its tax year is the financial year shown here.")
        )
    return told
