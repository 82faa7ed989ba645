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


@pytest.mark.parametrize("host", ["desk.example", "", "127.0.0.1.example", "http://127.0.0.1", "300.1.1.1"])
def test_what_is_no_address_of_a_machine_is_refused_in_words(host: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        parse(["--host", host])

    assert end.value.code == 2
    assert "give an address of this machine" in capsys.readouterr().err


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.0.0.7", "192.168.1.5", "0.0.0.0"])
def test_every_address_is_accepted_here_and_looked_at_when_the_users_are_known(host: str) -> None:
    assert parse(["--host", host]).host == host


def test_what_is_said_about_tls_and_names_survives_the_way_into_the_environment(tmp_path: Path) -> None:
    words = ["--host", "0.0.0.0", "--name", "desk.lan", "--name", "10.0.0.5", "--plain-http"]
    words += ["--tls-cert", str(tmp_path / "c.pem"), "--tls-key", str(tmp_path / "k.pem")]

    options = parse(words)

    assert parse(options.arguments()) == options
    assert options.url == "https://desk.lan:8501"
    environment: dict[str, str] = {}
    options.export(environment)
    assert environment == {
        "DESK_NAMES": "desk.lan,10.0.0.5",
        "DESK_TLS_CERT": str(tmp_path / "c.pem"),
        "DESK_TLS_KEY": str(tmp_path / "k.pem"),
        "DESK_PLAIN_HTTP": "1",
    }


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
