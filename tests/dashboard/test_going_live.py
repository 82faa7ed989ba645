"""The list of what real orders need: each step follows what is so, and none is done by itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from dashboard.going_live import Done, Standing, count_done, steps
from services.domain.accounts import TokenKind
from services.domain.order_facts import StaticIp

NOW = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)
HERE = "http://127.0.0.1:8501/login/callback"
READY = Standing(
    live=True, rehearsal=False, now=NOW, client_id=True, client_secret=True, redirect_uri=HERE, answers_at=HERE,
    fills=3, practised=True, rehearsed=NOW, token=TokenKind.ACCESS, seconds_left=3600.0,
    static_ip=StaticIp.ACCEPTED, addresses=1, limits_set=("asha", NOW), halted=False,
)  # fmt: skip


def test_a_desk_that_has_everything_has_nothing_left_to_do():
    found = steps(READY)

    assert count_done(found) == len(found) == 8
    assert {step.next for step in found} == {""}


@pytest.mark.parametrize(
    ("change", "title", "told"),
    [
        ({"practised": False}, "Practise on paper", "no paper desk in this data folder"),
        ({"client_secret": False}, "App key and secret", "UPSTOX_CLIENT_SECRET not set"),
        ({"redirect_uri": None}, "Redirect URL", "UPSTOX_REDIRECT_URI not set"),
        ({"rehearsed": None}, "Rehearse the live path", "no rehearsal in this data folder"),
        ({"token": None}, "Log in", "nobody is logged in"),
        ({"token": TokenKind.READ_ONLY}, "Log in", "only a read-only token"),
        ({"static_ip": StaticIp.REFUSED}, "Static IP", "orders were refused from this address"),
        ({"static_ip": StaticIp.UNTRIED, "addresses": 0}, "Static IP", "no address is registered"),
        ({"static_ip": StaticIp.UNTRIED, "addresses": None}, "Static IP", "has not told"),
        ({"limits_set": None}, "Limits reviewed", "nobody has saved them"),
        ({"halted": True}, "Kill switch off", "it is on"),
    ],
)
def test_each_thing_that_is_missing_is_told_with_its_next_step(change, title, told):
    [missing] = [step for step in steps(replace(READY, **change)) if step.done is not Done.YES]

    assert (missing.title, missing.done) == (title, Done.NO)
    assert told in missing.told
    assert missing.next


def test_what_is_there_and_wrong_is_not_called_missing():
    there = replace(READY, redirect_uri="https://desk.lan/login/callback")
    [wrong] = [step for step in steps(there) if step.done is not Done.YES]

    assert (wrong.title, wrong.done) == ("Redirect URL", Done.WRONG)
    assert "leads elsewhere" in wrong.told


def test_a_paper_desk_does_not_claim_what_only_a_live_one_can_know():
    paper = replace(READY, live=False, static_ip=StaticIp.NOT_NEEDED, fills=0)
    states = {step.title: step.done for step in steps(paper)}

    assert [title for title, done in states.items() if done is Done.LATER] == ["Log in", "Static IP", "Limits reviewed"]
    assert states["Practise on paper"] is Done.NO
