"""Tokens at rest: sealed, private, kept across processes, and a lost key is a clear stop."""

from __future__ import annotations

import os
import sqlite3
import traceback
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from services.domain.accounts import Token, TokenKind
from services.domain.errors import ConfigurationError, DataFolderTooNew, StorageError, TokenStoreLocked, UpstoxError
from services.storage import token_store
from services.storage.token_store import TokenStore
from tests.support.clocks import FakeClock
from tests.support.programs import finish, start

NOW = datetime(2026, 11, 20, 9, 15, tzinfo=UTC)
SECRET = "eyJ0eXAiOiJKV1QifQ.eyJpc3MiOiJkZXNrIn0.very-secret"
TOKEN = Token(
    secret=SECRET,
    kind=TokenKind.ACCESS,
    issued=NOW,
    expires=NOW + timedelta(hours=12),
    user_id="AB1234",
    user_name="Asha",
    issuer="desk-paper",
)
posix = pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX")


def _key() -> str:
    return Fernet.generate_key().decode()


def _store(folder: Path, key: str | None = None) -> TokenStore:
    return TokenStore(folder, key=key, clock=FakeClock(NOW))


def _text_of(act: Callable[[], object]) -> str:
    """Everything that a log would show of the error that `act` raises."""
    try:
        act()
    except UpstoxError:
        return traceback.format_exc()
    raise AssertionError("nothing was raised")


def _bytes(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_a_token_comes_back_as_it_was(tmp_path: Path) -> None:
    _store(tmp_path).save("default", TOKEN)

    assert _store(tmp_path).load("default") == TOKEN
    assert _store(tmp_path).load("somebody else") is None


def test_a_read_only_token_keeps_its_kind(tmp_path: Path) -> None:
    read_only = Token(SECRET, TokenKind.READ_ONLY, NOW, NOW + timedelta(days=365))

    _store(tmp_path).save("read", read_only)

    assert _store(tmp_path).load("read") == read_only


def test_nothing_readable_lies_on_the_disk(tmp_path: Path) -> None:
    _store(tmp_path).save("default", TOKEN)

    held = _bytes(tmp_path)
    assert SECRET.encode() not in held
    assert b"very-secret" not in held
    assert b"Asha" not in held


@posix
def test_both_files_are_the_owners_alone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        _store(tmp_path).save("default", TOKEN)
    finally:
        os.umask(before)

    assert {p.name: p.stat().st_mode & 0o777 for p in tmp_path.iterdir()} == {"tokens.db": 0o600, "token.key": 0o600}


@posix
def test_files_that_were_opened_to_others_are_closed_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    _store(tmp_path).save("default", TOKEN)
    for path in tmp_path.iterdir():
        path.chmod(0o644)

    _store(tmp_path).load("default")

    assert {p.stat().st_mode & 0o777 for p in tmp_path.iterdir()} == {0o600}
    assert "tokens.db could be read by others" in caplog.text


@posix
def test_no_file_is_ever_wider_than_the_owner_even_for_a_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, seen = os.open, []

    def noting(path: str, flags: int, mode: int = 0o777, **more: object) -> int:
        if flags & os.O_CREAT:
            seen.append((Path(path).name, oct(mode)))
        return real(path, flags, mode, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "open", noting)
    _store(tmp_path).save("default", TOKEN)

    assert ("tokens.db", "0o600") in seen
    assert {mode for _, mode in seen} == {"0o600"}


def test_delete_forgets_the_token(tmp_path: Path) -> None:
    store = _store(tmp_path)
    store.save("default", TOKEN)

    store.delete("default")
    store.delete("default")

    assert store.load("default") is None
    assert not store.signed_out("default")


def test_a_refused_token_goes_and_never_the_one_that_another_process_stores_just_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, fresh = _store(tmp_path), replace(TOKEN, secret="the one of a login at that moment")
    store.save("default", TOKEN)
    store.drop("default", "another secret")
    assert store.load("default") == TOKEN

    def read(*given: object) -> Token:
        monkeypatch.undo()
        _store(tmp_path).save("default", fresh)
        return unpacked(*given)

    unpacked = token_store._unpacked
    monkeypatch.setattr(token_store, "_unpacked", read)
    store.drop("default", SECRET)
    assert store.load("default") == fresh

    store.drop("default", fresh.secret)
    assert store.load("default") is None


def test_signing_out_is_remembered_until_the_next_login(tmp_path: Path) -> None:
    store = _store(tmp_path)
    store.save("default", TOKEN)

    store.mark_signed_out("default")

    assert _store(tmp_path).signed_out("default")
    assert store.load("default") is None
    assert not store.signed_out("other")
    store.save("default", TOKEN)
    assert not store.signed_out("default")


# -- keys ----------------------------------------------------------------------------------------------------------


def test_the_key_from_the_settings_leaves_no_key_file(tmp_path: Path) -> None:
    key = _key()
    _store(tmp_path, key).save("default", TOKEN)

    assert not (tmp_path / "token.key").exists()
    assert _store(tmp_path, key).load("default") == TOKEN


@pytest.mark.parametrize("again", [None, _key(), f"{_key()}, {_key()}"], ids=["none", "another", "two others"])
def test_tokens_without_their_key_are_a_clear_stop_and_never_get_a_fresh_key(tmp_path: Path, again: str | None) -> None:
    _store(tmp_path, _key()).save("default", TOKEN)
    locked = _store(tmp_path, again)

    for act in (lambda: locked.load("default"), lambda: locked.save("default", TOKEN), lambda: locked.save("b", TOKEN)):
        with pytest.raises(
            TokenStoreLocked, match=r"tokens\.db holds tokens, but .*ENCRYPTION_KEY.* or delete tokens\.db"
        ):
            act()
    assert not (tmp_path / "token.key").exists()


def test_a_key_file_that_is_gone_is_a_clear_stop(tmp_path: Path) -> None:
    _store(tmp_path).save("default", TOKEN)
    key = (tmp_path / "token.key").read_text()
    (tmp_path / "token.key").unlink()

    with pytest.raises(TokenStoreLocked, match=r"there is no token\.key .*put token\.key back"):
        _store(tmp_path).load("default")

    (tmp_path / "token.key").write_text(key + "\n")
    assert _store(tmp_path).load("default") == TOKEN


def test_a_key_file_of_another_store_is_a_clear_stop(tmp_path: Path) -> None:
    _store(tmp_path).save("default", TOKEN)
    (tmp_path / "token.key").write_text(_key())

    with pytest.raises(TokenStoreLocked, match=r"token\.key is not the key"):
        _store(tmp_path).load("default")


def test_a_damaged_key_file_is_a_clear_stop(tmp_path: Path) -> None:
    _store(tmp_path).save("default", TOKEN)
    for damaged in (b"", b"half a k", b"\xff\xfe"):
        (tmp_path / "token.key").write_bytes(damaged)
        with pytest.raises(TokenStoreLocked, match=r"token\.key is damaged"):
            _store(tmp_path).load("default")


def test_signing_out_and_deleting_need_no_key(tmp_path: Path) -> None:
    _store(tmp_path, _key()).save("default", TOKEN)
    locked = _store(tmp_path, _key())

    locked.mark_signed_out("default")

    assert locked.signed_out("default")
    assert locked.load("default") is None


def test_after_a_rotation_the_old_key_is_not_needed_any_more(tmp_path: Path) -> None:
    old, new = _key(), _key()
    _store(tmp_path, old).save("default", TOKEN)
    _store(tmp_path, old).save("other", TOKEN)

    assert _store(tmp_path, f"{new},{old}").load("default") == TOKEN

    assert _store(tmp_path, new).load("other") == TOKEN
    with pytest.raises(TokenStoreLocked):
        _store(tmp_path, old).load("default")


def test_a_key_in_the_settings_takes_over_from_the_kept_key(tmp_path: Path) -> None:
    key = _key()
    _store(tmp_path).save("default", TOKEN)

    assert _store(tmp_path, key).load("default") == TOKEN

    (tmp_path / "token.key").unlink()
    assert _store(tmp_path, key).load("default") == TOKEN


def test_a_rotated_key_seals_everything_anew_and_keeps_the_one_before_it_alone(tmp_path: Path) -> None:
    store = _store(tmp_path)
    store.save("default", TOKEN)
    elsewhere = store.seal(b"address of a channel")
    first = (tmp_path / "token.key").read_text().split()

    assert store.rotate() == 1
    second = (tmp_path / "token.key").read_text().split()
    assert second[1:] == first
    assert store.unseal(elsewhere) == (b"address of a channel", True)
    assert store.unseal(store.seal(b"new")) == (b"new", False)

    store.rotate()
    assert (tmp_path / "token.key").read_text().split()[1:] == second[:1], "the oldest is gone"
    assert _store(tmp_path).load("default") == TOKEN
    with pytest.raises(TokenStoreLocked):
        store.unseal(elsewhere)


@posix
def test_a_rotated_key_is_as_private_as_the_first(tmp_path: Path) -> None:
    _store(tmp_path).rotate()

    assert (tmp_path / "token.key").stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.glob("*.partial")) == []


def test_a_store_that_cannot_be_opened_is_not_given_another_key(tmp_path: Path) -> None:
    _store(tmp_path).save("default", TOKEN)
    (tmp_path / "token.key").write_text(_key())

    with pytest.raises(TokenStoreLocked):
        _store(tmp_path).rotate()
    assert len((tmp_path / "token.key").read_text().split()) == 1
    with pytest.raises(ConfigurationError, match="put a new one before it"):
        _store(tmp_path, _key()).rotate()


def test_a_key_that_is_none_is_refused_without_being_shown(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="ENCRYPTION_KEY: key 2 of 2 is not a key"):
        _store(tmp_path, f"{_key()},my-secret-word")

    word = "-".join(["my", "secret", "word"])  # put together, because a traceback shows the lines of this file
    assert word not in _text_of(lambda: _store(tmp_path, word))


def test_no_error_shows_a_token_or_a_key(tmp_path: Path) -> None:
    first, second = _key(), _key()
    _store(tmp_path, first).save("default", TOKEN)
    locked = _store(tmp_path, second)

    shown = _text_of(lambda: locked.load("default")) + _text_of(lambda: locked.save("default", TOKEN)) + repr(locked)

    for secret in (SECRET, "very-secret", first, second):
        assert secret not in shown


def test_a_sealed_row_that_is_no_token_is_reported_without_its_text(tmp_path: Path) -> None:
    key = _key()
    store = _store(tmp_path, key)
    store.save("default", TOKEN)
    with closing(sqlite3.connect(tmp_path / "tokens.db")) as connection:
        connection.execute("UPDATE tokens SET sealed = ?", (Fernet(key).encrypt(b'{"secret": "half-a-tok"'),))
        connection.commit()

    shown = _text_of(lambda: store.load("default"))

    assert "delete tokens.db and log in again" in shown
    assert "half-a-tok" not in shown


# -- the file ------------------------------------------------------------------------------------------------------


def test_a_store_of_a_newer_desk_is_refused(tmp_path: Path) -> None:
    _store(tmp_path).save("default", TOKEN)
    with closing(sqlite3.connect(tmp_path / "tokens.db")) as connection:
        connection.execute("PRAGMA user_version=99")

    with pytest.raises(DataFolderTooNew):
        _store(tmp_path).load("default")


def test_a_damaged_store_is_reported_in_words(tmp_path: Path) -> None:
    (tmp_path / "tokens.db").write_bytes(b"nonsense" * 1000)

    with pytest.raises(StorageError, match="damaged, or not a database"):
        _store(tmp_path).load("default")


def test_a_store_that_is_deleted_while_running_is_made_anew(tmp_path: Path) -> None:
    store = _store(tmp_path)
    store.save("default", TOKEN)
    for path in tmp_path.glob("tokens.db*"):
        path.unlink()

    assert store.load("default") is None
    store.save("default", TOKEN)
    assert store.load("default") == TOKEN
    if os.name == "posix":
        assert (tmp_path / "tokens.db").stat().st_mode & 0o777 == 0o600


def test_processes_that_start_at_once_agree_on_one_key(tmp_path: Path) -> None:
    program = """
        import sys
        from datetime import UTC, datetime, timedelta
        from pathlib import Path
        from services.domain.accounts import Token, TokenKind
        from services.storage.token_store import TokenStore
        from tests.support.clocks import FakeClock

        now = datetime(2026, 11, 20, 9, 15, tzinfo=UTC)
        token = Token("secret of " + sys.argv[2], TokenKind.ACCESS, now, now + timedelta(hours=1))
        TokenStore(Path(sys.argv[1]), key=None, clock=FakeClock(now)).save(sys.argv[2], token)
    """
    for process in [start(program, tmp_path, f"user-{n}") for n in range(6)]:
        finish(process)

    store = _store(tmp_path)
    for number in range(6):
        token = store.load(f"user-{number}")
        assert token is not None
        assert token.secret == f"secret of user-{number}"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["token.key", "tokens.db"]
