"""Small things that all cards share: a title row, a list of facts."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from dashboard.markup import plain


def card_title(title: str, note: str = "") -> None:
    """The first row of a card."""
    st.markdown(f"**{plain(title)}**" + (f"&ensp;:small[:gray[{plain(note)}]]" if note else ""))


def fact_table(facts: Mapping[str, str]) -> None:
    """Names and values, one a line. Paths and addresses are written letter for letter."""
    st.table({name: _value(text) for name, text in facts.items()}, border="horizontal")


def _value(text: str) -> str:
    literal = text.startswith(("http://", "https://", "/")) and "`" not in text
    return f"`{text}`" if literal else plain(text)
