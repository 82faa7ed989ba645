"""What a browser says is checked before anything is done with it."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.components import web
from dashboard.push.messages import MOST_DEPTHS, MOST_KEYS, Painted, Want, parse, parse_hello
from dashboard.push.route import FORBIDDEN
from services.domain.errors import InvalidRequest
from tests.support.readings import INFY, RELIANCE


def test_a_hello_tells_token_and_what_is_wanted() -> None:
    said = orjson.dumps({"t": "hello", "token": "abc", "rows": [RELIANCE, INFY, INFY], "depth": [INFY]}).decode()

    assert parse_hello(said) == ("abc", Want(frozenset({RELIANCE, INFY}), frozenset({INFY})))


def test_later_messages_change_the_want_or_report_a_paint() -> None:
    assert parse('{"t": "want"}') == Want()
    assert parse('{"t": "painted", "n": 7}') == Painted(7)


@pytest.mark.parametrize(
    "said",
    [
        "",
        "[]",
        "{",
        '"hello"',
        '{"t": "want"}',
        '{"t": "hello"}',
        '{"t": "hello", "token": ""}',
        '{"t": "hello", "token": 7}',
        orjson.dumps({"t": "hello", "token": "x" * 201}).decode(),
    ],
)
def test_the_first_message_must_be_a_whole_hello(said: str) -> None:
    with pytest.raises(InvalidRequest):
        parse_hello(said)


@pytest.mark.parametrize(
    "said",
    [
        {"t": "want", "rows": RELIANCE},
        {"t": "want", "rows": [7]},
        {"t": "want", "rows": ["RELIANCE"]},
        {"t": "want", "rows": [f"NSE_EQ|X{n}" for n in range(MOST_KEYS + 1)]},
        {"t": "want", "depth": [f"NSE_EQ|X{n}" for n in range(MOST_DEPTHS + 1)]},
        {"t": "painted"},
        {"t": "painted", "n": True},
        {"t": "painted", "n": "7"},
        {"t": "order", "n": 7},
        {},
    ],
)
def test_what_makes_no_sense_is_refused(said: object) -> None:
    with pytest.raises(InvalidRequest):
        parse(orjson.dumps(said).decode())


@given(st.text(max_size=200))
def test_no_text_raises_anything_else(said: str) -> None:
    for read in (parse, parse_hello):
        try:
            read(said)
        except InvalidRequest:
            continue


def test_our_own_script_keeps_to_the_same_figures() -> None:
    script = Path(web.__file__).with_name("live.js").read_text("utf-8")

    assert f"const MOST_ROWS = {MOST_KEYS} " in script
    assert f"const MOST_DEPTHS = {MOST_DEPTHS}\n" in script
    assert f"const NOT_ADMITTED = {FORBIDDEN}\n" in script
