"""Money, conversions, kill switch, exits, followers, and two callers at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from threading import Barrier, Event, Thread

import pytest

from services.domain.errors import BrokerError
from services.paper.model import Snapshot
from services.paper.trading.order_values import Order, Wanted
from services.paper.trading.values import rupees
from tests.support.trading import CALL, DOLLAR, FUTURE, PLAIN, SHARE, Account, e4


@pytest.fixture
def account(tmp_path: Path) -> Iterator[Account]:
    opened = Account(tmp_path)
    yield opened
    opened.check()
    opened.close()


def code(refused: pytest.ExceptionInfo[BrokerError]) -> str:
    return refused.value.code


def test_an_open_order_blocks_its_money_and_its_end_frees_it(account: Account) -> None:
    order = account.buy(100, 90.0)
    assert rupees(account.desk.funds().used) == 9000

    account.desk.cancel(order.order_id)

    funds = account.desk.funds()
    assert (funds.used, rupees(funds.available)) == (0, 1_000_000)


def test_each_kind_of_position_blocks_what_it_binds(account: Account) -> None:
    account.buy(100)
    account.buy(100, product="I")
    account.buy(100, product="MTF")
    account.buy(65, key=CALL)
    account.buy(65, key=FUTURE)

    funds = account.desk.funds()

    assert rupees(funds.delivery) == 10_000
    # The three orders took one level after the other.
    assert rupees(funds.intraday_and_funded) == 2002 + 2505
    assert rupees(funds.premium) == 6500
    assert rupees(funds.span) == 650
    assert rupees(funds.exposure) == 130
    assert funds.available == funds.balance - funds.used + min(0, funds.unrealised)


def test_closing_a_position_needs_no_money(account: Account) -> None:
    account.market.set(SHARE, 100.0, bids=[(100.0, 40_000)])
    for _ in range(9):
        account.sell(1000, product="I", key=SHARE)
    account.buy(9000, 90.0)
    for _ in range(8):
        account.buy(1000, 90.0)
    account.market.set(SHARE, 150.0)
    account.go("1")

    assert account.desk.funds().available < 0
    assert account.buy(100, 151.0, product="I", key=SHARE).status == "complete"
    assert account.buy(1, 90.0).status == "rejected"


def test_losses_of_margin_products_lessen_what_is_available_and_gains_do_not_add(account: Account) -> None:
    account.buy(65, key=FUTURE)
    before = account.desk.funds().available
    account.market.set(FUTURE, 90.0)
    account.go("1")
    assert before - account.desk.funds().available == e4(650)
    account.market.set(FUTURE, 120.0)
    account.go("1")
    assert account.desk.funds().available == before
    assert rupees(account.desk.funds().unrealised) == 1300


def test_currency_counts_a_thousand_to_the_lot(account: Account) -> None:
    account.buy(2, key=DOLLAR)
    account.market.set(DOLLAR, 101.0)

    account.sell(2, key=DOLLAR)

    [position] = account.desk.positions()
    assert position.day_buy_value == e4(100) * 2
    assert rupees(position.realised) == 2 * 1000 * (rupees(account.desk.trades()[1].price) - 100)


def test_charges_are_taken_with_the_fills(account: Account) -> None:
    order = account.buy(100)

    funds = account.desk.funds()

    assert funds.charges == account.now(order).charges > e4(20)
    assert funds.balance == funds.opening - funds.charges


def test_an_intraday_position_becomes_delivery_if_it_can_be_paid(account: Account) -> None:
    account.buy(100, product="I")

    account.desk.convert(PLAIN, buys=True, quantity=40, old="I", new="D")

    assert {one.product: one.quantity for one in account.desk.positions()} == {"I": 60, "D": 40}
    account.desk.convert(PLAIN, buys=True, quantity=40, old="D", new="I")
    assert {one.product: one.quantity for one in account.desk.positions()} == {"I": 100}
    with pytest.raises(BrokerError) as refused:
        account.desk.convert(PLAIN, buys=True, quantity=101, old="I", new="D")
    assert code(refused) == "UDAPI1035"
    with pytest.raises(BrokerError) as refused:
        account.desk.convert(PLAIN, buys=False, quantity=1, old="I", new="D")
    assert code(refused) == "UDAPI1035"


def test_what_cannot_be_paid_is_not_converted(account: Account) -> None:
    account.market.set(SHARE, 100.0, asks=[(100.0, 4000)])
    for _ in range(4):
        account.buy(1000, product="I", key=SHARE)
    for _ in range(9):
        account.buy(1000, 95.0)
    before = account.desk.positions(), account.desk.funds()

    with pytest.raises(BrokerError) as refused:
        account.desk.convert(SHARE, buys=True, quantity=4000, old="I", new="D")

    assert "add Rs." in str(refused.value)
    assert (account.desk.positions(), account.desk.funds()) == before


def test_shares_that_an_order_sells_do_not_leave_delivery(account: Account) -> None:
    account.buy(10)
    sale = account.sell(6, 110.0)

    with pytest.raises(BrokerError) as refused:
        account.desk.convert(PLAIN, buys=True, quantity=5, old="D", new="I")
    assert "being sold" in str(refused.value)
    account.desk.convert(PLAIN, buys=True, quantity=4, old="D", new="I")
    account.market.set(PLAIN, 111.0)
    account.go("1")
    assert account.now(sale).status == "complete"


def test_a_short_position_and_a_carried_one_are_not_converted(account: Account) -> None:
    with pytest.raises(BrokerError) as refused:
        account.desk.convert(PLAIN, buys=True, quantity=1, old="I", new="D")
    assert code(refused) == "UDAPI1034"
    account.sell(10, product="I")
    with pytest.raises(BrokerError):
        account.desk.convert(PLAIN, buys=False, quantity=10, old="I", new="D")
    account.buy(65, key=FUTURE)
    account.go("2026-11-23 10:00:00")
    with pytest.raises(BrokerError) as refused:
        account.desk.convert(FUTURE, buys=True, quantity=65, old="D", new="I")
    assert code(refused) == "UDAPI1035"


def test_a_kill_switch_cancels_and_blocks_its_segment_for_twelve_hours(account: Account) -> None:
    order, other = account.buy(10, 90.0), account.buy(65, 90.0, key=CALL)

    told = account.desk.set_kill_switches({"NSE_EQ": True})

    assert [one.segment for one in told if one.killed] == ["NSE_EQ"]
    assert (account.now(order).status, account.now(other).status) == ("cancelled", "open")
    with pytest.raises(BrokerError) as refused:
        account.buy(10)
    assert code(refused) == "UDAPI100058"
    with pytest.raises(BrokerError):
        account.desk.set_kill_switches({"NSE_EQ": False})
    account.clock.instant += timedelta(hours=12)
    account.reopen()
    account.desk.set_kill_switches({"NSE_EQ": False})
    assert not any(one.killed for one in account.desk.kill_switches())


def test_a_segment_with_an_open_position_is_not_killed_nor_any_beside_it(account: Account) -> None:
    account.buy(10)

    with pytest.raises(BrokerError):
        account.desk.set_kill_switches({"NSE_FO": True, "NSE_EQ": True})

    assert not any(one.killed for one in account.desk.kill_switches())


def test_all_positions_are_closed_but_delivered_shares_short_ones_first(account: Account) -> None:
    account.buy(10)
    account.buy(10, product="I")
    account.sell(65, key=FUTURE)

    lines = account.desk.exit_all()

    assert [one.key for one in lines] == [FUTURE, PLAIN]
    assert {one.product: one.quantity for one in account.desk.positions() if one.quantity} == {"D": 10}
    with pytest.raises(BrokerError) as refused:
        account.desk.exit_all()
    assert code(refused) == "UDAPI1111"
    account.buy(65, key=FUTURE)
    account.go("2026-11-20 20:00:00")
    with pytest.raises(BrokerError) as refused:
        account.desk.exit_all()
    assert code(refused) == "UDAPI1113"


def test_positions_are_closed_by_the_tag_of_their_orders(account: Account) -> None:
    account.buy(10, product="I", tag="mine")
    account.buy(10, product="I", key=SHARE)

    assert [one.key for one in account.desk.exit_all(tag="mine")] == [PLAIN]


def test_history_is_found_by_tag(account: Account) -> None:
    first, _ = account.buy(10, 90.0, tag="a"), account.buy(10, 90.0, tag="b")

    assert {one.order_id for one in account.desk.history(tag="a")} == {first.order_id}
    assert account.desk.history(tag="none") == []
    assert account.desk.history(first.order_id, "b") == []
    with pytest.raises(BrokerError) as refused:
        account.desk.history("nothing")
    assert code(refused) == "UDAPI100010"


def test_one_fill_when_a_tick_races_the_immediate_match(account: Account) -> None:
    rounds, shown = 25, 30
    ahead = Barrier(3)

    def tick() -> None:
        for _ in range(rounds):
            ahead.wait(30)
            account.desk.advance()

    def place() -> None:
        for _ in range(rounds):
            ahead.wait(30)
            account.desk.place(Wanted(PLAIN, True, 10, "D", "LIMIT", price=e4(100.0)))

    threads = [Thread(target=tick), Thread(target=place)]
    for thread in threads:
        thread.start()
    for number in range(rounds):
        # Every round another display, so that each of them could be matched twice.
        account.market.set(PLAIN, 100.0, asks=[(100.0, shown + number)])
        account.clock.instant += timedelta(seconds=1)
        ahead.wait(30)
    for thread in threads:
        thread.join(30)

    orders = account.desk.orders()
    assert [order.filled for order in orders] == [10] * rounds
    assert len(account.desk.trades()) == rounds


def test_nobody_else_looks_at_the_market_while_an_order_is_being_matched(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    account.buy(10, 90.0)
    account.clock.instant += timedelta(seconds=1)
    inside, crowded, begun, looks = Event(), Event(), Event(), account.market.snapshots

    def watched(keys: Iterable[str], at: datetime) -> list[Snapshot]:
        if inside.is_set():
            crowded.set()
        inside.set()
        begun.set()
        crowded.wait(0.05)  # so that a second one could come, if nothing held it back
        inside.clear()
        return looks(keys, at)

    monkeypatch.setattr(account.market, "snapshots", watched)
    thread = Thread(target=account.desk.advance)
    thread.start()
    assert begun.wait(10)
    order = account.buy(10)
    thread.join(10)

    assert not crowded.is_set()
    assert account.now(order).filled == 10


class Watcher:
    """Buys one more when anything is complete, and can be made to fail."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self.waits = True
        self.fails = False
        self.loaded = 0
        self.seen: list[str] = []

    def advance(self, now: datetime) -> None:
        self.seen.append("advance")

    def order_changed(self, order: Order) -> None:
        self.seen.append(order.status)
        if self.fails:
            raise RuntimeError("a follower's fault")
        if order.status == "complete" and order.tag == "first":
            self._account.desk.place(Wanted(PLAIN, True, 1, "D", "LIMIT", price=e4(90.0), reference_id="GTT-1"))
            self._account.desk.save_gtt("GTT-1", "body", alive=False)

    def load(self) -> None:
        self.loaded += 1


def test_a_follower_acts_in_the_same_commit_or_everything_is_undone(account: Account) -> None:
    watcher = Watcher(account)
    account.desk.attach(watcher)

    account.buy(10, tag="first")

    assert [order.reference_id for order in account.desk.orders()][1:] == ["GTT-1"]
    assert account.desk.gtts() == [("GTT-1", "body", False)]
    watcher.fails = True
    with pytest.raises(RuntimeError):
        account.buy(10, tag="second")
    watcher.fails = False
    assert watcher.loaded == 1
    assert len(account.desk.orders()) == 2
    account.desk.reset()
    assert watcher.loaded == 2
    assert account.desk.gtts() == []


def test_a_transaction_is_written_as_a_whole_or_not_at_all(account: Account) -> None:
    told: list[str] = []

    def fails() -> None:
        with account.desk.transaction():
            account.buy(10)
            account.desk.after_commit(lambda: told.append("too early"))
            raise RuntimeError("undo")

    with pytest.raises(RuntimeError):
        fails()
    assert (account.desk.orders(), account.published, told) == ([], [], [])

    with account.desk.transaction():
        account.buy(10)
        number = account.desk.next_number("gtt")
        account.desk.after_commit(lambda: told.append("told"))
        assert not account.published
    assert (len(account.desk.orders()), told, number) == (1, ["told"], 1)
    assert account.desk.next_number("gtt") == 2


def test_an_account_in_which_nothing_is_open_does_not_wait(account: Account) -> None:
    assert not account.desk.waits
    order = account.buy(10, 90.0)
    assert account.desk.waits
    account.desk.cancel(order.order_id)
    assert not account.desk.waits
