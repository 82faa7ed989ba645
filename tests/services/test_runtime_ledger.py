"""Two machines with one ledger in PostgreSQL: what one writes the other reads, tokens too."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from services.domain.errors import ConfigurationError
from services.logs import redact
from services.measures.gathering import ledger_pool
from services.runtime import Runtime
from services.runtime.doors import rotate_keys_in, sign_ins_in
from services.settings import load_settings
from tests.support.postgres import PASSWORD, ledger_url

__all__ = ["ledger_url"]

KEY = Fernet.generate_key().decode()


def _machine(folder: Path, url: str, **given: object) -> Runtime:
    return Runtime(load_settings(data_dir=folder, mode="live", ledger_url=url, **given))


def test_machines_that_share_a_ledger_share_lists_users_and_tokens(tmp_path: Path, ledger_url: str) -> None:
    with (
        _machine(tmp_path / "1", ledger_url, encryption_key=KEY) as first,
        _machine(tmp_path / "2", ledger_url, encryption_key=KEY) as second,
    ):
        made = first.watchlists.create("Ours")
        first.tokens.mark_signed_out("default")

        assert second.watchlists.all() == [made]
        assert second.tokens.signed_out("default")
        with sign_ins_in(second.settings) as sign_ins:
            assert sign_ins.users() == []
        seen = ledger_pool(second.ledger)
        assert (seen.name, seen.file_bytes, seen.size) == (second.ledger.name, None, 9)
        with pytest.raises(ConfigurationError, match="ENCRYPTION_KEY"):
            rotate_keys_in(second.settings)

    left = {path.name for folder in ("1", "2") for path in (tmp_path / folder / "live").iterdir()}
    assert left.isdisjoint({"ledger.db", "tokens.db", "token.key"})


def test_no_line_of_the_log_shows_the_password_and_a_key_is_asked_for(tmp_path: Path, ledger_url: str) -> None:
    with _machine(tmp_path / "1", ledger_url) as rt:
        assert PASSWORD not in redact(f"connecting to {ledger_url}, that is with {PASSWORD}")
        with pytest.raises(ConfigurationError, match="DESK_LEDGER_URL needs ENCRYPTION_KEY"):
            _ = rt.tokens


def test_a_desk_with_a_file_never_loads_the_drivers_of_servers(tmp_path: Path) -> None:
    from tests.support.programs import run

    said = run(
        """
        import sys
        from pathlib import Path
        from services.runtime import Runtime
        from services.settings import load_settings

        with Runtime(load_settings(data_dir=Path(sys.argv[1]), mode="live")) as rt:
            rt.watchlists.create("Mine")
            rt.tokens.mark_signed_out("default")
        print(sorted({name.partition(".")[0] for name in sys.modules} & {"psycopg", "redis"}))
        """,
        tmp_path,
    )

    assert said == "[]"
