"""Colours that depend on the mode. Everything else about the looks stands in `.streamlit/config.toml`.

Paper keeps the blue of the theme. Live has an accent of its own, so that one glance tells which desk it is; a
rehearsal has a third one. Nothing is said by colour alone: the frame names the mode in words.
"""

from __future__ import annotations

from dataclasses import dataclass

from services.settings import Mode, Settings


@dataclass(frozen=True, slots=True)
class ModeLook:
    """How a mode is named and coloured. `accents` overrides the theme's `primaryColor` (light, dark)."""

    name: str
    meaning: str
    tone: str
    accents: tuple[str, str] | None


PAPER = ModeLook("Paper", "Practice money. Nothing here reaches an exchange.", "paper", None)
LIVE = ModeLook("Live", "Your real Upstox account.", "live", ("#B93A0B", "#E0560F"))
REHEARSAL = ModeLook(
    "Live rehearsal",
    "The live path against a broker on this machine. No real money.",
    "rehearsal",
    ("#6D3FC4", "#8B5CF6"),
)


def mode_look(settings: Settings) -> ModeLook:
    """The look of the mode that this process runs in."""
    if settings.mode is Mode.PAPER:
        return PAPER
    return REHEARSAL if settings.live_rehearsal else LIVE


def accent_options(look: ModeLook) -> dict[str, str]:
    """Streamlit options that give both themes the accent of that mode; none for paper."""
    if look.accents is None:
        return {}
    light, dark = look.accents
    return {"theme.light.primaryColor": light, "theme.dark.primaryColor": dark}
