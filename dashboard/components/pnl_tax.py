"""The tax tab: gains by head of income and turnover of one financial year, and the rules in words."""

from __future__ import annotations

import streamlit as st

from dashboard.components.notices import problems_in_words
from dashboard.formatting import quantity
from dashboard.markup import plain
from dashboard.pnl_markup import STYLE, Cell, Head, figure_cards, figure_table, gain
from dashboard.pnl_record_words import days_words, plural
from dashboard.pnl_tax_words import COLUMNS, rows_of, rules, split_rows, top_figures, year_name
from dashboard.pnl_words import money
from services.domain.clock import ist_date
from services.pnl.book import PnlBook
from services.pnl.views import PnlView
from services.portfolio.closed import financial_year
from services.portfolio.tax import TaxYear

_YEAR = "year"
"""Its member of the link."""


def tax_tab(view: PnlView, book: PnlBook) -> None:
    """The tab. The year stands in the link; period and finer filters do not hold, since a return knows none."""
    with problems_in_words():
        year = _chosen_year(view)
        figures = view.tax(year)
        whose = view.wanted_account or "all accounts"
        st.caption(
            plain(
                f"{days_words(figures.first, figures.last)}, by the day of the closing · account {whose} · the filters "
                "above do not hold here"
            )
        )
        _draw(figures, running=year == financial_year(ist_date(view.now)), missing=bool(view.missing))


def _chosen_year(view: PnlView) -> str:
    years = list(view.years) or [financial_year(ist_date(view.now))]
    told = st.query_params.get(_YEAR, "")
    usual = next((year for year in years if any(row.sums.matches for row in view.tax(year).rows)), years[0])
    chosen = st.segmented_control(
        "Financial year",
        years,
        default=told if told in years else usual,
        required=True,
        key="pnl-tax-year",
        format_func=lambda year: f"FY {year}",
        label_visibility="collapsed",
    )
    year = str(chosen or usual)
    if told != year:
        st.query_params[_YEAR] = year
    return year


def _draw(figures: TaxYear, *, running: bool, missing: bool) -> None:
    closed = sum(row.sums.matches for row in figures.rows)
    if figures.doubtful:
        st.warning(
            "A part of the history of these instruments is missing, so that their gains may change: see what cannot be "
            "known under Reconciliation.",
            title=f"{plural(figures.doubtful, 'lot')} of {quantity(closed)} are in doubt",
            icon=":material/help:",
        )
    if not closed:
        none = "No trade that is known was closed in this year." if missing else "Nothing was closed in this year."
        st.info(none, icon=":material/event_busy:")
    else:
        cards = [(one.name, Cell(money(one.paise), small=one.words)) for one in top_figures(figures)]
        st.html(STYLE + figure_cards(cards))
        _tables(figures, running=running)
    with st.container(border=True):
        st.markdown("**How these figures come about**")
        for name, words in rules(figures):
            st.markdown(f":small[**{plain(name)}.** {plain(words)}]")


def _tables(figures: TaxYear, *, running: bool) -> None:
    with st.container(border=True):
        note = "&ensp;:small[:gray[until now]]" if running else ""
        st.markdown(f"**{plain(year_name(figures))}**{note}")
        rows = rows_of(figures.rows)
        sums = [row.sums for row in figures.rows]
        foot = (
            Cell("Together"),
            quantity(sum(one.matches for one in sums)),
            "",
            "",
            gain(sum(one.gross for one in sums)),
            money(sum(row.deductible for row in figures.rows)),
            "",
            gain(sum(row.taxable for row in figures.rows)),
            Cell(money(figures.business_turnover), small="business alone"),
        )
        st.html(STYLE + figure_table(year_name(figures), COLUMNS, rows, foot))
    split = split_rows(figures)
    if split:
        with st.container(border=True):
            st.markdown("**Before and after the rates changed**")
            heads = (Head("Head", number=False), Head("Lots"), Head("Gain less deductible"))
            st.html(STYLE + figure_table("Before and after 23 July 2024", heads, split, narrow=True))
