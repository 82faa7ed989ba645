"""The broker's tokens in a shared ledger: one login serves all machines, and only those that hold the key."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from services.domain.accounts import Token, TokenKind
from services.domain.errors import ConfigurationError, TokenStoreLocked
from services.ledger.engine import Ledger
from services.ledger.sealed_tokens import LedgerTokens
from services.storage.token_store import TokenStore
from tests.support.clocks import FakeClock
from tests.support.ledger import NOW, new_ledger

KEY, OTHER = Fernet.generate_key().decode(), Fernet.generate_key().decode()
TOKEN = Token("eyJ.of.nobody", TokenKind.ACCESS, NOW, NOW + timedelta(hours=12), "AB1234", "Asha", "desk-paper")


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with closing(new_ledger(tmp_path)) as made:
        yield made


def _store(ledger: Ledger, machine: Path, key: str | None = KEY) -> TokenStore:
    machine.mkdir(exist_ok=True)
    return TokenStore(machine, key=key, clock=FakeClock(NOW), place=LedgerTokens(ledger))


def test_what_one_machine_stores_the_other_finds_and_nothing_lies_beside_it(ledger: Ledger, tmp_path: Path) -> None:
    first, second = _store(ledger, tmp_path / "1"), _store(ledger, tmp_path / "2")

    first.save("default", TOKEN)
    assert second.load("default") == TOKEN
    second.mark_signed_out("default")
    assert (first.load("default"), first.signed_out("default")) == (None, True)
    first.save("default", TOKEN)
    assert not second.signed_out("default")
    second.delete("default")
    assert first.load("default") is None
    assert second.unseal(first.seal(b"an address")) == (b"an address", False)

    assert [*(tmp_path / "1").iterdir(), *(tmp_path / "2").iterdir()] == []
    assert ledger.name in repr(first)


def test_without_a_key_of_all_machines_there_is_no_store(ledger: Ledger, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="DESK_LEDGER_URL needs ENCRYPTION_KEY, the same on every machine"):
        _store(ledger, tmp_path / "1", key=None)


def test_another_key_opens_nothing_and_a_new_one_before_it_seals_anew(ledger: Ledger, tmp_path: Path) -> None:
    _store(ledger, tmp_path / "1").save("default", TOKEN)

    with pytest.raises(TokenStoreLocked, match="delete the rows of its table sealed_tokens") as caught:
        _store(ledger, tmp_path / "2", OTHER).load("default")
    assert KEY not in str(caught.value)
    assert OTHER not in str(caught.value)
    assert _store(ledger, tmp_path / "2", f"{OTHER},{KEY}").load("default") == TOKEN
    assert _store(ledger, tmp_path / "2", OTHER).load("default") == TOKEN
    with pytest.raises(ConfigurationError, match="ENCRYPTION_KEY"):
        _store(ledger, tmp_path / "2", OTHER).rotate()
