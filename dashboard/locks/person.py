"""Who sits before the page that runs now. Asked anew wherever it matters: a tab may be open for hours."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

import streamlit as st
from sqlalchemy.exc import SQLAlchemyError
from streamlit import config
from streamlit.runtime.scriptrunner import get_script_run_ctx

from dashboard.door import LOCAL
from dashboard.locks.passes import HEADER, read_pass
from dashboard.locks.rule import must_sign_in
from dashboard.resources import desk
from services.acting import ask_screen, local_user
from services.domain.actors import Actor
from services.domain.errors import ConfigurationError, Forbidden, StorageError, UpstoxError
from services.domain.sign_ins import SignedIn

_SESSION = "desk-session"
_OWNER = "desk-owner"
_LEFT = "your sign-in is over; sign in again"


@dataclass(frozen=True, slots=True)
class Person:
    """Who acts in this session, and through which sign-in; `None` at this very machine, where none is needed."""

    actor: Actor
    signed_in: SignedIn | None


def person() -> Person:
    """Raises `Forbidden` where somebody has to be signed in and is not."""
    owner = _owner()
    session = st.session_state.setdefault(_SESSION, f"page {uuid.uuid4().hex[:12]}")
    if owner == LOCAL:
        return Person(local_user(session), None)
    try:
        signed_in = desk().sign_ins.still(int(owner))
    except SQLAlchemyError as error:
        raise StorageError("the ledger cannot be asked who you are") from error
    if signed_in is None:
        raise Forbidden(_LEFT)
    return Person(signed_in.actor(session), signed_in)


def owner() -> str:
    """Whose session it is: the number of a sign-in, or `LOCAL`. Raises like `person`."""
    return _owner()


def at_the_door() -> None:
    """In the entry script, before anything is drawn: nobody comes further who is not let in, and nothing is left of
    somebody who was here before."""
    ask_screen(_at_this_screen)
    try:
        now = _found()
        if now is None:
            raise Forbidden(_LEFT)
        if st.session_state.get(_OWNER, now) != now:
            st.session_state.clear()
        st.session_state[_OWNER] = now
        person()
    except UpstoxError as error:
        if isinstance(error, ConfigurationError) and _found() == LOCAL:
            return  # the pages tell what is wrong with the set-up
        title = "Signed out" if isinstance(error, Forbidden) else "The desk cannot look who you are"
        st.error(
            f"{str(error)[:1].upper()}{str(error)[1:]}. Load this page again.", title=title, icon=":material/lock:"
        )
        st.stop()


def _owner() -> str:
    """Whose it is. A connection that was lost in the middle of a run leaves it as it was."""
    kept: str | None = st.session_state.get(_OWNER)
    found = _found()
    if found is None and kept is not None and not _connected():
        return kept
    if found is None or (kept is not None and kept != found):
        raise Forbidden(_LEFT)
    return found


def _found() -> str | None:
    """Whose the connection is, by the pass that the gate wrote; without a gate by the rule itself."""
    headers = st.context.headers
    given = headers.get(HEADER)
    if given is not None:
        return read_pass(given) or None
    if not _connected():
        return LOCAL if config.get_option("global.appTest") else None  # a page that is tested has no browser
    try:
        settings = desk().settings
    except ConfigurationError:
        settings = None
    peer = st.context.ip_address or "127.0.0.1"  # Streamlit tells no address for this machine
    needed = must_sign_in(settings, peer, headers.get("host"), [name.lower() for name in headers])
    return None if needed else LOCAL


def _connected() -> bool:
    """Is there a browser at the other end?"""
    return len(st.context.headers) > 0


def _at_this_screen() -> Actor | None:
    """For `services.acting`: who sits before the page that runs on this thread."""
    return person().actor if get_script_run_ctx(suppress_warning=True) is not None else None
