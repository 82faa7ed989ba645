"""What of the year is shown: year, exchange, kinds. All of it is in the link, so that a bookmark keeps it."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlsplit

import streamlit as st

from dashboard.calendar_ics import USUAL_KINDS, address, calendar_file, file_name
from dashboard.calendar_words import KINDS, NAMES, EntryKind
from dashboard.calendar_year import Entry, years_to_choose
from dashboard.components.calendar_list import as_csv
from dashboard.components.cards import card_title
from dashboard.resources import desk
from services.domain.phases import Market

_ALL = "All"


def pick_year(this_year: int) -> int:
    """The chosen year, this one by default."""
    years = list(years_to_choose(this_year))
    chosen = st.selectbox(
        "Year",
        years,
        index=years.index(max(this_year, years[0])),
        key="cal-year",
        bind="query-params",
        label_visibility="collapsed",
        width=110,
    )
    return int(chosen)


def pick_market() -> Market | None:
    """The chosen exchange segment; `None`: all of them."""
    chosen = st.segmented_control(
        "Exchange",
        [_ALL, *(market.value for market in NAMES)],
        default=_ALL,
        required=True,
        key="cal-market",
        bind="query-params",
        label_visibility="collapsed",
        wrap=True,
        help="NFO, BFO: derivatives. CDS, BCD: currency. MCX, NSCOM: commodities.",
    )
    return None if chosen in (None, _ALL) else Market(chosen)


def pick_kinds() -> tuple[EntryKind, ...]:
    """The chosen kinds of lines, in their order."""
    chosen = st.pills(
        "Kinds",
        list(EntryKind),
        selection_mode="multi",
        default=list(USUAL_KINDS),
        format_func=lambda kind: KINDS[kind][0],
        wrap=True,
        key="cal-kinds",
        bind="query-params",
        label_visibility="collapsed",
    )
    return tuple(kind for kind in EntryKind if kind in chosen)


def csv_button(entries: Collection[Entry], year: int) -> None:
    """The list as a file."""
    st.download_button(
        "CSV",
        data=lambda: as_csv(entries).encode("utf-8-sig"),
        file_name=f"market-calendar-{year}.csv",
        mime="text/csv",
        key="cal-csv",
        icon=":material/download:",
        on_click="ignore",
        help="The lines below, with sources",
    )


def calendar_file_card(market: Market | None, kinds: Collection[EntryKind]) -> None:
    """The calendar for other programs: a file, and an address that stays current while the desk runs."""
    runtime, wanted = desk(), tuple(kinds) or USUAL_KINDS
    path = address(market, wanted)
    name = "all markets" if market is None else NAMES[market]
    card_title("In your own calendar", name)
    host = urlsplit(st.context.url or "").netloc or "127.0.0.1:8501"
    with st.container(horizontal=True, gap="xsmall"):
        st.download_button(
            "Calendar file",
            data=lambda: calendar_file(runtime.calendar.current, now=runtime.clock.now(), market=market, kinds=wanted),
            file_name=file_name(market),
            mime="text/calendar",
            key="cal-ics",
            icon=":material/event:",
            on_click="ignore",
            help="An .ics file of all published years from last year on",
        )
        st.link_button("Subscribe", f"webcal://{host}{path}", icon=":material/rss_feed:")
    st.code(f"http://{host}{path}", language=None, wrap_lines=True)
    st.caption(
        "It holds what the exchange and the kinds above choose. A subscription renews itself while the desk runs on "
        "this machine. Unconfirmed rows say so; whole days are Indian dates."
    )
