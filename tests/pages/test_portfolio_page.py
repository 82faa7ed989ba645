"""Portfolio and the overview's figures, through the entry script, over a real runtime and a real paper broker."""

from __future__ import annotations

import time
import uuid
from decimal import Decimal

import pytest

from dashboard.components.position_cards import ASKED
from dashboard.components.position_table import Asked
from dashboard.portfolio_columns import HOLDING_COLUMNS, POSITION_COLUMNS
from dashboard.resources import order_sender
from services.domain.accounts import Funds
from services.domain.actors import Actor
from services.domain.errors import BrokerFault, LoginRequired
from services.domain.orders import OrderRequest, OrderType, Product, Side
from services.portfolio_book.book import PortfolioBook
from services.portfolio_book.views import FundsView, PositionsView
from services.portfolio_services_v3 import PortfolioServicesV3
from services.runtime import Runtime
from services.settings import load_settings
from tests.support.portfolio import INFY, RELIANCE, bought_today, carried, closed_today, held
from tests.support.screens import open_page, pages_over, sent_to_browser, words_on

FAULT = BrokerFault("broken", status=500, code="UDAPI100500")


class FakeAccount:
    """A broker's answers, over the prices of the real desk."""

    def __init__(self, desk, monkeypatch):
        self.desk = desk
        self.positions = [bought_today(), closed_today(), bought_today(INFY, 5, product="I", symbol="INFY")]
        self.holdings = [held()]
        self.funds = Funds(Decimal("185301.25"), Decimal("14698.75"), "v3")
        self.book = PortfolioBook(
            positions=lambda: self.tell(self.positions), mtf_positions=lambda: [],
            holdings=lambda: self.tell(self.holdings), funds=lambda: self.tell(self.funds),
            quotes=lambda: desk.quotes, clock=desk.clock,
        )  # fmt: skip
        desk.portfolio  # noqa: B018  # the real one is made first, so that it can be put back
        monkeypatch.setitem(desk._made, "portfolio", self.book)

    def tell(self, answer):
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def account(desk, monkeypatch):
    fake = FakeAccount(desk, monkeypatch)
    yield fake
    fake.book.close()


def tables(app):
    assert not app.exception
    return {table["label"]: table for table in sent_to_browser(app, "position_table")}


def cell(table, row, id):
    return row["v"][[column["id"] for column in table["columns"]].index(id)]


def ask(app, what, *ids):
    """Press a button of a table, as the browser would have told it."""
    app.session_state[ASKED] = Asked(what, ids)
    return app.run()


def dialog_words(app):
    return words_on(app)


def test_positions_and_holdings_stand_there_with_live_prices(account):
    found = tables(open_page("portfolio"))

    rows = found["Positions"]["rows"]
    assert [row["s"] for row in rows] == ["INFY", "RELIANCE", "HDFCBANK"]
    assert all(row["l"] > 0 for row in rows)
    assert [row.get("z", False) for row in rows] == [False, False, True]
    assert len(found["Holdings"]["rows"]) == 1
    assert [len(row["v"]) for row in rows] == [len(POSITION_COLUMNS)] * 3
    assert len(found["Holdings"]["rows"][0]["v"]) == len(HOLDING_COLUMNS)


def test_margin_available_and_used_are_there(account):
    app = open_page("portfolio")

    shown = {metric.label: metric.value for metric in app.metric}
    assert shown == {"Margin available": "₹1,85,301.25", "Margin used (7.3%)": "₹14,698.75"}
    assert words_on(app).count("As of ") == 3, "money has its time, as positions and holdings have"


def test_an_account_with_nothing_says_so_in_words(account):
    account.positions, account.holdings = [], []
    found = tables(open_page("portfolio"))

    assert found["Positions"]["rows"] == []
    assert found["Positions"]["empty"].startswith("No positions today.")
    assert found["Holdings"]["empty"].startswith("No holdings.")


def test_a_broker_that_fails_from_the_start_is_told_and_nothing_is_called_empty(account):
    account.positions = account.holdings = account.funds = FAULT
    app = open_page("portfolio")

    assert tables(app) == {}
    assert "The broker has a fault" in [box.proto.title for box in app.warning]
    assert "The positions are not known; the desk keeps asking." in words_on(app)
    assert not app.metric


def test_the_form_of_a_part_stays_open_over_a_page_that_is_drawn_anew_until_it_is_put_away(account):
    app = ask(open_page("portfolio"), "exit_part", f"{RELIANCE}/D")
    app.run()
    assert not app.exception
    assert [one.label for one in app.number_input] == ["Quantity, of 10"]

    app.button(key="portfolio-form-back").click().run()
    assert not app.number_input
    assert not app.run().number_input


def test_one_missing_login_is_told_once_with_one_way_to_it(account):
    account.positions = account.holdings = account.funds = LoginRequired("there is no valid token: log in")
    app = open_page("portfolio")

    assert [box.proto.title for box in app.warning] == ["A login is needed"]
    shown = words_on(app)
    assert "The money is not known. A login is needed." in shown
    assert "The positions are not known" in shown
    assert "The holdings are not known" in shown


def test_with_the_broker_down_the_last_positions_stay_with_their_age(desk, account, monkeypatch):
    account.book.refresh()
    account.positions = account.holdings = account.funds = FAULT
    now = desk.clock.now()
    view = account.book.positions()
    monkeypatch.setattr(
        account.book, "positions", lambda wait=0.0: PositionsView(view.rows, view.as_of, FAULT)
    )  # as a question would have ended
    app = open_page("portfolio")

    assert len(tables(app)["Positions"]["rows"]) == 3
    assert "not current. The broker has a fault." in words_on(app)
    assert view.as_of <= now


def test_positions_under_margin_trading_that_cannot_be_asked_are_told_to_be_missing(account, monkeypatch):
    account.book.refresh()
    view = account.book.positions()
    monkeypatch.setattr(account.book, "positions", lambda wait=0.0: PositionsView(view.rows, view.as_of, None, FAULT))

    assert "Without positions under margin trading: The broker has a fault." in words_on(open_page("portfolio"))


def test_old_money_is_marked_as_old(account, monkeypatch):
    account.book.refresh()
    view = account.book.funds()
    monkeypatch.setattr(account.book, "funds", lambda wait=0.0: FundsView(view.funds, view.as_of, FAULT))
    app = open_page("portfolio")

    assert [one.value for one in app.metric if not one.value.startswith(":gray[")] == []
    assert ":gray[₹1,85,301.25]" in [one.value for one in app.metric]
    assert "not current. The broker has a fault." in words_on(app)


def test_exit_asks_first_and_says_the_order_in_words(desk, account):
    app = ask(open_page("portfolio"), "exit", f"{RELIANCE}/D")

    assert not app.exception
    assert "Sell 10 RELIANCE (NSE) at the market" in dialog_words(app)
    assert app.query_params["confirm"]
    assert desk.orders.outcome(app.query_params["confirm"]) is None


def test_exit_of_several_lists_each(account):
    app = ask(open_page("portfolio"), "exit", f"{RELIANCE}/D", f"{INFY}/I")

    assert "Sell 10 RELIANCE" in dialog_words(app)
    assert "Sell 5 INFY" in dialog_words(app)


def test_exit_all_says_how_many(account):
    assert "2 open positions will be closed" in dialog_words(ask(open_page("portfolio"), "exit_all"))


def test_an_exit_of_what_is_closed_meanwhile_is_refused_in_words(account):
    app = open_page("portfolio")
    account.positions = [closed_today()]
    account.book.refresh()
    app = ask(app, "exit", f"{RELIANCE}/D")

    assert not app.exception
    assert "confirm" not in app.query_params
    assert any("not among the positions any more" in toast.value for toast in app.toast)


def test_an_exit_by_old_quantities_warns_of_it(account, monkeypatch):
    app = open_page("portfolio")
    view = account.book.positions()
    monkeypatch.setattr(account.book, "positions", lambda wait=0.0: PositionsView(view.rows, view.as_of, FAULT))

    assert "would be closed twice" in dialog_words(ask(app, "exit", f"{RELIANCE}/D"))


def test_a_part_is_asked_for_with_quantity_and_price(account):
    app = ask(open_page("portfolio"), "exit_part", f"{RELIANCE}/D")

    assert not app.exception
    assert app.number_input[0].value == 10
    assert app.segmented_control[0].value == "Market"


@pytest.mark.parametrize(("id", "units"), [(f"{RELIANCE}/D", 10), (f"{INFY}/I", 5)])
def test_a_ticket_is_filled_in_to_close_the_position(account, id, units):
    app = ask(open_page("portfolio"), "ticket", id)

    assert not app.exception
    assert app.title[0].value == "Orders"
    review = next(one for one in app.button if one.key == "ticket-review")
    assert review.label.replace("\\", "").startswith(f"Review: Sell {units} ")


def test_a_conversion_asks_for_its_quantity_and_says_what_it_becomes(account):
    app = ask(open_page("portfolio"), "convert", f"{INFY}/I")

    assert not app.exception
    assert "From **Intraday** (MIS) to **Delivery** (CNC)" in dialog_words(app)
    assert app.number_input[0].value == 5


def test_a_sale_is_of_the_sellable_part(account):
    account.holdings = [held(cnc_used_quantity=5)]
    app = ask(open_page("portfolio"), "sell", INFY)

    assert "Sell 20 INFY" in dialog_words(app)


def test_the_overview_tells_the_day(account):
    account.positions = [bought_today(), closed_today(), carried()]
    shown = words_of_tiles(open_page("overview"))

    assert "realised +₹70.00, before charges" in shown
    assert "1 closed today" in shown
    assert "worth ₹" in shown


def words_of_tiles(app):
    return str(sent_to_browser(app, "tiles"))


def test_the_overview_says_of_money_alone_that_it_is_old(account, monkeypatch):
    account.book.refresh()
    view = account.book.funds()
    monkeypatch.setattr(account.book, "funds", lambda wait=0.0: FundsView(view.funds, view.as_of, FAULT))

    assert "Money as of " in (shown := words_on(open_page("overview")))
    assert "not current. The broker has a fault." in shown


def test_each_figure_of_the_overview_that_is_old_says_so(account, monkeypatch):
    account.book.refresh()
    view = account.book.positions()
    monkeypatch.setattr(account.book, "positions", lambda wait=0.0: PositionsView(view.rows, view.as_of, FAULT))
    [held] = [row for row in sent_to_browser(open_page("overview"), "tiles") if row["label"] == "What is open"]

    old = {tile["id"]: tile["note"].endswith(", not current") for tile in held["tiles"]}
    assert old == {"positions": True, "open": True, "holdings": False, "orders": False, "funds": False}


def test_the_overview_knows_no_profit_where_nothing_was_told(account):
    account.positions = account.holdings = FAULT
    app = open_page("overview")

    assert not app.exception
    result, held = sent_to_browser(app, "tiles")[-2:]
    figures = {tile["id"]: tile["figure"] for tile in held["tiles"]}
    assert "positions are not known yet" in words_of_tiles(app)
    assert figures["positions"] == figures["open"] == figures["holdings"] == "–"
    assert [tile["name"] for tile in result["tiles"]] == ["Gross today", "Charges today", "Net today", "Unrealised"]


@pytest.fixture
def own_desk(tmp_path):
    """A desk whose account may be traded in: the shared one's money stays as others expect it."""
    with Runtime(load_settings(data_dir=tmp_path)) as runtime, pages_over(runtime):
        runtime.instruments.refresh_if_due()
        yield runtime


def units(desk, product):
    """How many RELIANCE are held under that product, at the broker, now."""
    desk.portfolio.refresh()
    rows = [row.position for row in desk.portfolio.positions().rows if row.position.key == RELIANCE]
    return sum(position.quantity for position in rows if position.product == product)


def becomes(read, wanted):
    end = time.monotonic() + 15
    while (found := read()) != wanted and time.monotonic() < end:
        pass  # each look is a request
    assert found == wanted


def buy(desk, quantity, product):
    desk.quotes.get([RELIANCE], use_cache=False)
    request = OrderRequest(RELIANCE, Side.BUY, quantity, OrderType.MARKET, product)
    outcome = desk.orders.place(request, intent_id=uuid.uuid4().hex, actor=Actor("tester"))
    assert outcome.accepted, outcome
    becomes(lambda: units(desk, product), quantity)


def test_a_position_of_a_real_broker_is_converted_and_exited_and_both_count_alike(own_desk):
    buy(own_desk, 6, Product.INTRADAY)
    assert PortfolioServicesV3().convert_position("RELIANCE", 2, from_product="MIS", to_product="CNC")
    assert (units(own_desk, "I"), units(own_desk, "D")) == (4, 2)
    app = open_page("portfolio")
    table = tables(app)["Positions"]
    assert [cell(table, row, "gap")[2] for row in table["rows"]] == pytest.approx([0, 0])

    app = ask(app, "exit", f"{RELIANCE}/I")
    id = app.query_params["confirm"]
    app.button(key="confirm-send").click().run()
    sending = order_sender().look(id, wait=10)

    assert sending.error is None, sending.error
    assert len(own_desk.orders.outcome(id).order_ids) == 1
    becomes(lambda: units(own_desk, "I"), 0)
    assert units(own_desk, "D") == 2


def test_five_thousand_positions_are_drawn(own_desk, monkeypatch):
    account = FakeAccount(own_desk, monkeypatch)
    account.positions = [
        bought_today(f"NSE_EQ|INE{n:06d}A01", 10 + n % 50, symbol=f"SHARE{n}", product="ID"[n % 2]) for n in range(5000)
    ]
    account.book.refresh()
    found = tables(open_page("portfolio"))
    account.book.close()

    assert len(found["Positions"]["rows"]) == 5000


def test_nothing_held_is_an_answer_of_a_real_broker(own_desk):
    view = own_desk.portfolio.holdings(wait=5.0)

    assert (view.rows, view.error) == ((), None)
    assert view.as_of is not None
