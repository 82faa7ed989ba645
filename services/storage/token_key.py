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


def kept_key(folder: Path) -> Fernet | None:
    """The key in `token.key`, None if there is no such file."""
    path = folder / KEY_FILE
    try:
        text = path.read_text("ascii")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        text = ""
    except OSError as error:
        raise StorageError(f"{path}: the key file cannot be read ({error.strerror})") from error
    make_private(path)
    if (key := _fernet(text.strip())) is None:
        raise TokenStoreLocked(
            f"{path} is damaged: it holds no key. Put the earlier file back, or delete it together with the stored "
            "tokens and log in again."
        )
    return key


def make_key(folder: Path) -> Fernet:
    """Make `token.key`. The caller holds the store's write lock, so two processes do not make one each.

    The file gets its name when it is complete and on the disk: a kill leaves either no key or a whole one.
    """
    key = Fernet.generate_key()
    path, partial = folder / KEY_FILE, folder / f"{KEY_FILE}.{os.getpid()}.partial"
    try:
        partial.unlink(missing_ok=True)
        make_private_file(partial)
        try:
            with partial.open("rb+") as file:
                file.write(key)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise StorageError(f"{path}: the key file cannot be written ({error.strerror})") from error
    return Fernet(key)


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
    """All keys that may open the store, the one to seal with first. The kept key opens what was stored before
    ENCRYPTION_KEY was set."""
    try:
        kept = kept_key(folder)
    except TokenStoreLocked:
        if not given:
            raise
        kept = None  # a damaged file does not matter while the settings have the key
    return [*given, *([kept] if kept else [])]
