"""`.streamlit/config.toml`: what must not be loosened by accident."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from services.pnl.imports import LARGEST
from tests.support.shared_data import ROOT


@pytest.fixture(scope="module")
def settings() -> dict[str, Any]:
    return tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))


def test_the_desk_is_served_on_this_machine_and_under_its_names_only(settings: dict[str, Any]) -> None:
    assert settings["server"]["address"] == "127.0.0.1"
    assert settings["server"]["allowedHosts"] == ["localhost", "127.0.0.1"]


def test_foreign_pages_cannot_drive_it(settings: dict[str, Any]) -> None:
    assert settings["server"]["enableCORS"] is True
    assert settings["server"]["enableXsrfProtection"] is True
    assert settings["server"].get("enableAgentApi", False) is False
    assert settings["server"]["enableStaticServing"] is False
    assert "appTest" not in settings.get("global", {}), "pages that are tested have no browser, and are let in"


def test_nothing_is_reported_to_anybody_and_no_details_of_errors_reach_a_page(settings: dict[str, Any]) -> None:
    assert settings["browser"]["gatherUsageStats"] is False
    assert settings["client"]["showErrorDetails"] == "none"


def test_the_largest_file_that_can_be_imported_can_be_uploaded_and_no_larger_one(settings: dict[str, Any]) -> None:
    assert settings["server"]["maxUploadSize"] * 1024 * 1024 == LARGEST


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("colour", ["textColor", "greenColor", "redColor", "primaryColor", "dataframeHeaderTextColor"])
def test_what_is_written_can_be_read_on_its_ground_in_both_themes(
    settings: dict[str, Any], theme: str, colour: str
) -> None:
    colours = settings["theme"][theme]

    for ground in ("backgroundColor", "secondaryBackgroundColor"):
        assert contrast(colours[colour], colours[ground]) >= (3.0 if colour == "primaryColor" else 4.5)


def contrast(one: str, other: str) -> float:
    """The contrast of two colours, as the accessibility guidelines count it: 1 to 21."""
    brighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    parts = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_streamlit_collects_no_garbage_after_each_run(settings: dict[str, Any]) -> None:
    assert settings["runner"]["postScriptGC"] is False
