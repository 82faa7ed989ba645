"""Orders: what the desk adds between a ticket and the broker's answer; the checks, two commits to the disk included."""

from __future__ import annotations

import statistics
import tempfile
import time
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from services.domain.actors import Actor
from services.domain.orders import BookOrder, OrderRequest, OrderType, Side
from services.runtime import Runtime
from services.settings import load_settings
from services.transport.caller import Served
from services.transport.order_api import OrderApi
from tests.benchmarks.surroundings import as_the_desk_runs
from tests.benchmarks.table import Row
from tests.support.broker_process import Broker
from tests.support.orders import told

RELIANCE = "NSE_EQ|INE002A01018"
ACTOR = Actor("benchmark")
ORDERS = 60
WARM_UP = 5
SPACING = 0.13
"""Seconds between two orders: the limits of the desk and of the broker hold here too."""
MOST_MS = 10.0
BOOK = 5_000
VIEWS = 200


class Timed(OrderApi):
    """Order calls that note how long each was on the wire."""

    def __init__(self, given: OrderApi) -> None:
        super().__init__(given._caller)
        self.wire_ms: list[float] = []
        self.answered: list[float] = []

    def place(self, request: OrderRequest, *, tag: str) -> Served[tuple[str, ...]]:
        answer = super().place(request, tag=tag)
        self.answered.append(time.perf_counter())
        self.wire_ms.append(answer.elapsed_ms)
        return answer


def run() -> list[Row]:
    """Measure everything about orders."""
    with tempfile.TemporaryDirectory() as folder, Broker(Path(folder) / "broker") as broker:
        settings = load_settings(
            data_dir=Path(folder) / "desk", api_base=broker.url, access_token=broker.token, max_orders_per_second=10
        )
        with as_the_desk_runs(), Runtime(settings) as rt:
            timed = Timed(rt.order_api)
            rt._made["order_api"] = timed  # what the desk is built over, with a watch
            return [*_placing(rt, timed), *_book(rt)]


def _placing(rt: Runtime, timed: Timed) -> list[Row]:
    rt.feed_in().connect("benchmark", timeout=5)
    rt.orders.start()
    while rt.orders.ready():
        time.sleep(0.02)
    price = Decimal(repr(rt.quotes.get([RELIANCE]).quotes[RELIANCE]["ltp"]))
    resting = OrderRequest(RELIANCE, Side.BUY, 1, OrderType.LIMIT, price=(price * Decimal("0.97")).quantize(Decimal(1)))
    began: list[float] = []
    told: list[float] = []
    for number in range(ORDERS + WARM_UP):
        rt.quotes.watch("benchmark", [RELIANCE])
        began.append(time.perf_counter())
        outcome = rt.orders.place(resting, intent_id=f"benchmark-{number}", actor=ACTOR)
        told.append(time.perf_counter())
        assert outcome.accepted, outcome
        time.sleep(SPACING)
    wire = timed.wire_ms[WARM_UP:]
    to_answer = sorted(_beyond(began, timed.answered, timed.wire_ms))
    to_outcome = sorted(_beyond(began, told, timed.wire_ms))
    usual, late = statistics.median(to_answer), to_answer[int(len(to_answer) * 0.95)]
    note = (
        f"{ORDERS} limit orders, p50; checks and committed intent included; the paper broker's own answer takes "
        f"{statistics.median(wire):.1f} ms"
    )
    return [
        Row(
            "ticket to broker's answer, beyond the wire",
            usual,
            MOST_MS,
            usual / MOST_MS,
            f"<= {MOST_MS:g} ms",
            usual <= MOST_MS,
            "ms",
            note,
        ),
        Row("the same, 95 of 100", late, None, None, "", None, "ms"),
        Row(
            "ticket to outcome, beyond the wire",
            statistics.median(to_outcome),
            None,
            None,
            "",
            None,
            "ms",
            "with the second commit: what the answer said",
        ),
    ]


def _beyond(began: list[float], ended: list[float], wire_ms: list[float]) -> list[float]:
    """Milliseconds of each order that were not spent on the wire."""
    spans = zip(began, ended, wire_ms, strict=True)
    return [(end - begin) * 1000 - wire for begin, end, wire in spans][WARM_UP:]


def _book(rt: Runtime) -> list[Row]:
    """A poll that brings 5,000 orders of which none changed, and the book that every screen asks for each second."""
    orders: list[BookOrder] = [replace(told(), order_id=f"2611200{number:08d}") for number in range(BOOK)]
    api: Any = rt.order_api
    api.book = lambda: orders
    began = time.perf_counter()
    rt.orders.refresh()
    first = (time.perf_counter() - began) * 1000
    again, views = [], []
    for _ in range(5):
        began = time.perf_counter()
        rt.orders.refresh()
        again.append((time.perf_counter() - began) * 1000)
    for _ in range(VIEWS):
        began = time.perf_counter()
        rt.orders.book()
        views.append((time.perf_counter() - began) * 1000)
    return [
        Row(
            f"a book of {BOOK:,} new orders taken over", first, None, None, "", None, "ms", "each with its first event"
        ),
        Row(f"a poll of {BOOK:,} orders, none changed", statistics.median(again), None, None, "", None, "ms"),
        Row(f"the book of {BOOK:,} orders for a screen", statistics.median(views), None, None, "", None, "ms"),
    ]
