"""Alerts on the pages: seen, resolved, set from a quote row, a chart and the health page; channels.

The desk's own rules run beside the test and end what they know to be over: so alerts here are of a kind without a rule.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest
from streamlit.testing.v1 import AppTest

from services.alerts import Life, Severity, Side
from services.alerts.book import Standing
from services.domain.actors import Actor, Role
from services.runtime import Runtime
from tests.support.alerts import FakeSender, until
from tests.support.screens import open_page, sent_to_browser, words_on

RELIANCE = "NSE_EQ|INE002A01018"
OPERATOR = Actor("asha", Role.OPERATOR, "page test")
SECRET = "fake://bot-token-0a1b2c3d4e5f/chat"


@pytest.fixture
def alerts(desk: Runtime) -> Iterator[Runtime]:
    """A desk without alerts, price alerts and channels; nothing is sent anywhere."""
    sender = FakeSender()
    desk.alert_desk.channels._sender = desk.alert_desk._notifier._sender = sender  # type: ignore[assignment]
    yield desk
    for one in desk.alerts.all(open_only=True):
        desk.alerts.resolve(one.id)
    for state in desk.alert_desk.prices.states():
        desk.alert_desk.prices.remove(state.alert.id, OPERATOR)
    for channel in desk.alert_desk.channels.all():
        desk.alert_desk.channels.remove(channel.id, OPERATOR)


def press(app: AppTest, key: str) -> AppTest:
    return app.button(key=key).click().run()


def test_an_open_alert_is_told_and_can_be_seen_and_resolved(alerts: Runtime) -> None:
    alert = alerts.alerts.raise_alert("trade_conflict", "trade *7* was told twice", severity="critical")
    app = open_page("health")
    assert not app.exception
    assert "trade *7* was told twice" in words_on(app)
    assert "A fill was told twice, differently" in words_on(app)

    app = press(app, f"alerts-list-seen-{alert.id}")
    assert alerts.alerts.get(alert.id).life is Life.ACKNOWLEDGED
    assert "seen by" in words_on(app)
    app = press(app, f"alerts-list-resolve-{alert.id}")
    assert alerts.alerts.get(alert.id).life is Life.RESOLVED
    assert "No alert is open" in words_on(app)


def test_a_price_alert_is_set_from_the_dialog_and_removed(alerts: Runtime) -> None:
    last = Decimal(str(alerts.quotes.get([RELIANCE]).quotes[RELIANCE]["ltp"]))
    app = open_page("candles")
    app = press(app, "candles-alert-0")
    assert not app.exception
    assert app.button(key="alert-set").disabled
    app = app.text_input(key="alert-level").set_value(f"{last * 2:.2f}").run()
    assert "You are told when it rises to that" in words_on(app)
    press(app, "alert-set")

    [state] = alerts.alert_desk.prices.states()
    assert (state.alert.direction, state.alert.once, state.alert.level) == (Side.ABOVE, True, last * 2)
    app = open_page("health")
    assert f"rises to {last * 2:,.2f}".replace(",", "") in words_on(app).replace(",", "")
    press(app, f"alerts-price-remove-{state.alert.id}")
    assert alerts.alert_desk.prices.states() == []


def test_an_alert_about_an_instrument_leads_to_it(alerts: Runtime) -> None:
    told = {"key": RELIANCE, "symbol": "RELIANCE", "level": "1500"}
    alert = alerts.alerts.raise_alert("trade_conflict", "RELIANCE is at 1,500.05", context=told)

    app = press(open_page("health"), f"alerts-list-symbol-{alert.id}")
    assert not app.exception
    assert [one["label"] for one in sent_to_browser(app, "depth")] == ["Market depth of RELIANCE"]


def test_an_alert_that_ended_is_told_however_many_newer_ones_are_open(
    alerts: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    over = alerts.alerts.raise_alert("trade_conflict", "trade 7 was told twice", subject="first")
    alerts.alerts.resolve(over.id, "asha")
    for number in range(3):
        alerts.alerts.raise_alert("trade_conflict", "another", subject=f"later {number}")
    monkeypatch.setattr("dashboard.components.alert_list.HISTORY", 2)

    app = open_page("health")
    app.session_state["alerts-list-history"] = True
    app = app.run()
    assert "No alert has ended yet" not in words_on(app)
    tables = {table["label"]: table["rows"] for table in sent_to_browser(app, "figure_table")}
    assert "trade 7 was told twice" in [row["cells"][-1] for row in tables["Alerts that are over"]]


def test_a_row_of_quotes_leads_to_the_dialog(alerts: Runtime) -> None:
    app = open_page("quotes")
    [table] = sent_to_browser(app, "quote_table")
    assert table["alertable"]


def test_a_channel_is_added_tested_and_removed_and_its_address_is_nowhere(alerts: Runtime) -> None:
    app = press(open_page("health"), "alerts-channels-add")
    name, url = (one for one in app.text_input if one.label in {"Name", "Address"})
    name.set_value("Phone")
    url.set_value(SECRET)
    app = next(one for one in app.button if one.label == "Add").click().run()
    assert not app.exception
    [channel] = alerts.alert_desk.channels.all()
    assert (channel.name, channel.service, channel.least) == ("Phone", "Fake", Severity.WARNING)

    app = open_page("health")
    assert "Phone" in words_on(app)
    assert "0a1b2c3d" not in words_on(app)
    press(app, f"alerts-channels-test-{channel.id}")
    until(lambda: not alerts.alert_desk.channel_states()[0].testing, lambda: None)
    assert "last message sent" in words_on(open_page("health")).lower()
    press(open_page("health"), f"alerts-channels-remove-{channel.id}")
    assert alerts.alert_desk.channels.all() == []


def test_the_overview_names_the_open_alerts(alerts: Runtime) -> None:
    alerts.alerts.raise_alert("trade_conflict", "trade *7* was told twice")

    app = open_page("overview")
    assert "A fill was told twice, differently" in words_on(app)
    assert "trade *7* was told twice" in words_on(app)


def test_alerts_that_could_not_be_read_yet_are_not_none(alerts: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    unread = Standing((), "ledger.db: damaged", complete=False)
    monkeypatch.setattr(alerts.alert_desk, "standing", lambda: unread)

    for page in ("health", "overview"):
        words = words_on(open_page(page))
        assert "Which alerts are open from before is not known yet" in words
        assert "No alert is open" not in words
        assert "No open alerts" not in words
