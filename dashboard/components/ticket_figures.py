"""What an order would be: its value, worst price, margin and charges, and what stands against it."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

import streamlit as st

from dashboard.formatting import MISSING, rupees
from dashboard.markup import plain
from services.domain.order_facts import Finding
from services.orders.views import BasketPreview, Figure, Preview
from services.portfolio.charges.kinds import Line
from services.portfolio.charges.lines import PaiseLines

NAMES = {
    Line.BROKERAGE: "brokerage", Line.STT: "STT", Line.EXCHANGE: "exchange", Line.IPFT: "IPFT", Line.SEBI: "SEBI",
    Line.STAMP: "stamp duty", Line.CLEARING: "clearing", Line.DP: "depository", Line.GST: "GST",
}  # fmt: skip
LETTER = 7.7
"""Pixels of a letter of a bold amount."""


def show_figures(preview: Preview | BasketPreview) -> None:
    """The amounts, each with what is the matter with it where it is not known."""
    amounts = [("Value", _amount(preview.value))]
    if isinstance(preview, Preview):
        amounts.append(("Worst price", _amount(preview.worst_price)))
    amounts += [
        ("Margin needed", figure_words(preview.margin)),
        ("Charges, about", figure_words(preview.own_charges)),
        ("Broker's estimate", figure_words(preview.charges)),
        ("Available", figure_words(preview.available)),
    ]
    widest = max(len(text) for _, text in amounts)  # an amount is not broken in two
    across = 3 if isinstance(preview, Preview) else len(amounts)  # two even rows beside the depth
    with st.grid(across, gap="small", min_column_width=max(100, round(widest * LETTER))):
        for name, text in amounts:
            st.markdown(f":gray[:small[{name}]]  \n**{plain(text)}**")
    with st.container(gap="small"):  # one place, however many lines: what stands below keeps its own
        _beside(preview)


def _beside(preview: Preview | BasketPreview) -> None:
    if isinstance(preview, Preview) and preview.own_detail is not None:
        st.caption(plain(_lines(preview.own_detail)))
    figures = (
        ("Margin", preview.margin),
        ("Charges", preview.own_charges),
        ("The broker's estimate of charges", preview.charges),
        ("Funds", preview.available),
    )
    for name, figure in figures:
        if figure.error is not None:
            st.caption(f":material/info: {name} not known: {plain(figure.error)}")


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
    return f"Charges: {' · '.join(parts)}" if parts else "No charges."


def figure_words(figure: Figure) -> str:
    """An amount that the broker tells: there, on its way, or not to be had."""
    if figure.asked:
        return "…"
    return _amount(figure.value)


def _amount(value: Decimal | None) -> str:
    return MISSING if value is None else rupees(value)
