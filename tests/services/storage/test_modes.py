"""A market file belongs to one mode."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.domain.errors import InvalidRequest
from services.storage.modes import mark_mode, refuse_other_mode
from services.storage.schema import migrate_market

NOW = datetime(2026, 11, 20, 6, 30, tzinfo=UTC)


@pytest.fixture
def old_file(tmp_path: Path) -> Path:
    """A file from before there were marks, with one quote in it."""
    path = tmp_path / "shared.db"
    migrate_market(path, backups=tmp_path / "backups", now=NOW)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "INSERT INTO quote_cache_v3 (instrument_key, payload, received_at_ms, source, api_version) "
            "VALUES ('A', '{}', 0, 'simulated', 'v3')"
        )
    return path


def quotes(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("SELECT count(*) FROM quote_cache_v3").fetchone()[0])


def test_a_marked_file_is_refused_to_another_mode_and_opens_again_to_its_own(old_file: Path, tmp_path: Path) -> None:
    mark_mode(old_file, "paper", own=True)

    refuse_other_mode(old_file, "paper", root=tmp_path)
    mark_mode(old_file, "paper", own=True)
    with pytest.raises(InvalidRequest, match="belongs to paper mode; this desk runs in live mode"):
        refuse_other_mode(old_file, "live", root=tmp_path)
    with pytest.raises(InvalidRequest, match="belongs to paper mode"):
        mark_mode(old_file, "rehearsal", own=True)


def test_an_old_file_of_the_modes_own_folder_keeps_its_quotes(old_file: Path) -> None:
    mark_mode(old_file, "paper", own=True)

    assert quotes(old_file) == 1


def test_quotes_of_unknown_origin_are_dropped_from_an_old_file_elsewhere(old_file: Path) -> None:
    mark_mode(old_file, "live", own=False)

    assert quotes(old_file) == 0


def test_a_path_in_another_modes_folder_is_refused_before_it_is_made(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="folder of paper mode"):
        refuse_other_mode(tmp_path / "paper" / "x.db", "live", root=tmp_path)

    refuse_other_mode(tmp_path / "live" / "x.db", "live", root=tmp_path)
    assert not (tmp_path / "paper").exists()


def test_a_file_of_another_program_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA application_id = 7")

    with pytest.raises(InvalidRequest, match="made by another program"):
        refuse_other_mode(path, "live", root=tmp_path)
