"""Signing in and out in a real browser, on a desk that is served beyond this machine."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from services.acting import local_user
from services.domain.actors import Role
from services.runtime.doors import sign_ins_in
from services.settings import Settings
from tests.support.desk import Desk

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("locked") / "data"
    with sign_ins_in(Settings(_env_file=None, data_dir=folder)) as sign_ins:  # type: ignore[call-arg]
        sign_ins.add("asha", Role.TRADER, PASSWORD, actor=local_user())
        sign_ins.add("vina", Role.VIEWER, PASSWORD, actor=local_user())
    with Desk(folder, "--host", "0.0.0.0", "--name", "localhost", "--plain-http") as desk:
        yield desk.opened()


@pytest.fixture
def elsewhere(locked: Desk) -> Iterator[str]:
    """A page of another site with a link to the desk."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = f'<a href="{locked.url}/calendar?way=link">to the desk</a>'.encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *words: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://localhost:{server.server_address[1]}/"  # another site than 127.0.0.1
    server.shutdown()
    server.server_close()
    thread.join()


def sign_in(page: Any, name: str, password: str = PASSWORD) -> None:
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def here(page: Any, name: str) -> None:
    page.locator("[data-testid=stSidebar]").get_by_text(name).wait_for()


def test_a_sign_in_lasts_over_reloads_tabs_links_and_a_restart_and_ends_in_all_tabs_at_once(
    locked: Desk, open_page: Any, elsewhere: str
) -> None:
    page = open_page(f"{locked.url}/orders", strict=False)
    assert page.locator("h1").inner_text() == "Sign in"
    sign_in(page, "asha", "wrong horse battery")
    page.get_by_role("alert").get_by_text("Wrong name or password.").wait_for()
    sign_in(page, "Asha")
    page.locator("h1", has_text="Orders").wait_for()
    here(page, "asha, trader")
    cookies = page.context.cookies()
    [kept] = [one for one in cookies if one["name"].startswith("desk-session")]
    assert (kept["httpOnly"], kept["sameSite"]) == (True, "Strict")
    assert kept["value"] not in page.content()

    page.reload()
    here(page, "asha, trader")
    second = page.context.new_page()
    second.goto(elsewhere)
    second.get_by_role("link").click()  # a link from another site does not bring the cookie
    second.locator("h1", has_text="Calendar").wait_for()
    here(second, "asha, trader")
    assert "desk-step" not in second.url

    code, _ = locked.stop()
    assert code == 0
    locked.start().opened()
    second.reload()
    here(second, "asha, trader")
    page.reload()
    page.locator("h1", has_text="Orders").wait_for()
    here(page, "asha, trader")

    page.get_by_role("button", name="Sign out").click()
    for tab in (page, second):
        tab.get_by_label("Password").wait_for()
        assert "/sign-in" in tab.url


def test_a_viewer_looks_and_places_no_order(locked: Desk, open_page: Any) -> None:
    page = open_page(f"{locked.url}/orders", strict=False)
    sign_in(page, "vina")
    page.locator("h1", has_text="Orders").wait_for()
    here(page, "vina, viewer")

    page.get_by_placeholder("Trade: symbol").fill("RELIANCE")
    page.get_by_placeholder("Trade: symbol").press("Enter")
    page.get_by_role("button", name="RELIANCE").first.click()
    page.get_by_role("button", name="Review").first.click()

    page.get_by_text("may look at this desk, not trade on it").first.wait_for()
    assert page.get_by_role("dialog").count() == 0
