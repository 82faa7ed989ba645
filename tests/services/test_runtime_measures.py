"""The measures of a whole desk: every part tells what it has counted, and none is built for it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from services.domain.actors import Actor, Role
from services.domain.orders import OrderRequest, OrderType, Side
from services.measures.checks import CheckState
from services.runtime import Runtime
from services.settings import load_settings
from tests.support.paper import RELIANCE

PERSON = Actor("asha", Role.TRADER)


def test_what_happens_in_a_desk_is_told_by_its_measures(tmp_path: Path) -> None:
    with Runtime(load_settings(data_dir=tmp_path)) as rt:
        measures = rt.measures
        measures._fresh = 0.0  # each look is a new one
        first = measures.snapshot()
        assert (first.feed, first.orders, first.cache, first.push) == (None, None, None, None)
        assert not rt.built("feed")
        assert not rt.built("orders")
        assert first.problems == {}
        measures.keep()

        rt.instruments.refresh_if_due()
        assert rt.feed_in().connect(timeout=30)
        rt.feed.hold("test", [RELIANCE])
        assert rt.feed.settle(30)
        of_unknown = rt.alert_desk._readers["order_unknown"]
        assert of_unknown(first, 0.0) is None
        assert rt.orders.ready()
        before = measures.snapshot()
        assert before.orders is not None
        assert before.orders.unknown is None, "the orders of before the start were not looked up yet"
        assert of_unknown(before, 0.0) is None
        rt.orders.start()
        rt.quotes.get([RELIANCE], use_cache=False)
        rt.quotes.get([RELIANCE])
        placed = rt.orders.place(
            OrderRequest(RELIANCE, Side.BUY, 1, OrderType.MARKET), intent_id="measured", actor=PERSON
        )
        assert placed.accepted, placed

        now = measures.snapshot()
        assert now.problems == {}
        assert now.rest is not None
        quotes = next(one for one in now.rest.operations if one.operation == "quotes")
        assert (quotes.version, quotes.answers["2xx"] >= 1, quotes.took.count) == ("v3", True, quotes.attempts)
        assert {"quotes", "order_place"} <= {one.operation for one in now.rest.operations}
        assert any(budget.name.startswith("group") for budget in now.rest.budgets)
        assert now.orders is not None
        assert [spread.count for spread in (now.orders.own, now.orders.network, now.orders.broker)] == [1, 1, 1]
        assert (now.orders.ready, now.orders.unknown) == ("", 0)
        assert of_unknown(now, 0.0) == []
        assert now.feed is not None
        assert (now.feed.connected, now.feed.subscribed, now.feed.expected) == (True, 1, True)
        assert now.cache is not None
        assert now.cache.broker >= 1
        assert now.token is not None
        assert now.token.kind == "access"
        assert now.storage is not None
        assert [pool.name for pool in now.storage.pools] == ["market_data.db", "ledger.db"]
        assert now.storage.writer is not None
        assert now.ledger is not None
        states = {check.name: check.state for check in measures.checks()}
        assert states["orders"] is states["rest"] is CheckState.PASS, measures.checks()
        assert states["token"] is not CheckState.FAIL, "it may end soon, at that time of day"

        measures.keep()
        [row] = measures.history(timedelta(hours=1))
        assert row.requests is not None
        assert row.requests >= 5
        assert row.failures == 0
