from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest

from services.domain.errors import ConfigurationError, DataFolderTooNew
from services.paper.accounts import FILE, MOST_APPS, AccountBook

API_KEY = "00000000-1111-2222-3333-444444444444"


def test_the_demo_account_has_ten_lakh_rupees_exactly(tmp_path: Path) -> None:
    book = AccountBook(tmp_path)

    account = book.account()

    assert account.available == Decimal("1000000.00")
    assert account.opening_paise == 10_00_000_00
    book.close()


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX")
def test_the_file_with_the_signing_secret_is_its_owners_only(tmp_path: Path) -> None:
    AccountBook(tmp_path).close()

    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600


def test_the_demo_apps_secret_is_checked(tmp_path: Path) -> None:
    book = AccountBook(tmp_path)

    assert book.opens("paper-desk", "paper-secret")
    assert not book.opens("paper-desk", "another")
    assert not book.opens("paper-desk", "")
    assert not book.opens("no api key", "anything")
    book.close()


def test_the_secret_of_a_real_api_key_is_remembered_where_a_person_stands_behind_it(tmp_path: Path) -> None:
    book = AccountBook(tmp_path)
    assert book.opens(API_KEY, "somebody's guess")
    assert book.opens(API_KEY, "its secret", remember=True)
    book.close()

    book = AccountBook(tmp_path)

    assert book.opens(API_KEY, "its secret")
    assert not book.opens(API_KEY, "another")
    assert b"its secret" not in (tmp_path / FILE).read_bytes()
    book.close()


def test_no_more_apps_are_remembered_than_a_person_has(tmp_path: Path) -> None:
    book = AccountBook(tmp_path)
    keys = [f"{number:08}-1111-2222-3333-444444444444" for number in range(MOST_APPS + 5)]
    for key in keys:
        assert book.opens(key, "its secret", remember=True)

    assert [key for key in keys if book.opens(key, "another")] == keys[:5], "the oldest are forgotten"
    assert not book.opens("paper-desk", "another"), "the demo app never is"
    book.close()
    with closing(sqlite3.connect(tmp_path / FILE)) as db:
        assert db.execute("SELECT count(*) FROM apps").fetchone()[0] == MOST_APPS + 1


def test_the_revoked_are_forgotten_once_they_would_have_ended(tmp_path: Path) -> None:
    book = AccountBook(tmp_path)

    book.revoke("old", expires_at_ms=1000, now_ms=500)
    book.revoke("new", expires_at_ms=9000, now_ms=2000)

    assert book.revoked() == {"new"}
    book.close()


def test_a_newer_file_is_refused_in_words(tmp_path: Path) -> None:
    AccountBook(tmp_path).close()
    db = sqlite3.connect(tmp_path / FILE)
    db.execute("PRAGMA user_version=99")
    db.close()

    with pytest.raises(DataFolderTooNew, match="newer version"):
        AccountBook(tmp_path)


def test_a_damaged_file_is_said_in_words(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"not a database at all, but long enough to be looked at" * 40)

    with pytest.raises(ConfigurationError, match="move that file away"):
        AccountBook(tmp_path)
