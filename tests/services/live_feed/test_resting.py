"""What follows which error."""

from __future__ import annotations

import pytest

from services.domain.errors import (
    AccessDenied,
    BrokerFault,
    ConfigurationError,
    ConnectionLost,
    HandedOver,
    LoginRequired,
    MalformedPayload,
    NoAnswer,
    NoHolder,
    NotSent,
    RateBudgetSpent,
    RateLimited,
    RequestRefused,
    RouteMissing,
    ServiceClosed,
    TokenRejected,
    UpstoxError,
)
from services.feed.backoff import Backoff
from services.feed.health import EndKind, StreamState
from services.live_feed.resting import REFUSED_SECONDS, Resting, kind_of_end
from tests.support.live_feed import token


def _resting() -> Resting:
    return Resting(backoff=Backoff(uniform=lambda low, high: high))


def test_a_stream_that_changed_hands_among_the_processes_is_opened_at_once() -> None:
    assert _resting().after(HandedOver("another process holds it"), token()).seconds == 0.0


def test_a_stream_that_nobody_holds_is_tried_again_with_pauses() -> None:
    resting = _resting()

    assert [resting.after(NoHolder("nobody"), token()).seconds for _ in range(3)] == [1.0, 2.0, 4.0]


def test_a_missing_token_waits_for_one_and_hands_the_login_address_on() -> None:
    rest = _resting().after(LoginRequired("log in", login_url="https://login"), None)

    assert (rest.state, rest.seconds, rest.login_url, rest.refused) == (
        StreamState.LOGIN_NEEDED, None, "https://login", None,
    )  # fmt: skip


def test_a_refused_token_waits_for_another_one() -> None:
    rest = _resting().after(TokenRejected("dead", status=401), token("secret"))

    assert (rest.state, rest.seconds, rest.refused) == (StreamState.LOGIN_NEEDED, None, "secret")


@pytest.mark.parametrize(
    "error",
    [AccessDenied("no", status=403), RequestRefused("no", status=400), ConfigurationError("an address elsewhere")],
)
def test_a_refusal_is_tried_slowly_and_given_up_after_five(error: UpstoxError) -> None:
    resting = _resting()

    rests = [resting.after(error, token()) for _ in range(6)]

    assert [rest.seconds for rest in rests] == [5, 15, 60, 180, REFUSED_SECONDS, REFUSED_SECONDS]
    assert [rest.state for rest in rests[3:5]] == [StreamState.WAITING, StreamState.REFUSED]
    assert str(error) in rests[4].reason


def test_a_connection_in_between_begins_the_refusals_anew() -> None:
    resting = _resting()
    for _ in range(4):
        resting.after(AccessDenied("no", status=403), token())

    resting.accepted()

    assert resting.after(AccessDenied("no", status=403), token()).seconds == 5


@pytest.mark.parametrize(
    "error",
    [
        NotSent("x"), NoAnswer("x"), MalformedPayload("x"), ConnectionLost("x"), BrokerFault("x", status=502),
        ServiceClosed("x", status=423), RouteMissing("x", status=404), RateLimited("x", status=429),
    ],
)  # fmt: skip
def test_everything_else_backs_off_exponentially(error: UpstoxError) -> None:
    resting = _resting()

    assert [resting.after(error, token()).seconds for _ in range(4)] == [1, 2, 4, 8]


def test_a_pause_that_was_asked_for_is_kept() -> None:
    limited = RateLimited("slow down", status=429)
    limited.retry_after = 40.0

    assert _resting().after(limited, token()).seconds == 40
    assert _resting().after(RateBudgetSpent("our own", wait_seconds=12.0), token()).seconds == 12


def test_stability_and_a_persons_wish_begin_anew() -> None:
    resting = _resting()
    for _ in range(5):
        resting.after_loss("cut")

    resting.lived(61.0)
    assert resting.after_loss("cut").seconds == 1
    resting.after_loss("cut")
    resting.begin()
    assert resting.after_loss("cut").seconds == 1


@pytest.mark.parametrize("error", [LoginRequired("log in"), TokenRejected("dead", status=401)])
def test_a_new_login_does_not_wait_for_what_went_wrong_before_it(error: UpstoxError) -> None:
    resting = _resting()
    for _ in range(6):
        resting.after_loss("cut")

    resting.after(error, None)

    assert resting.after_loss("cut").seconds == 1.0


def test_where_nothing_is_wrong_with_the_broker_there_is_no_pause() -> None:
    assert _resting().at_once("the token has ended").seconds == 0.0


@pytest.mark.parametrize(
    ("error", "opened", "kind"),
    [
        (LoginRequired("x"), False, EndKind.TOKEN),
        (TokenRejected("x", status=401), False, EndKind.TOKEN),
        (RateLimited("x", status=429), False, EndKind.LIMITED),
        (RateBudgetSpent("x", wait_seconds=3.0), False, EndKind.LIMITED),
        (AccessDenied("x", status=403), False, EndKind.REFUSED),
        (NotSent("x"), False, EndKind.NOT_REACHED),
        (ConnectionLost("x", code=1006), True, EndKind.LOST),
    ],
)
def test_every_end_is_counted_under_one_of_a_few_words(error: UpstoxError, opened: bool, kind: EndKind) -> None:
    assert kind_of_end(error, opened=opened) is kind
