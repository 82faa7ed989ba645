"""Many at once, in one process and in two, obey one limit; whoever is killed loses nothing that was told."""

from __future__ import annotations

import signal
import sqlite3
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from services.domain.errors import InvalidRequest, RateBudgetSpent
from services.domain.intents import IntentState
from services.ledger.audit import Audit
from services.ledger.engine import LEDGER_FILE, Ledger
from services.ledger.intents import Intents, Standing
from services.ledger.orders import Orders
from tests.support.clocks import FakeClock
from tests.support.ledger import NOW, book_order, new_intent, new_ledger
from tests.support.programs import finish, start

LIMIT = 50


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with closing(new_ledger(tmp_path)) as made:
        yield made


def at_most(limit: int, standing: Standing) -> None:
    if standing.orders_today + 2 > limit:
        raise RateBudgetSpent(f"{limit} orders a day", wait_seconds=1)


PREPARE = """
    import sys
    from concurrent.futures import ThreadPoolExecutor
    from pathlib import Path
    from services.domain.errors import RateBudgetSpent
    from services.ledger.intents import Intents
    from tests.services.ledger.test_intents_at_once import LIMIT, at_most
    from tests.support.clocks import FakeClock
    from tests.support.ledger import NOW, new_intent, new_ledger

    ledger = new_ledger(Path(sys.argv[1]))
    intents = Intents(ledger, FakeClock(NOW))

    def ask(number):
        try:
            intents.prepare(
                new_intent(f"other-{number}", tag=f"other-{number}", lines=2), allow=lambda met: at_most(LIMIT, met)
            )
        except RateBudgetSpent:
            return 0
        return 1

    with ThreadPoolExecutor(8) as threads:
        print(sum(threads.map(ask, range(24))))
    ledger.close()
"""


def test_threads_and_another_process_together_never_pass_the_limit(ledger: Ledger, tmp_path: Path) -> None:
    intents = Intents(ledger, FakeClock(NOW))
    begin = threading.Barrier(32)

    def ask(number: int) -> int:
        begin.wait(30)
        try:
            intents.prepare(new_intent(f"mine-{number}", lines=2), allow=lambda met: at_most(LIMIT, met))
        except RateBudgetSpent:
            return 0
        return 1

    other = start(PREPARE, tmp_path)
    with ThreadPoolExecutor(32) as threads:
        mine = sum(threads.map(ask, range(32)))
    theirs = int(finish(other))

    written = intents.recent(1000)
    assert mine + theirs == len(written) == LIMIT // 2
    assert sum(intent.lines for intent in written) == LIMIT
    acts = Counter(act.what for act in Audit(ledger, FakeClock(NOW)).recent(1000))
    assert acts == {"PLACE": LIMIT // 2, "PLACE refused": 32 + 24 - LIMIT // 2}


def test_one_click_heard_by_many_threads_is_one_intent(ledger: Ledger) -> None:
    intents = Intents(ledger, FakeClock(NOW))
    begin = threading.Barrier(16)

    def click(number: int) -> bool:
        begin.wait(30)
        return intents.prepare(new_intent("click", tag=f"tag-of-{number}"), allow=lambda met: None).repeated

    with ThreadPoolExecutor(16) as threads:
        repeated = list(threads.map(click, range(16)))

    assert repeated.count(False) == 1
    assert len(intents.recent()) == 1


def test_several_witnesses_at_once_settle_an_intent_once(ledger: Ledger) -> None:
    intents = Intents(ledger, FakeClock(NOW))
    intents.prepare(new_intent("one"), allow=lambda met: None)
    begin = threading.Barrier(8)

    def tell(number: int) -> None:
        begin.wait(30)
        state = IntentState.UNKNOWN if number % 2 else IntentState.ACCEPTED
        intents.settle("one", state, order_ids=[] if number % 2 else ["7", f"7-{number}"])

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(tell, range(8)))

    known = intents.get("one")
    assert known is not None
    assert known.state is IntentState.ACCEPTED
    assert sorted(known.order_ids) == ["7", "7-0", "7-2", "7-4", "7-6"]


def test_stream_and_poll_that_tell_one_order_at_once_end_in_one_row_and_one_event_for_each_change(
    ledger: Ledger,
) -> None:
    orders = Orders(ledger, FakeClock(NOW))
    steps = [book_order("1", filled_quantity=filled, pending_quantity=10 - filled) for filled in range(10)]
    steps.append(book_order("1", filled_quantity=10, pending_quantity=0, status="complete"))
    begin = threading.Barrier(6)

    def tell(number: int) -> None:
        begin.wait(30)
        for step in steps if number % 2 else reversed(steps):
            orders.apply(step, source=f"teller {number}")

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(tell, range(6)))

    assert orders.get("1") == steps[-1]
    timeline = orders.timeline("1")
    assert timeline[-1].status == "complete"
    fills = [event.filled_quantity for event in timeline]
    assert fills == sorted(set(fills))


KILLED = """
    import sys
    from itertools import count
    from pathlib import Path
    from services.domain.intents import IntentState
    from services.ledger.intents import Intents
    from services.ledger.orders import Orders
    from tests.support.clocks import FakeClock
    from tests.support.ledger import NOW, book_order, new_intent, new_ledger

    ledger = new_ledger(Path(sys.argv[1]))
    intents, orders = Intents(ledger, FakeClock(NOW)), Orders(ledger, FakeClock(NOW))
    for number in count(int(sys.argv[2])):
        name = f"{number:06d}"
        intents.prepare(new_intent(name, tag=name), allow=lambda met: None)
        print("prepared", name, flush=True)
        intents.settle(name, IntentState.ACCEPTED, order_ids=[f"{name}-1", f"{name}-2"])
        print("settled", name, flush=True)
        orders.apply_many([book_order(f"{name}-{n}", tag=name) for n in (1, 2)], "book")
        print("told", name, flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX")
def test_whoever_is_killed_in_the_middle_has_lost_nothing_that_was_told_and_left_nothing_half(tmp_path: Path) -> None:
    new_ledger(tmp_path).close()
    said: list[list[str]] = []
    for first, lines in ((0, 7), (1000, 23), (2000, 41)):
        program = start(KILLED, tmp_path, first)
        assert program.stdout is not None
        said += [program.stdout.readline().split() for _ in range(lines)]
        program.send_signal(signal.SIGKILL)
        rest, _ = program.communicate(timeout=30)
        said += [line.split() for line in rest.splitlines() if line.count(" ") == 1 and len(line.split()[1]) == 6]

    if (file := tmp_path / LEDGER_FILE).exists():
        with closing(sqlite3.connect(file)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    with closing(new_ledger(tmp_path)) as ledger:
        intents, orders = Intents(ledger, FakeClock(NOW)), Orders(ledger, FakeClock(NOW))
        known = {intent.intent_id: intent for intent in intents.recent(10_000)}
        for what, name in said:
            assert name in known, f"{what} {name}, and it is lost"
            if what in {"settled", "told"}:
                assert known[name].order_ids == (f"{name}-1", f"{name}-2")
            if what == "told":
                assert len(orders.by_tag(name)) == 2
        acts = Counter(act.intent_id for act in Audit(ledger, FakeClock(NOW)).recent(10_000))
        for name, intent in known.items():
            halves = len(orders.by_tag(name))
            assert halves in {0, 2}, "a book is kept whole or not at all"
            assert all(len(orders.timeline(order.order_id)) == 1 for order in orders.by_tag(name))
            assert acts[name] == (2 if intent.state is IntentState.ACCEPTED else 1)
            assert (intent.order_ids == ()) == (intent.state is IntentState.PREPARED)
        assert [intent.intent_id for intent in intents.open()] == [
            name for name in sorted(known) if known[name].state is IntentState.PREPARED
        ]
        assert len(intents.open()) <= 3, "one for each kill at most"


DIES = """
    import os, signal, sys
    from pathlib import Path
    import sqlalchemy as sa
    from services.domain.intents import IntentState
    from services.ledger.intents import Intents
    from tests.support.clocks import FakeClock
    from tests.support.ledger import NOW, new_intent, new_ledger

    ledger = new_ledger(Path(sys.argv[1]))
    intents = Intents(ledger, FakeClock(NOW))

    def die(*_):
        os.kill(os.getpid(), signal.SIGKILL)

    if sys.argv[2] == "settling":
        intents.prepare(new_intent("one", tag="t1"), allow=lambda met: None)
    if sys.argv[2] in {"before the commit", "settling"}:
        sa.event.listen(ledger._engine, "commit", die)
    if sys.argv[2] == "settling":
        intents.settle("one", IntentState.ACCEPTED, order_ids=["7"])
    intents.prepare(new_intent("one", tag="t1"), allow=die if sys.argv[2] == "asking leave" else lambda met: None)
    die()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX")
@pytest.mark.parametrize(
    ("where", "left"),
    [
        ("asking leave", []),
        ("before the commit", []),
        ("after the commit", [IntentState.PREPARED]),
        ("settling", [IntentState.PREPARED]),
    ],
)
def test_a_kill_leaves_the_state_before_or_after_and_the_same_press_is_good_again(
    tmp_path: Path, where: str, left: list[IntentState]
) -> None:
    new_ledger(tmp_path).close()

    finish(start(DIES, tmp_path, where), code=-signal.SIGKILL)

    with closing(new_ledger(tmp_path)) as ledger:
        intents = Intents(ledger, FakeClock(NOW))
        assert [intent.state for intent in intents.recent()] == left
        assert len(Audit(ledger, FakeClock(NOW)).recent()) == len(left)
        again = intents.prepare(new_intent("one", tag="t1"), allow=lambda met: None)
        assert again.repeated is bool(left)
        assert [intent.intent_id for intent in intents.open()] == ["one"]


def test_a_refused_press_does_not_spend_the_id(ledger: Ledger) -> None:
    intents = Intents(ledger, FakeClock(NOW))

    def refuse(_: Standing) -> None:
        raise InvalidRequest("not now")

    with ThreadPoolExecutor(4) as threads:
        outcomes = [threads.submit(intents.prepare, new_intent("same"), allow=refuse) for _ in range(4)]

    assert all(isinstance(outcome.exception(), InvalidRequest) for outcome in outcomes)
    assert intents.recent() == []
