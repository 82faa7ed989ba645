"""Passwords at rest."""

from __future__ import annotations

import pytest

from services.domain.errors import InvalidRequest, StorageError
from services.sign_in.passwords import Scrypt, require_good
from tests.support.doors import PASSWORD, QUICK


def test_what_is_kept_holds_the_method_and_nothing_of_the_password() -> None:
    kept = QUICK.hash(PASSWORD)

    assert kept.startswith("scrypt$2$8$1$")
    assert "horse" not in kept
    assert QUICK.hash(PASSWORD) != kept, "each has a salt of its own"


def test_only_the_password_matches_in_whatever_way_its_letters_are_composed() -> None:
    kept = QUICK.hash("d\u00e9j\u00e0 vu, twice over")

    assert QUICK.matches("de\u0301ja\u0300 vu, twice over", kept)
    assert not QUICK.matches("deja vu, twice over", kept)
    assert not QUICK.matches("", kept)


def test_a_hash_is_checked_with_the_costs_that_it_was_made_with() -> None:
    assert Scrypt(cost=3).matches(PASSWORD, QUICK.hash(PASSWORD))


def test_a_usual_hash_takes_32_megabytes() -> None:
    usual = Scrypt()

    assert 128 * usual.blocks * 2**usual.cost == 32 * 1024 * 1024
    assert usual.matches(PASSWORD, usual.hash(PASSWORD))


@pytest.mark.parametrize("kept", ["", "md5$x", "scrypt$2$8$1$??$x", "scrypt$a$8$1$aa$aa", PASSWORD])
def test_a_hash_that_is_none_is_said_and_not_shown(kept: str) -> None:
    with pytest.raises(StorageError) as error:
        QUICK.matches(PASSWORD, kept)

    assert PASSWORD not in str(error.value)


@pytest.mark.parametrize("password", ["short", "x" * 300, "aaaaaaaaaaaaaaa", "asha-asha-12", ""])
def test_a_password_that_is_soon_guessed_is_refused_without_being_said(password: str) -> None:
    with pytest.raises(InvalidRequest) as error:
        require_good(password, "asha")

    assert not password or password not in str(error.value)
