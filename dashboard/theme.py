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
LIVE = ModeLook("Live", "Your real Upstox account.", "live", ("#B93A0B", "#EA6A2C"))
REHEARSAL = ModeLook(
    "Live rehearsal",
    "The live path against a broker on this machine. No real money.",
    "rehearsal",
    ("#6D3FC4", "#A07BFA"),
)


def mode_look(settings: Settings) -> ModeLook:
    """The look of the mode that this process runs in."""
    if settings.mode is Mode.PAPER:
        return PAPER
    return REHEARSAL if settings.live_rehearsal else LIVE


def page_style(accent: str) -> str:
    """What no option of Streamlit does. Buttons are filled with `accent` (the light theme's) in both themes: letters on
    them are always white, and the accent of the dark theme is too bright for those (4.5 to 1 is wanted). And letters
    stand where the font wants them, not on whole pixels, where small words run together ("0 s old" as "0 sold"). Signs
    of keys are left out where there is no pointer, and so no keyboard."""
    names = ("stBaseButton-primary", "stBaseLinkButton-primary", "stBaseButton-primaryFormSubmit")
    which = ", ".join(f'[data-testid="{name}"]:not(:disabled)' for name in names)
    return (
        "<style>body { text-rendering: geometricPrecision; } "
        f":is({which}) {{ background-color: {accent}; border-color: {accent}; }} "
        f":is({which}):hover {{ filter: brightness(1.12); }} "
        "@media (hover: none) { button kbd { display: none; } }</style>"
    )


def accent_options(look: ModeLook) -> dict[str, str]:
    """Streamlit options that give both themes the accent of that mode; none for paper."""
    if look.accents is None:
        return {}
    light, dark = look.accents
    return {"theme.light.primaryColor": light, "theme.dark.primaryColor": dark}
