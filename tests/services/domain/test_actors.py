"""Whoever acts has a name and a role."""

from __future__ import annotations

from typing import Any

import pytest

from services.domain.actors import THE_DESK, Actor, Role
from services.domain.errors import InvalidRequest


def test_a_trader_by_default_and_a_role_may_be_told_as_text() -> None:
    assert Actor("asha").role is Role.TRADER
    assert Actor("asha", "operator").role is Role.OPERATOR  # type: ignore[arg-type]


def test_traders_and_operators_may_trade() -> None:
    assert [role for role in Role if role.may_trade] == [Role.TRADER, Role.OPERATOR]
    assert not THE_DESK.role.may_trade


@pytest.mark.parametrize(
    "told", [{"name": ""}, {"name": " "}, {"name": "x" * 81}, {"name": "a\nb"}, {"session": "\x00"}]
)
def test_a_name_that_cannot_be_read_is_refused(told: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest):
        Actor(**{"name": "asha"} | told)


def test_a_role_that_is_none_is_an_error() -> None:
    with pytest.raises(ValueError, match="king"):
        Actor("asha", "king")  # type: ignore[arg-type]
