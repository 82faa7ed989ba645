"""The alerts that are open, with what a person may say of each, and those that were."""

from __future__ import annotations

from datetime import datetime
from functools import partial

import streamlit as st

from dashboard.alert_words import TONES, life_told, since_told
from dashboard.components.alert_symbol import alert_symbol
from dashboard.components.figure_table import figure_table
from dashboard.components.notices import live_part, problems_in_words, problems_said
from dashboard.formatting import ist_when
from dashboard.instrument_wanted import leave_if_wanted
from dashboard.markup import plain
from dashboard.order_session import actor
from dashboard.resources import desk
from dashboard.state import say, say_later
from dashboard.tables import word, words_table
from services.alerts import Alert, Life, title_of

EVERY = 3.0
HISTORY = 50
_TALLEST = 480
_PAST = (word("Alert"), word("How it ended", wide=True), word("What", wide=True))


def alert_list(*, key: str) -> None:
    """Draw both, and keep them current."""
    live_part(EVERY, key)(_alerts)(key)


def _alerts(key: str) -> None:
    leave_if_wanted()
    say()
    alerts = desk().alert_desk
    now, standing = desk().clock.now(), alerts.standing()
    if standing.problem is not None:
        st.warning(
            plain(
                f"{standing.problem}. Alerts are shown and sent all the same, and written down when that is possible."
            ),
            title="The ledger takes no alerts",
            icon=":material/save:",
        )
    with st.container(key=f"{key}-open", gap="xsmall"):
        if not standing.complete:
            st.markdown(":orange[:material/help:] Which alerts are open from before is not known yet.")
        elif not standing.alerts:
            st.markdown(":green[:material/check:] No alert is open.")
        for alert in standing.alerts:
            _open_one(key, alert, now)
    with st.expander("Past alerts", key=f"{key}-history", on_change="rerun") as before:
        if before.open:
            _history(key)


def _open_one(key: str, alert: Alert, now: datetime) -> None:
    with st.container(border=True):
        told, said = st.columns([2.6, 1.3], gap="small", vertical_alignment="center")
        with told, st.container(gap="xxsmall"):
            badge = f":{TONES[alert.severity]}-badge[{alert.severity.value}]"
            st.markdown(f"{badge} **{plain(title_of(alert.kind))}** &ensp; {plain(alert.message)}")
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                alert_symbol(alert, key=f"{key}-symbol-{alert.id}")
                st.caption(plain(since_told(alert, now)))
        with said:
            _actions(key, alert)


def _actions(key: str, alert: Alert) -> None:
    with st.container(horizontal=True, gap="xsmall"):
        if alert.life is Life.OPEN:
            st.button(
                "Seen",
                key=f"{key}-seen-{alert.id}",
                icon=":material/visibility:",
                help="Somebody looks after it; it stays open until the trouble is over",
                on_click=partial(_said, "acknowledge", alert.id),
            )
        st.button(
            "Resolve",
            key=f"{key}-resolve-{alert.id}",
            icon=":material/check:",
            help="It is over, or does not matter; while the same trouble lasts it is not opened again",
            on_click=partial(_said, "resolve", alert.id),
        )


def _said(what: str, id: int) -> None:
    with problems_said():
        alerts = desk().alert_desk
        if what == "acknowledge":
            alerts.acknowledge(id, actor())
            say_later("The alert is marked as seen")
        else:
            alerts.resolve(id, actor())
            say_later("The alert is resolved")


def _history(key: str) -> None:
    with problems_in_words():
        now = desk().clock.now()
        past = desk().alert_desk.ended(HISTORY)
        if not past:
            st.caption("No alert has ended yet.")
            return
        rows = [
            (
                {"t": title_of(one.kind), "s": f"{one.severity.value}, since {ist_when(one.raised_at, now)}"},
                life_told(one, now),
                one.message,
            )
            for one in past
        ]
        figure_table(words_table(_PAST, rows, "Alerts that are over", tall=_TALLEST), key=f"{key}-past")
