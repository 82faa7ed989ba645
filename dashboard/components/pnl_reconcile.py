"""The reconciliation tab: our figures beside the broker's report, contract notes and positions, line by line."""

from __future__ import annotations

import streamlit as st

from dashboard.components.cards import card_title
from dashboard.components.notices import caution, problems_in_words, told_at
from dashboard.components.pnl_actions import ACTION, SETTLE, entry_forms
from dashboard.components.pnl_entries import open_form
from dashboard.formatting import ist_when
from dashboard.markup import plain
from dashboard.pnl_markup import STYLE, figure_table
from dashboard.pnl_reconcile_rows import (
    HEADS,
    NOTE_HEADS,
    POSITION_HEADS,
    Verdict,
    gap_words,
    note_rows,
    note_title,
    note_verdict,
    position_rows,
    span_rows,
    span_title,
    span_verdict,
)
from dashboard.pnl_record_words import days_words, plural
from services.domain.clock import ist_date
from services.pnl.book import PnlBook
from services.pnl.comparisons import NoteCheck, ReconcileView, SpanCheck
from services.pnl.views import PnlView
from services.portfolio.lots.book import Cause, Flag

_OFFERS = {
    Cause.EXPIRED: ("Enter the price", SETTLE),
    Cause.ISIN_CHANGED: ("Enter an action", ACTION),
    Cause.BOUGHT_BEFORE: ("Enter an action", ACTION),
}
_ASKED = "pnl-reconcile-asked"
_MOST = 30
"""Of notes or doubts that are shown at once."""


def reconcile_tab(view: PnlView, book: PnlBook) -> None:
    """The tab."""
    with problems_in_words():
        told = _compared(view, book)
        with st.container(horizontal=True, vertical_alignment="center"):
            whose = told.account or "the running account"
            st.caption(plain(f"{days_words(told.first, told.last)} · account {whose}"), width="content")
            st.space("stretch")
            own = told.account == view.account
            if own and st.button("Ask the broker again", key="pnl-reconcile-again", icon=":material/refresh:"):
                st.session_state.pop(_ASKED, None)
                st.rerun()
        if own:
            _spans(view, told)
            _positions(view, told)
        else:
            st.info(
                "The broker tells of this desk's own account only; contract notes can be compared.",
                title=f"Another account: {plain(told.account)}",
                icon=":material/balance:",
            )
        _notes(told)
        _unknown(view, told)
        entry_forms(view, book)


def _compared(view: PnlView, book: PnlBook) -> ReconcileView:
    """The comparison. The broker is asked when this period is first looked at, and when somebody wants it; else what it
    told then stands."""
    only, day = view.only, ist_date(view.now)
    wanted = (only.account, only.first, only.last, only.segment, day)
    if st.session_state.get(_ASKED) == wanted:
        return book.reconcile(only, ask=False)
    with st.spinner("The broker is asked for its report"):
        told = book.reconcile(only)
    st.session_state[_ASKED] = wanted
    return told


def _spans(view: PnlView, told: ReconcileView) -> None:
    if not told.spans:
        st.info(
            "The broker's report knows finished days only; there are none with trades of this account in the period.",
            title="Nothing to compare yet",
            icon=":material/balance:",
        )
    for span in told.spans:
        with st.container(border=True):
            _head(span_title(span), days_words(span.first, span.last), span_verdict(span))
            _span(view, span)


def _span(view: PnlView, span: SpanCheck) -> None:
    broker = span.broker
    if broker.error:
        caution(broker.error, icon="cloud_off")
    rows, total = span_rows(span)
    st.html(STYLE + figure_table(f"{span_title(span)}: ours and the broker's", HEADS, rows, total))
    words = [f"The broker's report, told {ist_when(broker.told_at, view.now)}"] if broker.told_at else []
    if broker.count is not None and broker.rows is not None and broker.count != broker.rows:
        words.append(f"it announced {plural(broker.count, 'row')} and told {broker.rows}")
    if broker.stale:
        words.append(f"not current: {broker.stale}")
    if words:
        told_at("; ".join(words) + ".", current=len(words) == 1)


def _positions(view: PnlView, told: ReconcileView) -> None:
    """P&L from trades against P&L from positions."""
    with st.container(border=True):
        apart = sum(not one.agrees for one in told.positions)
        verdict = (
            Verdict("The broker has not told them", "orange", ":material/cloud_off:")
            if told.positions_error
            else Verdict(f"{plural(apart, 'instrument')} differ", "orange", ":material/difference:")
            if apart
            else Verdict("Agrees", "green", ":material/check:")
        )
        _head(
            "P&L from trades against P&L from positions",
            "what is open, and today's result",
            verdict if told.positions else None,
        )
        if told.positions_error:
            caution(told.positions_error, icon="cloud_off")
        if told.positions:
            st.html(
                STYLE + figure_table("From trades and from positions", POSITION_HEADS, position_rows(told.positions))
            )
        elif not told.positions_error:
            st.caption("Nothing is open, and nothing was traded today.")
        if told.positions_at is not None:
            st.caption(plain(f"Positions and holdings told {ist_when(told.positions_at, view.now)}."))


def _notes(told: ReconcileView) -> None:
    with st.container(border=True):
        card_title("Contract notes", plural(len(told.notes), "imported note") if told.notes else "")
        if not told.notes:
            st.caption(
                "None imported in this period. A table of contract-note totals (one note a line: trade date, "
                "brokerage, exchange charge, GST, STT, SEBI fee, stamp duty) can be imported under Records."
            )
        for check in told.notes[:_MOST]:
            _note(check)
        if len(told.notes) > _MOST:
            st.caption(f"The newest {_MOST} of {len(told.notes)}; choose a shorter period for the others.")


def _note(check: NoteCheck) -> None:
    _head(
        note_title(check),
        days_words(check.day, check.day) if check.day else "its date is not known",
        note_verdict(check),
    )
    for words in (check.why_not, gap_words(check)):
        if words:
            caution(words, icon="help")
    st.html(STYLE + figure_table(f"{note_title(check)}: ours and the note's", NOTE_HEADS, note_rows(check)))


def _unknown(view: PnlView, told: ReconcileView) -> None:
    """What cannot be known is named, with the way to enter what is missing."""
    doubtful = [flag for flag in view.flags if flag.cause.doubtful]
    others = [words for words in told.unknown if not any(words.endswith(flag.words) for flag in doubtful)]
    with st.container(border=True):
        card_title("What cannot be known", plural(len(doubtful), "instrument") if doubtful else "")
        if not doubtful and not others:
            st.caption("Nothing is missing: every sale finds its purchase, and every trade its rates.")
        for words in others:
            st.markdown(f":material/help: {plain(words[:1].upper() + words[1:])}")
        for place, flag in enumerate(doubtful[:_MOST]):
            _flag(flag, place)
        if len(doubtful) > _MOST:
            st.caption(f"and {len(doubtful) - _MOST} more; the workbook lists all of them.")


def _flag(flag: Flag, place: int) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        with st.container(gap=None):
            st.markdown(f"**{plain(flag.symbol)}**&ensp;:small[:gray[{plain(flag.cause.value)}]]")
            st.caption(plain(f"{flag.words[:1].upper()}{flag.words[1:]}."))
        offer = _OFFERS.get(flag.cause)
        if offer is not None:
            label, form = offer
            st.button(
                label,
                key=f"pnl-doubt-{place}",
                type="tertiary",
                icon=":material/edit:",
                on_click=open_form,
                args=(form, flag.instrument),
            )


def _head(title: str, note: str, verdict: Verdict | None) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        card_title(title, note)
        st.space("stretch")
        if verdict is not None:
            st.badge(verdict.words, color=verdict.colour, icon=verdict.icon)  # type: ignore[arg-type]  # one of its names
