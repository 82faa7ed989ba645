"""The cards of the overview: movers, market phase, funds, what went wrong lately."""

from __future__ import annotations

import streamlit as st

from dashboard.calendar_words import PHASE_NAMES
from dashboard.columns import Layout
from dashboard.components.account_cards import master_words
from dashboard.components.cards import card_title, fact_table
from dashboard.components.frame import nse_phase
from dashboard.components.money_cards import show_money
from dashboard.components.movers import breadth, movers
from dashboard.components.notices import live_part, problems_in_words
from dashboard.components.quote_table import Tracks, quote_table
from dashboard.formatting import duration, ist_when
from dashboard.markup import plain
from dashboard.navigation import ACCOUNT, CALENDAR, QUOTES
from dashboard.reading import Reading
from dashboard.resources import desk
from dashboard.words import title_of
from services.domain.phases import Market, Phase, PhaseNow

_MOVER_COLUMNS = Layout(("ltp", "change_percent", "day", "volume"))


def movers_cards(reading: Reading, tracks: Tracks, *, name: str) -> None:
    """Gainers and losers of a watchlist, side by side."""
    up, down, level = breadth(reading)
    for column, title, keys in zip(st.columns(2, gap="small"), ("Gainers", "Losers"), movers(reading), strict=True):
        with column, st.container(border=True, height="stretch"):
            card_title(title, f"{name}: {up} up ▲, {down} down ▼, {level} unchanged" if reading.rows else name)
            quote_table(
                reading.of(keys),
                _MOVER_COLUMNS,
                key=f"overview-{title.lower()}",
                label=f"{title} of {name}",
                tracks=tracks,
                empty=f"No {title.lower()} in this list now." if reading.rows else "No prices yet.",
                quiet=True,
            )


@live_part(10.0)
def phase_card() -> None:
    """What is open now and for how long."""
    runtime = desk()
    card_title("Market")
    facts = {"Session": "practice, every market open"} if runtime.source.practice else {}
    facts |= {
        "NSE shares": _phase_words(nse_phase(runtime.calendar)),
        "NSE F&O": _phase_words(runtime.calendar.phase(Market.NFO)),
        "MCX": _phase_words(runtime.calendar.phase(Market.MCX)),
        "Instruments": master_words(),
    }
    fact_table(facts)
    st.page_link(CALENDAR, label="Calendar", icon=":material/calendar_month:")


def _phase_words(phase: PhaseNow) -> str:
    """Open, until 15:30 (2 h 14 min left). Closed, Saturday; pre-open Mon 23 Nov, 09:00 IST (in 1 d 21 h)."""
    now = desk().clock.now()
    words = f"{PHASE_NAMES[phase.phase]}, {phase.reason}" + ("" if phase.confirmed else ", unconfirmed")
    if phase.until is None:
        return words
    left = duration((phase.until - now).total_seconds())
    if phase.phase in (Phase.CLOSED, Phase.UNKNOWN) and phase.then is not None:
        return f"{words}; {PHASE_NAMES[phase.then].lower()} {ist_when(phase.until, now)} (in {left})"
    return f"{words} ({left} left)"


@live_part(5.0)
def funds_card() -> None:
    """The money that is there."""
    card_title("Funds")
    with st.skeleton(height=80):
        show_money()
    with st.container(horizontal=True):
        st.page_link(ACCOUNT, label="Account", icon=":material/account_circle:")
        st.page_link(QUOTES, label="All quotes", icon=":material/monitoring:")


@live_part(10.0)
def trouble_card() -> None:
    """Open alerts and the errors of the last day."""
    runtime = desk()
    card_title("Alerts and errors")
    with problems_in_words(briefly=True):
        alerts = runtime.alerts.all(open_only=True, limit=5)
        for alert in alerts:
            st.markdown(f":orange-badge[{alert.severity}] {plain(alert.message)}")
        if not alerts:
            st.markdown(":material/check: No open alerts")
        kinds = runtime.errors.breakdown(24 * 60)
        if kinds:
            rate = runtime.errors.rate(5)
            st.markdown(f"{sum(kinds.values())} failed requests in 24 hours, {rate:.1f} a minute now")
            st.caption(plain("; ".join(f"{title_of(name)}: {count}" for name, count in kinds.items())))
        else:
            st.markdown(":material/check: No failed request in 24 hours")
