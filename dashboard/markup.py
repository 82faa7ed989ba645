"""Text from outside, made harmless for Streamlit's markdown."""

from __future__ import annotations

_MARKDOWN = r"\`*_[]{}<>|~$:#"


def plain(text: str) -> str:
    """`text` with nothing in it that markdown would read: names, and what a broker says, come from outside."""
    escaped = "".join(f"\\{letter}" if letter in _MARKDOWN else letter for letter in text)
    return escaped.replace("\\://", "\\:\N{WORD JOINER}//")  # an address in a text is not made a link
