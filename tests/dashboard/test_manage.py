"""`python -m dashboard users …` and `… keys …`."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from dashboard.manage import manage
from services.domain.actors import Role
from services.runtime.doors import sign_ins_in
from services.settings import load_settings
from services.storage.token_key import KEY_FILE

PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("DESK_DATA_DIR", "DESK_MODE", "ENCRYPTION_KEY"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def run(tmp_path: Path, *words: str, typed: tuple[str, ...] = (PASSWORD, PASSWORD)) -> int:
    answers = iter(typed)
    given = [words[0], "--data-dir", str(tmp_path / "d"), *words[1:]]
    return manage(given, ask=lambda _: next(answers))


def test_a_user_is_added_listed_changed_and_removed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, "users", "add", "Asha", "--role", "operator") == 0
    run(tmp_path, "users", "list")
    assert ["asha", "operator", "password"] in [line.split()[:3] for line in capsys.readouterr().out.splitlines()]

    with sign_ins_in(load_settings(data_dir=tmp_path / "d")) as sign_ins:
        secret = sign_ins.sign_in("asha", PASSWORD).secret
        run(tmp_path, "users", "role", "asha", "viewer")
        found = sign_ins.still(1)
        assert found is not None
        assert found.role is Role.VIEWER
        run(tmp_path, "users", "sign-out", "asha")
        assert sign_ins.look(secret) is None
        run(tmp_path, "users", "password", "asha", typed=("another horse battery",) * 2)
        assert sign_ins.sign_in("asha", "another horse battery")
    run(tmp_path, "users", "remove", "asha")
    run(tmp_path, "users", "list")
    assert "no users yet" in "".join(capsys.readouterr())


@pytest.mark.parametrize(
    ("words", "typed", "said"),
    [
        (("users", "add", "asha"), ("one password here", "another password"), "not the same"),
        (("users", "add", "asha"), ("short", "short"), "12 to 256 letters"),
        (("users", "add", "a b"), (PASSWORD, PASSWORD), "without blanks"),
        (("users", "add", "ravi", "--issuer"), (), "named by an e-mail address"),
        (("users", "role", "nobody", "viewer"), (), "no user nobody"),
        (("users", "remove", "nobody"), (), "no user nobody"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], typed: tuple[str, ...], said: str
) -> None:
    code = run(tmp_path, *words, typed=typed)

    told = "".join(capsys.readouterr())
    assert code == 2
    assert said in told
    assert len(told.splitlines()) == 1


def test_a_password_may_come_through_a_pipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(PASSWORD + "\n"))

    assert manage(["users", "--data-dir", str(tmp_path / "d"), "add", "asha"]) == 0
    with sign_ins_in(load_settings(data_dir=tmp_path / "d")) as sign_ins:
        assert sign_ins.sign_in("asha", PASSWORD).signed_in.role is Role.VIEWER


def test_the_key_is_changed_and_the_change_written_down(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, "keys", "rotate") == 0
    before = (tmp_path / "d" / "paper" / KEY_FILE).read_text()
    assert run(tmp_path, "keys", "rotate") == 0
    after = (tmp_path / "d" / "paper" / KEY_FILE).read_text()

    assert after.split() == [after.split()[0], before.split()[0]]
    said = "".join(capsys.readouterr())
    assert "There is a new key" in said
    assert before.split()[0] not in said


def test_a_key_of_the_settings_is_changed_in_the_settings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from cryptography.fernet import Fernet

    key = Fernet.generate_key().decode()
    monkeypatch.setenv("ENCRYPTION_KEY", key)

    with pytest.raises(SystemExit):
        run(tmp_path, "keys", "rotate")
    said = "".join(capsys.readouterr())
    assert "put a new one before it" in said
    assert key not in said
