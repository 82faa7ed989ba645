"""Everything that somebody who helps would ask for, as one text without secrets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import datetime
from typing import Any

from dashboard.formatting import ist_moment
from dashboard.health_folder import Entry
from dashboard.health_log import LogLine
from services.domain.time_words import span
from services.logs import redact
from services.measures.calls_now import Spread
from services.measures.checks import Check, size
from services.measures.snapshot import Snapshot

_LONGEST_LINE = 300


def diagnostics(
    snapshot: Snapshot,
    checks: Iterable[Check],
    *,
    mode: str,
    versions: Mapping[str, str],
    folder: Sequence[Entry] | None,
    warnings: Sequence[LogLine] | None,
) -> str:
    """The text. What it is made of holds no secret; all of it goes through the log's filter once more. `folder` and
    `warnings` are `None` where they could not be read."""
    lines = [f"Upstox Desk, {mode}, {snapshot.at.isoformat(timespec='seconds')} ({ist_moment(snapshot.at)})", ""]
    lines += [f"{one.state.upper():4}  {one.name:8} {one.reason} [{span(one.age_seconds)}]" for one in checks]
    lines += ["", "## Measures", *_members("", snapshot)]
    if snapshot.rest is not None:
        lines += ["", "## Calls", *_calls(snapshot)]
    lines += ["", "## Data folder", *(["it cannot be read"] if folder is None else map(_entry, folder))]
    lines += ["", "## Versions", *(f"{name}: {version}" for name, version in versions.items())]
    lines += ["", "## Last warnings of the log"]
    lines += ["it cannot be read"] if warnings is None else [_warning(one) for one in warnings] or ["none"]
    return redact("\n".join(lines)) + "\n"


def _entry(one: Entry) -> str:
    least = "" if one.complete else "at least "
    return f"{one.name}: {least}{size(one.size)} in {least}{one.files} files"


def _warning(one: LogLine) -> str:
    return f"{one.at:%Y-%m-%dT%H:%M:%SZ} {one.level} {one.text.partition(chr(10))[0]}"[:_LONGEST_LINE]


def _members(prefix: str, value: object) -> list[str]:
    """Every figure of a snapshot with its path: `feed.connected: yes`."""
    lines: list[str] = []
    for field in fields(value) if is_dataclass(value) else ():
        name, member = f"{prefix}{field.name}", getattr(value, field.name)
        if field.name in ("operations", "at"):
            continue
        if isinstance(member, Spread):
            lines.append(f"{name}: {_spread(member)}")
        elif is_dataclass(member):
            lines += _members(f"{name}.", member)
        elif isinstance(member, Mapping):
            lines += [f"{name}[{key}]: {_plain(one)}" for key, one in member.items()]
        elif isinstance(member, tuple):
            for one in member:
                label = getattr(one, "name", None) or f"{getattr(one, 'seconds', '')}"
                lines += _members(f"{name}[{label}].", one)
        else:
            lines.append(f"{name}: {_plain(member)}")
    return lines


def _calls(snapshot: Snapshot) -> list[str]:
    assert snapshot.rest is not None
    return [
        f"{one.operation} {one.version}: {', '.join(f'{count} {what}' for what, count in one.answers.items())}; "
        f"{_spread(one.took)}; {one.retries} retries, {one.fallbacks} fallbacks"
        for one in snapshot.rest.operations
    ]


def _plain(value: Any) -> str:  # Any: a figure, a text, an instant or a spread
    if value is None:
        return "not known"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    if isinstance(value, Spread):
        return _spread(value)
    return str(value)


def _spread(spread: Spread) -> str:
    if not spread.count:
        return "none"
    p50, p95, p99 = (spread.quantile(share) for share in (0.5, 0.95, 0.99))
    told = ["-" if value is None else f"{value * 1000:.4g} ms" for value in (p50, p95, p99)]
    return f"{spread.count} times, p50 {told[0]}, p95 {told[1]}, p99 {told[2]}"
