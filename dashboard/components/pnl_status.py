"""How far the results can be trusted: where trades come from, how old they are, what is missing, what is in doubt."""

from __future__ import annotations

import streamlit as st

from dashboard.components.notices import told_at
from dashboard.components.pnl_import import import_button
from dashboard.formatting import quantity
from dashboard.markup import plain
from dashboard.navigation import ACCOUNT, ORDERS
from dashboard.pnl_choice import Period
from dashboard.pnl_state import change, chosen
from dashboard.pnl_words import as_of_words, source_words
from dashboard.resources import desk
from services.pnl.book import PnlBook
from services.pnl.values import Filter
from services.pnl.views import PnlView

_MOST_FLAGS = 30


def status_line(view: PnlView) -> None:
    """The age of the trades, and a click away where each comes from."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        words = as_of_words(view.as_of, view.now, troubled=view.old)
        old = view.old and view.as_of is not None
        told_at(f"{words}, not current" if old else words, current=not old, width="content")
        trades = sum(line.trades for line in view.sources)
        if view.sources:
            count = len(view.sources)
            with st.popover(
                f"{quantity(trades)} fills from {quantity(count)} source{'' if count == 1 else 's'}", type="tertiary"
            ):
                for line in source_words(view.sources, view.now):
                    st.caption(plain(line))
        doubts = [flag for flag in view.flags if flag.cause.doubtful]
        if doubts:
            with st.popover(f"{quantity(len(doubts))} in doubt", type="tertiary", icon=":material/help:"):
                st.caption(
                    "Their figures are those of the part that is known. What is missing can be entered or imported "
                    "under Records."
                )
                for flag in doubts[:_MOST_FLAGS]:
                    st.markdown(f"**{plain(flag.symbol)}**  \n:small[{plain(flag.words)}]")
                if len(doubts) > _MOST_FLAGS:
                    st.caption(f"and {quantity(len(doubts) - _MOST_FLAGS)} more")


def show_missing(view: PnlView) -> None:
    """What could not be had: the figures are of what is known."""
    if not view.missing:
        return
    lines = "  \n".join(plain(f"{one[:1].upper()}{one[1:]}".rstrip(".") + ".") for one in view.missing)
    st.warning(
        f"{lines}  \nThe figures below are of what is known; the desk keeps asking.",
        title="Not everything could be had",
        icon=":material/cloud_off:",
    )


def building_note(view: PnlView) -> bool:
    """Says that the book is being built, or lacks what is on its way. Is there nothing to show before that?"""
    if view.past_asked:
        st.caption(":material/sync: The trades of days before are on their way. Until then the figures may lack some.")
    if not view.building:
        return False
    nothing = view.version == 0
    if nothing:
        st.info("Trades are read, matched and charged.", title="The results are being worked out", icon="spinner")
    else:
        st.caption(":material/sync: New trades are being counted in.")
    return nothing


def empty_note(view: PnlView, book: PnlBook) -> None:
    """Nothing was closed in what is looked at: why, and the way on."""
    everything = book.read(Filter(account=view.only.account))
    if not everything.empty:
        count = quantity(len(everything.trades))
        none = "No trade that is known" if view.missing else "Nothing"
        st.info(
            f"There {'is one closed trade' if count == '1' else f'are {count} closed trades'} without these filters.",
            title=f"{none} was closed in this period and these filters",
            icon=":material/filter_alt_off:",
        )
        st.button("Show all", key="pnl-show-all", icon=":material/filter_alt_off:", on_click=show_all)
        return
    if view.missing and view.as_of is None:
        return  # said above, and to call it empty would be a guess
    st.info(
        "A trade appears here when what was bought is sold, or the other way round. Trades of other days or brokers "
        "can be imported.",
        title="No closed trade is known" if view.missing else "No closed trades yet",
        icon=":material/receipt_long:",
    )
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        import_button(book, key="pnl-import-empty")
        st.page_link(ORDERS, label="Place an order", icon=":material/receipt_long:")
        if desk().paper_account is not None:
            label = "Practise on a paper account with a past"
            st.page_link(ACCOUNT, label=label, icon=":material/restart_alt:")


def show_all() -> None:
    """Take all filters off, but the account's."""
    change(period=Period.ALL, first=None, last=None, segment="", symbol="", product="", bucket="")
    assert chosen().period is Period.ALL
