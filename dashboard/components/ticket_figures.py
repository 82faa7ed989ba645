"""What an order would be: its value, worst price, margin and charges, and what stands against it."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

import streamlit as st

from dashboard.calendar_words import listed
from dashboard.components.notices import told_at
from dashboard.formatting import MISSING, age, rupees
from dashboard.markup import plain
from dashboard.portfolio_words import as_of_words
from dashboard.resources import desk
from services.domain.margins import ChargesEstimate
from services.domain.order_facts import Finding
from services.orders.views import BasketPreview, Figure, Preview
from services.portfolio.charges.kinds import Line
from services.portfolio.charges.lines import PaiseLines
from services.portfolio_book.views import FundsView

NAMES = {
    Line.BROKERAGE: "brokerage", Line.STT: "STT", Line.EXCHANGE: "exchange", Line.IPFT: "IPFT", Line.SEBI: "SEBI",
    Line.STAMP: "stamp duty", Line.CLEARING: "clearing", Line.DP: "depository", Line.GST: "GST",
}  # fmt: skip
_HALF = Decimal("0.5")
LETTER = 7.7
"""Pixels of a letter of a bold amount."""


def show_figures(preview: Preview | BasketPreview) -> None:
    """The amounts, each with what is the matter with it where it is not known. While the money is not told, what is
    available is as it was told last, grey and with its time; the checks go without it."""
    away = desk().orders.book().error  # then what is asked is not on its way
    last = FundsView() if preview.available.value is not None else desk().portfolio.funds()
    amounts = [("Value", _amount(preview.value))]
    if isinstance(preview, Preview):
        amounts.append(("Worst price", _amount(preview.worst_price)))
    amounts += [
        ("Margin needed", figure_words(preview.margin, away)),
        ("Charges, about", figure_words(preview.own_charges, away)),
        ("Broker's estimate", figure_words(preview.charges, away)),
        ("Available", figure_words(preview.available, away) if last.funds is None else rupees(last.funds.available)),
    ]
    widest = max(len(text) for _, text in amounts)  # an amount is not broken in two
    across = 3 if isinstance(preview, Preview) else len(amounts)  # two even rows beside the depth
    with st.grid(across, gap="small", min_column_width=max(100, round(widest * LETTER))):
        for name, text in amounts:
            amount = f"**{plain(text)}**"
            if name == "Available" and last.funds is not None:
                amount = f":gray[{amount}]"
            st.markdown(f":gray[:small[{name}]]  \n{amount}")
    with st.container(gap="small"):  # one place, however many lines: what stands below keeps its own
        _beside(preview, last, away)


def _beside(preview: Preview | BasketPreview, last: FundsView, away: str | None) -> None:
    if isinstance(preview, Preview) and preview.own_detail is not None:
        told = _lines(preview.own_detail)
        if preview.charges_detail is not None:
            told += difference_words(preview.own_detail, preview.charges_detail)
        st.caption(plain(told))
    if last.funds is not None and last.as_of is not None:
        now = desk().clock.now()
        words = as_of_words(last.as_of, now, last.error)
        if last.error is None and away is not None:  # it was not asked again yet
            words += f", {age((now - last.as_of).total_seconds())} ago, not current"
        told_at(f"Available: {words[:1].lower()}{words[1:]}", current=last.error is None and away is None)
    for line in unknown_words(preview, away, money_known=last.funds is not None):
        st.caption(f":material/info: {plain(line)}")


def unknown_words(preview: Preview | BasketPreview, away: str | None = None, *, money_known: bool = False) -> list[str]:
    """What cannot be told, and why: one line for each reason. `away`: why the broker tells nothing now. `money_known`:
    that of before is shown."""
    figures = (
        ("margin", preview.margin),
        ("charges", preview.own_charges),
        ("the broker's estimate of charges", preview.charges),
        ("funds", preview.available),
    )
    reasons: dict[str, list[str]] = {}
    for name, figure in figures:
        why = figure.error or (away if figure.asked else None)
        if why is not None and not (name == "funds" and money_known):
            reasons.setdefault(why, []).append(name)
    lines = (f"{listed(names)} not known: {reason}" for reason, names in reasons.items())
    return [f"{line[:1].upper()}{line[1:]}" for line in lines]


def difference_words(own: PaiseLines, told: ChargesEstimate) -> str:
    """Where the broker's estimate parts from ours; empty where both come to the same.

    It may be a little old: it is asked for once, and not with every tick of a market order's price.
    """
    more = round(told.total - own.rupees, 2)
    if not more:
        return ""
    theirs = {
        Line.BROKERAGE: told.brokerage, Line.STT: told.stt, Line.EXCHANGE: told.transaction, Line.IPFT: told.ipft,
        Line.SEBI: told.sebi_turnover, Line.STAMP: told.stamp_duty, Line.CLEARING: told.clearing, Line.GST: told.gst,
    }  # fmt: skip
    ours = own.by_line()
    apart = [_apart(line, amount, ours[line]) for line, amount in theirs.items() if round(amount, 2) != ours[line]]
    where = f" It has {listed(apart)}." if apart else " It does not tell where."
    return f". The broker's estimate is {rupees(abs(more))} {'higher' if more > 0 else 'lower'}.{where}"


def _apart(line: Line, told: Decimal, ours: Decimal) -> str:
    words = f"{NAMES[line]} {rupees(told)}"
    return f"{words} (to the rupee)" if told == told.to_integral_value() and abs(told - ours) <= _HALF else words


def show_findings(findings: Iterable[Finding]) -> None:
    """What stands against it, and what should be known first: in words, with a sign beside the colour."""
    lines = []
    for one in sorted(findings, key=lambda one: not one.blocks):
        text = plain(f"{one.text[:1].upper()}{one.text[1:].rstrip('.')}.")
        lines.append(f":red[:material/block: {text}]" if one.blocks else f":orange[:material/warning:] {text}")
    with st.container():  # its place, even if there is nothing
        if lines:
            st.markdown("  \n".join(lines))


def _lines(charges: PaiseLines) -> str:
    """What the charges are made of, by our rates."""
    parts = [f"{NAMES[line]} {rupees(amount)}" for line, amount in charges.by_line().items() if amount]
    return f"Charges: {' · '.join(parts)}" if parts else "No charges"


def figure_words(figure: Figure, away: str | None = None) -> str:
    """An amount that the broker tells: there, on its way, or not to be had (`away`: why nothing comes)."""
    if figure.asked and away is None:
        return "…"
    return _amount(figure.value)


def _amount(value: Decimal | None) -> str:
    return MISSING if value is None else rupees(value)
