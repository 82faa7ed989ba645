"""Live prices for paper orders: what the matching sees is what the broker behind the relay says, or an error."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from services.domain.errors import BrokerError, ConfigurationError, ForeignToken
from services.paper.relay.market import OLD_SECONDS, RelayMarket
from services.paper.relay.upstream import LiveSource, Upstream
from tests.support.paper import INFY, NIFTY, RELIANCE
from tests.support.paper_trading import BookMarket, Trader, trading
from tests.support.relay import read_only_token, source

NOW = datetime(2026, 11, 20, 5, 45, tzinfo=UTC)


@dataclass
class Live:
    """A market behind a relay, and the broker that it asks."""

    relay: RelayMarket
    behind: BookMarket
    trader: Trader
    passed: list[float]
    """Seconds on the relay's own clock."""


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    behind, passed = BookMarket(), [0.0]
    with trading(tmp_path, market=behind, faults=True) as trader:
        relay = RelayMarket(Upstream(source(trader), now=NOW), monotonic=lambda: passed[0])
        try:
            yield Live(relay, behind, trader, passed)
        finally:
            relay.close()


def test_prices_depth_and_limits_are_those_of_the_broker_behind(live: Live) -> None:
    live.behind.move(RELIANCE, 1480.0)

    [share, index] = live.relay.snapshots([RELIANCE, NIFTY], NOW)
    [own, own_index] = live.behind.snapshots([RELIANCE, NIFTY], NOW)

    assert (share.ltp, share.bids, share.asks) == (1480.0, own.bids, own.asks)
    assert (share.lower_circuit, share.upper_circuit) == (own.lower_circuit, own.upper_circuit)
    assert (share.prev_close, share.volume) == (own.prev_close, own.volume)
    assert (index.ltp, index.volume, index.bids, index.upper_circuit) == (own_index.ltp, None, (), None)


def test_listings_are_the_rows_of_the_instrument_file(live: Live) -> None:
    found = live.relay.listings(NOW)

    assert found.keys() == live.behind.listings(NOW).keys()
    assert found[RELIANCE].row == live.behind.listings(NOW)[RELIANCE].row
    assert (found[NIFTY].segment, found[NIFTY].exchange) == ("NSE_INDEX", "NSE")


def test_a_price_that_has_grown_old_is_refused_and_a_fresh_one_is_served_again(live: Live) -> None:
    live.relay.snapshots([RELIANCE], NOW)
    live.trader.send("POST", "/_paper/faults", json={"operation": "quotes", "kind": "drop", "times": 1})
    live.passed[0] += OLD_SECONDS + 1

    with pytest.raises(BrokerError, match="no fresh price") as refused:
        live.relay.snapshots([RELIANCE], NOW)
    assert refused.value.status == 503
    live.relay.look_again()  # meets the fault, and what is known stays old
    with pytest.raises(BrokerError, match="no fresh price"):
        live.relay.snapshots([RELIANCE], NOW)
    live.relay.look_again()
    assert live.relay.snapshots([RELIANCE], NOW)[0].ltp == live.behind.snapshots([RELIANCE], NOW)[0].ltp


def test_an_unlisted_key_is_a_key_error_and_asks_for_no_price(live: Live) -> None:
    with pytest.raises(KeyError):
        live.relay.snapshots(["NSE_EQ|INE000000000"], NOW)


@pytest.mark.parametrize("kind", ["drop", "garbage", "status", "html_403", "truncated"])
def test_without_an_answer_there_is_an_error_and_no_price(live: Live, kind: str) -> None:
    live.relay.listings(NOW)
    live.trader.send("POST", "/_paper/faults", json={"operation": "quotes", "kind": kind})

    with pytest.raises(BrokerError) as refused:
        live.relay.snapshots([INFY], NOW)
    assert refused.value.status == 503


def test_bars_are_those_of_the_broker_behind_oldest_first(live: Live) -> None:
    first, last = date(2026, 11, 2), date(2026, 11, 19)

    days = live.relay.days(RELIANCE, first, last, NOW)
    own = live.behind.days(RELIANCE, first, last, NOW)
    assert days.start_ms.tolist() == own.start_ms.tolist() == sorted(days.start_ms.tolist())
    assert days.prices.tolist() == own.prices.tolist()
    assert len(live.relay.today(RELIANCE, NOW)) == len(live.relay.minute_bars(RELIANCE, NOW)) > 0
    assert len(live.relay.minutes(RELIANCE, last, last, NOW)) > 0


def test_yesterdays_instruments_go_on_where_todays_cannot_be_had(live: Live) -> None:
    before = live.relay.listings(NOW)
    live.trader.send("POST", "/_paper/faults", json={"operation": "instrument_file", "kind": "drop", "times": 5})

    assert live.relay.listings(NOW + timedelta(days=1)) is before


def test_without_instruments_it_does_not_start(live: Live) -> None:
    live.trader.send("POST", "/_paper/faults", json={"operation": "instrument_file", "kind": "garbage", "times": 5})

    with pytest.raises(ConfigurationError, match="instrument file"):
        live.relay.start(NOW)


def test_a_token_that_could_trade_is_not_taken_and_not_told(tmp_path: Path) -> None:
    with trading(tmp_path) as trader:
        trading_token = trader.session.headers["Authorization"].removeprefix("Bearer ")

        for token in (trading_token, "no.token.atall", ""):
            with pytest.raises(ForeignToken) as refused:
                Upstream(LiveSource(token, trader.base, trader.base), now=NOW)
            assert not token or token not in str(refused.value)


def test_prices_come_over_https_only(live: Live) -> None:
    token = read_only_token(live.trader)

    with pytest.raises(ConfigurationError, match="https"):
        Upstream(LiveSource(token, "http://api.upstox.com"), now=NOW)
    assert token not in repr(LiveSource(token))
