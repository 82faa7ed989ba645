"""An account with Upstox Plus, from the command line to the token."""

from __future__ import annotations

import base64
from pathlib import Path

import orjson
import pytest

from services.paper.__main__ import read_options
from tests.support.feed_paper import feeding


@pytest.mark.parametrize("plus", [True, False])
def test_the_command_line_says_whether_the_account_has_plus(tmp_path: Path, plus: bool) -> None:
    options = read_options(["--data-dir", str(tmp_path), *(["--plus"] if plus else [])])

    assert options.plus is plus


@pytest.mark.parametrize("plus", [True, False])
def test_the_token_says_so_too(tmp_path: Path, plus: bool) -> None:
    with feeding(tmp_path, plus=plus) as bench:
        claims = bench.server.access_token().split(".")[1]

    told = orjson.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    assert told["isPlusPlan"] is plus
