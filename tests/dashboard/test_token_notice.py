"""The address to which the broker posts a token that was asked for on the phone."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette

from dashboard.token_notice import MOST_BYTES, PER_MINUTE, notice_routes
from services.domain.errors import InvalidRequest, MalformedPayload, NoAnswer, TokenRejected
from tests.support.asgi import Answer
from tests.support.clocks import FakeMonotonic
from tests.support.doors import ask

BODY = b'{"client_id": "app-1", "access_token": "posted-token-77"}'


class Login:
    def __init__(self) -> None:
        self.awaits, self.outcome = True, None
        self.taken: list[Any] = []

    def awaits_notice(self) -> bool:
        return self.awaits

    def accept_notice(self, body: Any) -> Any:
        self.taken.append(body)
        if self.outcome is not None:
            raise self.outcome
        return SimpleNamespace(expires="03:30")


class Post:
    def __init__(self) -> None:
        self.login, self.monotonic, self.ready = Login(), FakeMonotonic(), True
        runtime: Any = SimpleNamespace(login=self.login)
        self.app = Starlette(routes=notice_routes(lambda: runtime, lambda: self.ready, monotonic=self.monotonic))

    def send(self, body: bytes = BODY) -> Answer:
        return ask(self.app, "/login/notice", method="POST", body=body, peer="52.1.1.1")


@pytest.fixture
def post() -> Post:
    return Post()


def test_a_token_that_was_asked_for_is_taken_and_never_said(post: Post, caplog: pytest.LogCaptureFixture) -> None:
    answer = post.send()

    assert answer.status == 200
    assert post.login.taken == [{"client_id": "app-1", "access_token": "posted-token-77"}]
    assert "posted-token" not in answer.text + caplog.text


def test_a_token_that_nobody_asked_for_is_refused_unread(post: Post) -> None:
    post.login.awaits = False
    assert post.send().status == 403
    post.login.awaits, post.ready = True, False
    assert post.send().status == 403
    assert post.login.taken == []


@pytest.mark.parametrize(
    "error",
    [InvalidRequest("for another app"), MalformedPayload("x"), NoAnswer("x"), TokenRejected("x", status=401)],
    ids=lambda error: type(error).__name__,
)
def test_a_token_without_proof_is_refused_without_a_reason(post: Post, error: Exception) -> None:
    post.login.outcome = error

    answer = post.send()

    assert (answer.status, answer.text) == (403, "This token is not taken.")


def test_few_are_looked_at_in_a_minute(post: Post) -> None:
    assert [post.send().status for _ in range(PER_MINUTE + 1)] == [200] * PER_MINUTE + [429]
    post.monotonic.now += 61
    assert post.send().status == 200


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"", 400), (b"{", 400), (b"\xff", 400), (b"[" * 10_000, 400), (b"x" * (MOST_BYTES + 1), 413)],
)
def test_what_is_no_notice_is_refused(post: Post, body: bytes, status: int) -> None:
    assert post.send(body).status == status
    assert post.login.taken == []


@settings(max_examples=50, deadline=None)
@given(body=st.binary(max_size=200))
def test_whatever_comes_is_answered(body: bytes) -> None:
    assert Post().send(body).status in (200, 400)
