"""Files that a page hands out."""

from __future__ import annotations

from typing import Any


def downloaded(page: Any, button: str, ending: str) -> Any:
    """The download of that button, whose name must end so."""
    with page.expect_download() as waiting:
        page.get_by_role("button", name=button).click()
    name = waiting.value.suggested_filename
    assert name.endswith(ending), f"{name} came, and not a file that ends with {ending}"
    return waiting.value
