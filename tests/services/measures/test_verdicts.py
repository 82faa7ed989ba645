"""What makes a check warn or fail, and the reason that it gives."""

from __future__ import annotations

from dataclasses import replace

import pytest

from services.measures.calls_now import BudgetNow, WindowNow
from services.measures.checks import CheckState
from services.measures.snapshot import Snapshot
from services.measures.verdicts import RULES
from tests.support.measures import WELL, WRITER, but

PASS, WARN, FAIL = CheckState.PASS, CheckState.WARN, CheckState.FAIL
MUTE_AT_NIGHT = replace(
    but("feed", expected=False, last_update_ago=50_000.0),
    market=replace(WELL.market, phase="Shares: closed (Saturday)", in_session=False),
)
CUT_OFF = replace(WELL.feed, connected=False, expected=False, state="x")
NO_PRICE_YET = but("feed", updates=0, updates_per_second=0.0, last_update_ago=None)
NOTHING_AT_NIGHT = replace(NO_PRICE_YET.feed, expected=False)
NO_TOKEN = replace(WELL.token, kind=None, seconds_left=0.0, problem="the broker refused the token")
NO_ANSWER = "quotes: no answer"
DAMAGED = {"The ledger": "the file is damaged"}
CLOSED_BUDGET = BudgetNow("quotes", (WindowNow(60.0, 500, 500, 10.0),), 12.0)


def unheard(failing: float, state: str = "x") -> Snapshot:
    """Without an order stream, and calls have failed for so many seconds."""
    cut = but("portfolio_feed", connected=False, state=state, reason="cut off")
    return replace(cut, rest=replace(WELL.rest, failing_since=failing))


def writer(**changed: object) -> Snapshot:
    return but("storage", writer=replace(WRITER, **changed))


def test_a_desk_that_does_well_passes_everything() -> None:
    assert {name: rule(WELL).state for name, rule in RULES.items()} == dict.fromkeys(RULES, PASS)


@pytest.mark.parametrize(
    ("name", "snapshot", "state", "words"),
    [
        ("feed", but("feed", silent_seconds=12.0), WARN, "no price for 12 s while the market trades"),
        ("feed", but("feed", silent_seconds=45.0), FAIL, "no price for 45 s"),
        ("feed", MUTE_AT_NIGHT, PASS, "Connected. No prices are expected now."),
        ("feed", but("feed", connected=False, state="waiting to reconnect", reason="cut off"), FAIL, "Cut off."),
        ("feed", replace(MUTE_AT_NIGHT, feed=CUT_OFF), WARN, "Not connected. X."),
        ("feed", but("feed", connected=False, state="off"), WARN, "off"),
        ("feed", but("feed", connected=False, expected=False, state="login needed"), FAIL, "Login needed"),
        ("feed", but("feed", connected=False, expected=False, state="refused"), FAIL, "Not connected. Refused."),
        ("feed", NO_PRICE_YET, CheckState.UNKNOWN, "Connected, and no price has come yet."),
        ("feed", replace(MUTE_AT_NIGHT, feed=NOTHING_AT_NIGHT), CheckState.UNKNOWN, "None is expected now."),
        ("feed", replace(NO_PRICE_YET, token=NO_TOKEN), FAIL, "without a login. The broker refused the token."),
        ("feed", replace(MUTE_AT_NIGHT, feed=NOTHING_AT_NIGHT, token=NO_TOKEN), FAIL, "The broker refused the token."),
        ("feed", replace(WELL, token=NO_TOKEN), PASS, "12 updates a second, the last one 0 s ago."),
        ("feed", but("process", protobuf="python"), WARN, "slow Python code"),
        ("rest", but("rest", failing_since=3.0, last_failure=NO_ANSWER), WARN, "failed, quotes: no answer."),
        ("rest", but("rest", failing_since=80.0, last_failure=NO_ANSWER), FAIL, "No call has succeeded for 80 s"),
        ("rest", but("rest", budgets=(CLOSED_BUDGET,)), WARN, '"too many requests": quotes waits 12 s'),
        ("rest", but("rest", budgets=(replace(CLOSED_BUDGET, closed_for=0.0),)), WARN, "limit for quotes 0% is left"),
        ("rest", but("errors", per_minute=40.0), WARN, "40.0 errors a minute over 5 minutes: 2 met a fault"),
        ("rest", but("rest", last_success_ago=None), CheckState.UNKNOWN, "No call was made yet"),
        ("orders", but("orders", unknown=1, oldest_unknown_seconds=70.0), FAIL, "Of 1 order nobody knows for 70 s"),
        ("orders", but("orders", unknown=2), FAIL, "Of 2 orders nobody knows whether the broker has them"),
        ("orders", but("orders", ready="a login is needed"), FAIL, "A login is needed."),
        ("orders", but("portfolio_feed", connected=False, state="refused"), WARN, "by asking only. Refused."),
        ("orders", replace(but("portfolio_feed", connected=False, state="x"), token=NO_TOKEN), WARN,
         "What happens to orders is not told without a login."),
        ("rest", replace(WELL, token=NO_TOKEN), WARN, "Little is asked without a login. The last call succeeded"),
        ("orders", unheard(3.0), WARN, "by asking only, and the last call failed. Cut off."),
        ("orders", unheard(28.0), FAIL, "no call has succeeded for 28 s: what happens to orders now is not known."),
        ("orders", unheard(28.0, state="off"), FAIL, "what happens to orders now is not known"),
        ("orders", but("rest", failing_since=28.0), PASS, "Ready."),
        ("storage", but("storage", read_only=True), FAIL, "read-only"),
        ("storage", but("storage", free_bytes=1_000_000), FAIL, "The disk is full: 1.0 MB are left"),
        ("storage", but("storage", free_bytes=8192, total_bytes=2_000_000), FAIL, "The disk is full: 8.2 kB"),
        ("storage", but("storage", free_bytes=400_000_000), WARN, "The disk is nearly full: 400 MB"),
        ("storage", but("storage", faults=DAMAGED), FAIL, "The ledger: the file is damaged."),
        ("storage", writer(failing_seconds=9.0, trouble="the disk is full"), FAIL, "for 9 s. The disk is full."),
        ("storage", writer(dropped={"queue full": 7}, dropped_ago=20.0), FAIL, "7 ticks were dropped, the last 20 s"),
        ("storage", writer(dropped={"queue full": 7}, dropped_ago=900.0), PASS, "can be read and written"),
        ("storage", writer(oldest_seconds=8.0, waiting=900), WARN, "8 s behind; 900 ticks wait"),
        ("storage", but("storage", lost_errors=3), WARN, "3 errors could not be kept"),
        ("storage", but("storage", read_only=None), PASS, "this system does not tell"),
        ("storage", but("storage", read_only=None, free_bytes=None), WARN, "cannot be looked at"),
        ("orders", but("orders", unknown=None, ready="the orders of before are being looked up"), FAIL, "looked up"),
        ("token", but("token", kind=None, problem="it ended at 03:30"), FAIL, "A login is needed. It ended at 03:30."),
        ("token", but("token", kind="read_only"), WARN, "orders need a login"),
        ("token", but("token", seconds_left=600.0), WARN, "ends in 10 min"),
        ("token", but("token", problem="refused an order call"), WARN, "Refused an order call."),
        ("market", but("market", contradictions=1), WARN, "contradicts the calendar in one point"),
        ("market", but("market", stale_sources={"holidays": "no answer"}), WARN, "its holidays: no answer."),
        ("market", but("clock", offset_seconds=3600.0), FAIL, "clock is 60 min ahead of the broker's"),
        ("market", but("clock", offset_seconds=-4.0), WARN, "clock is 4 s behind the broker's"),
        ("market", but("clock", jumps=1, jump_seconds=-3600.0, jumped_ago=30.0), WARN, "jumped 60 min back, 30 s ago"),
    ],
)  # fmt: skip
def test_each_trouble_is_told_by_its_check(name: str, snapshot: Snapshot, state: CheckState, words: str) -> None:
    verdict = RULES[name](snapshot)

    assert (verdict.state, words in verdict.reason) == (state, True), verdict
    assert not verdict.reason[0].islower()


@pytest.mark.parametrize("part", ["feed", "rest", "orders", "storage", "token", "market"])
def test_what_could_not_be_looked_at_fails_and_never_passes_for_well(part: str) -> None:
    blind = replace(WELL, **{part: None}, problems={part: "the file is damaged"})

    assert RULES[part](blind).state is FAIL
    assert RULES[part](blind).reason == "The file is damaged."
