"""The rules by which alerts open and close, with the numbers that an operator may change."""

from __future__ import annotations

from decimal import Decimal

import streamlit as st

from dashboard.alert_words import rule_told
from dashboard.components.notices import live_part
from dashboard.markup import plain
from dashboard.order_session import actor
from dashboard.over_page import Over, dismiss, standing, want
from dashboard.resources import desk
from dashboard.state import say_later
from dashboard.words import in_words
from services.alerts import RuleState
from services.domain.errors import UpstoxError

EVERY = 10.0


def alert_rules(*, key: str) -> None:
    """Draw the rules; to be called in a whole run, for the dialog."""
    asked = standing(Over.RULE)
    state = None if asked is None else next((one for one in desk().alert_desk.rules() if one.rule.kind == asked), None)
    if state is not None:
        _dialog(state)
    live_part(EVERY, key)(_rules)(key)


def _rules(key: str) -> None:
    for state in desk().alert_desk.rules():
        rule = state.rule
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            with st.container(gap=None, width="stretch"):
                own = " &ensp; :blue-badge[changed]" if rule != state.usual else ""
                st.markdown(f"**{plain(rule.title)}** &ensp; {plain(rule_told(state))}{own}")
                unknown = f" Not looked at now: {state.unknown}." if state.unknown and rule.active else ""
                st.caption(plain(rule.meaning + unknown))
            if st.button("Change", key=f"{key}-{rule.kind}", type="tertiary", icon=":material/tune:"):
                want(Over.RULE, rule.kind)
                st.rerun()


@st.dialog("Change a rule", icon=":material/tune:", on_dismiss=dismiss)
def _dialog(state: RuleState) -> None:
    rule = state.rule
    st.markdown(f"**{plain(rule.title)}**: {plain(rule.meaning)}")
    with st.form("alert-rule", border=False, enter_to_submit=False):
        active = st.toggle("In use", value=rule.active)
        numbers: dict[str, float] = {}
        if rule.unit:
            way = "Opens below" if rule.falling else "Opens above"
            numbers["opens_at"] = st.number_input(f"{way}, {rule.unit}", 0.0, 1e8, rule.opens_at)
            numbers["closes_at"] = st.number_input(f"Is over at, {rule.unit}", 0.0, 1e8, rule.closes_at)
        numbers["for_seconds"] = st.number_input("Must last, seconds", 0.0, 3600.0, rule.for_seconds)
        numbers["cool_down_seconds"] = st.number_input(
            "Not again within, seconds", 0.0, 86400.0, rule.cool_down_seconds
        )
        with st.container(horizontal=True):
            use = st.form_submit_button("Use these", type="primary")
            usual = st.form_submit_button("Back to the usual", disabled=rule == state.usual)
    if not (use or usual):
        return
    given = {name: Decimal(str(number)) for name, number in numbers.items()} | {"active": Decimal(int(active))}
    try:
        desk().alert_desk.set_rule(rule.kind, actor(), **({} if usual else given))
    except UpstoxError as error:
        st.error(plain(in_words(error).text))
    else:
        say_later(f"The rule {rule.title} is changed")
        dismiss()
        st.rerun()
