from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from dashboard.launcher import announce, check_locks, checked_runtime, has_screen, server_settings
from dashboard.options import Options
from services.domain.errors import ConfigurationError, DataFolderTooNew, NoAnswer, PoolClosed
from services.runtime import Runtime
from services.settings import Settings


class Parts:
    """Looks like a runtime, as far as its files go; opening the named one fails."""

    def __init__(self, failing: str = "", error: Exception | None = None) -> None:
        self.failing = failing
        self.error = error
        self.opened: list[str] = []

    def __getattr__(self, name: str) -> object:
        if name == self.failing and self.error is not None:
            raise self.error
        self.opened.append(name)
        return object()


def making(parts: Parts) -> Callable[[], Runtime]:
    return lambda: cast("Runtime", parts)


def test_every_file_is_opened_before_the_first_page_is_served() -> None:
    parts = Parts()

    assert checked_runtime(making(parts)) is cast("Any", parts)
    assert parts.opened == ["tokens", "ledger", "market_pool"]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (DataFolderTooNew("the data folder was written by a newer desk"), "written by a newer desk"),
        (PoolClosed("market_data.db is closed"), "market_data.db is closed"),
        (sqlite3.DatabaseError("file is not a database"), "data folder is not usable. file is not a database"),
        (PermissionError(13, "Permission denied", "/data"), "data folder is not usable"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_files_that_cannot_be_used_are_one_sentence(
    error: Exception, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        checked_runtime(making(Parts("ledger", error)))

    said = capsys.readouterr().err
    assert end.value.code == 2
    assert words in said
    assert len(said.splitlines()) == 1


def test_a_wrong_setting_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    def make() -> Runtime:
        raise ConfigurationError("DESK_MODE: Input should be 'paper' or 'live'")

    with pytest.raises(SystemExit) as end:
        checked_runtime(make)

    assert end.value.code == 2
    assert capsys.readouterr().err == "The desk cannot start. DESK_MODE: Input should be 'paper' or 'live'\n"


def test_a_broker_that_does_not_answer_does_not_keep_the_desk_from_starting() -> None:
    parts = Parts("ledger", NoAnswer("no answer within 10 s"))

    assert checked_runtime(making(parts)) is cast("Any", parts)


def test_the_browser_is_opened_once_and_only_when_the_server_answers(capsys: pytest.CaptureFixture[str]) -> None:
    answers = iter([False, False, True])
    opened: list[str] = []
    slept: list[float] = []

    announce(Options(), "welcome", opened.append, answers=lambda _options: next(answers), sleep=slept.append)

    assert opened == ["http://127.0.0.1:8501"]
    assert len(slept) == 2
    assert capsys.readouterr().out == "welcome\n"


def test_without_a_browser_the_address_is_still_said(capsys: pytest.CaptureFixture[str]) -> None:
    announce(Options(), "welcome", None, answers=lambda _options: True)

    assert capsys.readouterr().out == "welcome\n"


def test_a_server_that_never_answers_is_not_waited_for_for_ever(capsys: pytest.CaptureFixture[str]) -> None:
    opened: list[str] = []

    announce(Options(), "welcome", opened.append, answers=lambda _options: False, sleep=lambda _seconds: None)

    assert opened == []
    assert capsys.readouterr().out == ""


def test_no_window_is_opened_where_there_is_no_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    assert not has_screen()

    monkeypatch.setenv("DISPLAY", ":0")
    assert has_screen()


def test_the_server_accepts_only_the_names_of_this_machine() -> None:
    usual = Settings(_env_file=None)  # type: ignore[call-arg]  # pydantic-settings' own
    named = usual.model_copy(update={"names": "Desk.lan", "public_url": "https://d.example.com"})

    assert server_settings(Options(), usual)["server.allowedHosts"] == ["127.0.0.1", "localhost"]
    assert server_settings(Options(host="::1"), usual)["server.allowedHosts"] == ["127.0.0.1", "::1", "localhost"]
    assert server_settings(Options(host="0.0.0.0"), named)["server.allowedHosts"] == [
        "127.0.0.1", "d.example.com", "desk.lan", "localhost",
    ]  # fmt: skip


def test_a_certificate_makes_the_server_speak_tls() -> None:
    usual = Settings(_env_file=None)  # type: ignore[call-arg]  # pydantic-settings' own
    options = Options(tls_cert=Path("/c.pem"), tls_key=Path("/k.pem"))

    given = server_settings(options, usual)

    assert (given["server.sslCertFile"], given["server.sslKeyFile"]) == ("/c.pem", "/k.pem")
    assert options.url == "https://127.0.0.1:8501"
    assert "server.sslCertFile" not in server_settings(Options(), usual)


@pytest.mark.parametrize(
    ("options", "settings", "users", "words"),
    [
        (Options(), {}, False, ""),
        (Options(host="::1"), {}, False, ""),
        (Options(), {"sign_in": "always"}, False, "users add"),
        (Options(), {"sign_in": "always"}, True, ""),
        (Options(), {"public_url": "https://d.example.com"}, False, "users add"),
        (Options(), {"names": "desk.lan"}, False, "users add"),
        (Options(host="10.0.0.5"), {}, True, "without TLS"),
        (Options(host="10.0.0.5"), {"plain_http": True}, False, "users add"),
        (Options(host="10.0.0.5"), {"plain_http": True}, True, ""),
        (Options(host="0.0.0.0"), {"plain_http": True}, True, "--name desk.lan"),
        (Options(host="0.0.0.0"), {"plain_http": True, "names": "desk.lan"}, True, ""),
        (Options(host="10.0.0.5"), {"tls_cert": "/none.pem", "tls_key": "/none.key"}, True, "cannot be used"),
    ],
)
def test_a_desk_that_others_could_reach_does_not_start_without_its_locks(
    options: Options, settings: dict[str, Any], users: bool, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    parts = SimpleNamespace(
        settings=Settings(_env_file=None, **settings),  # type: ignore[call-arg]  # pydantic-settings' own
        sign_ins=SimpleNamespace(any_user=lambda: users),
    )

    if not words:
        check_locks(options, cast("Runtime", parts))
        return
    with pytest.raises(SystemExit) as end:
        check_locks(options, cast("Runtime", parts))
    assert end.value.code == 2
    assert words in capsys.readouterr().err
