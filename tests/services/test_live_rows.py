"""Quotes of the feed stand over quotes that were asked for once."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import timedelta

import pytest

from services.domain.errors import MalformedPayload
from services.domain.quote_row import QuoteRow
from services.feed.board import Board
from services.live_rows import FROM_FEED, UNDERLYING_GOOD_FOR, LiveRows
from services.wire.feed import feed_v3_pb2 as pb
from services.wire.feed.decoder import decode
from tests.support.clocks import FakeClock
from tests.support.feed_server import unreadable_depth
from tests.support.readings import INFY, NIFTY, NOW, RELIANCE, row

AT_MS = 1_795_163_733_000
"""Two hundred milliseconds before it was received, in `NOW`'s minute."""


class Setting:
    """A board, a clock, and rows over them."""

    def __init__(self) -> None:
        self.clock = FakeClock(NOW)
        self.ns = 5_000_000_000
        self.board = Board()
        self.served: set[str] = set()
        self.wanted: list[tuple[Collection[str], float]] = []
        self.rows = LiveRows(
            board=self.board,
            serves=self._serves,
            want=lambda keys, seconds: self.wanted.append((keys, seconds)),
            clock=self.clock,
            source=lambda: "simulated",
            monotonic_ns=lambda: self.ns,
        )

    def _serves(self, keys: Iterable[str]) -> set[str]:
        return self.served & set(keys)

    def tell(self, key: str = RELIANCE, ltp: float = 1510.0, *, index: bool = False, **members: float) -> None:
        """A frame of the feed arrives now."""
        frame = pb.FeedResponse(type=pb.live_feed, currentTs=AT_MS)
        full = frame.feeds[key].fullFeed
        part = full.indexFF if index else full.marketFF
        part.ltpc.ltp, part.ltpc.cp, part.ltpc.ltt, part.ltpc.ltq = ltp, 1490.0, AT_MS - 500, 7
        part.marketOHLC.ohlc.add(interval="1d", open=1495.0, high=ltp, low=1470.0, close=ltp, vol=1, ts=1)
        if not index:
            full.marketFF.atp, full.marketFF.vtt = 1501.5, 2_000_000
            full.marketFF.tbq, full.marketFF.tsq, full.marketFF.oi = 500.0, 400.0, members.get("oi", 0.0)
            full.marketFF.marketLevel.bidAskQuote.add(bidP=ltp - 0.1, bidQ=11, askP=ltp + 0.1, askQ=22)
            full.marketFF.marketLevel.bidAskQuote.add(bidP=ltp - 0.2, bidQ=12)
        self.board.hold([key])
        self.board.apply(decode(frame.SerializeToString()), self.ns)

    def over(self, *underlying: QuoteRow) -> dict[str, QuoteRow]:
        return self.rows.over({under["instrument_key"]: under for under in underlying})


@pytest.fixture
def at() -> Setting:
    return Setting()


def test_the_feeds_numbers_stand_over_what_only_a_request_tells(at: Setting) -> None:
    at.tell()

    told = at.over(row())[RELIANCE]

    assert (told["ltp"], told["change"], told["change_percent"]) == (1510.0, 20.0, pytest.approx(1.3423))
    assert (told["volume"], told["average_price"]) == (2_000_000, 1501.5)
    assert (told["open"], told["high"], told["low"]) == (1495.0, 1510.0, 1470.0)
    assert (told["total_buy_quantity"], told["total_sell_quantity"]) == (500, 400)
    assert (told["upper_circuit"], told["year_high"]) == (1639.0, 1600.0), "the feed does not tell these"
    assert (told["api_version"], told["source"]) == (FROM_FEED, "simulated")
    assert told["depth"]["buy"][0] == {"price": 1509.9, "quantity": 11, "orders": None}
    assert [level["price"] for level in told["depth"]["sell"]] == [1510.1], "nobody offers at the second level"


def test_instants_are_those_of_the_frame(at: Setting) -> None:
    at.tell()
    at.ns += 250_000_000

    told = at.over(row())[RELIANCE]

    assert told["received_at"] == NOW - timedelta(seconds=0.25)
    assert (told["exchange_time"] - told["last_trade_time"]) == timedelta(seconds=0.5)


def test_an_index_keeps_what_it_does_not_have(at: Setting) -> None:
    at.tell(NIFTY, 24_900.0, index=True)
    under = row(NIFTY, 24_800.0, depth=False)

    told = at.over(under)[NIFTY]

    assert (told["ltp"], told["total_buy_quantity"], told["oi"]) == (24_900.0, None, None)
    assert told["depth"] == {"buy": (), "sell": ()}


def test_a_row_that_did_not_change_is_the_same_object(at: Setting) -> None:
    under = row()
    at.tell()

    first = at.over(under)[RELIANCE]
    assert at.over(under)[RELIANCE] is first
    at.tell(ltp=1511.0)
    assert at.over(under)[RELIANCE]["ltp"] == 1511.0


def test_what_the_feed_has_not_told_stays_as_it_was(at: Setting) -> None:
    at.board.hold([RELIANCE])
    under, other = row(), row(INFY)

    assert at.over(under, other) == {RELIANCE: under, INFY: other}


def test_a_newer_answer_to_a_request_wins_over_an_old_tick(at: Setting) -> None:
    at.tell()
    at.ns += 60_000_000_000  # the feed has been gone for a minute

    asked = row(ltp=1600.0, age=1.0)

    assert at.over(asked)[RELIANCE] is asked


def test_where_nothing_happened_since_a_newer_answer_the_feed_answers_for_it(at: Setting) -> None:
    at.tell()
    at.served = {RELIANCE}
    at.ns += 60_000_000_000  # nothing is traded for a minute; the underlying quote was renewed meanwhile
    asked = row(ltp=1510.0, age=1.0)

    told = at.over(asked)[RELIANCE]

    assert (told["api_version"], told["received_at"], told["ltp"]) == (FROM_FEED, asked["received_at"], 1510.0)
    assert told["depth"] == asked["depth"], "the answer is the newer of the two"
    assert at.over(asked)[RELIANCE] is told
    assert at.rows.current({RELIANCE: asked}) == {RELIANCE: told}, "no request can tell anything newer"
    at.tell(ltp=1511.0)
    assert at.over(asked)[RELIANCE]["ltp"] == 1511.0


def test_what_the_feed_answered_for_is_asked_for_when_it_is_gone(at: Setting) -> None:
    at.tell()
    at.served = {RELIANCE}
    at.ns += 60_000_000_000
    first = row(ltp=1510.0, age=1.0)
    at.over(first)
    at.served = set()

    assert at.rows.current({RELIANCE: first}) == {}
    again = row(ltp=1512.0, age=0.5)
    assert at.over(again)[RELIANCE] is again


def test_only_what_the_feed_serves_is_current(at: Setting) -> None:
    at.tell()
    at.tell(INFY, 1700.0)
    at.served = {RELIANCE, NIFTY}
    under = {key: row(key) for key in (RELIANCE, INFY)}

    assert list(at.rows.current(under)) == [RELIANCE]


def test_an_underlying_quote_is_good_for_a_while_and_for_its_day_only(at: Setting) -> None:
    at.tell()
    at.served = {RELIANCE}
    under = {RELIANCE: row()}
    assert at.rows.current(under)

    at.clock.move(seconds=UNDERLYING_GOOD_FOR.total_seconds())

    assert at.rows.current(under) == {}


def test_open_interest_widens_its_range_of_the_day(at: Setting) -> None:
    at.tell(oi=900.0)
    under = QuoteRow({**row(), "oi": 700.0, "oi_day_high": 800.0, "oi_day_low": 600.0})

    told = at.over(under)[RELIANCE]

    assert (told["oi"], told["oi_day_high"], told["oi_day_low"]) == (900.0, 900.0, 600.0)


def test_a_depth_that_cannot_be_read_is_an_error_and_no_empty_book(at: Setting) -> None:
    at.board.hold([RELIANCE])
    at.board.apply(decode(unreadable_depth(RELIANCE, 1512.0)), at.ns)
    told = at.over(row(RELIANCE))[RELIANCE]

    assert told["ltp"] == 1512.0
    for look in (lambda: told["depth"].best("buy"), lambda: told["depth"]["sell"], lambda: told["depth"]["sell"]):
        with pytest.raises(MalformedPayload):
            look()
