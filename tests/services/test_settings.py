"""Settings: where they come from, and which combinations are refused in words."""

from __future__ import annotations

from datetime import UTC, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from services.domain.errors import ConfigurationError
from services.settings import Mode, Settings, ensure_folder, load_settings
from services.wire.endpoints import Profile
from tests.support.tokens import PAPER, REAL, jwt


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import os

    for name in list(os.environ):
        if name.startswith(("DESK_", "UPSTOX_")) or name == "ENCRYPTION_KEY":
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def test_the_default_is_paper_with_its_own_broker() -> None:
    settings = load_settings()

    assert settings.mode is Mode.PAPER
    assert settings.starts_own_broker
    assert settings.route_profile is Profile.UPSTOX
    assert settings.folder.name == "paper"


@pytest.mark.parametrize("wrong", ["DESK_PAPER_CLOK", "DESK_DATA_DIRR", "DESK_MDOE", "UPSTOX_CLIENTID", "DESK_Mode"])
def test_a_misspelt_name_is_refused_with_the_right_one(monkeypatch: pytest.MonkeyPatch, wrong: str) -> None:
    monkeypatch.setenv(wrong, "x")

    with pytest.raises(ConfigurationError, match=f"{wrong} is not a setting of the desk; [A-Z_]+ is"):
        load_settings()


def test_a_misspelt_name_in_the_file_is_refused_too_and_names_of_others_are_not(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DESK_LAMP", "on")
    load_settings()
    (tmp_path / ".env").write_text("DESK_REED_TOKEN=x\n")

    with pytest.raises(ConfigurationError, match="DESK_READ_TOKEN is"):
        load_settings()


def test_a_line_of_the_file_that_is_none_is_refused_by_its_number(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("# ours\nDESK_MODE=paper\n= nonsense\n")

    with pytest.raises(ConfigurationError, match=r"\.env, line 3"):
        load_settings()


def test_modes_and_rehearsals_never_share_a_folder(tmp_path: Path) -> None:
    paper = load_settings(data_dir=tmp_path)
    live = load_settings(data_dir=tmp_path, mode="live")
    rehearsal = load_settings(data_dir=tmp_path, mode="live", live_rehearsal=True, api_base="http://127.0.0.1:9")

    assert len({paper.folder, live.folder, rehearsal.folder}) == 3


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DESK_MODE", "live")
    monkeypatch.setenv("DESK_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("UPSTOX_CLIENT_ID", "the-id")
    monkeypatch.setenv("UPSTOX_REDIRECT_URI", "http://127.0.0.1:8501/login/callback")

    settings = load_settings()

    assert settings.folder == tmp_path / "live"
    assert settings.client_id == "the-id"
    assert settings.redirect_uri == "http://127.0.0.1:8501/login/callback"


def test_a_dot_env_file_is_read(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("DESK_ROUTE_PROFILE=guide\nUPSTOX_CLIENT_SECRET=hush\n", encoding="utf-8")

    settings = load_settings()

    assert settings.route_profile is Profile.GUIDE
    assert settings.client_secret is not None
    assert "hush" not in repr(settings)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"api_base": "https://api.upstox.com"}, "a broker on this machine only"),
        ({"feed_base": "wss://api.upstox.com"}, "a broker on this machine only"),
        ({"mode": "live", "api_base": "http://127.0.0.1:9"}, "DESK_LIVE_REHEARSAL=1"),
        ({"mode": "live", "api_base": "http://api.upstox.com"}, "needs an https address"),
        ({"mode": "live", "api_base": "https://evil.example"}, "of upstox.com"),
        ({"mode": "live", "api_base": "https://upstox.com.evil.example"}, "of upstox.com"),
        ({"mode": "live", "api_base": "https://evil.example\\@api.upstox.com"}, "of upstox.com"),
        ({"api_base": "http://evil.example\\@127.0.0.1:9"}, "this machine only"),
        ({"api_base": "http://127.0.0.1:9@evil.example"}, "this machine only"),
        ({"api_base": "http://user:pass@127.0.0.1:9"}, "this machine only"),
        ({"api_base": "http://127.0.0.1 .evil.example"}, "this machine only"),
        ({"mode": "live", "live_rehearsal": True}, "needs DESK_API_BASE"),
        ({"mode": "live", "live_rehearsal": True, "api_base": "https://api.upstox.com"}, "this machine only"),
        ({"live_rehearsal": True}, "belongs to --mode live"),
        ({"mode": "demo"}, "DESK_MODE"),
        ({"connect_timeout": 0}, "DESK_CONNECT_TIMEOUT"),
    ],
)
def test_combinations_that_could_cost_money_are_refused(given: dict[str, object], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        load_settings(**given)


def test_a_refused_setting_does_not_show_its_value() -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_settings(connect_timeout="tok-secret")

    assert "tok-secret" not in str(caught.value)


def test_settings_do_not_change_after_reading() -> None:
    settings = load_settings()

    with pytest.raises(ValueError, match="frozen"):
        settings.mode = Mode.LIVE  # type: ignore[misc]
    assert isinstance(settings, Settings)


def test_addresses_of_upstox_and_of_this_machine_are_taken() -> None:
    assert load_settings(mode="live", api_base="https://api.upstox.com/").api_base == "https://api.upstox.com"
    assert load_settings(api_base="http://[::1]:8600").api_base == "http://[::1]:8600"
    assert load_settings(api_base="http://localhost:8600", feed_base="ws://localhost:8600").feed_base


def test_a_folder_that_cannot_be_made_is_said_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")

    with pytest.raises(ConfigurationError, match="cannot be used"):
        ensure_folder(tmp_path / "file" / "paper")


@pytest.mark.parametrize("given", [{}, {"mode": "live", "live_rehearsal": True, "api_base": "http://127.0.0.1:9"}])
def test_what_trades_on_paper_refuses_a_live_trading_token(given: dict[str, Any]) -> None:
    live = jwt(issuer=REAL, expires=datetime(2030, 1, 1, tzinfo=UTC))

    with pytest.raises(ConfigurationError, match=r"DESK_ACCESS_TOKEN.* no live trading token") as caught:
        load_settings(access_token=live, **given)

    assert live not in str(caught.value)
    assert load_settings(access_token=jwt(issuer=PAPER, expires=datetime(2030, 1, 1, tzinfo=UTC)), **given)
    assert load_settings(mode="live", access_token=live)


def test_limits_of_orders_are_settings_and_nonsense_is_refused() -> None:
    given = load_settings(max_order_value="1000000.50", square_off="15:10")

    assert given.max_order_value == Decimal("1000000.50")
    assert given.square_off == time(15, 10)
    with pytest.raises(ConfigurationError, match="DESK_MAX_ORDERS_PER_SECOND"):
        load_settings(max_orders_per_second=11)
