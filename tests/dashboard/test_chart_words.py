"""What a chart says of its bars in words."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from dashboard.candle_loading import Look
from dashboard.chart_words import (
    audit_told,
    findings_rows,
    hole_text,
    missing_told,
    provisional_told,
    sources_told,
    stretch,
    why_empty,
)
from services.candles.audit import AuditReport, Finding, Kind
from services.candles.series import Missing, SourcePart
from services.domain.candles import DAY, MINUTE
from services.domain.clock import IST
from services.domain.errors import NoAnswer
from tests.support.candles_page import OPENS, RELIANCE, minutes, series
from tests.support.readings import INSTRUMENTS

NOW = OPENS + timedelta(hours=3)
MINUTES = timedelta(minutes=1)


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=IST).astimezone(UTC)


@pytest.mark.parametrize(
    ("start", "end", "interval", "words"),
    [
        ("2026-11-20 12:05", "2026-11-20 12:09", MINUTE, "20 Nov 2026, 12:05–12:09"),
        ("2026-11-20 13:40", "2026-11-20 13:40:00.001", MINUTE, "20 Nov 2026, 13:40"),
        ("2026-11-20 00:00", "2026-11-21 00:00", MINUTE, "20 Nov 2026"),
        ("2026-11-20 00:00", "2026-11-20 00:00:00.001", DAY, "20 Nov 2026"),
        ("2026-08-03 09:15", "2026-11-20 15:30", MINUTE, "03 Aug – 20 Nov 2026"),
        ("2025-11-20 00:00", "2026-11-20 00:00", DAY, "20 Nov 2025 – 19 Nov 2026"),
    ],
)
def test_a_stretch_is_told_as_short_as_it_can_be(start, end, interval, words):
    assert stretch(at(start), at(end), interval) == words


def test_sources_are_told_with_their_age():
    told = sources_told(
        replace(
            minutes(100),
            sources=(
                SourcePart(
                    "stored", OPENS - timedelta(days=7), OPENS - timedelta(days=1), 1875, NOW - timedelta(days=2)
                ),
                SourcePart("intraday", OPENS, OPENS + 99 * MINUTES, 100, NOW - timedelta(seconds=40)),
                SourcePart("forming (feed)", OPENS + 100 * MINUTES, OPENS + 100 * MINUTES, 1, None),
            ),
        ),
        NOW,
    )

    assert told == (
        "1,875 bars 13 Nov – 19 Nov 2026: stored here, told 2 d ago; 100 bars 20 Nov 2026, 09:15–10:54: "
        "the broker's bars of the day, told 40 s ago; 1 bar 20 Nov 2026, 10:55: the live feed"
    )


@pytest.mark.parametrize(
    ("newest", "oldest", "words"),
    [
        (timedelta(hours=19, minutes=20), timedelta(hours=21), "told 19 h to 21 h ago"),
        (timedelta(hours=19, minutes=5), timedelta(hours=19, minutes=50), "told 19 h ago"),
        (timedelta(minutes=3), timedelta(minutes=3, seconds=20), "told 3 min ago"),
    ],
)
def test_bars_of_one_way_that_were_told_at_different_times_are_told_with_both_ages(newest, oldest, words):
    part = SourcePart("stored", OPENS - timedelta(days=4), OPENS, 375, NOW - oldest, NOW - newest)

    told = sources_told(replace(minutes(100), sources=(part,)), NOW)

    assert told == f"375 bars 16 Nov – 20 Nov 2026: stored here, {words}"


def test_what_is_missing_is_told_once_for_each_reason():
    error = NoAnswer("nobody answers")
    lacking = (
        *(Missing(at(f"2026-10-0{day} 00:00"), at(f"2026-10-0{day} 23:59"), "", error) for day in range(1, 6)),
        Missing(at("2021-01-01 00:00"), at("2021-12-31 23:59"), "the broker keeps minutes since 2022"),
    )
    told = missing_told(series([], interval=DAY, missing=lacking))

    assert len(told) == 2
    assert told[0].startswith("Missing: 01 Oct 2026, 02 Oct 2026, 03 Oct 2026 and 2 more stretches. ")
    assert told[1] == "Missing: 01 Jan – 31 Dec 2021. The broker keeps minutes since 2022."


def test_bars_that_are_there_and_could_not_be_renewed_are_not_called_missing():
    error = NoAnswer("nobody answers")
    lacking = (Missing(OPENS, OPENS + 2 * MINUTES, "", error), Missing(OPENS + 3 * MINUTES, NOW, "", error))

    renewed, missing = missing_told(replace(minutes(3), missing=lacking))

    assert renewed.startswith("Not renewed: 20 Nov 2026, 09:15")
    assert missing.startswith("Missing: 20 Nov 2026, 09:18")


def test_what_may_still_change_is_told():
    today = series([1, 2, 3], interval=MINUTE, provisional_from=OPENS)

    assert "Today's bars are provisional" in provisional_told(today, NOW)
    assert "from Fri 20 Nov" in provisional_told(today, NOW + timedelta(days=1))
    assert provisional_told(minutes(3), NOW) == ""


def test_an_audit_is_told_in_a_line_and_row_by_row():
    gap = Finding(Kind.NO_TRADE, OPENS + 50 * MINUTES, OPENS + 54 * MINUTES, 4, "")
    odd = Finding(Kind.SUSPICIOUS, OPENS + 60 * MINUTES, OPENS + 61 * MINUTES, 1, "high below low")
    report = AuditReport(RELIANCE, MINUTE, OPENS, NOW, 176, 180, (gap, odd))

    assert audit_told(report) == "The sessions have room for 180 bars; 4 no trade, 1 suspicious."
    assert [row["When"] for row in findings_rows(report)] == ["20 Nov 2026, 10:15–10:16", "20 Nov 2026, 10:05–10:09"]
    assert hole_text(gap, MINUTE) == "20 Nov 2026, 10:05–10:09: 4 bars no trade"
    assert audit_told(AuditReport(RELIANCE, MINUTE, OPENS, NOW, 180, 180, ())) == ""
    assert audit_told(None) == ""


def test_a_chart_with_bars_needs_no_reason():
    assert why_empty(Look(minutes(1), first=False), INSTRUMENTS[RELIANCE], RELIANCE, NOW) == ""


def test_what_failed_is_the_reason_before_anything_else():
    failed = Missing(OPENS, NOW, "nobody answers", NoAnswer("nobody answers"))
    look = Look(replace(minutes(0), missing=(failed,)), first=False)

    assert why_empty(look, INSTRUMENTS[RELIANCE], RELIANCE, NOW) == (
        "The broker does not answer. Nothing is stored of this stretch, and the desk keeps asking."
    )
