"""The cards of the overview: movers, market phase, health at a glance, alerts and errors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

import streamlit as st

from dashboard.alert_words import TONES, life_told, since_told
from dashboard.calendar_words import PHASE_NAMES
from dashboard.columns import Layout
from dashboard.components.account_cards import master_words
from dashboard.components.alert_symbol import alert_symbol
from dashboard.components.cards import card_title, fact_table
from dashboard.components.frame import nse_phase
from dashboard.components.health_now import checks_list
from dashboard.components.movers import breadth, breadth_words, movers
from dashboard.components.notices import live_part, problems_in_words
from dashboard.components.quote_table import Tracks, quote_table
from dashboard.formatting import duration, ist_brief, ist_when
from dashboard.instrument_wanted import leave_if_wanted, want_instrument
from dashboard.markup import plain
from dashboard.navigation import CALENDAR, HEALTH, QUOTES
from dashboard.reading import Reading
from dashboard.resources import desk
from dashboard.words import title_of
from services.alerts import title_of as alert_title
from services.alerts.rules import ERROR_RATE
from services.domain.phases import Market, Phase, PhaseNow

MOST_ALERTS = 5
NO_BREAK = "\N{NO-BREAK SPACE}"
_MOVER_COLUMNS = Layout(("ltp", "change_percent", "day", "volume"))
_WITHOUT_A_DAY = Layout(("ltp", "change_percent", "volume"))
"""Before the first session of a day, and on days without one."""


def movers_cards(reading: Reading, tracks: Tracks, *, name: str) -> None:
    """Gainers and losers of a watchlist, side by side; a row opens its instrument."""
    if not reading.keys:
        with st.container(border=True):
            card_title("Movers", name)
            st.caption("Nothing to watch yet. Add instruments, and those that move most stand here.")
            st.page_link(QUOTES, label="Add instruments", icon=":material/add:", width="content")
        return
    both = movers(reading)
    columns = mover_columns(reading, tracks, [key for keys in both for key in keys])
    told = (breadth_words(reading, name), name)  # how many rose and fell is told once, on the first
    for column, title, note, keys in zip(st.columns(2, gap="small"), ("Gainers", "Losers"), told, both, strict=True):
        with column, st.container(border=True, height="stretch"):
            _title(title, f"{note}{made_words(reading)}")
            quote_table(
                reading.of(keys),
                columns,
                key=f"overview-{title.lower()}-{st.session_state.get(_OPENED, 0)}",
                label=f"{title} of {name}",
                tracks=tracks,
                empty=f"No {title.lower()} in this list now." if any(breadth(reading)) else "No prices yet.",
                on_pick=_open,
                quiet=True,
            )


def mover_columns(reading: Reading, tracks: Tracks, shown: Iterable[str]) -> Layout:
    """The path of the day only where there is one, or may be any moment."""
    return _MOVER_COLUMNS if reading.moving or any(len(tracks(key)) > 1 for key in shown) else _WITHOUT_A_DAY


def made_words(reading: Reading) -> str:
    """Out of session when the newest price was made: ", as of Fri 15:28", in the words of the frame's clock."""
    made = [at for key in reading.keys if (row := reading.rows.get(key)) and (at := row["last_trade_time"])]
    if reading.in_session or not made:
        return ""
    return f", {f'as of {ist_brief(max(made), reading.now)}'.replace(' ', NO_BREAK)}"


_OPENED = "overview-opened"


def _open(key: object) -> None:
    """A row was pressed. The tables are made anew, so that the same row may be pressed again."""
    st.session_state[_OPENED] = st.session_state.get(_OPENED, 0) + 1
    want_instrument(str(key))


def _title(title: str, note: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        card_title(title, note)
        st.page_link(
            QUOTES, label="Movers", icon=":material/monitoring:", query_params={"tab": "Movers"}, width="content"
        )


@live_part(10.0)
def phase_card() -> None:
    """What is open now and for how long."""
    runtime = desk()
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        card_title("Market")
        st.page_link(CALENDAR, label="Calendar", icon=":material/calendar_month:", width="content")
    facts = {"Session": "practice, every market open"} if runtime.source.practice else {}
    now, calendar = runtime.clock.now(), runtime.calendar
    phases = {
        "NSE shares": phase_words(nse_phase(calendar), now),
        "NSE F&O": phase_words(calendar.phase(Market.NFO), now),
        "MCX": phase_words(calendar.phase(Market.MCX), now),
    }
    fact_table(facts | told_once(phases) | {"Instruments": master_words()})


def told_once(phases: Mapping[str, str]) -> dict[str, str]:
    """Markets of which the same is to be told share a line."""
    names: dict[str, list[str]] = {}
    for name, words in phases.items():
        names.setdefault(words, []).append(name)
    return {", ".join(sharing): words for words, sharing in names.items()}


def phase_words(phase: PhaseNow, now: datetime) -> str:
    """Open, until 15:30 (2 h 14 min left). Closed, Saturday; opens Mon 23 Nov, 09:15 IST (in 1 d 22 h)."""
    words = f"{PHASE_NAMES[phase.phase]}, {phase.reason}" + ("" if phase.confirmed else ", unconfirmed")
    if phase.until is None:
        return words
    left = duration((phase.until - now).total_seconds())
    if phase.phase in (Phase.CLOSED, Phase.UNKNOWN) and phase.then is not None:
        next_one = "opens" if phase.then is Phase.OPEN else PHASE_NAMES[phase.then].lower()
        at = ist_when(phase.until, now).replace(" IST", f"{NO_BREAK}IST")  # a card is narrow
        return f"{words}; {next_one} {at} (in {left})"
    return f"{words} ({left} left)"


@live_part(2.0, "overview-health")
def health_card() -> None:
    """Can the desk be trusted: the six checks with their reasons."""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        card_title("Health")
        st.page_link(HEALTH, label="Health", icon=":material/vital_signs:", width="content")
    checks_list(desk().measures.checks(), key="overview-checks")


@live_part(10.0)
def trouble_card() -> None:
    """The alerts that are open, else those that ended last, and the errors of the last day."""
    runtime = desk()
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        card_title("Alerts and errors")
        st.page_link(HEALTH, label="All alerts", icon=":material/notifications:", width="content")
    leave_if_wanted()
    now = runtime.clock.now()
    with problems_in_words(briefly=True), st.container(gap="xsmall"):
        standing = runtime.alert_desk.standing()
        alerts = standing.alerts
        for alert in alerts[:MOST_ALERTS]:
            badge = f":{TONES[alert.severity]}-badge[{plain(alert_title(alert.kind))}]"
            st.markdown(f"{badge} {plain(alert.message)}  \n:small[:gray[{plain(since_told(alert, now))}]]")
            alert_symbol(alert, key=f"overview-alert-{alert.id}")
        if len(alerts) > MOST_ALERTS:
            st.caption(f"{len(alerts) - MOST_ALERTS} more on the health page.")
        if not standing.complete:
            st.markdown(":material/help: Which alerts are open from before is not known yet")
        elif not alerts:
            st.markdown(":material/check: No open alerts")
        if len(alerts) < MOST_ALERTS:
            for alert in runtime.alert_desk.ended(MOST_ALERTS - len(alerts)):
                st.caption(plain(f"{alert_title(alert.kind)}: {alert.message} ({life_told(alert, now)})"))
        kinds = runtime.errors.breakdown(24 * 60)
        if kinds:
            # An alert tells a rate of its own, over its own minutes: two beside each other would contradict.
            told = any(alert.kind == ERROR_RATE for alert in alerts[:MOST_ALERTS])
            rate = "" if told else f", {runtime.errors.rate(5):.1f} a minute now"
            count = sum(kinds.values())
            what = "failed request" if count == 1 else "failed requests"
            st.markdown(f"{count} {what} in 24 hours{rate}")
            st.caption(plain("; ".join(f"{title_of(name)}: {count}" for name, count in kinds.items())))
        else:
            st.markdown(":material/check: No failed request in 24 hours")
