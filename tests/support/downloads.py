"""Files that a page hands out."""

from __future__ import annotations

from typing import Any


def downloaded(page: Any, button: str, ending: str) -> Any:
    """The download of that button whose name ends so. For a moment after another kind of file was asked for, the button
    may still be that of the file before."""
    name = ""
    for _ in range(20):
        with page.expect_download() as waiting:
            page.get_by_role("button", name=button).click()
        name = waiting.value.suggested_filename
        if name.endswith(ending):
            return waiting.value
        page.wait_for_timeout(500)
    raise AssertionError(f"{name} came, and not a file that ends with {ending}")
