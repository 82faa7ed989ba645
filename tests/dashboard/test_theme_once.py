"""The theme reaches the browser as Streamlit would tell it, and is worked out once."""

from __future__ import annotations

from types import SimpleNamespace

from streamlit import config
from streamlit.proto.NewSession_pb2 import CustomThemeConfig, NewSession
from streamlit.runtime import app_session

from dashboard.theme_once import tell_theme_once

SECTIONS = ("theme", "theme.light", "theme.dark", "theme.sidebar")


def told(populate) -> NewSession:
    """As Streamlit fills it."""
    message = NewSession()
    populate(message.custom_theme)
    for name in ("light", "dark", "sidebar"):
        populate(getattr(message.custom_theme, name), f"theme.{name}")
    return message


def test_each_section_is_told_as_before_and_asked_for_once() -> None:
    asked: list[str] = []

    def work_out(msg: CustomThemeConfig, section: str = "theme") -> None:
        asked.append(section)
        msg.primary_color = f"#00{len(asked):04d}"
        msg.heading_font_sizes.append("2rem")

    plain = told(work_out)
    asked.clear()
    module = SimpleNamespace(_populate_theme_msg=work_out)
    tell_theme_once(module)
    tell_theme_once(module)

    assert told(module._populate_theme_msg) == plain
    assert told(module._populate_theme_msg) == plain
    assert asked == list(SECTIONS)


def test_streamlit_still_has_what_this_goes_by() -> None:
    module = SimpleNamespace(_populate_theme_msg=app_session._populate_theme_msg)
    config.get_options_for_section("theme")
    tell_theme_once(module)

    assert told(module._populate_theme_msg) == told(app_session._populate_theme_msg)
