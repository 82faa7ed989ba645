"""Rates and plan that charges are computed by: what holds on a day, who says so, and what somebody set over it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from functools import partial

import streamlit as st

from dashboard.components.cards import card_title
from dashboard.components.pnl_entries import (
    ask_to_remove,
    back_button,
    entry,
    finish,
    open_form,
    opened_form,
    put_away,
    shown_entries,
)
from dashboard.formatting import day, ist_moment, rupees
from dashboard.markup import plain
from dashboard.order_session import actor
from dashboard.pnl_markup import STYLE, Cell, Head, Tone, figure_table
from dashboard.pnl_rate_rows import EXCHANGES, rate_rows
from dashboard.pnl_record_words import brokerage_words, percent_words, plural, rate_words, rule_words
from dashboard.pnl_words import LINE_NAMES
from dashboard.ticket_form import exact
from services.domain.clock import ist_date
from services.domain.orders import Side
from services.pnl.book import PnlBook
from services.pnl.views import PnlView
from services.portfolio.charges.kinds import RATED, Kind, Line
from services.portfolio.charges.rates import EARLIEST
from services.portfolio.records import PLANS, ChargeSettings, PlanChoice, PlanRule, RateKey, RateOverride, RuleOf

RATE = "rate"
_RESET, _REMOVE_RATE, _REMOVE_RULE = "reset-rates", "remove-rate", "remove-rule"
_KINDS = [kind.value for kind in Kind]
_LINES = [line.value for line in RATED]
_BOTH = "both sides"
_SIDES: dict[str, Side | None] = {_BOTH: None, "purchases": Side.BUY, "sales": Side.SELL}
_RATE, _BROKERAGE, _FEE = "A rate", "Brokerage", "A fee of the broker"
_FEES = {"Depository charge": RuleOf.DEPOSITORY, "Orders placed by the broker": RuleOf.ASSISTED}


def rates_card(view: PnlView, book: PnlBook) -> None:
    """The plan, what was set over the published rates, and a look-up of what holds for a trade."""
    settings = book.rates.current()
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            card_title("Rates and plan", "as published" if settings.published else "with your own")
            st.space("stretch")
            st.button("Set your own", key="pnl-rates-set", icon=":material/tune:", on_click=open_form, args=(RATE,))
            if not settings.published:
                icon = ":material/undo:"
                st.button("Reset all", key="pnl-rates-reset", icon=icon, on_click=open_form, args=(_RESET,))
        _plan(book, settings)
        _own(settings)
        _look_up(view, settings)
    if opened_form(RATE) is not None:
        _set_dialog(view, book)
    elif opened_form(_RESET) is not None:
        ask_to_remove(
            "all rates of your own",
            "The published rates and the standard plan hold again, for trades of all days.",
            lambda: book.rates.reset_all(actor()),
            key="pnl-rates-reset-all",
            done="The published rates hold again",
        )
    else:
        _removals(book, settings)


def _plan(book: PnlBook, settings: ChargeSettings) -> None:
    """Which plan, and what GST is taken of."""
    choice = settings.choice
    with st.form("pnl-plan", border=False, enter_to_submit=False):
        left, right = st.columns([1, 2], vertical_alignment="bottom")
        name = left.selectbox("Brokerage plan", list(PLANS), list(PLANS).index(choice.name), key="pnl-plan-name")
        with right.container(horizontal=True, vertical_alignment="center", gap="medium"):
            on_sebi = st.checkbox("GST on the SEBI fee", choice.gst_on_sebi, key="pnl-plan-sebi")
            on_dp = st.checkbox("GST on the depository charge", choice.gst_on_dp, key="pnl-plan-dp")
            saved = st.form_submit_button("Use this plan")
    if saved:
        wanted = PlanChoice(str(name), choice.gst_percent, on_sebi, on_dp)
        finish(lambda: book.rates.choose(wanted, actor()), f"Charges follow the plan {wanted.name}")


def _own(settings: ChargeSettings) -> None:
    """What was set over the published rates."""
    for one in shown_entries(settings.overrides, key="pnl-overrides"):
        rate = one.rate
        title = _override_title(one)
        small = f"since {day(rate.since)} · {rate.source} · set {ist_moment(one.entered_at)} by {one.actor.name}"
        entry(title, small, key=f"pnl-override-{one.id}", form=(_REMOVE_RATE, str(one.id)))
    for rule in shown_entries(settings.rules, key="pnl-rules"):
        title = _rule_title(rule)
        small = f"since {day(rule.since)} · {rule.source} · set {ist_moment(rule.entered_at)} by {rule.actor.name}"
        entry(title, small, key=f"pnl-rule-{rule.id}", form=(_REMOVE_RULE, str(rule.id)))


def _removals(book: PnlBook, settings: ChargeSettings) -> None:
    """The question whether one of them is to go, while it is open."""
    for one in settings.overrides:
        if opened_form(_REMOVE_RATE) == str(one.id):
            _ask(
                _override_title(one), "The published rate holds again", partial(book.rates.reset_rate, one.id, actor())
            )
            return
    for rule in settings.rules:
        if opened_form(_REMOVE_RULE) == str(rule.id):
            _ask(_rule_title(rule), "The plan's own rule holds again", partial(book.rates.reset_rule, rule.id, actor()))
            return


def _ask(title: str, then: str, remove: Callable[[], object]) -> None:
    ask_to_remove(f"“{title}”", f"{then}.", remove, key="pnl-own-remove", done=then)


def _override_title(one: RateOverride) -> str:
    return f"{LINE_NAMES[one.rate.line]} {percent_words(one.rate.percent)} · {rate_words(one.rate)}"


def _rule_title(rule: PlanRule) -> str:
    return f"{rule.of.value.capitalize()} · {rule_words(rule)}"


def _look_up(view: PnlView, settings: ChargeSettings) -> None:
    """What a trade of some day costs, line by line, with the source of each rate."""
    first, second, third = st.columns(3)
    kind = Kind(first.selectbox("Trades", _KINDS, format_func=str.capitalize, key="pnl-rates-kind"))
    exchange = second.selectbox("Exchange", EXCHANGES, key="pnl-rates-exchange")
    on = third.date_input(
        "Traded on", ist_date(view.now), min_value=EARLIEST, max_value=ist_date(view.now), key="pnl-rates-day"
    )
    rows = [
        (
            row.name,
            row.bought,
            row.sold,
            Cell(row.words, Tone.WARN if row.doubtful else Tone.PLAIN),
        )
        for row in rate_rows(settings, kind, str(exchange), on)
    ]
    heads = (Head("Line", number=False), Head("Purchases"), Head("Sales"), Head("Since, and who says so", words=True))
    st.html(STYLE + figure_table(f"Rates for {kind.value} on {day(on)}", heads, rows))


def _set_dialog(view: PnlView, book: PnlBook) -> None:
    @st.dialog("Set a rate of your own", icon=":material/tune:", on_dismiss=put_away)
    def ask() -> None:
        what = st.segmented_control("What", (_RATE, _BROKERAGE, _FEE), default=_RATE, required=True, key="pnl-set-what")
        since = st.date_input(
            "Since", ist_date(view.now), min_value=EARLIEST, max_value=ist_date(view.now), key="pnl-set-since",
            help="It holds for trades of this day and later ones.",
        )  # fmt: skip
        if what == _RATE:
            _rate_form(book, since)
        elif what == _BROKERAGE:
            _brokerage_form(book, since)
        else:
            _fee_form(book, since)

    ask()


def _rate_form(book: PnlBook, since: date) -> None:
    line = Line(st.selectbox("Line", _LINES, format_func=lambda one: LINE_NAMES[Line(one)], key="pnl-set-line"))
    kind = Kind(st.selectbox("Trades", _KINDS, format_func=str.capitalize, key="pnl-set-kind"))
    left, right = st.columns(2)
    exchange = left.selectbox("Exchange", ("any", *EXCHANGES), key="pnl-set-exchange")
    side = right.selectbox("Side", list(_SIDES), key="pnl-set-side")
    given = st.number_input(
        "Percent of the value", 0.0, 100.0, None, 0.0001, "%.7f", key="pnl-set-percent", placeholder="0.0030699"
    )
    percent, source = exact(given, 7), _source()
    if percent is None:
        _buttons(None)
        return
    key = RateKey(line, kind, "" if exchange == "any" else str(exchange), _SIDES[str(side)])
    if _buttons(source):
        finish(
            lambda: book.rates.set_rate(key, since, percent, actor(), source=source),
            f"{LINE_NAMES[key.line]} is {percent_words(percent)} since {day(since)}",
        )


def _brokerage_form(book: PnlBook, since: date) -> None:
    kinds = [Kind(one) for one in st.multiselect("Trades", _KINDS, format_func=str.capitalize, key="pnl-set-kinds")]
    left, right = st.columns(2)
    flat = exact(left.number_input("Rupees an order", 0.0, 100_000.0, 20.0, 1.0, "%.2f", key="pnl-set-flat"), 2)
    given = right.number_input(
        "or percent of its value, where that is less", 0.0, 100.0, None, 0.01, "%.4f", key="pnl-set-share"
    )
    percent, source = exact(given, 4), _source()
    if flat is None or not kinds:
        _buttons(None)
        return
    st.caption(plain(brokerage_words(flat, percent)))
    if _buttons(source):
        finish(
            lambda: book.rates.set_brokerage(kinds, since, flat, percent, actor(), source=source),
            f"Brokerage of {plural(len(kinds), 'kind')} of trades is set since {day(since)}",
        )


def _fee_form(book: PnlBook, since: date) -> None:
    what = st.selectbox("Fee", list(_FEES), key="pnl-set-fee")
    given = st.number_input("Rupees, before GST", 0.0, 100_000.0, None, 0.5, "%.2f", key="pnl-set-amount")
    amount, source = exact(given, 2), _source()
    if amount is None:
        _buttons(None)
        return
    fee: Decimal = amount
    if _buttons(source):
        finish(
            lambda: book.rates.set_fee(_FEES[str(what)], since, fee, actor(), source=source),
            f"{what} is {rupees(fee)} since {day(since)}",
        )


def _source() -> str:
    return st.text_input(
        "Who says so", key="pnl-set-source", max_chars=200, placeholder="for example the contract note of 12 May"
    ).strip()


def _buttons(source: str | None) -> bool:
    """Back, or go. `source=None`: something is missing still; empty: the source is."""
    with st.container(horizontal=True, horizontal_alignment="right", gap="small"):
        back_button("pnl-set-back")
        return st.button("Set it", key="pnl-set-go", type="primary", icon=":material/check:", disabled=not source)
