"""Recorded-shape payloads with invented values, from `tests/payloads`."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import orjson

FOLDER = Path(__file__).resolve().parents[1] / "payloads"


def body(name: str) -> bytes:
    """The bytes of `tests/payloads/<name>.json` (or of the file itself, where an ending is given)."""
    return (FOLDER / (name if "." in name else f"{name}.json")).read_bytes()


def data(name: str) -> Any:
    """A fresh copy of what stands under `data`."""
    return copy.deepcopy(orjson.loads(body(name))["data"])
