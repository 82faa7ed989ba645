"""The key that opens the token store: from the settings, or made once in the data folder and kept."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from cryptography.fernet import Fernet

from services.domain.errors import ConfigurationError, StorageError, TokenStoreLocked
from services.sqlite.opening import make_private_file

KEY_FILE = "token.key"

log = logging.getLogger(__name__)


def given_keys(text: str | None) -> list[Fernet]:
    """The keys in `text` (several separated by commas, the newest first). No text that comes from here shows a key."""
    keys = [key.strip() for key in (text or "").split(",") if key.strip()]
    opened = [_fernet(key) for key in keys]
    if None in opened:
        raise ConfigurationError(
            f"ENCRYPTION_KEY: key {opened.index(None) + 1} of {len(opened)} is not a key. A key has 44 characters "
            'and is made by python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"'
        )
    return [key for key in opened if key is not None]


def kept_keys(folder: Path) -> list[Fernet]:
    """The keys in `token.key`, the newest first; none if there is no such file."""
    lines = _kept_lines(folder)
    keys = [_fernet(line) for line in lines]
    if None in keys:
        raise TokenStoreLocked(
            f"{folder / KEY_FILE} is damaged: it holds no key. Put the earlier file back, or delete it together with "
            "the stored tokens and log in again."
        )
    return [key for key in keys if key is not None]


def make_key(folder: Path) -> Fernet:
    """Make `token.key`. The caller holds the store's write lock, so two processes do not make one each."""
    return _put_first(folder, [])


def add_key(folder: Path) -> Fernet:
    """A new key before the one of now, which stays behind it for what is still sealed with it; older ones go. The
    caller holds the store's write lock."""
    kept_keys(folder)  # a damaged file stays as it is
    return _put_first(folder, _kept_lines(folder)[:1])


def _put_first(folder: Path, behind: Sequence[str]) -> Fernet:
    """The file gets its name when it is complete and on the disk: a kill leaves the keys of before or those of now."""
    key = Fernet.generate_key()
    path, partial = folder / KEY_FILE, folder / f"{KEY_FILE}.{os.getpid()}.partial"
    try:
        partial.unlink(missing_ok=True)
        make_private_file(partial)
        try:
            with partial.open("rb+") as file:
                file.write(b"\n".join([key, *(line.encode("ascii") for line in behind)]))
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise StorageError(f"{path}: the key file cannot be written ({error.strerror})") from error
    return Fernet(key)


def _kept_lines(folder: Path) -> list[str]:
    path = folder / KEY_FILE
    try:
        text = path.read_text("ascii")
    except FileNotFoundError:
        return []
    except UnicodeDecodeError:
        return [""]
    except OSError as error:
        raise StorageError(f"{path}: the key file cannot be read ({error.strerror})") from error
    make_private(path)
    return text.split() or [""]


def make_private(path: Path) -> None:
    """Take other people's access to `path` away, if somebody gave it."""
    if os.name != "posix":
        return
    with suppress(FileNotFoundError):
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)
            log.warning("%s could be read by others; now only by its owner", path)


def _fernet(key: str) -> Fernet | None:
    """None if `key` is not one: the library's own words may tell about it, so they are not kept as a cause."""
    try:
        return Fernet(key)
    except ValueError:
        return None


def ring(folder: Path, given: Sequence[Fernet]) -> list[Fernet]:
    """All keys that may open the store, the one to seal with first. The kept ones open what was stored before
    ENCRYPTION_KEY was set."""
    try:
        kept = kept_keys(folder)
    except TokenStoreLocked:
        if not given:
            raise
        kept = []  # a damaged file does not matter while the settings have the key
    return [*given, *kept]
