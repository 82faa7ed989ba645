"""The form and the route that takes it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.middleware import Middleware

from dashboard.headers import SecurityHeaders
from dashboard.locks.gate import Gate
from dashboard.locks.sign_in_page import MOST_BYTES, sign_in_routes
from services.domain.errors import ConfigurationError, StorageError
from tests.support.asgi import Answer
from tests.support.doors import OPERATOR, PASSWORD, House, ask, house

FAR = "10.0.0.9"
OWN = "http://10.0.0.1:8501"
FORM = "application/x-www-form-urlencoded"


class Visitor:
    """A browser before the gate."""

    def __init__(self, home: House) -> None:
        self.app = Starlette(
            routes=sign_in_routes(lambda: home.runtime),
            middleware=[Middleware(SecurityHeaders), Middleware(Gate, runtime=lambda: home.runtime)],
        )
        self.cookies: dict[str, str] = {}

    def ask(self, url: str, *, headers: dict[str, str] | None = None, **given: Any) -> Answer:
        cookie = {"cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        answer = ask(self.app, f"{OWN}{url}", peer=FAR, headers={**cookie, **(headers or {})}, **given)
        if (put := answer.headers.get("set-cookie")) is not None:
            name, _, value = put.partition(";")[0].partition("=")
            self.cookies[name] = value
        return answer

    def form(self, url: str = "/sign-in") -> str:
        found = re.search(r'name="form" value="([0-9a-f]{64})"', self.ask(url).text)
        assert found is not None
        return found.group(1)

    def send(self, *, headers: dict[str, str] | None = None, body: bytes | None = None, **fields: str) -> Answer:
        told = {"form": fields.pop("form", None) or self.form(), "next": "/", "name": "asha", "password": PASSWORD}
        sent = {"origin": OWN, "content-type": FORM} | (headers or {})
        kept = {name: value for name, value in sent.items() if value}
        content = urlencode(told | fields).encode() if body is None else body
        return self.ask("/sign-in", method="POST", headers=kept, body=content)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[House]:
    with house(tmp_path) as made:
        yield made


@pytest.fixture
def visitor(home: House) -> Visitor:
    return Visitor(home)


def test_where_nobody_can_sign_in_yet_the_page_says_what_to_do(visitor: Visitor, home: House) -> None:
    assert "Nobody has a password yet" not in visitor.ask("/sign-in").text
    for name in ("asha", "vina"):
        home.users.remove(name, actor=OPERATOR)
    assert "Nobody has a password yet" in visitor.ask("/sign-in").text


def test_the_right_password_gets_a_cookie_that_no_script_reads_and_no_other_site_sends(
    visitor: Visitor, home: House
) -> None:
    answer = visitor.send(next="/orders")

    assert (answer.status, answer.headers["location"]) == (303, "/orders")
    put = answer.headers["set-cookie"].lower()
    assert put.startswith("desk-session-8501=")
    for word in ("httponly", "samesite=strict", "path=/", "max-age="):
        assert word in put
    assert "secure" not in put, "a browser would not send it over plain http"
    assert PASSWORD not in answer.text + str(answer.headers)
    assert home.sign_ins.look(visitor.cookies["desk-session-8501"]) is not None


def test_over_tls_the_cookie_is_secure_and_bound_to_this_host(tmp_path: Path) -> None:
    with house(tmp_path, public_url="https://desk.example.com", names="10.0.0.1") as home:
        answer = Visitor(home).send()

    put = answer.headers["set-cookie"]
    assert put.startswith("__Host-desk-session-8501=")
    assert "; Secure" in put
    assert "domain" not in put.lower()


def test_the_page_loads_nothing_and_is_not_kept(visitor: Visitor) -> None:
    answer = visitor.ask("/sign-in")

    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "same-origin", "else the form would come without an origin"
    assert "<script" not in answer.text


def test_a_wrong_password_is_told_and_ten_are_a_pause(visitor: Visitor, home: House) -> None:
    for _ in range(10):
        answer = visitor.send(password="wrong")
        assert answer.status == 401
        assert "Wrong name or password." in answer.text

    answer = visitor.send()
    assert answer.status == 429
    assert 0 < int(answer.headers["retry-after"]) <= 900
    assert home.noted("sign-in paused") == 1


def test_signing_in_anew_ends_what_was_open_on_this_browser(visitor: Visitor, home: House) -> None:
    form = visitor.form()
    visitor.send(form=form)
    first = visitor.cookies["desk-session-8501"]
    visitor.send(form=form, name="vina")

    assert home.sign_ins.look(first) is None
    assert [one.user for one in home.sign_ins.everybody()] == ["vina"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": ""}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "http://10.0.0.1:9999"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"content-type": "application/json"}, 415),
        ({"content-type": "multipart/form-data; boundary=x"}, 415),
        ({"content-type": ""}, 415),
        ({"cookie": "a=b"}, 403),
        ({"cookie": "desk-form-8501=" + "A" * 43}, 403),
    ],
)
def test_a_form_that_is_not_ours_is_refused(
    visitor: Visitor, home: House, headers: dict[str, str], status: int
) -> None:
    form = visitor.form()

    assert visitor.send(form=form, headers=headers).status == status
    assert home.sign_ins.everybody() == []


def test_the_form_of_another_browser_is_refused(visitor: Visitor, home: House) -> None:
    assert visitor.send(form=Visitor(home).form()).status == 403


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"name=asha", 400),
        (b"%ff%fe=1", 400),
        (b"\xff\xfe", 400),
        (b"form=a&form=b&next=/&name=x&password=y", 400),
        (b"&".join(b"a%d=1" % number for number in range(50)), 400),
        (b"x" * (MOST_BYTES + 1), 413),
    ],
)
def test_a_body_that_is_none_or_too_large_is_refused(visitor: Visitor, body: bytes, status: int) -> None:
    assert visitor.send(body=body).status == status


@pytest.mark.parametrize(
    "onward",
    ["https://evil.example", "//evil.example", "/\\evil.example", "/orders?x=1", "javascript:alert(1)", "/../x", "",
     "/" + "a" * 99, "/sign-in\r\nX: y"],
)  # fmt: skip
def test_nobody_is_led_anywhere_but_to_a_page_of_the_desk(visitor: Visitor, onward: str) -> None:
    answer = visitor.send(next=onward)

    assert (answer.status, answer.headers["location"]) == (303, "/")


def test_what_was_typed_is_never_shown_again(visitor: Visitor) -> None:
    answer = visitor.send(name="<script>x</script>", password="my-secret-word")

    assert answer.status == 401
    assert "<script" not in answer.text
    assert "my-secret-word" not in answer.text


def test_at_this_machine_there_is_nothing_to_sign_in_to(home: House) -> None:
    answer = ask(Visitor(home).app, "/sign-in?next=/orders")

    assert (answer.status, answer.headers["location"]) == (303, "/orders")


@settings(max_examples=50, deadline=None)
@given(
    body=st.binary(max_size=300)
    | st.dictionaries(st.text(max_size=9), st.text(max_size=40)).map(lambda fields: urlencode(fields).encode()),
    kind=st.sampled_from([FORM, FORM + "; charset=utf-7", "text/plain", "\u00e9"]),
)
def test_whatever_is_posted_is_answered_and_lets_nobody_in(body: bytes, kind: str) -> None:
    visitor = _open[0]

    assert visitor.send(form="x", headers={"content-type": kind}, body=body).status in (400, 403, 413, 415)


_open: list[Visitor] = []


@pytest.fixture(autouse=True)
def _one_visitor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with house(tmp_path_factory.mktemp("shared")) as made:
        _open.append(Visitor(made))
        yield
        _open.clear()


def test_a_desk_that_is_not_set_up_or_cannot_read_its_users_says_so_in_words(
    visitor: Visitor, home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_disk() -> bool:
        raise StorageError("/data/ledger.db: the disk is gone")

    monkeypatch.setattr(home.sign_ins, "any_user", no_disk)
    told = visitor.ask("/sign-in")
    assert "The desk cannot read who may sign in" in told.text
    assert "ledger.db" not in told.text

    def wrong_settings() -> Any:
        raise ConfigurationError("/data is a file")

    visitor.app = Starlette(
        routes=sign_in_routes(wrong_settings), middleware=[Middleware(Gate, runtime=wrong_settings)]
    )
    for answer in (visitor.ask("/sign-in"), visitor.send(form="x")):
        assert answer.status == 503
        assert "not set up" in answer.text
        assert "/data" not in answer.text
