"""Upgrades a ledger with Alembic: under one write transaction, after a safe copy, with nothing global touched."""

from __future__ import annotations

import logging
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import Protocol

import sqlalchemy as sa

from services.domain.errors import ConfigurationError, DataFolderTooNew
from services.sqlite.backup import back_up

HEAD = "0003"
"""The newest revision. Known here so that a start with nothing to do need not load Alembic; a test compares."""
SCRIPTS = Path(__file__).resolve().parent / "migrations"

log = logging.getLogger(__name__)
_alembic = Lock()  # Alembic keeps the context of a run in a module: one upgrade at a time in this process


class _Ledger(Protocol):
    @property
    def path(self) -> Path: ...
    def read(self) -> AbstractContextManager[sa.Connection]: ...
    def write(self) -> AbstractContextManager[sa.Connection]: ...


def upgrade_ledger(ledger: _Ledger, *, backups: Path, now: datetime, scripts: Path = SCRIPTS, head: str = HEAD) -> None:
    """Bring `ledger` to revision `head`.

    The copy, the outstanding revisions and Alembic's own record happen under one `BEGIN IMMEDIATE`: of two processes
    that start at once the second waits and finds nothing to do, and a kill leaves the old state.
    """
    with ledger.read() as connection:
        if _revision(connection) == head:
            return
    with ledger.write() as connection:
        found = _revision(connection)  # again: another process may have been faster
        if found == head:
            return
        if found is None and (strangers := sa.inspect(connection).get_table_names()):
            raise ConfigurationError(
                f"{ledger.path} was made by another program (it holds {', '.join(strangers[:3])} and no version mark "
                "of the desk); move it away or choose another data folder"
            )
        with _alembic:
            _run(connection, ledger.path, found, backups=backups, now=now, scripts=scripts, head=head)


def _run(
    connection: sa.Connection,
    path: Path,
    found: str | None,
    *,
    backups: Path,
    now: datetime,
    scripts: Path,
    head: str,
) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(scripts).replace("%", "%%"))  # ini syntax gives % a meaning
    config.attributes["connection"] = connection
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if found is not None and found not in known:
        raise DataFolderTooNew(
            f"{path} was written by a newer version of Upstox Desk (revision {found}, this one knows {head}). "
            "Start the newer version, or choose another data folder with --data-dir."
        )
    if found is not None:
        copy = back_up(path, backups, label=f"v{found}", now=now)
        log.info("%s is upgraded from revision %s to %s; a copy is in %s", path.name, found, head, copy)
    command.upgrade(config, head)


def _revision(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return revision
