"""`error_handler` as the guide uses it. Live mode, because it needs no broker to tell the time; nothing is sent."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from services.domain.errors import InvalidRequest
from services.error_handler import error_handler
from services.ledger.alerts import Severity
from services.runtime import Runtime, use_runtime
from services.settings import load_settings

SECRET = "Bearer eyJ0eXAiOiJKV1QifQ.eyJpc3MiOiJ1ZGFwaSJ9.c2lnbmF0dXJlLW9mLXRoZS10b2tlbg"


@pytest.fixture
def runtime(tmp_path: Path) -> Iterator[Runtime]:
    with Runtime(load_settings(data_dir=tmp_path, mode="live")) as made, use_runtime(made):
        yield made


@pytest.mark.usefixtures("runtime")
def test_the_guides_example_runs_without_any_error_so_far(capsys: pytest.CaptureFixture[str]) -> None:
    rate = error_handler.get_error_rate(minutes=5)
    alert = error_handler.check_error_threshold(threshold=10.0, window_minutes=5)
    if alert["alert"]:
        print(alert["message"])
        error_handler.send_alert(alert)

    assert rate == 0.0
    assert list(alert) == [
        "alert", "rate", "threshold", "window_minutes", "timestamp", "message", "error_breakdown"
    ]  # fmt: skip
    assert alert["alert"] is False
    assert datetime.fromisoformat(alert["timestamp"]).tzinfo is not None
    assert alert["error_breakdown"] == {}
    assert capsys.readouterr().out == ""


@pytest.mark.usefixtures("runtime")
def test_an_error_is_logged_and_counted_with_as_little_as_two_words() -> None:
    error_handler.log_error("NoAnswer", "the broker did not answer")
    error_handler.log_error("RateLimited", "too many requests", 429, "/v3/quotes", 2, {"keys": 500})

    statistics = error_handler.get_error_statistics()
    assert statistics["total_errors"] == 2
    assert statistics["by_type"] == {"NoAnswer": 1, "RateLimited": 1}
    assert statistics["by_status"] == {429: 1}
    assert error_handler.get_error_rate(minutes=5) == 2 / 5


def test_above_the_threshold_an_alert_is_raised_once(runtime: Runtime, caplog: pytest.LogCaptureFixture) -> None:
    for number in range(60):
        error_handler.log_error("RateLimited" if number % 3 else "NoAnswer", "failed")

    alert = error_handler.check_error_threshold(threshold=10.0, window_minutes=5)
    assert alert["alert"] is True
    assert alert["rate"] == 12.0
    assert alert["message"] == (
        "12.00 errors per minute over the last 5 minutes, above the threshold of 10:"
        " 40 came too fast for the broker, 20 got no answer"
    )
    with caplog.at_level(logging.WARNING):
        error_handler.send_alert(alert)
        error_handler.send_alert(alert)

    (raised,) = runtime.alerts.all()
    assert (raised.kind, raised.severity, raised.message) == ("error_rate", Severity.WARNING, alert["message"])
    assert raised.context == {name: alert[name] for name in raised.context or {}}
    assert raised.context is not None
    assert raised.context["error_breakdown"] == {"RateLimited": 40, "NoAnswer": 20}
    assert alert["message"] in caplog.text


@pytest.mark.usefixtures("runtime")
def test_a_rate_that_only_reaches_the_threshold_is_no_alert() -> None:
    for _ in range(5):
        error_handler.log_error("NoAnswer", "failed")

    assert error_handler.check_error_threshold(threshold=1.0, window_minutes=5)["alert"] is False


def test_secrets_are_neither_stored_nor_logged(runtime: Runtime, caplog: pytest.LogCaptureFixture) -> None:
    error_handler.log_error("Denied", f"refused {SECRET}", 401, context={"headers": {"Authorization": SECRET}})
    error_handler.send_alert({"alert": True, "message": f"refused {SECRET}"})

    token = SECRET.split()[1]
    assert runtime.errors.flush()
    with runtime.market_pool.get_connection(write=False) as connection:
        assert token not in str([tuple(row) for row in connection.execute("SELECT * FROM error_log")])
    assert token not in str(runtime.alerts.all())
    assert token not in caplog.text


@pytest.mark.usefixtures("runtime")
def test_nonsense_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="threshold"):
        error_handler.check_error_threshold(threshold=-1)
    with pytest.raises(InvalidRequest, match="minutes"):
        error_handler.check_error_threshold(window_minutes=0)
    with pytest.raises(InvalidRequest, match="no alert to send"):
        error_handler.send_alert({"alert": False})
