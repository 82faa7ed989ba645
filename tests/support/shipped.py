"""The configurations that the desk ships for several machines, read as they are and moved to ports of a test's own."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from tests.support.shared_data import ROOT

MANY = ROOT / "docs" / "operations" / "many"
DOCUMENT = ROOT / "docs" / "operations" / "many-machines.md"


def moved(name: str, changes: Mapping[str, str]) -> str:
    """The text of the shipped file with each of `changes` made; one that finds nothing is a mistake."""
    text = (MANY / name).read_text(encoding="utf-8")
    for old, new in changes.items():
        assert old in text, f"{name} does not say {old!r} any more"
        text = text.replace(old, new)
    return text


def write_to(folder: Path, name: str, changes: Mapping[str, str]) -> Path:
    """`moved`, as a file in `folder`."""
    path = folder / name
    path.write_text(moved(name, changes), encoding="utf-8")
    return path


def variables(name: str = "desk.env") -> dict[str, str]:
    """The `NAME=value` lines of the shipped environment file."""
    lines = (line.strip() for line in (MANY / name).read_text(encoding="utf-8").splitlines())
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {variable: value for variable, _, value in pairs}


def unit_command(unit: str = "desk@.service") -> list[str]:
    """The command line of a systemd unit, its words as they stand there."""
    found = re.search(r"^ExecStart=(.+)$", (MANY / unit).read_text(encoding="utf-8"), re.MULTILINE)
    assert found is not None
    return shlex.split(found[1])


def services() -> dict[str, dict[str, Any]]:  # Any: YAML
    """The services of the compose file."""
    found: dict[str, dict[str, Any]] = yaml.safe_load((MANY / "compose.yml").read_text(encoding="utf-8"))["services"]
    return found


def health_check(service: str) -> list[str]:
    """The command by which a container's health is found out."""
    first, *words = services()[service]["healthcheck"]["test"]
    assert first == "CMD"
    return [str(word) for word in words]


def replaced(words: Sequence[str], changes: Mapping[str, str]) -> list[str]:
    """A command line with words replaced, each of `changes` at least once."""
    assert changes.keys() <= set(words), f"{set(changes) - set(words)} is not in {words}"
    return [changes.get(word, word) for word in words]
