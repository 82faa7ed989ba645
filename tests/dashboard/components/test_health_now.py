"""The checks in words: what several of them have in common is told in one."""

from __future__ import annotations

from datetime import UTC, datetime

from dashboard.components.health_now import reasons_told_once
from services.measures.checks import Check, CheckState

NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)


def check(name, reason):
    return Check(name, CheckState.FAIL, reason, NOW, 1.0)


def test_a_reason_that_checks_share_stands_at_the_token_and_the_others_point_there():
    why = "The broker refused the token: log in again."
    checks = [
        check("feed", f"Not connected. {why}"),
        check("rest", why),
        check("storage", "Files can be read and written. 61.4 GB free."),
        check("token", f"A login is needed. {why}"),
    ]

    assert reasons_told_once(checks) == {
        "feed": "Not connected. See Token.",
        "rest": "See Token.",
        "storage": "Files can be read and written. 61.4 GB free.",
        "token": f"A login is needed. {why}",
    }


def test_without_the_token_the_first_of_them_tells_it():
    checks = [check("orders", "Asking only. The broker is away."), check("feed", "Not connected. The broker is away.")]

    assert reasons_told_once(checks)["feed"] == "Not connected. See Orders."
    assert reasons_told_once(checks)["orders"] == "Asking only. The broker is away."
