"""A desk's process is killed (-9) in the middle of a write. At every point the broker holds at most one order of it;
after a restart the ledger knows its true state, and the same decision sends nothing more. The same where the ledger is
a PostgreSQL database: there it may as well be another process, with a folder of its own, that finds it out."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest
import requests
from cryptography.fernet import Fernet

from services.domain.intents import Intent, IntentState
from services.domain.order_facts import OrderLimits
from services.domain.orders import BookOrder, OrderRequest, OrderType, Product, Side, Status
from services.runtime import Runtime
from services.settings import load_settings
from tests.checks import stage_environment
from tests.support.broker_process import Broker
from tests.support.order_child import ACTOR, INTENT, RELIANCE, SEGMENT, write
from tests.support.order_desk import eventually
from tests.support.postgres import new_ledger_url, server_of_worker
from tests.support.shared_data import ROOT
from tests.support.warm import Forked, start

PATIENCE_SECONDS = 60.0
POINTS = ("before", "answer, not done", "answer, done", "record")
DONE = {"answer, done", "record"}
"""Killed there, the broker has it."""
FILE, SERVER = "file", "database"
KEY = Fernet.generate_key().decode()
on_both = pytest.mark.parametrize("url", [FILE, SERVER], indirect=True)
on_both_at_length = pytest.mark.parametrize("url", [FILE, pytest.param(SERVER, marks=pytest.mark.soak)], indirect=True)
"""In a database only when long runs are asked for: what comes before and after the ledger is the same."""
OPERATIONS = {
    "basket": "order_multi_place", "modify": "order_modify", "cancel": "order_cancel",
    "cancel all": "order_multi_cancel", "exit": "positions_exit", "convert": "position_convert",
    "waiting": "gtt_place", "switch": "kill_switch_set",
}  # fmt: skip


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    made = Broker(tmp_path_factory.mktemp("broker") / "data")
    with made:
        yield made


class Desk:
    """One ledger, over which processes come and go: in a data folder, or in a database beside several folders."""

    def __init__(self, broker: Broker, folder: Path, ledger_url: str | None = None) -> None:
        self.broker = broker
        self.folder = folder
        self.ledger_url = ledger_url

    def open(self) -> Runtime:
        """A desk of today, in this process; over a database with another folder than that of the child."""
        settings = load_settings(
            data_dir=self._folder("survivor"),
            api_base=self.broker.url,
            access_token=self.broker.token,
            order_lost_after=1,
            ledger_url=self.ledger_url,
            encryption_key=None if self.ledger_url is None else KEY,
        )
        return Runtime(settings)

    def _folder(self, name: str) -> Path:
        return self.folder if self.ledger_url is None else self.folder / name

    def killed(self, point: str, what: str, order_id: str = "") -> None:
        """A desk in another process begins the write and ends at `point`."""
        name = point.partition(",")[0]
        if name == "answer":
            kind = "no_answer_after" if "not" not in point else "no_answer_before"
            self.fault({"operation": OPERATIONS.get(what, "order_place"), "kind": kind})
        child = self.child(name, what, order_id)
        assert child.stdout.readline() == "sending\n"
        if name == "answer":
            eventually(self._met)
            child.send_signal(signal.SIGKILL)
        child.communicate(timeout=60)
        assert child.returncode == -signal.SIGKILL

    def child(
        self, point: str, what: str, order_id: str = "", intent_id: str = INTENT, *, name: str = "child"
    ) -> Forked:
        """A desk in another process that begins the write."""
        own = stage_environment({"PYTHONPATH": str(ROOT), "PATH": ""})
        if self.ledger_url is not None:
            own |= {"DESK_LEDGER_URL": self.ledger_url, "DESK_ENCRYPTION_KEY": KEY}
        where = (str(self._folder(name)), self.broker.url, self.broker.token)
        return start("tests.support.order_child", *where, point, what, order_id, intent_id, environment=own)

    def fault(self, wanted: dict[str, object]) -> None:
        answer = requests.post(self._faults(), json=wanted, headers=self._token(), timeout=30)
        assert answer.status_code == 200, answer.text

    def _met(self) -> bool:
        """Has the request met its fault? Then the broker has it, or has dropped it."""
        told = requests.get(self._faults(), headers=self._token(), timeout=30).json()["data"]
        return not told

    def _faults(self) -> str:
        return f"{self.broker.url}/_paper/faults"

    def _token(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.broker.token}"}


@pytest.fixture
def url(request: pytest.FixtureRequest) -> Iterator[str | None]:
    """Where the ledger is: a database of its own, if the test asks for one."""
    if getattr(request, "param", FILE) == FILE:
        yield None
        return
    made = new_ledger_url()
    yield made
    server_of_worker().drop(made)


@pytest.fixture
def desk(broker: Broker, tmp_path: Path, url: str | None) -> Desk:
    return Desk(broker, tmp_path / "desk", url)


@pytest.fixture
def alone(tmp_path: Path, url: str | None) -> Iterator[Desk]:
    """A desk whose broker nobody else uses."""
    with Broker(tmp_path / "broker") as broker:
        yield Desk(broker, tmp_path / "desk", url)


def settled(rt: Runtime, *names: str) -> list[Intent]:
    """These decisions when nothing about them is open any more."""

    def known() -> list[Intent]:
        return [found for name in names if (found := rt.intents.get(name)) is not None]

    end, pause = time.monotonic() + PATIENCE_SECONDS, Event()
    while len(known()) < len(names) or any(one.state.is_open for one in known()):
        assert time.monotonic() < end, "it was not found out what became of it"
        pause.wait(0.02)
    return known()


def tagged(rt: Runtime, intent: Intent) -> list[BookOrder]:
    """What the broker itself holds of a decision."""
    return [order for order in rt.order_api.book() if order.tag == intent.tag]


@pytest.mark.parametrize(
    ("what", "url"),
    [("place", FILE), ("market", FILE), ("market", SERVER), pytest.param("place", SERVER, marks=pytest.mark.soak)],
    indirect=["url"],
)
@pytest.mark.parametrize("point", POINTS)
def test_killed_while_placing(desk: Desk, point: str, what: str) -> None:
    desk.killed(point, what)

    with desk.open() as rt:
        at_first = rt.intents.get(INTENT)
        rt.orders.start()
        [end] = settled(rt, INTENT)
        there = tagged(rt, end)
        again = write(rt, what, "")

        assert at_first is not None
        assert at_first.state is IntentState.PREPARED
        assert len(there) == (1 if point in DONE else 0)
        assert end.state is (IntentState.ACCEPTED if there else IntentState.ABSENT)
        assert list(end.order_ids) == [order.order_id for order in there]
        assert again.repeated
        assert tagged(rt, end) == there, "the same decision sent nothing more"


@on_both_at_length
@pytest.mark.parametrize("point", POINTS)
def test_killed_while_placing_a_basket(desk: Desk, point: str) -> None:
    desk.killed(point, "basket")

    with desk.open() as rt:
        rt.orders.start()
        ends = settled(rt, f"{INTENT}/1", f"{INTENT}/2")
        again = write(rt, "basket", "")

        for end in ends:
            there = tagged(rt, end)
            assert len(there) == (1 if point in DONE else 0)
            assert end.state is (IntentState.ACCEPTED if there else IntentState.ABSENT)
        assert again.repeated


@on_both_at_length
@pytest.mark.parametrize("what", ["modify", "cancel"])
@pytest.mark.parametrize("point", POINTS)
def test_killed_while_changing(desk: Desk, point: str, what: str) -> None:
    with desk.open() as rt:
        order_id = write(rt, "place", "", intent_id="first").order_ids[0]
    desk.killed(point, what, order_id)

    with desk.open() as rt:
        rt.orders.start()
        [end] = settled(rt, INTENT)
        there = rt.order_api.details(order_id)
        known = rt.orders.order(order_id)

        done = there.quantity == 20 if what == "modify" else there.status == Status.CANCELLED
        assert done == (point in DONE)
        assert end.state is (IntentState.ACCEPTED if done else IntentState.ABSENT)
        assert known is not None
        assert (known.status, known.quantity) == (there.status, there.quantity)
        assert write(rt, what, order_id).repeated


def _bought(rt: Runtime) -> None:
    """A position of today that can be converted and closed."""
    buy = OrderRequest(RELIANCE, Side.BUY, 5, OrderType.MARKET, Product.INTRADAY)
    assert rt.orders.place(buy, intent_id="first", actor=ACTOR).accepted
    eventually(lambda: _held(rt) == {"I": 5})


def _held(rt: Runtime) -> dict[str, int]:
    return {one.product: one.quantity for one in rt.order_api.positions() if one.quantity}


def _lies_open(rt: Runtime) -> None:
    assert write(rt, "place", "", intent_id="first").accepted


OTHERS = {
    "convert": (_bought, lambda rt: _held(rt) == {"D": 5}),
    "exit": (_bought, lambda rt: _held(rt) == {}),
    "cancel all": (_lies_open, lambda rt: all(order.terminal for order in rt.order_api.book())),
    "switch": (lambda rt: None, lambda rt: next(s.killed for s in rt.order_api.kill_switch() if s.segment == SEGMENT)),
}
"""What has to be there first, and whether the broker has done it."""


@on_both_at_length
@pytest.mark.parametrize("what", OTHERS)
@pytest.mark.parametrize("point", ["before", "answer, done", "record"])
def test_killed_while_doing_something_about_many_orders_or_a_position(alone: Desk, point: str, what: str) -> None:
    prepare, is_done = OTHERS[what]
    with alone.open() as rt:
        prepare(rt)
    alone.killed(point, what)

    with alone.open() as rt:
        rt.orders.start()
        [end] = settled(rt, INTENT)

        assert is_done(rt) == (point in DONE)
        assert end.state is (IntentState.ACCEPTED if point in DONE else IntentState.ABSENT)
        assert write(rt, what, "").repeated


@on_both_at_length
@pytest.mark.parametrize("point", ["before", "answer, done"])
def test_killed_while_placing_an_order_that_waits_a_person_confirms_what_the_list_shows(
    alone: Desk, point: str
) -> None:
    alone.killed(point, "waiting")

    with alone.open() as rt:
        rt.orders.start()
        eventually(lambda: [one.looks >= 1 for one in rt.orders.open_intents()] == [True])
        [unknown] = rt.orders.open_intents()
        there = tuple(one.gtt_id for one in rt.order_api.gtts())
        decided = rt.orders.resolve(INTENT, bool(there), order_ids=unknown.candidates, actor=ACTOR)

        assert len(there) == (point in DONE)
        assert unknown.candidates == there
        assert decided.state is (IntentState.ACCEPTED if there else IntentState.ABSENT)
        assert write(rt, "waiting", "").repeated


@pytest.mark.soak
@pytest.mark.parametrize("url", [SERVER], indirect=True)
def test_stopped_while_placing_and_woken_when_another_one_has_given_it_up(desk: Desk) -> None:
    child = desk.child("stop", "market")
    assert child.stdout.readline() == "sending\n"

    with desk.open() as rt:
        rt.orders.start()
        eventually(lambda: (known := rt.intents.get(INTENT)) is not None and known.state is not IntentState.PREPARED)
        given_up = rt.intents.get(INTENT)
        child.send_signal(signal.SIGCONT)
        said, _ = child.communicate(timeout=60)
        [end] = settled(rt, INTENT)

        assert given_up is not None
        assert given_up.state is IntentState.UNKNOWN
        assert end.state is IntentState.ABSENT
        assert "ABSENT" in said
        assert tagged(rt, end) == []


@on_both
def test_two_processes_on_one_ledger_with_the_same_decision_send_one_order(desk: Desk) -> None:
    desk.fault({"operation": "order_place", "kind": "slow", "ms": 1500})
    both = [desk.child("none", "market", name=name) for name in ("one", "two")]
    said = [child.communicate(timeout=120)[0] for child in both]

    with desk.open() as rt:
        end = rt.intents.get(INTENT)
        assert end is not None
        assert end.state is IntentState.ACCEPTED
        assert [order.order_id for order in tagged(rt, end)] == list(end.order_ids)
    assert sorted("sending" in one for one in said) == [False, True]
    assert sorted("repeated=True" in one for one in said) == [False, True]


@on_both
def test_two_processes_on_one_ledger_share_the_limit_of_a_day(desk: Desk) -> None:
    with desk.open() as rt:
        rt.orders.set_limits(OrderLimits(max_orders_per_day=1), actor=ACTOR)
    both = [desk.child("none", "market", "", name, name=name) for name in ("mine", "theirs")]
    said = [child.communicate(timeout=120)[0] for child in both]

    assert sorted("sending" in one for one in said) == [False, True]
    assert sum("the limit of 1 orders a day is reached" in one for one in said) == 1
