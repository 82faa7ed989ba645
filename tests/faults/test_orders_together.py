"""Two desks with folders of their own, one ledger in PostgreSQL, one Redis, one account at one broker."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from cryptography.fernet import Fernet

from services.domain.orders import OrderRequest, OrderType, Side, Status
from services.runtime import Runtime
from services.settings import load_settings
from tests.support.broker_process import Broker
from tests.support.order_child import ACTOR, RELIANCE
from tests.support.order_desk import eventually
from tests.support.postgres import new_ledger_url, server_of_worker
from tests.support.redis import RedisServer, settle

BUY = OrderRequest(RELIANCE, Side.BUY, 5, OrderType.MARKET)


class Team:
    """A desk named `one` that leads, and one named `two`."""

    def __init__(self, folder: Path, broker: Broker, ledger_url: str, redis: RedisServer) -> None:
        key = Fernet.generate_key().decode()
        self.desks = [
            Runtime(
                load_settings(
                    data_dir=folder / name,
                    api_base=broker.url,
                    access_token=broker.token,
                    ledger_url=ledger_url,
                    redis_url=redis.url,
                    process_name=name,
                    encryption_key=key,
                )
            )
            for name in ("one", "two")
        ]
        for place, rt in enumerate(self.desks):
            assert rt.shared is not None
            if not place:
                settle(rt.shared.link)
            rt.shared.start()
            eventually(lambda rt=rt, leads=not place: _role(rt) == (True, leads))
            rt.orders.start()
        for rt in self.desks:
            eventually(lambda rt=rt: rt.orders.ready() == "" and rt.portfolio_feed.connected)

    def close(self) -> None:
        for rt in reversed(self.desks):
            rt.close()


def _role(rt: Runtime) -> tuple[bool, bool]:
    """Does it reach the others, and does it lead?"""
    assert rt.shared is not None
    return rt.shared.link.state().up, rt.shared.lease.leads()


@pytest.fixture
def team(tmp_path: Path, redis_server: RedisServer) -> Iterator[Team]:
    url = new_ledger_url()
    with Broker(tmp_path / "broker") as broker:
        made = Team(tmp_path, broker, url, redis_server)
        try:
            yield made
        finally:
            made.close()
    server_of_worker().drop(url)


def _done(rt: Runtime, order_id: str) -> bool:
    order = next((one for one in rt.orders.book().orders if one.order_id == order_id), None)
    return order is not None and order.status == Status.COMPLETE


def test_one_asks_both_know_and_the_other_takes_over(team: Team) -> None:
    one, two = team.desks
    begin = Barrier(2)

    def click(rt: Runtime) -> tuple[tuple[str, ...], bool]:
        begin.wait(30)
        told = rt.orders.place(BUY, intent_id="one-click", actor=ACTOR)
        return told.order_ids, told.repeated

    with ThreadPoolExecutor(2) as threads:
        told = list(threads.map(click, team.desks))
    [order_id] = told[0][0]
    for rt in team.desks:
        eventually(lambda rt=rt: _done(rt, order_id))
        eventually(lambda rt=rt: [fill.order_id for fill in rt.orders.trades().trades] == [order_id])
    events = Counter((event.status, event.filled_quantity) for event in two.orders.timeline(order_id))

    assert told[0][0] == told[1][0]
    assert sorted(repeated for _, repeated in told) == [False, True]
    assert [order.order_id for order in one.order_api.book()] == [order_id]
    assert max(events.values()) == 1, "each step is written down once, whoever heard of it"
    assert one.orders.book().as_of is not None

    one.close()
    eventually(lambda: _role(two) == (True, True))
    again = two.orders.place(BUY, intent_id="another", actor=ACTOR).order_ids[0]
    eventually(lambda: _done(two, again))
    eventually(lambda: len(two.orders.trades().trades) == 2)
