from __future__ import annotations

import pytest

from services.paper.logins import Dialog, Logins, Once, is_local_http, landing


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://127.0.0.1:8501/callback", True),
        ("https://localhost/callback?x=1", True),
        ("http://[::1]:8501/", True),
        ("http://127.0.0.1.example.com/", False),
        ("http://localhost.example.com/", False),
        ("http://user@127.0.0.1/", False),
        ("http://127.0.0.1/#fragment", False),
        ("javascript:alert(1)", False),
        ("https://dashboard.example.com/callback", False),
        ("http://127.0.0.1:99999/", False),
        ("", False),
    ],
)
def test_only_addresses_on_this_machine_are_local(url: str, local: bool) -> None:
    assert is_local_http(url) is local


def test_what_was_kept_is_taken_once_and_only_in_time() -> None:
    now = [0.0]
    once: Once[str] = Once(seconds=10, monotonic=lambda: now[0])
    first, second = once.keep("a"), once.keep("b")

    assert once.waiting() == {first: "a", second: "b"}
    assert once.take(first) == "a"
    assert once.take(first) is None
    now[0] = 10.0
    assert once.waiting() == {}
    assert once.take(second) is None


def test_the_oldest_goes_when_too_many_wait() -> None:
    once: Once[int] = Once(seconds=10, monotonic=lambda: 0.0)
    names = [once.keep(n) for n in range(201)]

    assert once.take(names[0]) is None
    assert once.take(names[1]) == 1


def test_the_landing_keeps_the_query_and_gives_the_state_back() -> None:
    assert (
        landing(Dialog("id", "http://127.0.0.1:1/cb?a=1", "x&y"), "c d")
        == "http://127.0.0.1:1/cb?a=1&code=c+d&state=x%26y"
    )
    assert landing(Dialog("id", "http://127.0.0.1:1/cb", None), "c") == "http://127.0.0.1:1/cb?code=c"


def test_codes_and_dialogs_are_kept_apart() -> None:
    logins = Logins(monotonic=lambda: 0.0)
    name = logins.dialogs.keep(Dialog("id", "http://127.0.0.1/", None))

    assert logins.codes.take(name) is None
