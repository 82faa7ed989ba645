"""How wide a page is drawn."""

from __future__ import annotations

from typing import Any


def sideways(page: Any) -> int:
    """Pixels by which the page can be pushed to the side: the window, or the part of it that Streamlit lets scroll."""
    return int(
        page.evaluate(
            """() => Math.max(...[document.documentElement, document.querySelector('[data-testid="stMain"]')]
                .filter(Boolean).map(one => one.scrollWidth - one.clientWidth))"""
        )
    )
