"""What a practice account is given as its past."""

from __future__ import annotations

from collections import Counter
from datetime import date, time

import pytest

from services.domain.clock import IST
from services.paper.market import PracticeMarket
from services.paper.past_days import past_orders, trading_days
from services.paper.sessions import Sessions
from services.paper.trading.values import units
from tests.support.paper_market import practice_market

TODAY = date(2026, 11, 20)


@pytest.fixture(scope="module")
def market() -> PracticeMarket:
    return practice_market()


def test_the_days_are_ordinary_ones_of_the_exchange() -> None:
    days = trading_days(Sessions(always=False), TODAY, 10)

    assert (len(days), days[-1], days == sorted(days)) == (10, date(2026, 11, 19), True)
    assert date(2026, 11, 8) not in days  # a Sunday with a session in the evening
    assert date(2026, 11, 10) not in days  # a holiday


def test_nothing_is_sold_that_was_not_bought_and_prices_are_the_markets_own(market: PracticeMarket) -> None:
    days = trading_days(Sessions(always=False), TODAY, 12)

    orders, seen = past_orders(market, days, seed=3)

    assert [one.at for one in orders] == sorted(one.at for one in orders)
    assert all(time(9, 30) <= one.at.astimezone(IST).time() <= time(15, 10) for one in orders)
    held: Counter[tuple[str, str]] = Counter()
    products: dict[str, set[str]] = {}
    for one in orders:
        wanted = one.wanted
        products.setdefault(wanted.key, set()).add(wanted.product)
        held[wanted.key, wanted.product] += wanted.quantity if wanted.buys else -wanted.quantity
        if wanted.key.startswith("NSE_EQ") and wanted.product == "D":
            assert held[wanted.key, wanted.product] >= 0
        [snap] = market.snapshots([wanted.key], one.at)
        assert abs(wanted.price - units(snap.ltp)) <= units(snap.ltp) * 0.05 + units(1)
        assert wanted.key in seen.listings(one.at)
    assert all(len(found) == 1 for found in products.values())
    assert {key.partition("|")[0] for key in products} == {"NSE_EQ", "NSE_FO"}
    assert all(not many for (key, product), many in held.items() if product == "I" or "FO" in key)


def test_the_same_number_gives_the_same_past(market: PracticeMarket) -> None:
    days = trading_days(Sessions(always=False), TODAY, 4)

    assert past_orders(market, days, seed=1)[0] == past_orders(market, days, seed=1)[0]
    assert past_orders(market, days, seed=1)[0] != past_orders(market, days, seed=2)[0]
