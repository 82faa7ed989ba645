from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from services.domain.actors import THE_DESK
from services.domain.orders import PastTrade, Side
from services.domain.paper_accounts import AccountMark
from services.ledger.account_mark import AccountMarks
from services.ledger.engine import Ledger
from services.ledger.told_trades import HISTORY_SOURCE, ToldTrades
from services.ledger.trades import Trades
from services.portfolio.readers.facts import as_told, facts_of, read_facts
from tests.support.clocks import FakeClock
from tests.support.ledger import NOW, RELIANCE, new_ledger, trade
from tests.support.orders import a_share
from tests.support.pnl_desk import past


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    made = new_ledger(tmp_path)
    yield made
    made.close()


def the_past() -> PastTrade:
    return past("77", "SELL", 4, "110.25", "2026-11-18")


def test_fills_are_told_in_whole_numbers_whoever_told_them(ledger: Ledger) -> None:
    trades, told = Trades(ledger, FakeClock(NOW)), ToldTrades(ledger)
    trades.add([trade("50", traded_at=NOW)], "trades", account="AB1234")
    trades.add([the_past()], HISTORY_SOURCE)

    now, then = sorted(told.all(), key=lambda one: one.trade_id)

    assert (now.key, now.side, now.quantity, now.price) == (RELIANCE, "BUY", 10, 12_344_500)
    assert (now.account, now.at_ms, now.about) == ("AB1234", int(NOW.timestamp() * 1000), None)
    assert not now.from_history
    assert (then.day, then.price, then.at_ms, then.account, then.order_id) == (
        date(2026, 11, 18),
        1_102_500,
        None,
        "",
        "",
    )
    assert then.from_history
    assert then.about is not None
    assert then.about["isin"] == "INE002A01018"


def test_the_stamp_rises_with_every_fill(ledger: Ledger) -> None:
    trades, told = Trades(ledger, FakeClock(NOW)), ToldTrades(ledger)
    stamps = [told.stamp()]
    for number in range(3):
        trades.add([trade(str(number), side=Side.SELL)], "trades")
        stamps.append(told.stamp())

    assert stamps == sorted(set(stamps))


def test_what_is_known_of_an_instrument_is_written_down_once(ledger: Ledger) -> None:
    trades, told = Trades(ledger, FakeClock(NOW)), ToldTrades(ledger)
    trades.add([trade("50"), the_past()], "trades")
    facts = facts_of(a_share())

    told.describe([(one, as_told(facts)) for one in told.all()])

    mine, theirs = sorted(told.all(), key=lambda one: one.trade_id)
    assert mine.about is not None
    assert read_facts(mine.about) == facts
    assert facts.instrument == "INE002A01018"
    assert theirs.about is not None
    assert read_facts(theirs.about) is None
    assert theirs.about["segment"] == "EQ"


def test_the_days_of_the_history_are_kept_by_account(ledger: Ledger) -> None:
    told = ToldTrades(ledger)

    told.tell_history("AB1234", date(2024, 4, 1), date(2026, 11, 18), NOW)
    told.tell_history("AB1234", date(2024, 4, 1), date(2026, 11, 19), NOW)

    assert told.history_told("AB1234") == (date(2024, 4, 1), date(2026, 11, 19))
    assert told.history_told("AB1234/2") is None


def test_all_accounts_that_were_followed_are_known_in_their_order(ledger: Ledger) -> None:
    marks = AccountMarks(ledger, FakeClock(NOW))
    assert marks.history() == [AccountMark()]

    marks.put(AccountMark(2, "5"), THE_DESK)
    marks.put(AccountMark(3, "9"), THE_DESK)

    assert marks.history() == [AccountMark(), AccountMark(2, "5"), AccountMark(3, "9")]
