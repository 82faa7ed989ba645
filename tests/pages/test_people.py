"""What pages offer to those who may only look, and to those who trade but do not operate."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.locks import person as module
from dashboard.resources import order_sender
from services.acting import local_user
from services.domain.actors import Role
from services.runtime import Runtime
from services.runtime.doors import sign_ins_of
from services.sign_in.passwords import Scrypt
from tests.support.screens import open_page, sent_to_browser, words_on

RELIANCE = "NSE_EQ|INE002A01018"
_PASSWORD = "correct horse battery"


@pytest.fixture
def become(desk: Runtime, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Role], str]]:
    """`become(role)` signs somebody of that role in; every page from then on is theirs."""
    sign_ins = desk.sign_ins
    monkeypatch.setattr(sign_ins, "_scrypt", Scrypt(cost=2, lanes=1))
    names: list[str] = []
    owner: list[str] = []
    operator = local_user()

    def start(role: Role) -> str:
        names.append(f"{role.value}-{uuid.uuid4().hex[:6]}")
        sign_ins.add(names[-1], role, _PASSWORD, actor=operator)
        owner[:] = [str(sign_ins.sign_in(names[-1], _PASSWORD).signed_in.number)]
        monkeypatch.setattr(module, "_found", lambda: owner[0])
        return names[-1]

    yield start
    for name in names:
        sign_ins.remove(name, actor=operator)


def test_a_viewer_sees_every_page_and_their_name_on_it(become: Callable[[Role], str]) -> None:
    name = become(Role.VIEWER)

    for page in ("overview", "quotes", "candles", "orders", "portfolio", "pnl", "calendar", "health", "account"):
        app = open_page(page)
        assert not app.exception, page
        assert any(f"{name}, viewer" in str(caption.value).replace("\\", "") for caption in app.sidebar.caption), page


def test_a_viewer_cannot_place_an_order_by_anything_that_a_page_runs(
    desk: Runtime, become: Callable[[Role], str]
) -> None:
    from dashboard.order_drafts import place_draft
    from services.domain.orders import OrderRequest, OrderType, Side

    become(Role.VIEWER)
    request = OrderRequest(key=RELIANCE, side=Side.BUY, quantity=1, order_type=OrderType.MARKET, product="I")
    draft = place_draft(request, None, "Buy one", warnings=())
    order_sender().offer(draft)

    app = AppTest.from_function(_everything, kwargs={"intent_id": draft.intent_id}, default_timeout=30).run()

    assert not app.exception
    told = str(app.json[0].value)
    assert told.count("Forbidden") == 35, told
    assert order_sender().look(draft.intent_id).stage.value == "offered", "it is still there for who may"
    assert [desk.intents.get(f"v{number}") for number in range(1, 10)] == [None] * 9


def _everything(intent_id: str) -> None:
    """What a page of a viewer could call, by whatever way it came to that."""
    from decimal import Decimal

    import streamlit as st

    from dashboard.locks.person import at_the_door
    from dashboard.order_session import actor
    from dashboard.resources import desk, order_sender
    from services.auth_manager import auth_manager
    from services.domain.actors import Role
    from services.domain.errors import UpstoxError
    from services.domain.orders import OrderChange, OrderRequest, OrderType, Side
    from services.ledger.price_alerts import Side as Above
    from services.order_manager_v3 import OrderManagerV3

    at_the_door()
    who, orders, rt = actor(), desk().orders, desk()
    request = OrderRequest(
        key="NSE_EQ|INE002A01018", side=Side.BUY, quantity=1, order_type=OrderType.MARKET, product="I"
    )
    manager, level = OrderManagerV3(), Decimal(1)
    ways = {
        "place": lambda: orders.place(request, intent_id="v1", actor=who),
        "modify": lambda: orders.modify("1", OrderChange(quantity=2), intent_id="v2", actor=who),
        "cancel": lambda: orders.cancel("1", intent_id="v3", actor=who),
        "basket": lambda: orders.place_basket([request], intent_id="v4", actor=who),
        "cancel all": lambda: orders.cancel_all(intent_id="v5", actor=who),
        "exit all": lambda: orders.exit_all(intent_id="v6", actor=who),
        "gtt": lambda: orders.gtt_cancel("1", intent_id="v7", actor=who),
        "convert": lambda: orders.convert(request.key, Side.BUY, 1, "MIS", "CNC", intent_id="v8", actor=who),
        "switch": lambda: orders.set_kill_switch(True, actor=who),
        "broker switch": lambda: orders.set_broker_kill_switch({"NSE_EQ": True}, intent_id="v9", actor=who),
        "limits": lambda: orders.set_limits(orders.limits(), actor=who),
        "resolve": lambda: orders.resolve("v1", True, actor=who),
        "draft": lambda: order_sender().send(intent_id, who),
        "manager": lambda: manager.cancel_order("1"),
        "reset": lambda: rt.paper_account.reset("PAPER1", actor=who),
        "watchlist": lambda: rt.watchlists.create("Mine"),
        "log out": lambda: rt.login.sign_out(),
        "token": lambda: auth_manager.save_token("default", {"access_token": "x"}),
        "file": lambda: rt.pnl.imports.remove(1, who),
        "journal": lambda: rt.pnl.journal.write("t1", "mine", (), who),
        "split": lambda: rt.pnl.actions.remove(1, who),
        "settlement": lambda: rt.pnl.actions.unsettle("NSE:NIFTY", who),
        "rate": lambda: rt.pnl.rates.reset_rate(1, who),
        "rates": lambda: rt.pnl.rates.reset_all(who),
        "channel": lambda: rt.alert_desk.channels.add("mine", "jsons://elsewhere.example/x", who),
        "channel off": lambda: rt.alert_desk.channels.turn(1, False, who),
        "channel away": lambda: rt.alert_desk.channels.remove(1, who),
        "channel test": lambda: rt.alert_desk.test(1, who),
        "rule": lambda: rt.alert_desk.set_rule("error-rate", who, active=0),
        "seen": lambda: rt.alert_desk.acknowledge(1, who),
        "over": lambda: rt.alert_desk.resolve(1, who),
        "price alert": lambda: rt.alert_desk.prices.add(request.key, "R", who, level=level, direction=Above.ABOVE),
        "price alert away": lambda: rt.alert_desk.prices.remove(1, who),
        "sign out another": lambda: rt.sign_ins.sign_out("asha", actor=who),
        "user": lambda: rt.sign_ins.add("me", Role.OPERATOR, "correct horse battery", actor=who),
    }
    told = {}
    for name, way in ways.items():
        try:
            told[name] = f"done: {way()}"
        except UpstoxError as error:
            told[name] = type(error).__name__
    st.json(told)


def test_a_trader_trades_and_does_not_operate(desk: Runtime, become: Callable[[Role], str]) -> None:
    become(Role.TRADER)

    app = open_page("account")

    assert not app.exception
    assert "An operator logs the desk in at the broker." in words_on(app)
    assert app.button(key="account-sign-out").disabled
    assert "Users" not in [table["label"] for table in sent_to_browser(app, "figure_table")]


def test_an_operator_sees_who_is_here_and_what_was_noted(desk: Runtime, become: Callable[[Role], str]) -> None:
    name = become(Role.OPERATOR)

    app = open_page("account")

    assert not app.exception
    tables = [str(table["rows"]) for table in sent_to_browser(app, "figure_table")]
    assert "Users" in [table["label"] for table in sent_to_browser(app, "figure_table")]
    assert any(name in table and "password" in table for table in tables)
    assert any("signed in" in table for table in tables)
    assert _PASSWORD not in words_on(app) + "".join(tables)


def test_a_sign_in_that_is_over_ends_the_page(desk: Runtime, become: Callable[[Role], str]) -> None:
    name = become(Role.TRADER)
    app = open_page("orders")
    assert not app.exception

    desk.sign_ins.sign_out(name, actor=local_user())
    app.run()

    assert "our sign-in is over" in " ".join(str(error.value) for error in app.error)
    assert not app.tabs


def test_what_somebody_left_in_a_session_is_gone_for_the_next(
    desk: Runtime, become: Callable[[Role], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    become(Role.TRADER)
    app = open_page("orders")
    app.session_state["left behind"] = "a draft"

    become(Role.VIEWER)
    app.run()

    assert "left behind" not in app.session_state
    assert not app.exception


def test_signing_out_by_the_button_ends_it(desk: Runtime, become: Callable[[Role], str]) -> None:
    name = become(Role.TRADER)
    app = open_page("overview")

    app.button(key="who-sign-out").click().run()

    assert [one for one in desk.sign_ins.everybody() if one.user == name] == []
    assert app.error
    assert sign_ins_of(desk.ledger, desk.settings).everybody() == desk.sign_ins.everybody()
