"""The portfolio feed over loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import websocket

from services.domain.errors import InvalidRequest
from services.paper.feed.portfolio_feed import PortfolioUpdates
from tests.support.feed_paper import (
    PORTFOLIO_AUTHORIZE,
    PORTFOLIO_DIRECT,
    FeedBench,
    FeedSocket,
    eventually,
    feeding,
    handshake_status,
)
from tests.support.paper import RELIANCE
from tests.support.shared_data import shared

ALL = "order,gtt_order,position,holding"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[FeedBench]:
    with feeding(tmp_path) as made:
        yield made


def updates(bench: FeedBench) -> PortfolioUpdates:
    return bench.server.portfolio_updates


def listening(bench: FeedBench, types: str | None = None) -> FeedSocket:
    """A socket that the hub knows already."""
    before = len(bench.open("portfolio"))
    made = bench.connect(bench.address(PORTFOLIO_AUTHORIZE, params={} if types is None else {"update_types": types}))
    eventually(lambda: len(bench.open("portfolio")) == before + 1)
    return made


def told(socket: FeedSocket) -> dict[str, Any]:
    opcode, data = socket.raw.recv_data()
    assert opcode == websocket.ABNF.OPCODE_TEXT
    found = json.loads(data)
    assert isinstance(found, dict)
    return found


def order(number: int = 1) -> dict[str, object]:
    return {"update_type": "order", "order_id": str(number), "instrument_key": RELIANCE, "tag": None}


def test_nothing_is_told_on_connect(bench: FeedBench) -> None:
    updates(bench).publish(order())

    assert listening(bench).is_quiet()


def test_updates_come_as_text_in_the_order_in_which_they_happen(bench: FeedBench) -> None:
    socket = listening(bench)

    for number in range(50):
        updates(bench).publish(order(number))

    assert [told(socket)["order_id"] for _ in range(50)] == [str(number) for number in range(50)]


@pytest.mark.parametrize("kind", ["order", "gtt_order", "position", "holding"])
def test_the_documented_updates_pass_as_they_are(bench: FeedBench, kind: str) -> None:
    sample = json.loads(shared(f"upstox/examples/ws_portfolio_{kind}.json").read_text())
    socket = listening(bench, ALL)

    updates(bench).publish(sample)

    assert told(socket) == sample


def test_only_what_was_asked_for_is_told(bench: FeedBench) -> None:
    orders, holdings = listening(bench), listening(bench, "holding,position")

    updates(bench).publish({"update_type": "holding", "isin": "x"})
    updates(bench).publish(order(7))

    assert told(orders)["order_id"] == "7", "orders are what one gets without asking"
    assert told(holdings)["update_type"] == "holding"
    assert holdings.is_quiet()


def test_the_direct_handshake_takes_the_types_along(bench: FeedBench) -> None:
    socket = bench.connect(bench.direct(PORTFOLIO_DIRECT) + "?update_types=order%2Cgtt_order", header=bench.bearer)
    eventually(lambda: len(bench.open("portfolio")) == 1)

    updates(bench).publish({"update_type": "gtt_order", "gtt_order_id": "GTT-1"})

    assert told(socket)["gtt_order_id"] == "GTT-1"
    assert bench.open("portfolio")[0]["update_types"] == ["gtt_order", "order"]


def test_unknown_types_are_refused(bench: FeedBench) -> None:
    assert bench.client.error(PORTFOLIO_AUTHORIZE, params={"update_types": "order,news"}) == (400, "UDAPI100036")
    assert handshake_status(bench.direct(PORTFOLIO_DIRECT) + "?update_types=news", header=bench.bearer) == 400


def test_a_code_of_the_market_feed_opens_no_portfolio_feed(bench: FeedBench) -> None:
    query = bench.address().partition("?")[2]
    address = bench.address(PORTFOLIO_AUTHORIZE).partition("?")[0]

    assert handshake_status(f"{address}?{query}") == 403


def test_any_thread_may_publish(bench: FeedBench) -> None:
    socket = listening(bench)
    threads = [
        threading.Thread(target=lambda first=first: [updates(bench).publish(order(first + n)) for n in range(50)])
        for first in range(0, 200, 50)
    ]
    for thread in threads:
        thread.start()

    seen = {told(socket)["order_id"] for _ in range(200)}

    for thread in threads:
        thread.join()
    assert seen == {str(number) for number in range(200)}


def test_publishing_to_nobody_and_after_the_end_does_nothing(bench: FeedBench) -> None:
    hub = updates(bench)
    hub.publish(order())
    socket = listening(bench)
    bench.server.stop()

    hub.publish(order())

    assert socket.end() == 1012


def test_an_update_of_no_known_kind_is_a_mistake() -> None:
    with pytest.raises(InvalidRequest, match="update_type"):
        PortfolioUpdates().publish({"update_type": "news"})


def test_a_client_that_does_not_read_is_cut_off(bench: FeedBench) -> None:
    socket = listening(bench)
    heavy = order() | {"status_message": "x" * 20_000}
    for _ in range(1500):
        updates(bench).publish(heavy)
        if not bench.open("portfolio"):
            break

    eventually(lambda: not bench.open("portfolio"))
    assert socket.end() is None
