from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from services.domain.day_spans import DaySpans, Span

SPANS = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=12)
ENDS = st.integers(0, 60)


def days(spans: DaySpans | list[Span]) -> set[int]:
    return {day for first, end in spans for day in range(first, end)}


@given(SPANS)
def test_stretches_are_disjoint_ascending_and_never_touch(given_spans: list[Span]) -> None:
    spans = DaySpans(given_spans)

    assert days(spans) == days(given_spans)
    assert all(first < end for first, end in spans)
    assert all(one[1] < following[0] for one, following in pairwise(spans))


@given(SPANS, ENDS, ENDS)
def test_a_union_holds_the_days_of_both_and_is_the_same_however_it_was_made(
    given_spans: list[Span], first: int, end: int
) -> None:
    spans = DaySpans(given_spans)

    added = spans.with_span(first, end)

    assert days(added) == days(spans) | set(range(first, end))
    assert added == DaySpans([*given_spans, (first, end)]) == spans.union(DaySpans([(first, end)]))


@given(SPANS, ENDS, ENDS)
def test_days_taken_away_are_gone_and_no_others(given_spans: list[Span], first: int, end: int) -> None:
    spans = DaySpans(given_spans)

    left = spans.without(first, end)

    assert days(left) == days(spans) - set(range(first, end))
    assert left == DaySpans(left)


@given(SPANS, ENDS, ENDS)
def test_missing_and_covered_stretches_make_up_what_was_asked_for(
    given_spans: list[Span], first: int, end: int
) -> None:
    spans, asked = DaySpans(given_spans), set(range(first, end))

    missing, covered = days(spans.missing(first, end)), days(spans.within(first, end))

    assert missing == asked - days(spans)
    assert covered == asked & days(spans)
    assert spans.covers(first, end) == (not missing)
    assert all(one < two for span in spans.missing(first, end) for one, two in [span])
    assert days(spans.with_span(first, end)) >= asked


@given(SPANS, ENDS)
def test_a_day_is_in_if_a_stretch_holds_it(given_spans: list[Span], day: int) -> None:
    assert (day in DaySpans(given_spans)) == (day in days(given_spans))
