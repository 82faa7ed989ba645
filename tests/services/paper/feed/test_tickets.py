from __future__ import annotations

from datetime import UTC, datetime

import pytest

from services.paper.feed.tickets import LIFE_SECONDS, MOST_WAITING, FeedName, Ticket, Tickets
from services.paper.tokens import Claims

TICKET = Ticket(FeedName.MARKET, Claims("id", "PAPER1", datetime(2026, 11, 20, tzinfo=UTC)))


class Watch:
    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def tickets(watch: Watch) -> Tickets:
    return Tickets(monotonic=watch)


def test_a_code_opens_its_feed_once(tickets: Tickets) -> None:
    request_id, code = tickets.issue(TICKET)

    assert tickets.take(FeedName.MARKET, request_id, code) is TICKET
    assert tickets.take(FeedName.MARKET, request_id, code) is None


def test_a_code_of_the_other_feed_opens_nothing_and_is_gone(tickets: Tickets) -> None:
    request_id, code = tickets.issue(TICKET)

    assert tickets.take(FeedName.PORTFOLIO, request_id, code) is None
    assert tickets.take(FeedName.MARKET, request_id, code) is None


def test_a_code_needs_its_own_request_id(tickets: Tickets) -> None:
    request_id, _ = tickets.issue(TICKET)
    _, code = tickets.issue(TICKET)

    assert tickets.take(FeedName.MARKET, request_id, code) is None


def test_a_code_ends_after_a_minute(tickets: Tickets, watch: Watch) -> None:
    request_id, code = tickets.issue(TICKET)
    watch.seconds += LIFE_SECONDS

    assert tickets.take(FeedName.MARKET, request_id, code) is None


def test_codes_that_nobody_uses_do_not_pile_up(tickets: Tickets) -> None:
    first = tickets.issue(TICKET)
    last = [tickets.issue(TICKET) for _ in range(MOST_WAITING)][-1]

    assert tickets.take(FeedName.MARKET, *first) is None
    assert tickets.take(FeedName.MARKET, *last) is TICKET
