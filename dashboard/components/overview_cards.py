"""The cards of the overview: the day's profit and what is open, movers, market phase, funds, what went wrong lately."""

from __future__ import annotations

import streamlit as st

from dashboard.alert_words import TONES
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
from dashboard.navigation import ACCOUNT, CALENDAR, ORDERS, PORTFOLIO, QUOTES
from dashboard.portfolio_headlines import Headline, holdings_today, open_orders, open_positions, positions_today
from dashboard.portfolio_words import as_of_words
from dashboard.reading import Reading
from dashboard.resources import desk
from dashboard.state import first_time
from dashboard.words import title_of
from services.alerts import title_of as alert_title
from services.domain.phases import Market, Phase, PhaseNow

MOST_ALERTS = 5
FIRST_WAIT = 1.0
"""Real seconds that a first look may wait for positions."""
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


@live_part(2.0, "overview-today")
def today_cards() -> None:
    """What the day brought so far, and what is open: positions and orders."""
    rt = desk()
    wait = FIRST_WAIT if first_time("overview-today") else 0.0
    positions, holdings, book = rt.portfolio.positions(wait=wait), rt.portfolio.holdings(wait=wait), rt.orders.book()
    with st.grid(4, gap="small", min_column_width=150):
        for facts in (
            positions_today(positions),
            holdings_today(holdings),
            open_positions(positions),
            open_orders(book),
        ):
            _headline(facts)
    problem = positions.error or holdings.error
    now = rt.clock.now()
    if problem is not None and positions.as_of is not None:
        st.caption(f":orange[:material/history: {plain(as_of_words(positions.as_of, now, problem))}]")


def _headline(headline: Headline) -> None:
    with st.container(border=True, height="stretch", gap="xxsmall"):
        st.caption(headline.title)
        tone = {1: ":green[{}]", -1: ":red[{}]"}.get(headline.direction, "{}")
        st.subheader(tone.format(plain(headline.figure)), anchor=False)
        st.caption(plain(headline.note))


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


@live_part(2.0)
def funds_card() -> None:
    """The money that is there."""
    card_title("Funds")
    with st.skeleton(height=80):
        show_money()
    with st.container(horizontal=True):
        st.page_link(PORTFOLIO, label="Portfolio", icon=":material/account_balance_wallet:")
        st.page_link(ORDERS, label="Orders", icon=":material/receipt_long:")
        st.page_link(ACCOUNT, label="Account", icon=":material/account_circle:")
        st.page_link(QUOTES, label="All quotes", icon=":material/monitoring:")


@live_part(10.0)
def trouble_card() -> None:
    """Open alerts and the errors of the last day."""
    runtime = desk()
    card_title("Alerts and errors")
    with problems_in_words(briefly=True):
        standing = runtime.alert_desk.standing()
        alerts = standing.alerts
        for alert in alerts[:MOST_ALERTS]:
            st.markdown(f":{TONES[alert.severity]}-badge[{plain(alert_title(alert.kind))}] {plain(alert.message)}")
        if len(alerts) > MOST_ALERTS:
            st.caption(f"{len(alerts) - MOST_ALERTS} more on the health page.")
        if not standing.complete:
            st.markdown(":material/help: Which alerts are open from before is not known yet")
        elif not alerts:
            st.markdown(":material/check: No open alerts")
        kinds = runtime.errors.breakdown(24 * 60)
        if kinds:
            rate = runtime.errors.rate(5)
            st.markdown(f"{sum(kinds.values())} failed requests in 24 hours, {rate:.1f} a minute now")
            st.caption(plain("; ".join(f"{title_of(name)}: {count}" for name, count in kinds.items())))
        else:
            st.markdown(":material/check: No failed request in 24 hours")
