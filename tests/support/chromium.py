"""Where Chromium is, and whether a run may do without it. Standard library only."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

_NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
"""The first is the same engine without windows: Debian has it as a package of its own, and it needs a fifth less."""
_MAC = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)

LAUNCH_ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def find_chromium(environment: Mapping[str, str] = os.environ) -> str | None:
    """The browser's program, or None."""
    if named := environment.get("CHROMIUM"):
        return named if Path(named).exists() else None
    found = (shutil.which(name, path=environment.get("PATH")) for name in _NAMES)
    installed = (path for path in _MAC if Path(path).exists())
    return next((path for path in (*found, *installed) if path), None)


def browser_required(environment: Mapping[str, str] = os.environ) -> bool:
    """Is a missing browser a failure? At home it is not; in CI it is."""
    wanted = environment.get("CI", ""), environment.get("DESK_REQUIRE_BROWSER", "")
    return any(value.lower() not in ("", "0", "false", "no") for value in wanted)
