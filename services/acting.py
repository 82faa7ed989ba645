"""Who acts, where a call names nobody: the person at the screen that the call comes from, else the user of the
operating system.

Every write of the services asks here unless it was told, so a page cannot forget to say who its reader is.
"""

from __future__ import annotations

import getpass
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from services.domain.actors import MAX_NAME, Actor, Role, require_operator, require_trader

_NAMED: ContextVar[Actor | None] = ContextVar("desk-acting", default=None)
_screens: list[Callable[[], Actor | None]] = []


def acting(session: str = "") -> Actor:
    """Who acts here and now. Raises `Forbidden` at a screen where nobody is signed in who has to be."""
    if (named := _NAMED.get()) is not None:
        return named
    for screen in _screens:
        if (person := screen()) is not None:
            return person
    return local_user(session)


def acting_trader() -> Actor:
    """Who acts; `Forbidden` for who may only look."""
    actor = acting()
    require_trader(actor)
    return actor


def acting_operator(what: str) -> Actor:
    """Who acts; `Forbidden` for all but operators."""
    actor = acting()
    require_operator(actor, what)
    return actor


@contextmanager
def acting_as(actor: Actor) -> Iterator[None]:
    """Inside the block, and in what it awaits, it is `actor` who acts."""
    before = _NAMED.set(actor)
    try:
        yield
    finally:
        _NAMED.reset(before)


def ask_screen(screen: Callable[[], Actor | None]) -> None:
    """From now on `screen` is asked first: it knows who sits before the page that runs on this thread, `None` if none
    does. The same one again changes nothing."""
    if screen not in _screens:
        _screens.append(screen)


def local_user(session: str = "") -> Actor:
    """The operating system's user, an operator of the desk that runs under it; "local user" where the system has no
    name for them."""
    try:
        name = getpass.getuser()
    except (OSError, KeyError, ImportError):  # no entry for this number, as in many containers; Windows: no variable
        name = ""
    name = "".join(letter for letter in name if letter.isprintable()).strip()[:MAX_NAME]
    return Actor(name or "local user", Role.OPERATOR, session)
