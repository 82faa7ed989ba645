"""The operating system's user acts where nobody signed in."""

from __future__ import annotations

import getpass

import pytest

from services.domain.actors import Role
from services.ledger.local_user import local_user


def test_the_user_of_the_system_is_a_trader(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(getpass, "getuser", lambda: "asha\n" + "x" * 100)

    actor = local_user("notebook")

    assert (actor.name, actor.role, actor.session) == ("asha" + "x" * 76, Role.TRADER, "notebook")


@pytest.mark.parametrize("error", [OSError, KeyError, ImportError])
def test_a_system_without_a_name_for_them_is_no_trouble(
    monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def fail() -> str:
        raise error("no such user")

    monkeypatch.setattr(getpass, "getuser", fail)

    assert local_user().name == "local user"
