"""Small things that all cards share: a title row, lists of facts."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import streamlit as st

from dashboard.components.web import browser_component
from dashboard.markup import plain

_groups = browser_component("facts")


def card_title(title: str, note: str = "") -> None:
    """The first row of a card."""
    st.markdown(f"**{plain(title)}**" + (f"&ensp;:small[:gray[{plain(note)}]]" if note else ""))


def fact_groups(groups: Sequence[Mapping[str, Any]], *, key: str, across: int = 3) -> None:  # Any: texts
    """Names and values in groups, in so many columns where there is room. Costs a fifth of a `fact_table`: for parts
    that renew themselves."""
    _groups(key=key, data={"groups": list(groups), "across": across})


def fact_table(facts: Mapping[str, str], *, current: bool = True, old: Collection[str] = ()) -> None:
    """Names and values, one a line. Paths and addresses are written letter for letter. What is not current is grey, all
    of it or the names in `old`: say its age beside it."""
    values = {name: _value(text) for name, text in facts.items()}
    grey = (name for name in values if not current or name in old)
    st.table(values | {name: f":gray[{values[name]}]" for name in grey}, border="horizontal")


def _value(text: str) -> str:
    literal = text.startswith(("http://", "https://", "/")) and "`" not in text
    return f"`{text}`" if literal else plain(text)
