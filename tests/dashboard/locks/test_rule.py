"""Who has to sign in."""

from __future__ import annotations

from typing import Any

import pytest
from streamlit import config

from dashboard.locks.rule import FORWARDING, host_name, is_local, must_sign_in
from services.settings import Settings


@pytest.fixture(autouse=True)
def served(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """As the desk is served: to this machine, unless a test says otherwise."""
    options: dict[str, Any] = {
        "server.address": "127.0.0.1",
        "server.allowedHosts": ["127.0.0.1", "localhost"],
    }
    monkeypatch.setattr(config, "get_option", lambda name: options[name])
    return options


def settings(**given: Any) -> Settings:
    return Settings(_env_file=None, **given)  # type: ignore[call-arg]  # pydantic-settings' own


def needed(peer: str | None = "127.0.0.1", host: str | None = "127.0.0.1:1", headers: Any = (), **given: Any) -> bool:
    return must_sign_in(settings(**given), peer, host, headers)


def test_a_person_at_this_machine_need_not() -> None:
    assert not needed()
    assert not needed("::1", "localhost:8501", headers=["host", "cookie"])
    assert not needed("::ffff:127.0.0.1")
    assert not must_sign_in(None, "127.0.0.1", "127.0.0.1", []), "the pages tell what is wrong with the settings"


@pytest.mark.parametrize(
    "peer", [None, "", "10.0.0.5", "::ffff:10.0.0.5", "fe80::1%eth0", "127.0.0.1.example", "0.0.0.0"]
)
def test_whoever_comes_from_elsewhere_has_to(peer: str | None) -> None:
    assert needed(peer)


@pytest.mark.parametrize(
    "host", [None, "", "desk.lan", "127.0.0.1.evil.example", "evil@127.0.0.1.x", "[::1", "10.0.0.5"]
)
def test_whoever_calls_the_desk_by_another_name_has_to(host: str | None) -> None:
    assert needed(host=host)


@pytest.mark.parametrize("name", sorted(FORWARDING))
def test_whoever_comes_through_a_proxy_on_this_machine_has_to(name: str) -> None:
    assert needed(headers=["host", name])


@pytest.mark.parametrize(
    "given", [{"sign_in": "always"}, {"names": "desk.lan"}, {"public_url": "https://d.example.com"}]
)
def test_everybody_has_to_where_the_settings_say_so(given: dict[str, Any]) -> None:
    assert needed(**given)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("server.address", None),
        ("server.address", "0.0.0.0"),
        ("server.address", "10.0.0.5"),
        ("server.allowedHosts", ["127.0.0.1", "desk.lan"]),
        ("server.allowedHosts", ["*"]),
    ],
)
def test_everybody_has_to_on_a_desk_that_is_served_beyond_this_machine(
    served: dict[str, Any], name: str, value: Any
) -> None:
    served[name] = value

    assert needed()


def test_names_and_addresses_are_told_apart_from_ports() -> None:
    assert host_name("Desk.Lan:8501") == "desk.lan"
    assert host_name("[::1]:8501") == "::1"
    assert is_local("localhost")
    assert not is_local("localhost.example")
