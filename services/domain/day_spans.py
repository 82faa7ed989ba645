"""Which days are covered: stretches of whole days, joined where they touch. Pure; days are ordinals (`date.toordinal`).

By hand: what packages offer (interval trees, portion) keeps an object for each stretch; this is one tuple of numbers
and two binary searches, because every read of candles asks it, before anything else.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator

Span = tuple[int, int]
"""`first <= day < end`."""


class DaySpans:
    """A set of days. Immutable; stretches are disjoint, ascending, and never touch each other."""

    __slots__ = ("_bounds",)

    def __init__(self, spans: Iterable[Span] = ()) -> None:
        """Of stretches in any order; they may overlap. Empty ones say nothing."""
        bounds: list[int] = []
        for first, end in sorted(spans):
            if first >= end:
                continue
            if bounds and first <= bounds[-1]:
                bounds[-1] = max(bounds[-1], end)
            else:
                bounds += (first, end)
        self._bounds = tuple(bounds)

    @classmethod
    def _of(cls, bounds: tuple[int, ...]) -> DaySpans:
        made = cls.__new__(cls)
        made._bounds = bounds
        return made

    def with_span(self, first: int, end: int) -> DaySpans:
        """These days and those of `first <= day < end`."""
        if first >= end:
            return self
        bounds = self._bounds
        low, high = bisect_left(bounds, first), bisect_right(bounds, end)
        middle = (*((first,) if low % 2 == 0 else ()), *((end,) if high % 2 == 0 else ()))
        return self._of(bounds[:low] + middle + bounds[high:])

    def without(self, first: int, end: int) -> DaySpans:
        """These days but those of `first <= day < end`."""
        if first >= end:
            return self
        bounds = self._bounds
        low, high = bisect_left(bounds, first), bisect_right(bounds, end)
        middle = (*((first,) if low % 2 else ()), *((end,) if high % 2 else ()))
        return self._of(bounds[:low] + middle + bounds[high:])

    def union(self, other: DaySpans) -> DaySpans:
        """The days of either."""
        return DaySpans((*self, *other)) if other else self

    def missing(self, first: int, end: int) -> list[Span]:
        """The stretches of `first <= day < end` that are not covered, ascending."""
        if first >= end:
            return []
        bounds = self._bounds
        low, high = bisect_right(bounds, first), bisect_left(bounds, end)
        edges = (*((first,) if low % 2 == 0 else ()), *bounds[low:high], *((end,) if high % 2 == 0 else ()))
        return list(zip(edges[::2], edges[1::2], strict=True))

    def within(self, first: int, end: int) -> list[Span]:
        """The stretches of `first <= day < end` that are covered, ascending."""
        gaps = self.missing(first, end)
        edges = (first, *(edge for gap in gaps for edge in gap), end)
        return [span for span in zip(edges[::2], edges[1::2], strict=True) if span[0] < span[1]] if first < end else []

    def covers(self, first: int, end: int) -> bool:
        """Are all days of `first <= day < end` covered?"""
        return not self.missing(first, end)

    def __contains__(self, day: object) -> bool:
        return isinstance(day, int) and bisect_right(self._bounds, day) % 2 == 1

    def __iter__(self) -> Iterator[Span]:
        return zip(self._bounds[::2], self._bounds[1::2], strict=True)

    def __len__(self) -> int:
        """How many stretches."""
        return len(self._bounds) // 2

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DaySpans) and self._bounds == other._bounds

    def __hash__(self) -> int:
        return hash(self._bounds)

    def __repr__(self) -> str:
        return f"DaySpans({list(self)})"
