"""docs/figures.md, as the last whole run of the benchmarks measured it."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

from tests.benchmarks.table import HEAD, Row, cells

FILE = Path(__file__).resolve().parents[2] / "docs" / "figures.md"
_INTRODUCTION = """\
# Figures

Written by `python -m tests.benchmarks`, which measures everything anew; nothing here was typed by hand. *Ours* and
*peer* (the official SDK, or the usual way) are taken in turns in one run, so that the ratio holds on another machine
too; *floor* is what the work costs with nothing of ours around it. Times are medians. A goal that is missed says
**NO**, with what is known of the reason.

"""


def write(parts: Mapping[str, Sequence[Row]], seconds: float, day: date, file: Path = FILE) -> None:
    """Write the rows of all `parts`, and the machine and the day they were measured on."""
    goals = [row for rows in parts.values() for row in rows if row.met is not None]
    met = sum(bool(row.met) for row in goals)
    lines = [
        f"{_machine()}; measured on {day:%d %B %Y} in {seconds / 60:.1f} minutes; {met} of {len(goals)} goals met.",
        "",
    ]
    for part, rows in parts.items():
        lines += [f"## {part}", "", _line(HEAD), _line(["---"] * len(HEAD))]
        lines += [_line(cells(row)) for row in rows]
        lines.append("")
    file.write_text(_INTRODUCTION + "\n".join(lines), encoding="utf-8")


def _line(texts: Sequence[str]) -> str:
    told = (text.strip().replace("|", "\\|") for text in texts)
    return f"| {' | '.join('**NO**' if text == 'NO' else text for text in told)} |"


def _machine() -> str:
    """What was measured on, without its name."""
    processor = memory = ""
    if Path("/proc/cpuinfo").exists():
        facts = {
            name.strip(): value.strip()
            for name, _, value in (
                line.partition(":")
                for file in ("/proc/cpuinfo", "/proc/meminfo")
                for line in Path(file).read_text(encoding="utf-8").splitlines()
            )
        }
        processor = facts.get("model name", "")
        memory = f", {int(facts['MemTotal'].split()[0]) / 2**20:.0f} GB" if "MemTotal" in facts else ""
    cores = _cores()
    return (
        f"{cores} core{'' if cores == 1 else 's'} {processor or platform.machine()}{memory}, {platform.system()}, "
        f"Python {platform.python_version()}"
    )


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
