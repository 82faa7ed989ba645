"""The theme is worked out once. Streamlit tells it to the browser with each run of each part of each page, and goes
through all of its hundred settings for that, though none changes while the server runs: a twentieth of the core where
fifty pages renew themselves."""

from __future__ import annotations

from typing import Any

from streamlit.runtime import app_session

_NAME, _MARK = "_populate_theme_msg", "_desk_theme_once"


def tell_theme_once(module: Any = app_session) -> None:
    """Have `module` (Streamlit's own) remember each section of the theme. To be called when all is configured; a second
    call changes nothing."""
    work_out = getattr(module, _NAME)
    if hasattr(work_out, _MARK):
        return
    known: dict[str, bytes] = {}

    def populate(msg: Any, section: str = "theme") -> None:  # Any: a message of Streamlit's
        if section not in known:
            alone = type(msg)()
            work_out(alone, section)
            known[section] = alone.SerializeToString()
        if known[section]:  # to merge nothing would make a section that is not set one that is
            msg.MergeFromString(known[section])

    setattr(populate, _MARK, True)
    setattr(module, _NAME, populate)
