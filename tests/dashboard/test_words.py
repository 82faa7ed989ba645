"""Errors as a person reads them."""

from __future__ import annotations

import inspect

import pytest

from dashboard.words import in_words
from services.domain import errors as e

CLASSES = [c for _, c in inspect.getmembers(e, inspect.isclass) if issubclass(c, e.UpstoxError)]


def made(kind: type[e.UpstoxError]) -> e.UpstoxError:
    if issubclass(kind, e.BrokerError):
        return kind("Invalid thing {odd} at https://x", status=400, code="UDAPI1")
    if issubclass(kind, e.RateBudgetSpent | e.SignInPaused):
        return kind("spent", wait_seconds=61.0)
    if issubclass(kind, e.OrderOutcomeUnknown):
        return kind("no answer came", intent_id="one")
    return kind("the message {with} braces")


@pytest.mark.parametrize("kind", CLASSES, ids=lambda c: c.__name__)
def test_every_error_of_the_tree_has_plain_words(kind):
    words = in_words(made(kind))

    assert words.title
    assert words.text.endswith((".", "!", "?"))
    assert kind.__name__ not in str(words)
    assert "Traceback" not in str(words)
    assert "{message}" not in words.text
    assert "{code}" not in words.text


def test_what_the_broker_said_is_kept_with_its_code():
    words = in_words(e.RequestRefused("The price is wrong", status=400, code="UDAPI1021"))

    assert words.text == "The price is wrong (UDAPI1021)."


def test_an_answer_without_a_code_names_its_status():
    assert "HTTP 503" in in_words(e.BrokerFault("x", status=503)).text


def test_waiting_for_the_budget_tells_how_long():
    assert "1 min 01 s" in in_words(e.RateBudgetSpent("x", wait_seconds=61.0)).text


def test_a_class_that_is_not_listed_speaks_with_the_words_of_its_parent():
    class Odd(e.NotSent):
        pass

    assert in_words(Odd("x")) == in_words(e.NotSent("x"))


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ("a watchlist needs a name", "A watchlist needs a name."),
        ("DESK_API_BASE: wrong", "DESK_API_BASE: wrong."),
        ("tokens.db is locked!", "tokens.db is locked!"),
        ("", "No reason was given."),
    ],
)
def test_messages_become_sentences(message, text):
    assert in_words(e.InvalidRequest(message)).text == text
