"""Upgrades a ledger with Alembic: under one write transaction, with nothing global touched.

A file is copied first. Of a PostgreSQL database the desk makes no copy: there its operators' own backup is the copy
(`pg_dump`, to be made before a new version of the desk is started), and the whole upgrade is one transaction.
"""

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

HEAD = "0007"
"""The newest revision. Known here so that a start with nothing to do need not load Alembic; a test compares."""
PATIENCE = 60.0
"""Seconds for another process's upgrade to end."""
SCRIPTS = Path(__file__).resolve().parent / "migrations"

log = logging.getLogger(__name__)
_alembic = Lock()  # Alembic keeps the context of a run in a module: one upgrade at a time in this process


class _Ledger(Protocol):
    name: str

    @property
    def path(self) -> Path: ...
    def read(self) -> AbstractContextManager[sa.Connection]: ...
    def write(self, timeout: float | None = None) -> AbstractContextManager[sa.Connection]: ...


def upgrade_ledger(ledger: _Ledger, *, backups: Path, now: datetime, scripts: Path = SCRIPTS, head: str = HEAD) -> None:
    """Bring `ledger` to revision `head`.

    The copy, the outstanding revisions and Alembic's own record happen under one lock on all writers (`BEGIN
    IMMEDIATE`, or the advisory lock of a server): of two processes that start at once the second waits and finds
    nothing to do, and a kill leaves the old state.
    """
    with ledger.read() as connection:
        if revision_of(connection) == head:
            return
    with ledger.write(timeout=PATIENCE) as connection:
        upgrade_in(connection, ledger, backups=backups, now=now, scripts=scripts, head=head)


def upgrade_in(
    connection: sa.Connection,
    ledger: _Ledger,
    *,
    backups: Path,
    now: datetime,
    scripts: Path = SCRIPTS,
    head: str = HEAD,
) -> None:
    """The same inside a transaction of `ledger.write()`."""
    found = revision_of(connection)  # again: another process may have been faster
    if found == head:
        return
    is_file = connection.dialect.name == "sqlite"
    if found is None and (strangers := sa.inspect(connection).get_table_names()):
        raise ConfigurationError(
            f"{ledger.path if is_file else ledger.name} was made by another program (it holds "
            f"{', '.join(strangers[:3])} and no version mark of the desk); "
            + ("move it away or choose another data folder" if is_file else "give the desk a database of its own")
        )
    with _alembic:
        _run(connection, ledger, found, backups=backups, now=now, scripts=scripts, head=head)


def _run(
    connection: sa.Connection,
    ledger: _Ledger,
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
    is_file = connection.dialect.name == "sqlite"
    if found is not None and found not in known:
        raise DataFolderTooNew(
            f"{ledger.path if is_file else ledger.name} was written by a newer version of Upstox Desk (revision "
            f"{found}, this one knows {head}). Start the newer version, or choose another "
            + ("data folder with --data-dir." if is_file else "database.")
        )
    if is_file and found is not None:
        copy = back_up(ledger.path, backups, label=f"v{found}", now=now)
        log.info("%s is upgraded from revision %s to %s; a copy is in %s", ledger.name, found, head, copy)
    if not is_file:
        from services.ledger.postgres import hurry_not  # here: a desk with a file never loads the driver

        hurry_not(connection)
        if found is not None:
            log.info("%s is upgraded from revision %s to %s", ledger.name, found, head)
    command.upgrade(config, head)


def revision_of(connection: sa.Connection) -> str | None:
    """The revision of a ledger; `None`: it carries no mark of the desk."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return revision
