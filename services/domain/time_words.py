"""Lengths of time as a person reads them."""

from __future__ import annotations


def duration(seconds: float) -> str:
    """In its one or two largest units: 3 s, 2 min 05 s, 1 h 05 min, 3 d 4 h."""
    minutes, rest = divmod(int(max(seconds, 0)), 60)
    hours, minutes_left = divmod(minutes, 60)
    days, hours_left = divmod(hours, 24)
    if days:
        return f"{days} d {hours_left} h"
    if hours:
        return f"{hours} h {minutes_left:02d} min"
    if minutes:
        return f"{minutes} min {rest:02d} s"
    return f"{rest} s"


def rough(seconds: float) -> str:
    """No finer than it matters for something that lasts: 119 s, 2 min, 2 h 5 min."""
    whole = max(0, round(seconds))
    if whole < 120:
        return f"{whole} s"
    if whole < 2 * 3600:
        return f"{whole // 60} min"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
