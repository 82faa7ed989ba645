from __future__ import annotations

import socket
from pathlib import Path

import pytest

from dashboard.options import Options, check_port, free_port, parse


def test_without_options_the_desk_listens_on_this_machine_and_opens_the_browser() -> None:
    assert parse([]) == Options(host="127.0.0.1", port=8501, browser=True, data_dir=None, mode=None)


def test_the_same_wishes_come_out_of_the_command_line_that_is_handed_on() -> None:
    wishes = parse(["--port", "8600", "--host", "::1", "--no-browser", "--data-dir", "/data dir", "--mode", "live"])

    assert parse(wishes.arguments()) == wishes


def test_a_relative_data_folder_means_the_folder_where_the_command_was_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert parse(["--data-dir", "mine"]).data_dir == tmp_path / "mine"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "desk.example", "", "127.0.0.1.example"])
def test_a_host_beyond_this_machine_is_refused_in_words(host: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        parse(["--host", host])

    assert end.value.code == 2
    assert "no sign-in yet" in capsys.readouterr().err


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.0.0.7"])
def test_every_loopback_name_is_accepted(host: str) -> None:
    assert parse(["--host", host]).host == host


@pytest.mark.parametrize("port", ["-1", "65536"])
def test_a_port_that_cannot_exist_is_refused(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        parse([f"--port={port}"])

    assert end.value.code == 2
    assert "1 to 65535" in capsys.readouterr().err


def test_port_zero_becomes_a_real_port() -> None:
    assert parse(["--port", "0"]).port > 1023


def test_an_address_of_the_sixth_version_stands_in_brackets_in_the_url() -> None:
    assert Options(host="::1", port=8600).url == "http://[::1]:8600"


def test_a_taken_port_is_told_with_another_that_is_free(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]

        with pytest.raises(SystemExit) as end:
            check_port(Options(port=port))

    said = capsys.readouterr().err
    assert end.value.code == 2
    assert f"Port {port} is taken" in said
    assert int(said.split("--port ")[1].split()[0]) != port


def test_a_free_port_passes() -> None:
    check_port(Options(port=free_port("127.0.0.1")))


def test_only_what_was_asked_for_goes_into_the_environment() -> None:
    environment: dict[str, str] = {}

    Options().export(environment)
    assert environment == {}

    Options(data_dir=Path("/data"), mode="live").export(environment)
    assert environment == {"DESK_DATA_DIR": "/data", "DESK_MODE": "live"}
