from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from threading import Event

import pytest

from services.domain.errors import NoAnswer, StorageError, UpstoxError
from services.domain.paper_accounts import AccountMark
from services.ledger.told_trades import HISTORY_SOURCE
from services.pnl.prices import BrokerHolds
from services.pnl.values import ALL_ACCOUNTS, Filter, Origin
from services.portfolio.lots.fills import Fill
from services.portfolio.readers.tradebooks import write_ours
from tests.support.ledger import TRADER
from tests.support.pnl_desk import CALL, INFY, NOW, TODAY, PnlDesk, past, traded


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[PnlDesk]:
    made = PnlDesk(tmp_path)
    yield made
    made.close()


def names(fills: object) -> list[str]:
    return [fill.trade_id for fill in fills]  # type: ignore[attr-defined]


def test_today_and_the_history_of_days_that_the_desk_did_not_see_make_one_book(desk: PnlDesk) -> None:
    desk.broker.history = [past("7", "BUY", 10, "100", "2026-11-18"), past("8", "SELL", 4, "110", "2026-11-19")]
    desk.broker.today = [traded("9", "SELL", 6, "120")]

    desk.book.refresh()
    view = desk.book.read_whole()

    assert view.total.gross == 4 * 1000 + 6 * 2000
    assert view.as_of == NOW
    assert [(line.origin, line.trades) for line in view.sources] == [(Origin.HISTORY, 2), (Origin.DESK, 1)]
    assert view.account == "AB1234"
    assert view.missing == ()


def test_history_is_asked_by_financial_year_once_and_then_only_for_what_is_new(desk: PnlDesk) -> None:
    desk.book.refresh()
    asked = [one for one in desk.broker.asked if one != "today"]
    assert asked == [
        (date(2024, 4, 1), date(2025, 3, 31)), (date(2025, 4, 1), date(2026, 3, 31)),
        (date(2026, 4, 1), date(2026, 11, 19)),
    ]  # fmt: skip

    desk.broker.asked.clear()
    desk.book.refresh()
    assert desk.broker.asked == ["today"]

    desk.clock.move(seconds=86_400)
    desk.book.refresh()
    assert desk.broker.asked[1:] == ["today", (date(2026, 11, 13), TODAY)]


def test_while_the_history_is_on_its_way_the_book_says_that_it_lacks_it(desk: PnlDesk) -> None:
    seen: list[bool] = []
    past_of = desk.broker.past

    def told(first: date, last: date) -> object:
        seen.append(desk.book.read().past_asked)
        return past_of(first, last)

    desk.book._source._past = told  # type: ignore[assignment]
    desk.book.refresh()

    assert seen == [True, True, True]
    assert not desk.book.read().past_asked


def test_a_year_that_fails_is_asked_again_and_what_came_before_is_kept(desk: PnlDesk) -> None:
    desk.broker.history = [past("7", "BUY", 10, "100", "2024-11-18"), past("8", "SELL", 10, "110", "2026-11-18")]
    answer = desk.broker.past

    def fails_late(first: date, last: date) -> object:
        if first >= date(2026, 4, 1):
            raise NoAnswer("no answer came")
        return answer(first, last)

    desk.book._source._past = fails_late  # type: ignore[assignment]
    with pytest.raises(NoAnswer):
        desk.book.refresh()

    view = desk.book.read_whole()
    assert names(view.fills()) == ["7"]
    assert any("no answer came" in words for words in view.missing)
    desk.book._source._past = answer
    desk.book.refresh()
    whole = desk.book.read_whole()
    assert names(whole.fills()) == ["7", "8"]
    assert whole.missing == ()


def test_a_broker_that_does_not_answer_leaves_the_book_as_it_is_with_its_age(desk: PnlDesk) -> None:
    desk.broker.today = [traded("1", "BUY", 1, "100"), traded("2", "SELL", 1, "101", minute=1)]
    desk.book.refresh()
    desk.clock.move(seconds=600)
    desk.broker.down = NoAnswer("no answer came")

    with pytest.raises(UpstoxError):
        desk.book.refresh()

    view = desk.book.read_whole()
    assert view.total.gross == 100
    assert view.as_of == NOW
    assert desk.book.state.error is desk.broker.down
    assert "no answer came" in view.missing[0]
    assert view.old


def test_reading_asks_nobody(desk: PnlDesk) -> None:
    desk.broker.today = [traded("1", "BUY", 1, "100")]

    desk.book.read()
    desk.book.read_whole(Filter(segment="EQ"))

    assert desk.broker.asked == []


def test_the_desk_s_own_trade_the_broker_s_history_and_a_file_tell_of_one_fill_which_counts_once(desk: PnlDesk) -> None:
    desk.trades.add([traded("9", "BUY", 6, "120", day=date(2026, 11, 18))], "trades", account="AB1234")
    desk.trades.add([past("9", "BUY", 6, "120", "2026-11-18")], HISTORY_SOURCE, account="AB1234")
    view = desk.book.read_whole()
    before = view.fills()
    table = write_ours([*before, _another(before[0])])

    desk.imports.commit(desk.imports.preview(table.encode(), "mine.csv"), TRADER)
    after = desk.book.read_whole()

    assert len(before) == 1
    assert names(after.fills()) == ["9", "9-more"]
    assert [line.name for line in after.sources if line.origin is Origin.FILE] == ["mine.csv"]


def _another(fill: Fill) -> Fill:
    return replace(fill, trade_id="9-more")


def test_a_file_taken_twice_changes_nothing(desk: PnlDesk) -> None:
    table = write_ours([_another(one) for one in _one_fill(desk)]).encode()
    for _ in range(2):
        desk.imports.commit(desk.imports.preview(table, "mine.csv"), TRADER)

    assert names(desk.book.read_whole().fills()) == ["1", "9-more"]


def _one_fill(desk: PnlDesk) -> list[Fill]:
    desk.trades.add([traded("1", "BUY", 1, "100")], "trades", account="AB1234")
    return list(desk.book.read_whole().fills())


def test_trades_of_a_paper_account_that_was_put_away_are_not_those_of_the_running_one(tmp_path: Path) -> None:
    marks = [AccountMark(), AccountMark(2, "261120000000050")]
    desk = PnlDesk(tmp_path, accounts=marks)
    try:
        # told before anybody wrote accounts down, and by the archive
        desk.trades.add([traded("1", "BUY", 5, "100", order_id="261120000000049")], "trades")
        desk.trades.add([traded("2", "SELL", 5, "300", order_id="261120000000051", minute=1)], "trades")

        running, old = desk.book.read_whole(), desk.book.read_whole(Filter(account="AB1234/1"))

        assert (names(running.fills()), names(old.fills())) == (["2"], ["1"])
        assert running.total.matches == 0
        assert desk.book.read_whole(Filter(account=ALL_ACCOUNTS)).accounts == ("AB1234/1", "AB1234/2")
    finally:
        desk.close()


def test_the_trades_of_another_user_of_this_desk_are_another_account(desk: PnlDesk) -> None:
    desk.broker.today = [traded("1", "BUY", 5, "100")]
    desk.book.refresh()
    desk.account = "XY9999"
    desk.broker.today = [traded("2", "SELL", 5, "120", minute=2)]
    desk.book.refresh()

    assert names(desk.book.read_whole().fills()) == ["2"]
    assert names(desk.book.read_whole(Filter(account="AB1234")).fills()) == ["1"]


def test_while_nobody_is_logged_in_the_last_account_is_shown(desk: PnlDesk) -> None:
    desk.broker.today = [traded("1", "BUY", 5, "100")]
    desk.book.refresh()
    desk.account = ""

    assert names(desk.book.read_whole().fills()) == ["1"]


def test_an_option_stays_readable_after_no_master_knows_it_any_more(desk: PnlDesk) -> None:
    desk.trades.add([traded("1", "BUY", 65, "10", key=CALL, symbol="NIFTY26NOV26000CE")], "trades", account="AB1234")
    seen = desk.book.read_whole()
    assert [fill.expiry for fill in seen.fills()] == [desk.instruments[CALL].expiry]

    desk.instruments.clear()
    desk.clock.move(seconds=400 * 86_400)
    desk.book.changed()
    again = desk.book.read_whole()

    assert names(again.fills()) == ["1"]
    assert again.missing == ()


def test_a_contract_that_nobody_knows_is_named_and_not_counted(desk: PnlDesk) -> None:
    desk.trades.add(
        [traded("1", "BUY", 65, "10", key="NSE_FO|99999", symbol="BANKNIFTY24JAN48000CE")], "trades", account="AB1234"
    )

    view = desk.book.read_whole()

    assert view.empty
    assert view.missing == (
        "1 trade cannot be counted in: BANKNIFTY24JAN48000CE is in no instrument master any more, and the broker's "
        "history was not read yet",
    )
    assert not view.old, "a gap is no age"


def test_the_history_tells_contracts_that_no_master_knows_with_their_multiplier(desk: PnlDesk) -> None:
    told = {"segment": "COM", "symbol": "CRUDEOIL", "isin": "", "exchange": "MCX", "expiry": "2025-11-19"}
    desk.broker.history = [
        past("1", "BUY", 1, "5500", "2025-11-03", key="MCX_FO|1", multiplier=100, **told),
        past("2", "SELL", 1, "5510", "2025-11-04", key="MCX_FO|1", multiplier=100, **told),
    ]

    desk.book.refresh()
    view = desk.book.read_whole()

    assert view.total.gross == 10 * 100 * 100
    assert view.trades.segment.tolist() == ["COM"]


def test_a_contract_told_by_the_day_and_then_by_the_history_is_one_contract(desk: PnlDesk) -> None:
    contract = desk.instruments[CALL]
    symbol, day = "NIFTY26NOV26000CE", date(2026, 11, 18)
    desk.trades.add([traded("1", "BUY", 65, "10", key=CALL, symbol=symbol, day=day)], "trades", account="AB1234")
    told = {"segment": "FO", "symbol": "NIFTY", "isin": "", "option_type": "CE", "strike": f"{contract.strike}"}
    desk.broker.history = [past("1", "BUY", 65, "10", day.isoformat(), key=CALL, expiry=f"{contract.expiry}", **told)]
    desk.broker.today = [traded("2", "SELL", 65, "12", key=CALL, symbol=symbol)]

    desk.book.refresh()  # the history comes before anybody has looked at the book

    assert desk.book.read_whole().total.gross == 65 * 200


def test_a_key_that_was_given_to_another_contract_is_not_taken_for_the_old_one(desk: PnlDesk) -> None:
    desk.trades.add(
        [traded("1", "BUY", 65, "10", key=CALL, symbol="NIFTY26JAN25000PE", day=date(2026, 1, 5))],
        "trades",
        account="AB1234",
    )

    view = desk.book.read_whole()

    assert view.fills() == []
    assert "NIFTY26JAN25000PE" in view.missing[0]


def test_open_lots_are_priced_by_quotes_and_else_by_what_the_broker_told_with_its_holdings(desk: PnlDesk) -> None:
    desk.trades.add(
        [traded("1", "BUY", 5, "100"), traded("2", "BUY", 2, "10", key=INFY, symbol="INFY", minute=1)],
        "trades",
        account="AB1234",
    )
    desk.broker.holds = (
        BrokerHolds(
            INFY, "INE009A01021", "INFY", "D", 2, 0, Decimal(10), Decimal(11), "broker", NOW, None, None, False
        ),
    )
    desk.quotes.tell("NSE_EQ|INE002A01018", 104.5, 99.0)

    view = desk.book.read_whole()

    assert [(row.symbol, row.unrealised, row.told_by, row.at) for row in view.unrealised] == [
        ("INFY", 200, "broker", NOW), ("RELIANCE", 2250, "quote", NOW),
    ]  # fmt: skip
    assert view.unrealised_total.paise == 2450
    assert desk.quotes.watched == {"NSE_EQ|INE002A01018", INFY}


def test_what_was_written_about_a_trade_comes_with_the_view(desk: PnlDesk) -> None:
    desk.trades.add([traded("1", "BUY", 5, "100"), traded("2", "SELL", 5, "101", minute=1)], "trades")
    one = desk.book.read_whole().trades.id[0]

    desk.journal.write(one, "bought too late", ["breakout"], TRADER)

    assert desk.book.read_whole().journal_notes[one].tags == ("breakout",)


def test_a_book_that_cannot_be_read_says_so_and_is_not_an_empty_one(
    desk: PnlDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise StorageError("the disk is gone")

    monkeypatch.setattr(desk.rates, "current", broken)

    with pytest.raises(StorageError):
        desk.book.read_whole()
    view = desk.book.read()

    assert view.version == 0
    assert view.missing == ("the trades of this desk could not be read: the disk is gone",)


def test_a_broker_is_asked_in_the_background_when_it_is_time_for_that(desk: PnlDesk) -> None:
    asked = Event()
    answer = desk.broker.trades

    def told() -> object:
        found = answer()
        asked.set()
        return found

    desk.broker.today = [traded("1", "BUY", 5, "100")]
    desk.book._source._today = told  # type: ignore[assignment]

    desk.book.refresh_if_due()
    assert asked.wait(30)
    desk.book.refresh_if_due()

    assert desk.broker.asked.count("today") == 1


def test_an_option_that_ended_worthless_costs_nothing_more(desk: PnlDesk) -> None:
    desk.trades.add([traded("1", "BUY", 65, "10", key=CALL, symbol="NIFTY26NOV26000CE")], "trades", account="AB1234")
    bought = desk.book.read_whole()
    (note,) = bought.today
    desk.trades.add(
        [traded("2", "SELL", 65, "0", key=CALL, symbol="NIFTY26NOV26000CE", minute=5)], "trades", account="AB1234"
    )
    desk.book.changed()

    view = desk.book.read_whole()

    assert view.total.gross == -65_000
    assert view.total.charges.total == note.lines.total
