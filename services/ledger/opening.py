"""Opens the ledger that an address names: a SQLite file, or a PostgreSQL database that several machines share."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from services.domain.errors import ConfigurationError
from services.ledger.engine import Ledger
from services.ledger.files import FileLedger
from services.ledger.mode_mark import keep_to_mode
from services.ledger.upgrade import upgrade_ledger

_SERVER = ("postgresql://", "postgres://", "postgresql+psycopg://")
_WRITE = "write sqlite:///path/to/ledger.db or postgresql://user:password@host/name"


def open_ledger(url: str | Path, *, backups: Path, now: datetime, mode: str = "", later: bool = False) -> Ledger:
    """The ledger at `url` (a path, `sqlite:///path` or `postgresql://…`), made or upgraded if need be. An older file is
    copied into `backups` first; of an older database there is no copy but the one that its operators make (`pg_dump`).
    `mode`: a database of another mode is refused. `later`: a server that is away is no error yet.

    Raises `DataFolderTooNew` for a ledger of a newer version of the desk, `ConfigurationError` for an address that is
    neither, `StorageError` if the file, the disk or the server is at fault. No text of an error holds the password.
    """
    ledger = make_ledger(url)
    try:
        if is_server(url):
            _prepare(ledger, backups, now, mode, later)
        else:
            upgrade_ledger(ledger, backups=backups, now=now)
        ledger.keep_open()
    except BaseException:
        ledger.close()
        raise
    return ledger


def _prepare(ledger: Ledger, backups: Path, now: datetime, mode: str, later: bool) -> None:
    from services.ledger.postgres import ServerLedger  # here: a desk with a file never loads the driver

    def prepare(it: Ledger) -> None:
        upgrade_ledger(it, backups=backups, now=now)
        if mode:
            keep_to_mode(it, mode, now)

    assert isinstance(ledger, ServerLedger)
    ledger.prepare(prepare, later=later)


def make_ledger(url: str | Path) -> Ledger:
    """The ledger at `url` as it is: neither made nor upgraded."""
    if is_server(url):
        from services.ledger.postgres import ServerLedger  # here: as above

        return ServerLedger(str(url))
    path = _path(url)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    return FileLedger(path)


def is_server(url: str | Path) -> bool:
    """Does `url` name a PostgreSQL database?"""
    return isinstance(url, str) and url.startswith(_SERVER)


def _path(url: str | Path) -> Path:
    if isinstance(url, Path) or "://" not in url:
        return Path(url)
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError:
        raise ConfigurationError(f"the ledger's address cannot be read; {_WRITE}") from None
    if parsed.get_backend_name() != "sqlite" or not parsed.database or parsed.database == ":memory:":
        raise ConfigurationError(f"the ledger is kept in a SQLite file or in PostgreSQL; {_WRITE}")
    return Path(parsed.database)
