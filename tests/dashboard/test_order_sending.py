"""One confirmation is sent once, whoever presses and however often."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Barrier, Event, Thread

import pytest

from dashboard.order_sending import MOST_DRAFTS, OrderSender, Stage
from services.domain.actors import Actor
from services.domain.errors import InvalidRequest, UpstoxError

ACTOR = Actor("tester")


@dataclass(frozen=True)
class Wish:
    intent_id: str


@pytest.fixture
def sender_over():
    made = []

    def make(send) -> OrderSender:
        made.append(OrderSender(send))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_what_nobody_confirmed_is_not_sent(sender_over):
    sent = []
    sender = sender_over(lambda draft, actor: sent.append(draft))
    sender.offer(Wish("a"))

    assert sender.look("a", wait=0).stage is Stage.OFFERED
    assert sent == []


def test_twenty_tabs_press_at_once_and_one_order_goes_out(sender_over):
    sent, together = [], Barrier(20)
    sender = sender_over(lambda draft, actor: sent.append(draft) or "ok")
    sender.offer(Wish("a"))

    def press() -> None:
        together.wait()
        sender.send("a", ACTOR)

    tabs = [Thread(target=press) for _ in range(20)]
    for tab in tabs:
        tab.start()
    for tab in tabs:
        tab.join()

    assert sender.look("a", wait=10).outcome == "ok"
    assert len(sent) == 1


def test_a_second_press_after_the_answer_shows_the_first_answer(sender_over):
    answers = iter(["first", "second"])
    sender = sender_over(lambda draft, actor: next(answers))
    sender.offer(Wish("a"))
    sender.send("a", ACTOR)
    sender.look("a", wait=10)
    sender.offer(Wish("a"))
    sender.send("a", ACTOR)

    assert sender.look("a", wait=10).outcome == "first"


def test_while_it_is_under_way_the_page_is_told_how_long(sender_over):
    go = Event()
    sender = sender_over(lambda draft, actor: go.wait(30))
    sender.offer(Wish("a"))
    sender.send("a", ACTOR)

    assert sender.look("a").stage is Stage.SENDING
    go.set()
    assert sender.look("a", wait=10).stage is Stage.DONE


def test_a_refusal_is_kept_with_its_words(sender_over):
    def refuse(draft, actor):
        raise InvalidRequest("no")

    sender = sender_over(refuse)
    sender.offer(Wish("a"))
    sender.send("a", ACTOR)

    ended = sender.look("a", wait=10)
    assert ended.stage is Stage.FAILED
    assert isinstance(ended.error, InvalidRequest)


def test_a_failure_of_the_desk_itself_is_told_without_its_insides(sender_over, caplog):
    def fail(draft, actor):
        raise KeyError("secret")

    sender = sender_over(fail)
    sender.offer(Wish("a"))
    sender.send("a", ACTOR)

    error = sender.look("a", wait=10).error
    assert isinstance(error, UpstoxError)
    assert "secret" not in str(error)


def test_an_id_that_is_unknown_sends_nothing(sender_over):
    sender = sender_over(lambda draft, actor: "sent")
    sender.send("never offered", ACTOR)

    assert sender.look("never offered").stage is Stage.OFFERED
    assert sender.draft("never offered") is None


def test_after_the_end_nothing_begins(sender_over):
    sender = sender_over(lambda draft, actor: "sent")
    sender.offer(Wish("a"))
    sender.close()
    sender.send("a", ACTOR)

    assert "nothing was sent" in str(sender.look("a", wait=10).error)


def test_the_oldest_drafts_are_forgotten(sender_over):
    sender = sender_over(lambda draft, actor: "sent")
    for number in range(MOST_DRAFTS + 1):
        sender.offer(Wish(str(number)))

    assert sender.draft("0") is None
    assert sender.draft("1") == Wish("1")
