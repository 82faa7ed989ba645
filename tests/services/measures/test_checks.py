"""Since when a check is as it is, and the worst of several."""

from __future__ import annotations

from dataclasses import replace

from services.measures.checks import CheckBook, CheckState, size, worst
from services.measures.verdicts import RULES
from tests.support.measures import NOW, WELL, but

PASS, FAIL = CheckState.PASS, CheckState.FAIL


def test_since_counts_from_the_change_of_the_state_not_of_the_reason() -> None:
    book = CheckBook({"feed": RULES["feed"]})
    book.look(WELL, 0.0)
    book.look(but("feed", silent_seconds=31.0), 60.0)

    later = replace(but("feed", silent_seconds=41.0), at=NOW.replace(hour=6))
    [check] = book.look(later, 70.0)

    assert (check.state, check.since, check.age_seconds) == (FAIL, NOW, 10.0)
    assert "41 s" in check.reason
    assert worst([check]) is FAIL
    assert worst([]) is PASS
    [unasked] = CheckBook({"rest": RULES["rest"]}).look(but("rest", last_success_ago=None), 0.0)
    assert worst([unasked]) is CheckState.UNKNOWN
    assert worst([unasked, check]) is FAIL


def test_sizes_are_short_words() -> None:
    assert [size(s) for s in (12, 4096, 250e6, 7.5e9, 3e12)] == ["12 bytes", "4.1 kB", "250 MB", "7.5 GB", "3.0 TB"]
