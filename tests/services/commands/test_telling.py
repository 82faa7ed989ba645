"""How verbs tell: what is not known is a dash or `null`, money keeps its digits, a terminal gets nothing but text."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from services.commands.command import BAD_OPTIONS, DONE, STOPPED, TROUBLE, ended
from services.commands.telling import cell, say_json, say_table
from services.domain.errors import (
    BadInstrumentKey,
    BrokerFault,
    ConfigurationError,
    LoginRequired,
    StorageError,
    UnknownInstrument,
)
from services.logs import hide

AT = datetime(2026, 11, 20, 5, 45, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        ("", "-"),
        (0, "0"),
        (0.0, "0.00"),
        (1472.5, "1472.50"),
        (85.0025, "85.0025"),
        (Decimal("1500.0000"), "1500.00"),
        (Decimal("0.0025"), "0.0025"),
        (Decimal("12345678901234.5"), "12345678901234.50"),
        (True, "yes"),
        (AT, "2026-11-20 11:15:30"),
        ("two\nlines \x1b[31mred\x07", "two lines [31mred"),
    ],
)
def test_a_cell(value: object, text: str) -> None:
    assert cell(value) == text


def test_columns_of_numbers_stand_to_the_right(capsys: pytest.CaptureFixture[str]) -> None:
    say_table(("name", "price"), [("a long one", 9.5), ("b", None)])

    assert capsys.readouterr().out.splitlines() == ["name        price", "a long one   9.50", "b               -"]


def test_json_keeps_every_digit_and_refuses_what_is_no_number(capsys: pytest.CaptureFixture[str]) -> None:
    say_json({"money": Decimal("0.10"), "at": AT, "nothing": None})

    assert json.loads(capsys.readouterr().out) == {"money": "0.10", "at": "2026-11-20T11:15:30+05:30", "nothing": None}
    with pytest.raises(ValueError, match="JSON"):
        say_json(float("nan"))


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigurationError("DESK_MODE: no"), BAD_OPTIONS),
        (UnknownInstrument("no such share"), BAD_OPTIONS),
        (BadInstrumentKey("no such key", status=400), BAD_OPTIONS),
        (LoginRequired("log in", login_url="https://example.com"), TROUBLE),
        (BrokerFault("it is broken", status=500), TROUBLE),
        (StorageError("the disk is full"), TROUBLE),
        (OSError(28, "No space left on device"), TROUBLE),
    ],
)
def test_an_error_ends_in_one_line_and_its_code(
    error: Exception, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    def do() -> int:
        raise error

    assert ended("quote", do) == code
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("python -m services quote: ")
    assert told.err.count("\n") == 1


def test_a_secret_in_an_error_is_hidden_and_a_stop_is_silent(capsys: pytest.CaptureFixture[str]) -> None:
    hide("s3cret-of-the-person")

    def fail() -> int:
        raise StorageError("refused for s3cret-of-the-person")

    def stop() -> int:
        raise KeyboardInterrupt

    assert (ended("quote", fail), ended("quote", stop), ended("quote", lambda: DONE)) == (TROUBLE, STOPPED, DONE)
    assert "s3cret" not in "".join(capsys.readouterr())
