"""The reset of the paper account in a real browser, and what the other pages say after it."""

from __future__ import annotations

import pytest
import requests

from tests.support.broker_process import Broker
from tests.support.desk import Desk

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

LIMIT = {
    "quantity": 10, "product": "D", "validity": "DAY", "price": 0, "tag": "by-hand",
    "instrument_token": "NSE_EQ|INE002A01018", "order_type": "MARKET", "transaction_type": "BUY",
    "disclosed_quantity": 0, "trigger_price": 0, "is_amo": False, "slice": False,
}  # fmt: skip


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    folder = tmp_path_factory.mktemp("account")
    with Broker(folder / "broker") as broker:
        environment = dict.fromkeys(("DESK_API_BASE", "DESK_ORDER_BASE", "DESK_ASSETS_BASE"), broker.url)
        environment |= {"DESK_ACCESS_TOKEN": broker.token}
        with Desk(folder / "data", environment=environment) as desk:
            yield broker, desk


def ask(broker, method, path, **given):
    with requests.Session() as session:
        session.trust_env = False
        header = {"Authorization": f"Bearer {broker.token}"}
        answer = session.request(method, broker.url + path, headers=header, timeout=10, **given)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


@pytest.mark.parametrize(("width", "height", "scheme"), [(1440, 900, "light"), (390, 844, "dark")])
def test_a_reset_by_hand_puts_everything_away_on_every_page(both, open_page, width, height, scheme):
    broker, desk = both
    number = ask(broker, "GET", "/_paper/account")["number"]
    ask(broker, "POST", "/v3/order/place", json=LIMIT)
    page = open_page(f"{desk.url}/account", width=width, height=height, scheme=scheme)
    page.get_by_text(f"number {number}, opened").wait_for()

    page.get_by_role("button", name="Reset the paper account").click()
    dialog = page.get_by_role("dialog")
    confirm = dialog.get_by_label("Type PAPER1 to confirm")
    confirm.fill("yes")
    confirm.press("Enter")
    assert ask(broker, "GET", "/_paper/account")["number"] == number, "Enter in a field sends nothing"
    dialog.get_by_role("button", name="Put it away and begin anew").click()
    dialog.get_by_text("Type PAPER1 to confirm: every order").wait_for()
    confirm.fill("PAPER1")
    confirm.blur()
    dialog.get_by_role("button", name="Put it away and begin anew").click()

    page.get_by_text(f"number {number + 1}, opened").wait_for()
    dialog.wait_for(state="detached")
    page.get_by_text("Accounts that were put away.").wait_for()
    told = ask(broker, "GET", "/_paper/account")
    assert (told["number"], told["orders_today"], told["archives"][-1]["orders"]) == (number + 1, 0, 1)

    page.goto(f"{desk.url}/portfolio")
    page.get_by_text("No positions").first.wait_for()
    page.goto(f"{desk.url}/orders")
    page.get_by_text("No open orders").first.wait_for()
    assert page.get_by_text("not known").count() == 0
