"""Instants in Indian time for tests of hours and phases."""

from __future__ import annotations

from datetime import datetime


def at(text: str) -> datetime:
    """`"2026-11-20T09:15"` in India."""
    return datetime.fromisoformat(f"{text}+05:30")
