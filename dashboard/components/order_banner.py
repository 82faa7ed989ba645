"""The mode over everything that sends orders, as wide as the page; and the desk's kill switch while it is on."""

from __future__ import annotations

from typing import Any

from dashboard.components.web import browser_component
from dashboard.theme import ModeLook, mode_look
from services.runtime import Runtime

_mount = browser_component("order_banner")


def mode_banner(runtime: Runtime, *, key: str, brief: bool = False) -> None:
    """Say which desk this is: practice money, or real money. `brief`: inside a dialog."""
    _mount(key=key, data=banner_data(mode_look(runtime.settings), runtime.source.label, brief=brief))


def banner_data(look: ModeLook, source: str, *, brief: bool) -> dict[str, Any]:
    """What the browser draws (Any: texts and a flag)."""
    words = {
        "paper": ("Paper trading", "Practice money. No order from here reaches an exchange."),
        "live": ("Live trading", "Real money. Every order from here goes to the exchange."),
        "rehearsal": ("Live rehearsal", "The live path against a broker on this machine. No real money."),
    }
    title, text = words[look.tone]
    return {"tone": look.tone, "title": title, "text": text if brief else f"{text} Prices: {source}.", "brief": brief}
