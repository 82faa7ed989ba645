"""Who sits before a page: by the pass of the gate, or, on a server without one, by the rule itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dashboard.locks import person as module
from dashboard.locks.passes import HEADER, write_pass
from dashboard.locks.person import owner, person
from services.domain.actors import Role
from services.domain.errors import Forbidden
from tests.support.doors import OPERATOR, PASSWORD, House, house


class Page:
    """As much of Streamlit as is asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, home: House) -> None:
        self.options: dict[str, Any] = {
            "global.appTest": False,
            "server.address": "127.0.0.1",
            "server.allowedHosts": ["127.0.0.1", "localhost"],
        }
        self.context = SimpleNamespace(headers={"host": "127.0.0.1:8501"}, ip_address=None)
        self.session_state: dict[str, Any] = {}
        monkeypatch.setattr(module, "st", self)
        monkeypatch.setattr(module, "desk", lambda: home.runtime)
        monkeypatch.setattr(module.config, "get_option", lambda name: self.options[name])


@pytest.fixture
def home(tmp_path: Path) -> Iterator[House]:
    with house(tmp_path) as made:
        yield made


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch, home: House) -> Page:
    return Page(monkeypatch, home)


def test_the_pass_of_the_gate_says_who(page: Page, home: House) -> None:
    made = home.sign_ins.sign_in("asha", PASSWORD).signed_in
    page.context.headers[HEADER] = write_pass(str(made.number))

    found = person()
    assert (found.actor.name, found.actor.role, found.signed_in) == ("asha", Role.TRADER, made)

    home.sign_ins.set_role("asha", Role.VIEWER, actor=OPERATOR)
    assert person().actor.role is Role.VIEWER, "open tabs notice"
    home.sign_ins.end(made.number, actor=OPERATOR)
    with pytest.raises(Forbidden):
        person()


@pytest.mark.parametrize(
    "given", ["", "local", "local.00", "1.00", ".", pytest.param(write_pass(""), id="sealed, of nobody")]
)
def test_a_pass_that_is_none_of_ours_is_nobodys(page: Page, given: str) -> None:
    page.context.headers[HEADER] = given

    with pytest.raises(Forbidden):
        person()


def test_at_this_machine_it_is_the_systems_user(page: Page) -> None:
    page.context.headers[HEADER] = write_pass("local")

    assert person().actor.role is Role.OPERATOR
    assert owner() == "local"


@pytest.mark.parametrize(
    ("address", "headers", "options"),
    [
        ("10.0.0.9", {}, {}),
        (None, {"host": "desk.lan"}, {}),
        (None, {"X-Forwarded-For": "10.0.0.9"}, {}),
        (None, {}, {"server.address": "0.0.0.0"}),
        (None, {}, {"server.address": None}),
    ],
)
def test_a_server_without_the_gate_lets_nobody_in_from_elsewhere(
    page: Page, address: str | None, headers: dict[str, str], options: dict[str, Any]
) -> None:
    assert person().signed_in is None, "but this machine"
    page.session_state.clear()
    page.context.ip_address = address
    page.context.headers.update(headers)
    page.options.update(options)

    with pytest.raises(Forbidden):
        person()


def test_a_connection_that_is_lost_in_the_middle_of_a_run_leaves_it_as_it_was(page: Page, home: House) -> None:
    made = home.sign_ins.sign_in("asha", PASSWORD).signed_in
    page.context.headers[HEADER] = write_pass(str(made.number))
    page.session_state[module._OWNER] = owner()
    page.context.headers = {}

    assert person().actor.name == "asha"
    home.sign_ins.end(made.number, actor=OPERATOR)
    with pytest.raises(Forbidden):
        person()


def test_a_session_without_any_connection_is_nobodys(page: Page) -> None:
    page.context.headers = {}

    with pytest.raises(Forbidden):
        person()


def test_somebody_else_on_the_same_session_is_refused_until_it_is_emptied(page: Page, home: House) -> None:
    mine, other = (home.sign_ins.sign_in(name, PASSWORD).signed_in for name in ("asha", "vina"))
    page.session_state[module._OWNER] = str(mine.number)
    page.context.headers[HEADER] = write_pass(str(other.number))

    with pytest.raises(Forbidden):
        person()
