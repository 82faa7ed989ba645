"""Who acts where nobody signed in: the user of the operating system."""

from __future__ import annotations

import getpass

from services.domain.actors import MAX_NAME, Actor, Role


def local_user(session: str = "") -> Actor:
    """The operating system's user as a trader; "local user" where the system has no name for them."""
    try:
        name = getpass.getuser()
    except (OSError, KeyError, ImportError):  # no entry for this number, as in many containers; Windows: no variable
        name = ""
    name = "".join(letter for letter in name if letter.isprintable()).strip()[:MAX_NAME]
    return Actor(name or "local user", Role.TRADER, session)
