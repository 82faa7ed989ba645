"""Signing in by an OpenID Connect issuer, from the page to a sign-in of the desk, against an issuer on this machine."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
import requests

from dashboard.options import free_port
from services.acting import local_user
from services.domain.actors import Role
from services.runtime.doors import sign_ins_in
from services.settings import Settings
from tests.checks import stage_environment
from tests.support.shared_data import ROOT

pytest.importorskip("authlib")
pytest.importorskip("httpx")
from tests.support.issuer import CLIENT, SECRET, Issuer  # needs what was just looked for

pytestmark = pytest.mark.timeout(180)
HTML = {"accept": "text/html"}


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    with Issuer() as made:
        yield made


@pytest.fixture(scope="module")
def desk(issuer: Issuer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The server alone, as any ASGI server would run it: signing in needs nothing of the desk behind it."""
    folder, port = tmp_path_factory.mktemp("issued"), free_port("127.0.0.1")
    url = f"http://127.0.0.1:{port}"
    with sign_ins_in(Settings(_env_file=None, data_dir=folder / "data")) as sign_ins:  # type: ignore[call-arg]
        sign_ins.add("ravi@example.com", Role.VIEWER, None, actor=local_user())
    environment = {
        **stage_environment(os.environ),
        "DESK_DATA_DIR": str(folder / "data"),
        "DESK_PUBLIC_URL": url,
        "DESK_OIDC_METADATA_URL": f"{issuer.url}/.well-known/openid-configuration",
        "DESK_OIDC_CLIENT_ID": CLIENT,
        "DESK_OIDC_CLIENT_SECRET": SECRET,
    }
    command = [sys.executable, "-m", "uvicorn", "dashboard.asgi:app", "--port", str(port), "--log-level", "warning"]
    log = folder / "desk.log"
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=out, stderr=subprocess.STDOUT)
    try:
        end = time.monotonic() + 90
        while not _answers(url):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < end, log.read_text()
            time.sleep(0.1)
        yield url
        said = log.read_text() + "".join(file.read_text() for file in (folder / "data").rglob("desk.log*"))
        assert SECRET not in said
        assert "code=" not in said.replace("code=***", "")
    finally:
        process.terminate()
        process.wait(30)


def _answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/sign-in", timeout=5).status_code == 200
    except requests.RequestException:
        return False


@pytest.fixture
def browser() -> Iterator[requests.Session]:
    with requests.Session() as made:
        made.trust_env = False
        made.headers.update(HTML)
        yield made


def come_back(browser: requests.Session, desk: str) -> requests.Response:
    """From the sign-in page to the issuer and back, to what the sign-in page then says."""
    there = browser.get(f"{desk}/sign-in/issuer", timeout=30)
    assert there.url == f"{desk}/", "the issuer's callback leads to the desk, which asks who it is"
    assert there.status_code == 401
    return browser.get(f"{desk}/sign-in", timeout=30, allow_redirects=False)


def test_whom_the_issuer_vouches_for_comes_in_by_their_own_sign_in(
    desk: str, issuer: Issuer, browser: requests.Session
) -> None:
    assert 'href="/sign-in/issuer">Sign in by 127.0.0.1<' in browser.get(f"{desk}/sign-in", timeout=30).text

    kept = None
    there = browser.get(f"{desk}/sign-in/issuer", timeout=30)
    assert there.status_code == 401
    kept = {name: value for name, value in browser.cookies.items() if name.startswith("_streamlit_user")}
    done = browser.get(f"{desk}/sign-in", timeout=30, allow_redirects=False)

    assert (done.status_code, done.headers["location"]) == (303, "/")
    assert kept
    assert not [name for name, _ in browser.cookies.items() if name.startswith("_streamlit_user")], (
        "exchanged, and gone"
    )
    assert browser.get(f"{desk}/_stcore/health", timeout=30).status_code == 200
    again = requests.get(f"{desk}/sign-in", cookies=kept, timeout=30, headers=HTML)
    assert again.status_code == 401
    assert "This proof was used before." in again.text


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        (
            {"sub": "2", "email": "eve@example.com", "email_verified": True},
            "Nobody of this e-mail address may sign in.",
        ),
        ({"sub": "3", "email": "ravi@example.com", "email_verified": False}, "does not vouch for an e-mail address."),
        ({"sub": "4", "email": "ravi@example.com"}, "does not vouch for an e-mail address."),
        ({"sub": "5"}, "does not vouch for an e-mail address."),
    ],
)
def test_whom_it_does_not_vouch_for_or_nobody_knows_stays_outside(
    desk: str, issuer: Issuer, browser: requests.Session, monkeypatch: pytest.MonkeyPatch, claims: dict, words: str
) -> None:
    monkeypatch.setattr(issuer, "claims", claims)

    answer = come_back(browser, desk)

    assert answer.status_code == 401
    assert words in answer.text
    assert requests.get(f"{desk}/_stcore/health", cookies=browser.cookies, timeout=30).status_code == 401


@pytest.mark.parametrize("query", ["", "?code=x", "?code=x&state=y", "?state=y&error=denied", "?code=" + "x" * 5000])
def test_a_callback_that_nobody_began_is_led_back_and_lets_nobody_in(
    desk: str, browser: requests.Session, query: str
) -> None:
    answer = browser.get(f"{desk}/oauth2callback{query}", timeout=30, allow_redirects=False)

    assert answer.status_code in (302, 400)
    assert requests.get(f"{desk}/_stcore/health", cookies=browser.cookies, timeout=30).status_code == 401


@pytest.mark.parametrize("value", ["x", "eyJ.x.y", "a" * 4000])
def test_an_identity_that_the_desk_did_not_sign_is_nobodys(desk: str, value: str) -> None:
    answer = requests.get(f"{desk}/sign-in", cookies={"_streamlit_user": value}, timeout=30, headers=HTML)

    assert answer.status_code == 200
    assert not [name for name, _ in answer.cookies.items() if "session" in name]
