"""What to say of a part of the desk of which the measures tell nothing: never that nothing happened in it."""

from __future__ import annotations

from services.measures.snapshot import Snapshot


def unseen(now: Snapshot, part: str, otherwise: str) -> str:
    """Why `part` could not be looked at; `otherwise` where that is not so: the part is not built, or has no figure."""
    problem = now.problems.get(part)
    return otherwise if problem is None else f"not known: {problem}"
