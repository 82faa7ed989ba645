from __future__ import annotations

from pathlib import Path

from cryptography.fernet import Fernet

from dashboard.sealing_keys import key_for
from services.settings import Settings


def test_processes_with_the_same_encryption_key_have_the_same_keys_one_for_each_purpose(tmp_path: Path) -> None:
    given = Fernet.generate_key().decode()
    one, two = (Settings(data_dir=tmp_path, encryption_key=given) for _ in range(2))
    older = Settings(data_dir=tmp_path, encryption_key=f"{given}, {Fernet.generate_key().decode()}")

    assert key_for("form", one) == key_for("form", two) == key_for("form", older)
    assert key_for("form", one) != key_for("cookie", one)
    assert len(key_for("form", one)) == 32
    assert given.encode() not in key_for("form", one)


def test_without_one_a_key_lives_and_dies_with_its_process(tmp_path: Path) -> None:
    alone = Settings(data_dir=tmp_path)

    assert key_for("of a test", alone) == key_for("of a test", alone)
    assert key_for("of a test", alone) != key_for("of a test", Settings(data_dir=tmp_path, encryption_key="x"))
