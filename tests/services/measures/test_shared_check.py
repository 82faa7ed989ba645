"""The check of a desk with several processes: what makes it warn or fail, what it says, and where it is left out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from services.measures.checks import CheckBook, CheckState
from services.measures.exposition import Exposition
from services.measures.shared_check import check_shared
from services.measures.shared_now import FanOutNow, PostgresNow, RedisNow, SharingNow
from services.measures.snapshot import Snapshot
from services.measures.verdicts import RULES, check_storage
from tests.support.measures import SHARED, WELL, but, shared_but

PASS, WARN, FAIL = CheckState.PASS, CheckState.WARN, CheckState.FAIL
assert SHARED.shared is not None
MEMBERS = SHARED.shared.members
GONE = (*MEMBERS[:3], replace(MEMBERS[3], told_ago=12.0))
AWAY = RedisNow(False, 9.0, "Redis does not answer: Connection refused.", None)
LEDGER = PostgresNow("PostgreSQL database desk on db", 9, 0, 4, 3, 0.1, "it does not answer (timeout)", 31.0)
LATE = FanOutNow("market", "follower", 0, 0, 0, 0, 9, 9, 0, 0, 900.0, 1800.0, 0.1)


@pytest.mark.parametrize(
    ("snapshot", "state", "words"),
    [
        (SHARED, PASS, "4 processes; desk-2 holds the live feed. PostgreSQL answers."),
        (shared_but(postgres=LEDGER), FAIL, "it does not answer (timeout), for 31 s. Orders are refused"),
        (
            shared_but(redis=AWAY),
            FAIL,
            "Redis does not answer: Connection refused, for 9 s. This process goes on alone",
        ),
        (shared_but(redis=replace(AWAY, up=True, problem="its memory is full")), FAIL, "its memory is full."),
        (shared_but(members=GONE), WARN, "desk-4: no word for 12 s."),
        (shared_but(holder=None), WARN, "No process holds the live feed"),
        (shared_but(expected=3), WARN, "4 processes are there, and DESK_PROCESSES says 3"),
        (shared_but(streams=(LATE,)), WARN, "What desk-2 sends comes 1.8 s late."),
        (replace(WELL, shared=SharingNow(postgres=replace(LEDGER, problem=""))), PASS, "PostgreSQL answers."),
        (replace(WELL, problems={"shared": "a fault"}), FAIL, "a fault."),
    ],
)
def test_the_processes_of_a_desk_hold_together_or_it_is_said_why_not(
    snapshot: Snapshot, state: CheckState, words: str
) -> None:
    found = check_shared(snapshot)

    assert found is not None
    assert found.state is state
    assert words in found.reason
    assert "..'" not in found.reason


def test_a_desk_of_one_process_has_six_checks_and_one_of_several_seven() -> None:
    book = CheckBook({**RULES, "shared": check_shared})

    assert [one.name for one in book.look(WELL, 0.0)] == list(RULES)
    assert [one.name for one in book.look(SHARED, 1.0)] == [*RULES, "shared"]


def test_a_ledger_that_is_no_file_is_no_fault_of_this_disk() -> None:
    broken = {"The ledger": "it does not answer"}
    here, elsewhere = but("storage", faults=broken), replace(SHARED, storage=replace(WELL.storage, faults=broken))

    assert check_storage(here).state is FAIL
    assert check_storage(elsewhere).state is PASS


def test_what_is_not_known_of_the_others_is_left_out_of_the_measures() -> None:
    def told(snapshot: Snapshot) -> list[str]:
        content, _ = Exposition(lambda: snapshot, tuple, mode="paper", version="1").text()
        return [line for line in content.decode().splitlines() if not line.startswith("#")]

    lines = told(SHARED)
    assert "desk_processes 4.0" in lines
    assert "desk_lease_held 0.0" in lines
    assert any(line.startswith('desk_fanout_lag_seconds{quantile="0.99",stream="market"} 0.0042') for line in lines)
    assert not [line for line in lines if line.startswith("desk_fanout_lag") and "portfolio" in line]
    assert not [line for line in told(shared_but(holder=None, token=None)) if line.startswith("desk_lease_token")]
    assert not [line for line in told(WELL) if line.startswith(("desk_redis", "desk_postgres", "desk_lease"))]
