"""The orders page, through the entry script, over a real runtime, a real paper market and an order desk in memory."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.order_rows import Group
from dashboard.portfolio_drafts import exits_draft
from dashboard.reading import Reading
from dashboard.resources import order_sender
from services.domain.calendar.calendar import MarketCalendar
from services.domain.calendar.days import DayOverride, midnight
from services.domain.clock import ist_date
from services.domain.errors import NotSent
from services.domain.order_facts import Finding
from services.domain.order_records import OrderEvent, StoredTrade
from services.domain.orders import OrderRequest, OrderType, Product, Side, Status
from services.domain.phases import Market
from services.orders.views import News
from services.portfolio_book.book import PortfolioBook
from services.portfolio_book.views import FundsView
from services.runtime import Runtime
from tests.support.order_page import RELIANCE, FakeOrders, book_order, waiting_gtt
from tests.support.screens import open_page, sent_to_browser, words_on


@pytest.fixture
def orders(desk, monkeypatch) -> FakeOrders:
    fake = FakeOrders()
    monkeypatch.setattr(Runtime, "orders", property(lambda runtime: fake), raising=False)
    return fake


def open_orders(**link: str) -> AppTest:
    return open_page("orders", **link)


def ticket(**link: str) -> AppTest:
    app = open_orders(key=RELIANCE, **link)
    assert not app.exception
    return app


def by_label(elements, label):
    return next(one for one in elements if one.label == label)


def button(app, key):
    return app.button(key=key)


def review(app: AppTest) -> AppTest:
    return button(app, "ticket-review").click().run()


def press(app: AppTest) -> AppTest:
    """The button of the confirmation. Only its callback runs in such a test, then the whole page."""
    return button(app, "confirm-send").click().run()


def fields(app):
    return {one.label: one for one in app.number_input}


def test_without_an_instrument_the_ticket_asks_for_one(orders):
    app = open_orders()

    assert not app.exception
    assert "Choose what to trade" in words_on(app)
    assert sent_to_browser(app, "order_banner")[0]["title"] == "Paper trading"
    assert sent_to_browser(app, "order_table")[0]["empty"].startswith("No open orders")


def market_tones(app):
    """How the figures of the day beside the ticket are drawn, by name."""
    [facts] = [one for one in sent_to_browser(app, "facts") if one["across"] == 1]
    return {row["name"]: row["tone"] for row in facts["groups"][0]["rows"]}


def test_figures_of_the_day_beside_the_ticket_are_grey_when_their_quote_is_old(orders, monkeypatch):
    assert market_tones(ticket()) == {
        "Day range": "", "Circuits": "", "Volume / average": "", "Last trade": "",
    }  # fmt: skip

    monkeypatch.setattr(Reading, "is_old", lambda reading, key: True)
    assert set(market_tones(ticket()).values()) == {"muted"}


def test_a_link_fills_the_ticket_in_at_the_last_price(orders):
    app = ticket(side="SELL", quantity="7")

    told = fields(app)
    assert told["Quantity"].value == 7
    assert told["Price"].value > 0
    assert button(app, "ticket-review").label.replace("\\", "").startswith("Review: Sell 7 RELIANCE at ₹")
    assert app.query_params.get("side") in (None, [])
    assert sent_to_browser(app, "depth")[0]["taking"] is True


def test_a_link_that_makes_no_sense_is_no_error(orders):
    app = open_orders(key="<script>", side="HOLD", quantity="-1", product="X")

    assert not app.exception
    assert "Choose what to trade" in words_on(app)


def test_a_special_session_is_named_in_the_ticket_with_its_hours(orders, desk, monkeypatch):
    today = ist_date(desk.clock.now())
    hours = midnight(today), midnight(today + timedelta(days=1))
    special = DayOverride(Market.NSE, today, (hours,), "Muhurat", "SPECIAL_TIMING", "the broker")
    monkeypatch.setattr(type(desk.calendar), "current", property(lambda calendar: MarketCalendar([special])))

    assert "Muhurat session: 00:00–24:00" in words_on(ticket())


def test_an_index_is_not_traded(orders):
    app = open_orders(key="NSE_INDEX|Nifty 50")

    assert "not traded itself" in words_on(app)
    assert not [one for one in app.button if one.key == "ticket-review"]


def test_the_confirmation_repeats_the_order_and_nothing_is_sent_before_its_press(orders):
    app = review(ticket())

    assert not app.exception
    shown = words_on(app)
    assert "at a limit of" in shown
    assert "The broker's estimate of charges not known: the broker does not answer" in shown
    assert "Charges: STT" in shown
    assert "Charges not known" not in shown
    assert len(sent_to_browser(app, "order_banner")) == 2
    assert orders.calls == []


def test_one_press_sends_one_order_and_shows_what_became_of_it(orders):
    app = press(review(ticket()))

    assert not app.exception
    assert [name for name, _ in orders.calls] == ["PLACE"]
    request = orders.calls[0][1]
    assert (request.key, request.side, request.quantity, request.order_type) == (RELIANCE, Side.BUY, 1, OrderType.LIMIT)
    [box] = app.success
    assert box.proto.title == "The broker has the order"
    assert "confirmed before" not in box.value
    assert "confirm-send" not in [one.key for one in app.button]


def test_looking_on_at_what_was_sent_is_no_second_press(orders):
    app = press(review(ticket()))
    for _ in range(2):
        app.run()

    assert "confirmed before" not in app.success[0].value
    assert len(orders.calls) == 1


def test_pressing_again_and_again_sends_nothing_more(orders):
    app = review(ticket())
    named = app.query_params["confirm"]
    press(app)
    for _ in range(3):
        again = open_orders(confirm=named, key=RELIANCE)  # a tab that was loaded again, or a second one
        assert not [one for one in again.button if one.key == "confirm-send"]

    assert len(orders.calls) == 1


def test_two_tabs_show_one_confirmation_and_both_press_it(orders):
    first = review(ticket())
    second = open_orders(confirm=first.query_params["confirm"])
    press(first)
    press(second)

    assert len(orders.calls) == 1


def test_a_confirmation_that_is_over_sends_nothing_and_says_so(orders):
    app = open_orders(confirm="page-never-was")

    assert not app.exception
    assert "Nothing was sent" in " ".join(str(one.value) for one in app.toast)
    assert orders.calls == []


def test_a_confirmation_of_an_earlier_process_shows_its_end(orders):
    orders.place(OrderRequest(RELIANCE, Side.BUY, 1, OrderType.MARKET), intent_id="page-old", actor=None)
    app = open_orders(confirm="page-old")

    assert "The broker has the order" in [box.proto.title for box in app.success]
    assert len(orders.calls) == 1


def test_going_back_sends_nothing(orders):
    app = review(ticket())
    button(app, "confirm-back").click().run()

    assert orders.calls == []
    assert not [one for one in app.button if one.key == "confirm-send"]


def test_a_refusal_is_told_in_words_with_its_code(orders):
    orders.refuse("UDAPI1154", "the broker takes orders from the registered static IP address only")
    app = press(review(ticket()))

    box = app.error[0]
    assert box.proto.title == "The broker refused it"
    assert "static IP address only (UDAPI1154)" in box.value.replace("\\", "")


def test_no_answer_is_not_called_a_failure(orders):
    orders.lose()
    app = press(review(ticket()))

    assert "No answer from the broker yet" in [box.proto.title for box in app.warning]
    assert "not sent again by itself" in words_on(app)


def test_what_blocks_keeps_the_ticket_from_its_confirmation(orders):
    orders.findings = (Finding("tick", "the price is between two ticks", True), Finding("t1", "not yet yours", False))
    app = ticket()

    assert button(app, "ticket-review").disabled
    shown = words_on(app)
    assert shown.index("between two ticks") < shown.index("Not yet yours")


def test_what_only_warns_does_not(orders):
    orders.findings = (Finding("t1", "not yet yours", False),)

    assert not button(ticket(), "ticket-review").disabled


def test_nonsense_is_refused_while_it_is_typed(orders):
    app = ticket()
    fields(app)["Disclosed quantity"].set_value(5).run()

    assert "The disclosed quantity" in words_on(app)
    assert button(app, "ticket-review").disabled


def test_an_empty_price_is_asked_for(orders):
    app = ticket()
    fields(app)["Price"].set_value(0.0).run()

    assert "Fill in the price." in words_on(app)


def test_a_price_between_two_ticks_has_the_right_one_offered(orders):
    app = ticket()
    tick = orders_tick(app)
    fields(app)["Price"].set_value(1000.03).run()
    offered = next(one for one in app.button if one.label.startswith("On the tick"))
    offered.click().run()

    assert Decimal(str(fields(app)["Price"].value)) % tick == 0


def orders_tick(app) -> Decimal:
    return Decimal(str(fields(app)["Price"].step)).quantize(Decimal("0.01"))


def test_a_market_order_has_no_price_and_a_stop_has_a_trigger(orders):
    app = ticket()
    kind = next(one for one in app.segmented_control if one.label == "Type")
    kind.set_value(OrderType.MARKET).run()
    assert "Price" not in fields(app)
    next(one for one in app.segmented_control if one.label == "Type").set_value(OrderType.STOP_LIMIT).run()

    assert {"Price", "Trigger"} <= set(fields(app))


def test_an_option_is_counted_in_units_and_in_lots(orders, desk):
    option = next(one for one in desk.instruments.search("nifty ce", limit=50) if one.is_option)
    app = open_orders(key=option.key)
    lot = option.lot_size
    by_label(app.number_input, f"Lots of {lot}").set_value(3).run()

    assert fields(app)["Quantity"].value == 3 * lot


def test_the_same_order_again_is_warned_of(orders):
    app = ticket()
    price = Decimal(str(fields(app)["Price"].value)).quantize(Decimal("0.01"))
    orders.orders = [book_order(quantity=1, price=price, placed_at=datetime.now(UTC) - timedelta(seconds=5))]
    app = review(app)

    assert "just like this was placed" in words_on(app)


def test_the_book_shows_open_orders_first_and_the_others_by_choice(orders):
    orders.orders = [book_order(1), book_order(2, Status.COMPLETE), book_order(3, Status.REJECTED, message="No money")]
    app = open_orders()

    assert [row["status"] for row in sent_to_browser(app, "order_table")[0]["rows"]] == ["Open"]
    group = next(one for one in app.segmented_control if one.label == "Which orders")
    group.set_value(Group.ALL).run()
    rows = sent_to_browser(app, "order_table")[0]["rows"]
    assert [row["tone"] for row in rows] == ["open", "filled", "rejected"]
    assert rows[2]["reason"] == "No money"


def test_five_thousand_orders_send_one_page_to_the_browser(orders):
    orders.orders = [book_order(number, Status.COMPLETE) for number in range(5000)]
    app = open_orders()
    next(one for one in app.segmented_control if one.label == "Which orders").set_value(Group.DONE).run()

    assert not app.exception
    assert len(sent_to_browser(app, "order_table")[0]["rows"]) == 100
    assert "1 to 100 of 5,000" in words_on(app)


def test_a_book_that_cannot_be_read_keeps_its_orders_and_says_how_old_it_is(orders):
    orders.orders, orders.error = [book_order(1)], "the broker has a fault (HTTP 500)"
    app = open_orders()

    assert len(sent_to_browser(app, "order_table")[0]["rows"]) == 1
    assert "Not current: the broker has a fault" in words_on(app)


def test_an_unknown_order_is_the_first_thing_to_be_seen(orders):
    orders.add_unknown(may_send_anew=False)
    app = open_orders()

    assert any("Not known yet" in box.proto.title for box in app.warning)
    shown = words_on(app)
    assert "Looked for by its tag desk-abc in the broker's books: 2 times" in shown
    assert not [one for one in app.button if str(one.key).startswith("anew-")]


def test_after_enough_looks_a_person_may_send_anew_as_a_new_decision(orders):
    request = OrderRequest(RELIANCE, Side.BUY, 10, OrderType.LIMIT, price=Decimal("1234.5"))
    orders.add_unknown(may_send_anew=True, request=request)
    app = open_orders()
    button(app, "anew-lost").click().run()

    assert orders.calls == [("resolve", ("lost", False))]
    assert "there are two" in words_on(app)
    press(app)
    assert orders.calls[-1] == ("PLACE", request)
    assert orders.known.keys().isdisjoint({"lost"})


def test_the_kill_switch_is_turned_on_at_once_and_said_on_the_page(orders):
    app = open_orders(view="Safety")
    button(app, "kill-on").click().run()

    assert orders.switch.on
    assert "The kill switch is on" in [box.proto.title for box in app.error]


def test_while_orders_wait_the_page_says_why(orders):
    orders.not_ready = "The order book is being read; orders can be placed in a moment."

    assert "Orders wait" in [box.proto.title for box in open_orders().warning]


def test_a_basket_is_gathered_priced_together_and_confirmed_once(orders):
    app = ticket()
    button(app, "ticket-basket").click().run()
    button(app, "ticket-basket").click().run()
    app.query_params["view"] = "Basket"
    app.run()
    button(app, "basket-review").click().run()
    assert orders.calls == []
    press(app)

    assert [name for name, _ in orders.calls] == ["PLACE", "PLACE"]


def test_positions_that_are_closed_together_are_priced_as_a_basket_and_leave_the_gathered_one_alone(orders):
    app = ticket()
    button(app, "ticket-basket").click().run()
    out = OrderRequest(RELIANCE, Side.SELL, 3, OrderType.MARKET, Product.INTRADAY)
    app.query_params["confirm"] = order_sender().offer(exits_draft([out, out], {}, open_orders=()))
    app.query_params["view"] = "Basket"
    app.run()
    assert "₹12.34" in words_on(app)  # the charges of both together
    press(app)

    assert [name for name, _ in orders.calls] == ["PLACE", "PLACE"]
    assert button(app, "basket-review").label == "Review 1 order"


def test_fills_are_listed_with_their_sums(orders):
    orders.fills = [
        StoredTrade("T1", "O1", RELIANCE, Side.BUY, 10, Decimal("100.10"), "D", "NSE", "RELIANCE"),
        StoredTrade("T2", "O2", RELIANCE, Side.SELL, 4, Decimal("101.00"), "D", "NSE", "RELIANCE"),
    ]
    app = open_orders(view="Fills")

    assert "2 fills: bought 10 for ₹1,001.00, sold 4 for ₹404.00." in words_on(app)
    [table] = sent_to_browser(app, "figure_table")
    first, second = (row["cells"] for row in table["rows"])
    assert first[1:] == ["Buy", "10", {"t": "100.10", "n": "= 1,001.00"}, "1,001.00", "O1", "T1"]
    assert second[1:3] == ["Sell", "4"]
    assert (first[0]["k"], first[0]["n"], table["old"]) == (RELIANCE, "order O1, trade T1", False)
    on_a_phone = [column["label"] for column in table["columns"] if column["rank"] == 1]
    assert on_a_phone == ["Instrument", "Side", "Quantity", "Price, ₹"]


def test_fills_that_may_have_grown_say_how_old_they_are_and_why(orders):
    orders.fills = [StoredTrade("T1", "O1", RELIANCE, Side.BUY, 10, Decimal("100.10"), "D", "NSE", "RELIANCE")]
    orders.error = "the broker does not answer"
    app = open_orders(view="Fills")

    told = next(one.value for one in app.markdown if "fills since may be missing" in one.value).replace("\\", "")
    assert "Not current: the broker does not answer. The fills as they were read" in told
    assert " old; " in told
    assert "orange" in told
    assert sent_to_browser(app, "figure_table")[0]["old"] is True


def test_no_fills_are_not_called_none_while_the_book_cannot_be_read(orders):
    orders.error = "the broker does not answer"
    shown = words_on(open_orders(view="Fills"))

    assert "The fills of today are not known: the broker does not answer." in shown
    assert "No fills today" not in shown


def test_an_open_order_whose_price_and_state_are_not_of_now_is_told_as_old(orders, monkeypatch):
    orders.orders, orders.error = [book_order(1)], "the broker does not answer"
    monkeypatch.setattr(Reading, "is_old", lambda reading, key: key == RELIANCE)
    ticket()  # its price is there then
    [table] = sent_to_browser(ticket(), "order_table")

    assert table["old"]
    assert table["rows"][0]["old"] > 0


def test_the_ticket_shows_the_money_that_was_told_last_with_its_time(orders, desk):
    desk.portfolio.funds(wait=5.0)
    shown = words_on(ticket())

    assert ":gray[**₹10,00,000.00**]" in shown
    assert "Available: as of " in shown
    assert "ago, not current" not in shown
    orders.error = "the broker does not answer"
    assert re.search(r"Available: as of .* ago, not current", words_on(ticket()))


def test_while_the_broker_is_away_no_figure_of_the_ticket_is_called_on_its_way(orders, monkeypatch):
    monkeypatch.setattr(PortfolioBook, "funds", lambda book, wait=0.0: FundsView())
    assert "**…**" in words_on(ticket())
    orders.error = "the broker does not answer"
    shown = words_on(ticket())

    assert "**…**" not in shown
    assert "The broker's estimate of charges and funds not known: the broker does not answer" in shown


def test_bid_last_and_ask_in_the_ticket_have_their_time_while_they_are_of_now_too(orders):
    assert re.search(r":gray\[:small\[as of \d\d:\d\d:\d\d IST\]\]", words_on(ticket()))


def test_bid_last_and_ask_in_the_ticket_are_grey_with_their_age_once_they_are_not_of_now(orders, monkeypatch):
    monkeypatch.setattr(Reading, "is_old", lambda reading, key: key == RELIANCE)
    shown = ticket()

    labels = [one.label for one in shown.button if "take-" in (one.key or "")]
    assert len(labels) == 3
    assert all(label.startswith(":gray[") for label in labels)
    assert "old, not current" in words_on(shown)


def test_an_empty_list_of_gtts_that_is_not_current_does_not_say_that_nothing_waits(orders):
    assert "Nothing waits." in words_on(open_orders(view="GTT"))
    orders.error = "the broker does not answer"
    shown = words_on(open_orders(view="GTT"))

    assert "Nothing waits" not in shown
    assert "whether anything does now is not known" in shown
    assert "Not current: the broker does not answer" in shown


def test_a_gtt_is_listed_with_its_legs_and_can_be_cancelled(orders):
    orders.waiting = [waiting_gtt()]
    app = open_orders(view="GTT")
    shown = words_on(app)
    assert "Entry at or below ₹1,200.00: scheduled" in shown
    button(app, "gtt-cancel-GTT-C26112100001").click().run()
    press(app)

    assert orders.calls == [("GTT_CANCEL", "GTT-C26112100001")]


def test_a_gtt_begins_with_the_side_and_the_quantity_of_the_order(orders):
    app = ticket(side="SELL", quantity="7")
    next(one for one in app.segmented_control if one.label == "Kind").set_value("GTT").run()

    assert fields(app)["Quantity"].value == 7
    assert "Sell 7 RELIANCE" in words_on(app)


def test_lots_follow_a_quantity_that_was_changed_under_a_gtt(orders, desk):
    option = next(one for one in desk.instruments.search("nifty ce", limit=50) if one.is_option)
    app = open_orders(key=option.key)
    lot = option.lot_size
    next(one for one in app.segmented_control if one.label == "Kind").set_value("GTT").run()
    by_label(app.number_input, "Quantity").set_value(2 * lot).run()
    next(one for one in app.segmented_control if one.label == "Kind").set_value("Order").run()

    assert fields(app)["Quantity"].value == 2 * lot
    assert fields(app)[f"Lots of {lot}"].value == 2


def test_a_gtt_is_placed_with_a_target_and_a_stop(orders):
    app = ticket()
    next(one for one in app.segmented_control if one.label == "Kind").set_value("GTT").run()
    by_label(app.number_input, "Entry price").set_value(1200.0).run()
    by_label(app.number_input, "Target (may be empty)").set_value(1300.0).run()
    by_label(app.number_input, "Stop-loss (may be empty)").set_value(1150.0).run()
    button(app, "gtt-review").click().run()
    press(app)

    name, request = orders.calls[0]
    assert name == "GTT_PLACE"
    assert request.kind == "MULTIPLE"


def test_the_brokers_own_history_of_an_order_is_asked_for_and_told_with_its_time(orders):
    orders.orders = [book_order(1)]
    name = orders.orders[0].order_id
    orders.history = [
        OrderEvent(
            1, name, datetime.now(UTC), datetime.now(UTC), "history", "validation pending", 10, 0, Decimal(1200),
            Decimal(0), Decimal(0), None, "1", None, None,
        )
    ]  # fmt: skip
    app = open_orders()
    app.session_state["orders-looked-at"] = (name, False)
    app.run()
    assert "by the order's history" not in words_on(app)
    shown = words_on(button(app, "details-history").click().run())

    assert orders.calls == [("history", name)]
    assert "by the order's history" in shown
    assert "The broker told its history at" in shown
    assert "one step that was not known here" in shown


def test_a_history_that_cannot_be_had_is_told_as_such(orders):
    orders.orders, orders.history_error = [book_order(1)], NotSent("nothing answers")
    app = open_orders()
    app.session_state["orders-looked-at"] = (orders.orders[0].order_id, False)
    app.run()
    app = button(app, "details-history").click().run()

    assert "The broker cannot be reached" in [box.proto.title for box in app.warning]
    assert "The broker told its history" not in words_on(app)


def test_one_order_is_looked_at_step_by_step(orders):
    order = book_order(1, filled_quantity=4, average_price=Decimal("1234.4"))
    orders.orders = [order]
    event = OrderEvent(
        1, order.order_id, datetime.now(UTC), None, "stream", "open", 10, 4, order.price, Decimal(0),
        Decimal("1234.4"), None, "1", None, None,
    )  # fmt: skip
    orders.events = [event]
    app = open_orders()
    app.session_state["orders-looked-at"] = (order.order_id, True)
    app.run()

    shown = words_on(app)
    assert "Open, 4 of 10 filled" in shown
    assert "by the order stream" in shown
    by_label(app.number_input, "Quantity, the whole of it").set_value(12).run()
    app.button(key=f"change-{order.order_id}-review").click().run()
    assert "10 → 12" in words_on(app)
    press(app)
    assert orders.calls[0][0] == "MODIFY"
    assert orders.calls[0][1][1].quantity == 12


def test_fills_are_announced_on_every_page(orders):
    orders.announce(News.FILL, "Bought 4 of 10 RELIANCE at ₹1,234.40")
    orders.announce(News.REJECT, "Rejected: no money", good=False)
    app = open_page("overview")

    news = sent_to_browser(app, "frame")[0]["news"]
    assert [one["text"] for one in news] == ["Bought 4 of 10 RELIANCE at ₹1,234.40", "Rejected: no money"]
    assert [one["good"] for one in news] == [True, False]
