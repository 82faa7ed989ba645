"""Where alerts are sent: channels with a test button, what became of the last message, and a form for another one."""

from __future__ import annotations

from functools import partial

import streamlit as st

from dashboard.alert_words import LEAST, channel_told
from dashboard.components.figure_table import figure_table
from dashboard.components.notices import live_part, problems_said
from dashboard.formatting import ist_when
from dashboard.markup import plain
from dashboard.order_session import actor
from dashboard.over_page import Over, dismiss, standing, want
from dashboard.resources import desk
from dashboard.state import say, say_later
from dashboard.tables import word, words_table
from dashboard.words import in_words
from services.alerts import Channel, ChannelState, Sent, Severity, What
from services.domain.errors import UpstoxError

EVERY = 2.0
MESSAGES = 20
_TALLEST = 360
_SENT = (word("Channel"), word("What"), word("State", wide=True))
_EXAMPLES = {
    "Telegram": "tgram://bot-token/chat-id",
    "E-mail": "mailtos://user:password@example.com?to=me@example.com",
    "Slack": "slack://token-a/token-b/token-c/#channel",
    "PagerDuty": "pagerduty://integration-key@api-key",
    "Webhook (JSON)": "jsons://host/path",
}


def alert_channels(*, key: str) -> None:
    """Draw the channels and keep them current; to be called in a whole run, for the dialog."""
    if standing(Over.CHANNEL) is not None:
        _dialog()
    live_part(EVERY, key)(_channels)(key)


def _channels(key: str) -> None:
    say()
    alerts, now = desk().alert_desk, desk().clock.now()
    st.markdown(":green[:material/check:] **On every page, and in the log** &ensp; always")
    states = alerts.channel_states()
    for state in states:
        with st.container(border=True, gap="small"):
            with st.container(gap="xxsmall"):
                tone, words = channel_told(state, now)
                channel = state.channel
                st.markdown(
                    f":{tone}[:material/circle:] **{plain(channel.name)}** &ensp; {plain(channel.service)}, "
                    f"{plain(LEAST[channel.least])}"
                )
                st.caption(plain(words[:1].upper() + words[1:]))
            _actions(key, state)
    if st.button("Add a channel", key=f"{key}-add", icon=":material/add:"):
        want(Over.CHANNEL, "")
        st.rerun()
    with st.expander("Messages", key=f"{key}-messages", on_change="rerun") as messages:
        if messages.open:
            _messages(key, [state.channel for state in states])


def _actions(key: str, state: ChannelState) -> None:
    id, active = state.channel.id, state.channel.active
    with st.container(horizontal=True, gap="xsmall"):
        st.button(
            "Test", key=f"{key}-test-{id}", icon=":material/send:", disabled=state.testing, on_click=partial(_test, id)
        )
        st.button("Turn off" if active else "Turn on", key=f"{key}-turn-{id}", on_click=partial(_turn, id, not active))
        st.button(
            "Remove",
            key=f"{key}-remove-{id}",
            icon=":material/delete:",
            type="tertiary",
            on_click=partial(_remove, state.channel),
        )


def _test(id: int) -> None:
    with problems_said():
        desk().alert_desk.test(id, actor())


def _turn(id: int, active: bool) -> None:
    with problems_said():
        desk().alert_desk.channels.turn(id, active, actor())


def _remove(channel: Channel) -> None:
    with problems_said():
        desk().alert_desk.channels.remove(channel.id, actor())
        say_later(f"The channel {channel.name} and its address are forgotten")


def _messages(key: str, channels: list[Channel]) -> None:
    names = {channel.id: channel.name for channel in channels}
    sent = desk().alert_desk.deliveries(MESSAGES)
    if not sent:
        st.caption("No message was sent yet.")
        return
    words = {What.OPENED: "alert", What.ENDED: "over", What.TEST: "test"}
    states = {Sent.SENT: "sent", Sent.FAILED: "failed", Sent.SENDING: "being sent"}
    now = desk().clock.now()
    rows = [
        (
            {"t": names.get(one.channel_id, "removed"), "s": ist_when(one.at, now, seconds=True)},
            words[one.what] + ("" if one.alert_id is None else f" {one.alert_id}"),
            {
                "t": states[one.state] + (f", {one.attempts} attempts" if one.attempts > 1 else ""),
                **({"s": one.reason} if one.reason else {}),
            },
        )
        for one in sent
    ]
    figure_table(words_table(_SENT, rows, "Messages, the newest first", tall=_TALLEST), key=f"{key}-sent")


@st.dialog("Add a channel", icon=":material/add_alert:", on_dismiss=dismiss)
def _dialog() -> None:
    st.caption(
        "The address holds the secret of the service. It is kept encrypted, never shown again and never written to "
        "a log."
    )
    with st.form("alert-channel", border=False, enter_to_submit=False, clear_on_submit=True):
        name = st.text_input("Name", max_chars=60, placeholder="for example My phone")
        url = st.text_input("Address", type="password", max_chars=1000, placeholder="tgram://bot-token/chat-id")
        least = st.selectbox("Send", list(LEAST), index=1, format_func=LEAST.__getitem__)
        tell_end = st.checkbox("Tell also when it is over", value=True)
        done = st.form_submit_button("Add", type="primary")
    with st.expander("How addresses are written"):
        st.table(_EXAMPLES, border="horizontal")
    if not done:
        return
    try:
        made = desk().alert_desk.channels.add(name, url, actor(), least=least or Severity.WARNING, tell_end=tell_end)
    except UpstoxError as error:
        st.error(plain(in_words(error).text))
    else:
        say_later(f"{made.service} is added as {made.name}; send a test")
        dismiss()
        st.rerun()
