"""Who may come in: the users, who is signed in on which browser, and what was noted of it. For operators to change."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from dashboard.components.cards import card_title
from dashboard.components.figure_table import figure_table
from dashboard.components.notices import live_part, problems_in_words, problems_said
from dashboard.formatting import ist_moment
from dashboard.locks.person import Person, person
from dashboard.markup import plain
from dashboard.resources import desk
from dashboard.state import say, say_later
from dashboard.tables import word, words_table
from services.domain.sign_ins import SignedIn

EVERY = 10.0
SHOWN = 30
_TALLEST = 360
_USERS = (word("User"), word("Role"), word("Signs in by"), word("Since"))
_NOTES = (word("When"), word("What"), word("About"), word("By", rank=2), word("Details", rank=2, wide=True))
_NOTED = {
    "signed in",
    "signed out",
    "sign-in refused",
    "sign-in paused",
    "user added",
    "user removed",
    "role changed",
    "password changed",
    "key changed",
    "broker token kept",
    "broker token forgotten",
}


def people_card() -> None:
    """The card. On a desk where nobody has to sign in and nobody can, a sentence."""
    with st.container(border=True):
        live_part(EVERY, "account-people")(_people)()


def _people() -> None:
    say()
    me, sign_ins = person(), desk().sign_ins
    card_title("Who may come in")
    if me.signed_in is None:
        st.markdown(
            f"You sit at this machine, where nobody has to sign in: **{plain(me.actor.name)}**, "
            f"{me.actor.role.value}. Served beyond it, the desk asks everybody for a name and a password."
        )
    else:
        until = ist_moment(me.signed_in.ends_at)
        st.markdown(f"You are **{plain(me.actor.name)}**, {me.actor.role.value}, until {until}.")
    users = sign_ins.users()
    if me.actor.role.may_operate and users:
        told = [(user.name, user.role.value, user.proof.value, ist_moment(user.created_at)) for user in users]
        figure_table(words_table(_USERS, told, "Users"), key="people-users")
    here = [one for one in sign_ins.everybody() if me.actor.role.may_operate or one.user == me.actor.name]
    _browsers(here, me)
    if me.actor.role.may_operate:
        _noted()
    st.caption("Users are added, changed and removed at the desk's own machine: `python3 -m dashboard users --help`.")


def _browsers(here: Sequence[SignedIn], me: Person) -> None:
    for one in here:
        mine = me.signed_in is not None and one.number == me.signed_in.number
        with st.container(horizontal=True, vertical_alignment="center"):
            where = f"from {one.address}" if one.address else "from an address that is not known"
            told = f"{one.user}, {one.role.value}, {where}, since {ist_moment(one.began_at)}"
            st.markdown(plain(told) + (" (this browser)" if mine else ""), help=plain(one.browser) or None)
            st.space("stretch")
            st.button("Sign out", key=f"people-end-{one.number}", on_click=_end, args=(one.number,))


def _end(number: int) -> None:
    with problems_said():
        desk().sign_ins.end(number, actor=person().actor)
        say_later("That browser is signed out")


def _noted() -> None:
    with problems_in_words():
        rows = [
            (ist_moment(entry.at), entry.what, entry.target, entry.actor.name, _details(entry.after))
            for entry in desk().audit.of_kinds(_NOTED, SHOWN)
        ]
        if rows:
            st.caption("Noted lately")
            figure_table(words_table(_NOTES, rows, "What was noted lately", tall=_TALLEST), key="people-noted")


def _details(after: object) -> str:
    return ", ".join(f"{name} {value}" for name, value in after.items()) if isinstance(after, dict) else ""
