from __future__ import annotations

import base64
import io
import logging
import os
import shutil
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from services.logs import FILE_NAME, FILES_KEPT, Logs, _Literals, hide, redact, setup_logging
from services.wire.redaction import HIDDEN

JWT = "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI3WFgxMjMifQ.c2FtcGxlLXNpZ25hdHVyZQ"
LITERAL = "correct horse, battery"


@pytest.fixture(autouse=True)
def forgotten_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    """What one test hides must not be hidden in the next one's texts."""
    monkeypatch.setattr("services.logs._literals", _Literals())


@pytest.fixture
def terminal() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def logs(tmp_path: Path, terminal: io.StringIO) -> Iterator[Logs]:
    with setup_logging(tmp_path, level=logging.DEBUG, terminal=terminal) as made:
        yield made


def written(logs: Logs) -> str:
    return logs.file.read_bytes().decode("utf-8")


def test_lines_go_to_the_file_and_warnings_to_the_terminal_as_well(logs: Logs, terminal: io.StringIO) -> None:
    logging.getLogger("services.x").info("quiet %d", 1)
    logging.getLogger("services.x").warning("loud %d", 2)

    assert "quiet 1" in written(logs)
    assert "loud 2" in written(logs)
    assert "Z WARNING MainThread services.x: loud 2" in terminal.getvalue()
    assert "quiet" not in terminal.getvalue()


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX")
def test_only_the_owner_may_read_the_log(logs: Logs) -> None:
    assert logs.file.name == FILE_NAME
    assert stat.S_IMODE(logs.file.stat().st_mode) == 0o600
    assert stat.S_IMODE(logs.file.parent.stat().st_mode) == 0o700


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX")
def test_a_log_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / FILE_NAME).write_text("old\n")
    (tmp_path / "logs" / FILE_NAME).chmod(0o644)

    with setup_logging(tmp_path) as logs:
        assert stat.S_IMODE(logs.file.stat().st_mode) == 0o600
        assert written(logs).startswith("old\n")


def test_a_logger_that_was_cut_off_writes_into_the_file_and_is_put_back(tmp_path: Path) -> None:
    loner, own = logging.getLogger("uvicorn.error"), logging.NullHandler()
    before = (list(loner.handlers), loner.propagate)
    loner.handlers, loner.propagate = [own], False
    try:
        with setup_logging(tmp_path) as logs:
            loner.warning("the server says code=abc123XYZ")
            assert "the server says" in written(logs)
            assert "abc123XYZ" not in written(logs)

        assert (loner.handlers, loner.propagate) == ([own], False)
    finally:
        loner.handlers, loner.propagate = before


@pytest.mark.parametrize("name", ["urllib3.connectionpool", "uvicorn.error", "services.login", "some.library"])
def test_secrets_of_every_logger_are_removed(logs: Logs, terminal: io.StringIO, name: str) -> None:
    log = logging.getLogger(name)

    log.warning("Authorization: Bearer %s", JWT)
    log.warning('"GET /login/callback?code=abc123XYZ&state=1 HTTP/1.1" 200')
    log.warning("%r", {"client_secret": "sEcReT-1", "grant_type": "x"})
    log.warning("key %s", Fernet.generate_key().decode())
    log.warning("%(access_token)s of %(user)s", {"access_token": "plain-token-1", "user": JWT})

    for text in (written(logs), terminal.getvalue()):
        assert "eyJ" not in text
        assert "abc123XYZ" not in text
        assert "sEcReT-1" not in text
        assert "state=1" in text
        assert "grant_type" in text
        assert not [word for word in text.split() if len(word) == 44 and word.endswith("=")]


def test_a_traceback_carries_no_secret(logs: Logs) -> None:
    hide(LITERAL)
    try:
        try:
            raise ValueError(f"bad header 'Bearer {JWT}'")
        except ValueError as inner:
            raise RuntimeError(f"with {LITERAL}") from inner
    except RuntimeError:
        logging.getLogger("x").exception("failed with %s", JWT)

    text = written(logs)
    assert "RuntimeError" in text
    assert "ValueError: bad header" in text
    assert "eyJ" not in text.replace('f"bad header', "")
    assert LITERAL not in text


def test_handlers_of_other_libraries_get_clean_records(logs: Logs) -> None:
    theirs = io.StringIO()
    handler = logging.StreamHandler(theirs)
    stranger = logging.getLogger("stranger")
    stranger.propagate = False
    stranger.addHandler(handler)
    try:
        stranger.error("token %s", JWT)
        try:
            raise ValueError(JWT)
        except ValueError:
            stranger.exception("boom")
    finally:
        stranger.removeHandler(handler)
        stranger.propagate = True

    assert theirs.getvalue().count(HIDDEN) >= 2
    assert "eyJ" not in theirs.getvalue()


def test_an_access_logs_arguments_keep_their_shape(logs: Logs, caplog: pytest.LogCaptureFixture) -> None:
    seen: list[logging.LogRecord] = []
    handler = logging.Handler()
    handler.emit = seen.append  # type: ignore[method-assign]
    access = logging.getLogger("uvicorn.access")
    access.addHandler(handler)
    try:
        access.warning('%s - "%s %s HTTP/%s" %d', "127.0.0.1:5", "GET", "/cb?code=abc123XYZ&state=1", "1.1", 200)
    finally:
        access.removeHandler(handler)

    assert seen[0].args == ("127.0.0.1:5", "GET", f"/cb?code={HIDDEN}&state=1", "1.1", 200)


def test_a_secret_in_two_halves_is_removed_all_the_same(logs: Logs) -> None:
    hide("abcdefgh12345678")

    logging.getLogger("x").warning("%s%s", "abcdefgh", "12345678")

    assert "abcdefgh12345678" not in written(logs)


def test_arguments_that_do_not_fit_do_not_spill_secrets_on_the_terminal(
    logs: Logs, capsys: pytest.CaptureFixture[str]
) -> None:
    logging.getLogger("x").warning("%d tokens", f"Bearer {JWT}")
    logging.getLogger("x").warning("no place for it", JWT)

    assert "eyJ" not in capsys.readouterr().err
    assert "eyJ" not in written(logs)
    assert "arguments that do not fit" in written(logs)


def test_a_percent_sign_in_a_cleaned_message_does_no_harm(logs: Logs) -> None:
    logging.getLogger("x").warning("100 %% of %s", f"code%3D{'s' * 10} 5 %")

    assert "100 % of code%3D*** 5 %" in written(logs)


@pytest.mark.parametrize(
    ("secret", "text"),
    [
        ("p@ss word/1", "p%40ss%20word%2F1"),
        ("p@ss word/1", "p%40ss+word%2F1"),
        ('say "hi" now', 'say \\"hi\\" now'),
        ("naïve-secret", "na\\xefve-secret"),
        ("two\nlines", "two\\nlines"),
        ("back\\slash", "back\\\\slash"),
    ],
)
def test_a_registered_secret_is_known_in_its_other_spellings(secret: str, text: str) -> None:
    hide(secret)

    assert redact(f"<{text}>") == f"<{HIDDEN}>"
    assert redact(f"<{secret}>") == f"<{HIDDEN}>"


def test_the_longer_of_two_secrets_is_removed_whole() -> None:
    hide("long-secret")
    hide("long-secret-and-more")

    assert redact("x long-secret-and-more x") == f"x {HIDDEN} x"


def test_a_text_too_short_to_be_a_secret_is_not_hidden() -> None:
    hide("abc")

    assert redact("abcdef abc") == "abcdef abc"


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(secret="WARNING", before="", after="")
@example(secret="\r\n\r\n\r\n", before="a", after="b")
@example(secret="%s%d%%s", before="%", after="%s")
@example(secret="services.x", before="", after="")
@given(secret=st.text(min_size=6, max_size=30), before=st.text(max_size=20), after=st.text(max_size=20))
def test_a_registered_secret_never_stands_in_the_file(logs: Logs, secret: str, before: str, after: str) -> None:
    if secret in HIDDEN * 3:
        return
    log = logging.getLogger("services.x")
    hide(secret)
    with logs.file.open("r+b") as file:
        file.truncate()

    plain = f"{before}{secret}{after}".replace("%", "%%")
    log.warning(plain)
    log.warning("%s", before + secret + after)
    log.warning("%s %r", before, {"a": secret})
    log.warning("%s%s", secret[:3], secret[3:])
    try:
        raise ValueError(before + secret + after)
    except ValueError:
        log.exception("failed")

    lines = logs.file.read_bytes().decode("utf-8")
    assert secret not in lines
    assert secret.encode("utf-8", "backslashreplace") not in logs.file.read_bytes()


def test_the_file_rotates_and_keeps_five(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.logs.FILE_BYTES", 2000)

    with setup_logging(tmp_path, terminal=io.StringIO()):
        for number in range(300):
            logging.getLogger("x").warning("line %d", number)

    files = sorted((tmp_path / "logs").iterdir())
    assert len(files) == FILES_KEPT
    assert all(file.stat().st_size <= 2000 for file in files)
    if os.name == "posix":
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


@pytest.mark.skipif(os.name != "posix", reason="an open file cannot be renamed elsewhere")
def test_a_file_that_another_process_rotated_is_followed(logs: Logs) -> None:
    logging.getLogger("x").warning("one")
    logs.file.rename(logs.file.with_suffix(".log.1"))
    logging.getLogger("x").warning("two")

    assert "two" in written(logs)
    assert "one" not in written(logs)


@pytest.mark.skipif(os.name != "posix", reason="an open file cannot be deleted elsewhere")
def test_a_folder_that_was_deleted_is_made_again_and_no_line_is_lost(logs: Logs) -> None:
    logging.getLogger("x").warning("one")
    shutil.rmtree(logs.file.parent)

    logging.getLogger("x").warning("two")

    assert "two" in written(logs)
    assert stat.S_IMODE(logs.file.parent.stat().st_mode) == 0o700


@pytest.mark.skipif(os.name != "posix", reason="an open file cannot be deleted elsewhere")
def test_a_log_call_never_raises_while_the_folder_cannot_be_made_and_works_when_it_can(
    logs: Logs, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = logs.file.parent
    shutil.rmtree(folder)
    folder.write_text("in the way")

    for _ in range(3):
        logging.getLogger("x").info("lost")
    folder.unlink()
    logging.getLogger("x").info("found")

    assert "found" in written(logs)
    assert "lost" not in written(logs)
    assert "Logging error" in capsys.readouterr().err


def test_a_line_that_comes_after_the_end_opens_nothing_again(logs: Logs) -> None:
    [file] = [one for one in logging.getLogger().handlers if getattr(one, "baseFilename", "") == str(logs.file)]
    logs.close()
    logs.file.unlink()

    file.handle(logging.makeLogRecord({"msg": "too late"}))

    assert not logs.file.exists()


def test_a_second_setup_replaces_the_first(tmp_path: Path) -> None:
    root = logging.getLogger()
    before = list(root.handlers)

    with (
        setup_logging(tmp_path / "a", terminal=io.StringIO()) as first,
        setup_logging(tmp_path / "b", terminal=io.StringIO()) as second,
    ):
        logging.getLogger("x").warning("where")

    assert "where" not in written(first)
    assert "where" in written(second)
    assert root.handlers == before


def test_closing_puts_everything_back(tmp_path: Path) -> None:
    root = logging.getLogger()
    before = (root.level, list(root.handlers), logging.getLogRecordFactory())

    logs = setup_logging(tmp_path, level="DEBUG", terminal=io.StringIO())
    logs.close()
    logs.close()

    assert (root.level, list(root.handlers), logging.getLogRecordFactory()) == before


def test_secrets_may_be_registered_while_others_log(logs: Logs) -> None:
    stop = threading.Event()

    def chatter() -> None:
        while not stop.is_set():
            redact("a line without anything")

    threads = [threading.Thread(target=chatter) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(60):
        hide(f"secret-number-{number:04}")
        assert redact(f"secret-number-{number:04}") == HIDDEN
    stop.set()
    for thread in threads:
        thread.join(30)


@pytest.mark.parametrize("before", ["", "u:", "user:", "x"])
def test_a_secret_is_hidden_in_base64_too_wherever_it_begins(before: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.logs._literals", _Literals())
    secret = "Zq8-vv_31~pw>?7Lm"
    hide(secret)

    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        told = encode(f"{before}{secret}:after".encode()).decode()
        clean = redact(f"sent {told} there")
        assert all(told[at : at + 8] not in clean for at in range(len(before) * 2, len(before) * 2 + 12))
