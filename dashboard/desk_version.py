"""Which version of the desk this is, and of what it stands on."""

from __future__ import annotations

import platform
import sqlite3
import tomllib
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_PROJECT = Path(__file__).resolve().parents[1] / "pyproject.toml"
_PACKAGES = (
    "streamlit", "plotly", "pandas", "numpy", "requests", "urllib3", "websocket-client", "protobuf", "orjson",
    "sqlalchemy", "starlette", "uvicorn", "cryptography", "apprise", "prometheus-client", "tzdata",
)  # fmt: skip


@cache
def desk_version() -> str:
    """The version in `pyproject.toml`: the desk runs out of its folder, no package of it is installed."""
    try:
        told: str = tomllib.loads(_PROJECT.read_text(encoding="utf-8"))["project"]["version"]
    except (OSError, tomllib.TOMLDecodeError, KeyError):
        return "unknown"
    return told


@cache
def versions() -> dict[str, str]:
    """Name and version of the desk, of Python, of SQLite and of the packages that matter."""
    found = {
        "Upstox Desk": desk_version(),
        "Python": platform.python_version(),
        "SQLite": sqlite3.sqlite_version,
        "System": f"{platform.system()} {platform.release()}, {platform.machine()}",
    }
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found
