"""Every page, through the entry script, over a real runtime and a real paper broker."""

from __future__ import annotations

import re
from contextlib import ExitStack
from types import SimpleNamespace

import pytest

from dashboard.first_start import FIRST_KEYS, INDEX_KEYS
from dashboard.instrument_wanted import SEARCH
from dashboard.kept import Look
from dashboard.over_page import Over
from dashboard.resources import paper_account_keeper, person_keeper
from services.alerts.book import Standing
from services.alerts.rules import ERROR_RATE
from services.domain.errors import DataFolderTooNew, NotSent, PoolExhausted
from services.measures.checks import Check, CheckState
from services.orders.views import SwitchesView
from services.paper.options import PaperOptions
from services.paper.server import PaperServer
from services.runtime import Runtime
from services.settings import load_settings
from tests.support.order_desk import eventually
from tests.support.screens import DEFAULT, PAGES, ROOT, open_page, pages_over, sent_to_browser, words_on

RELIANCE = "NSE_EQ|INE002A01018"
MM = "NSE_EQ|INE101A01026"
SILENT = "nothing came for *60 s*"
TITLES = {"pnl": "P&L", "pnl_print": "P&L report"}


@pytest.mark.parametrize("page", PAGES)
def test_a_page_renders_with_title_and_frame(desk, page):
    app = open_page(page)

    assert not app.exception
    assert app.title[0].value == TITLES.get(page, page.capitalize())
    frame = sent_to_browser(app, "frame")[0]
    assert frame["mode"] == "Paper"
    assert frame["source"] == "Prices: simulated"
    assert frame["phase"].startswith("Practice session, every market open (NSE ")


def test_the_default_page_is_the_overview(desk):
    app = open_page(DEFAULT)

    assert app.title[0].value == "Overview"


def test_quotes_begin_with_prices_not_with_dashes(desk):
    app = open_page("quotes")

    table = sent_to_browser(app, "quote_table")[0]
    assert [r["k"] for r in table["rows"]] == list(FIRST_KEYS)
    assert all(r["v"][1] > 0 for r in table["rows"])
    assert table["in_session"] is True


def test_the_index_strip_shows_every_index_of_the_practice_market(desk):
    strip = sent_to_browser(open_page("quotes"), "index_strip")[0]

    assert [card["k"] for card in strip["cards"]] == list(INDEX_KEYS)


def test_depth_of_the_first_row_is_there_without_a_click(desk):
    depth = sent_to_browser(open_page("quotes"), "depth")[0]

    assert depth["label"] == "Market depth of RELIANCE"
    assert len(depth["bids"]) == len(depth["asks"]) == 5
    assert depth["bids"][0][0] < depth["asks"][0][0]


def test_depth_can_be_put_away(desk):
    app = open_page("quotes")
    app.toggle(key="quotes-depth-on").set_value(False).run()

    assert sent_to_browser(app, "depth") == []
    assert sent_to_browser(app, "quote_table")[0]["pickable"] is False


@pytest.mark.parametrize(
    ("text", "symbol"),
    [
        ("reliance", "RELIANCE"),
        ("INE002A01018", "RELIANCE"),
        ("INE009A01021", "INFY"),
        ("M&M", "M&M"),
        ("bajaj auto", "BAJAJ-AUTO"),
    ],
)
def test_search_finds_by_symbol_name_and_isin(desk, text, symbol):
    app = open_page("quotes")
    app.text_input(key="quotes-search").set_value(text).run()

    results = sent_to_browser(app, "pick_list")[0]
    assert results["items"][0]["s"] == symbol
    assert results["items"][0]["had"] is True


def test_a_search_before_the_instruments_are_there_goes_on_by_itself_when_they_are(desk, monkeypatch):
    from threading import Event

    from dashboard.resources import opening

    app = open_page("quotes")
    loaded = Event()
    monkeypatch.setattr(opening(), "master_ready", loaded)
    app.text_input(key="quotes-search").set_value("tata steel").run()
    assert "The instrument list is being loaded; search works in a moment." in words_on(app)

    loaded.set()
    app.run()
    assert "being loaded" not in words_on(app)
    assert "TATASTEEL" in [item["s"] for item in sent_to_browser(app, "pick_list")[0]["items"]]


def test_a_search_for_nothing_known_says_so(desk):
    app = open_page("quotes")
    app.text_input(key="quotes-search").set_value("zzzzqq").run()

    assert sent_to_browser(app, "pick_list")[0]["note"] == "Nothing is called “zzzzqq”."


def test_another_watchlist_can_be_chosen(desk):
    other = desk.watchlists.create("One share", [MM])
    app = open_page("quotes")
    app.segmented_control(key="quotes-list").set_value(other.id).run()

    assert [r["s"] for r in sent_to_browser(app, "quote_table")[0]["rows"]] == ["M&M"]


def test_many_watchlists_become_a_drop_down(desk):
    for number in range(8):
        desk.watchlists.create(f"List {number}")
    app = open_page("quotes")

    assert len(app.selectbox(key="quotes-list").options) == 9


def test_columns_and_sort_are_kept_with_their_watchlist(desk):
    first = desk.watchlists.all()[0]
    desk.watchlists.set_columns(first.id, ("volume", "ltp", "down:volume"))
    table = sent_to_browser(open_page("quotes"), "quote_table")[0]

    assert [column["id"] for column in table["columns"]] == ["symbol", "volume", "ltp"]
    assert table["sort"] == {"id": "volume", "dir": "desc"}


def test_choosing_columns_writes_them_to_the_ledger(desk):
    first = desk.watchlists.all()[0]
    app = open_page("quotes")
    app.multiselect(key=f"quotes-columns-{first.id}").set_value(["oi", "ltp"]).run()

    assert not app.exception
    assert desk.watchlists.all()[0].columns == ("oi", "ltp")


def test_an_empty_watchlist_says_what_to_do(desk):
    first = desk.watchlists.all()[0]
    desk.watchlists.replace(first.id, [])
    app = open_page("quotes")

    assert not app.exception
    assert "Search above" in sent_to_browser(app, "quote_table")[0]["empty"]
    assert sent_to_browser(app, "depth") == []

    overview = open_page("overview")
    assert sent_to_browser(overview, "quote_table") == []
    assert "Add instruments" in [link.proto.label for link in overview.get("page_link")]


def test_no_watchlist_at_all_is_no_error(desk):
    open_page("overview")  # the desk is open now, and has looked after its first list
    desk.watchlists.delete(desk.watchlists.all()[0].id)

    assert "There is no watchlist" in open_page("quotes").info[0].proto.title
    assert "Nothing to watch yet" in words_on(open_page("overview"))


def test_a_list_of_five_hundred_renders(desk):
    keys = [i.key for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" for i in desk.instruments.search(letter, limit=60)]
    keys = list(dict.fromkeys(keys))[:500]
    first = desk.watchlists.all()[0]
    desk.watchlists.replace(first.id, keys)
    app = open_page("quotes")

    assert not app.exception
    assert len(sent_to_browser(app, "quote_table")[0]["rows"]) == len(keys)


def test_a_key_that_the_broker_does_not_know_is_told_in_its_row_and_spoils_no_other(desk):
    first = desk.watchlists.all()[0]
    desk.watchlists.replace(first.id, [RELIANCE, "NSE_EQ|INE999Z99999"])
    app = open_page("quotes")

    good, bad = sent_to_browser(app, "quote_table")[0]["rows"]
    assert good["v"][1] > 0
    assert bad["v"][1] is None
    assert not app.warning


def test_gainers_and_losers_of_the_overview_are_on_their_side(desk):
    gainers, losers = sent_to_browser(open_page("overview"), "quote_table")

    assert all(r["v"][2] > 0 for r in gainers["rows"])
    assert all(r["v"][2] < 0 for r in losers["rows"])
    assert len(gainers["rows"]) + len(losers["rows"]) > 0


def test_the_days_result_is_that_of_the_results_page_and_each_tile_leads_there(desk):
    result, held = sent_to_browser(open_page("overview"), "tiles")[-2:]

    assert [tile["href"] for tile in result["tiles"]] == [
        f"/pnl?period=today&behind={figure}" for figure in ("gross", "charges", "net", "unrealised")
    ]
    assert [tile["name"] for tile in held["tiles"]][-2:] == ["Open orders", "Available"]
    assert held["tiles"][-1]["figure"].startswith("₹")


def test_the_overview_tells_each_check_with_its_reason(desk):
    desk.measures.start()
    [checks] = sent_to_browser(open_page("overview"), "health_checks")

    assert checks["compact"] is True
    assert [one["name"] for one in checks["checks"]] == ["feed", "rest", "orders", "storage", "token", "market"]
    assert all(one["reason"] for one in checks["checks"])


@pytest.mark.parametrize("page", PAGES)
def test_the_keys_of_the_keyboard_lead_from_every_page_to_the_search_and_to_the_ticket(desk, page):
    app = open_page(page)
    app.session_state["desk-over-wanted"] = (Over.INSTRUMENT, SEARCH)  # as the frame leaves it when "/" is pressed
    assert "Opens its depth, with the ways to its chart and its ticket" in words_on(app.run())

    app = open_page(page)
    app.session_state["desk-page-wanted"] = "ticket"  # "t"
    app.run()
    assert not app.exception
    assert app.title[0].value == "Orders"


def test_an_alert_that_is_being_made_stays_open_over_a_page_that_is_drawn_anew(desk):
    app = open_page("account")
    app.session_state["desk-over-wanted"] = (Over.ALERT, RELIANCE)
    app.run()
    app.text_input(key="alert-level").set_value("1").run()

    assert app.run().text_input(key="alert-level").value == "1"
    app.session_state["desk-over-wanted"] = (Over.INSTRUMENT, RELIANCE)  # in its place
    assert "alert-level" not in {field.key for field in app.run().text_input}


@pytest.mark.parametrize(
    ("page", "link", "wanted", "fields"),
    [
        ("orders", {"view": "Safety"}, (Over.LIMITS, ""), {"Orders per second"}),
        ("health", {}, (Over.CHANNEL, ""), {"Name", "Address"}),
        ("health", {}, (Over.RULE, "error_rate"), {"Opens above, errors a minute"}),
        ("quotes", {}, (Over.WATCHLIST, "New watchlist"), {"Name"}),
        ("quotes", {}, (Over.WATCHLIST, "Rename {list}"), {"Name"}),
        ("quotes", {}, (Over.WATCHLIST, "Import"), {"Name of the new list"}),
    ],
)
def test_a_dialog_of_the_page_stays_open_over_a_page_that_is_drawn_anew_until_it_is_put_away(
    desk, page, link, wanted, fields
):
    kind, what = wanted
    wanted = (kind, what.format(list=desk.watchlists.all()[0].id))
    app = open_page(page, **link)
    app.session_state["alerts-rules-open"] = True
    app.session_state["desk-over-wanted"] = wanted  # as its button leaves it
    for _ in range(2):
        app.run()
        assert not app.exception
        assert fields <= {one.label for one in (*app.text_input, *app.number_input)}

    del app.session_state["desk-over-open"]  # as the browser's cross does by `dismiss`
    app.run()
    assert not fields <= {one.label for one in (*app.text_input, *app.number_input)}


def test_what_was_to_be_done_to_a_list_that_is_gone_is_not_asked_of_the_next_one(desk):
    asked = desk.watchlists.create("Mine", [RELIANCE])
    app = open_page("quotes")
    app.session_state["quotes-list-wanted"] = asked.id
    app.session_state["desk-over-wanted"] = (Over.WATCHLIST, f"Delete {asked.id}")
    assert "**Mine** and its 1 instrument will be gone" in words_on(app.run())

    desk.watchlists.delete(asked.id)  # by another browser
    app.run()
    assert not app.exception
    assert "will be gone" not in words_on(app)


def test_an_instrument_stays_open_over_a_page_that_is_drawn_anew_and_not_over_the_next(desk):
    app = open_page("account")
    app.session_state["desk-over-wanted"] = (Over.INSTRUMENT, RELIANCE)
    for _ in range(2):
        app.run()
        assert [told["label"] for told in sent_to_browser(app, "depth")] == ["Market depth of RELIANCE"]

    app.switch_page(str(ROOT / "pages" / "calendar.py")).run()
    assert not app.exception
    assert sent_to_browser(app, "depth") == []


def tour_of(app):
    return [told for told in sent_to_browser(app, "tiles") if told["label"] == "The desk in five steps"]


def test_the_tour_is_there_until_somebody_puts_it_away_and_comes_back_when_asked(desk):
    app = open_page("overview")
    assert len(tour_of(app)[0]["tiles"]) == 5

    app.button(key="tour-away").click().run()
    assert not app.exception
    assert tour_of(app) == []
    assert tour_of(open_page("overview")) == []  # another session of the same person

    open_page("account").button(key="tour-again").click().run()
    assert len(tour_of(open_page("overview"))) == 1


def test_going_live_is_told_from_how_the_desk_stands(desk):
    shown = words_on(open_page("account"))

    assert "App key and secret** &ensp; missing: UPSTOX_CLIENT_ID and UPSTOX_CLIENT_SECRET not set" in shown
    assert "Log in** &ensp; later: this is a paper desk" in shown
    assert "Kill switch known** &ensp; done: orders may leave" in shown


def test_open_alerts_and_failed_requests_are_told_on_the_overview(desk):
    alert = desk.alerts.raise_alert("feed", SILENT, subject="test")
    before = desk.errors.breakdown(24 * 60).get("NoAnswer", 0)  # of tests that shared this desk
    desk.errors.add("NoAnswer", "no answer", endpoint="quotes")
    assert desk.errors.flush()
    assert desk.errors.breakdown(24 * 60)["NoAnswer"] > before

    def told():
        count = desk.errors.breakdown(24 * 60)["NoAnswer"]
        shown = words_on(open_page("overview"))
        return SILENT in shown and f"The broker does not answer: {count}" in re.split(r"\n|; ", shown)

    try:
        eventually(told)
    finally:
        desk.alerts.resolve(alert.id)


def test_beside_an_alert_of_the_error_rate_no_other_rate_is_told(desk, monkeypatch):
    desk.errors.add("NoAnswer", "no answer", endpoint="quotes")
    assert desk.errors.flush()
    monkeypatch.setattr(desk.alert_desk, "standing", lambda: Standing((), None))
    assert " a minute now" in words_on(open_page("overview"))

    alert = desk.alerts.raise_alert(ERROR_RATE, "10.6 errors a minute over the last 5 minutes", subject="test")
    desk.alerts.resolve(alert.id)  # whatever the desk itself makes of it meanwhile: here it stands
    monkeypatch.setattr(desk.alert_desk, "standing", lambda: Standing((alert,), None))
    shown = words_on(open_page("overview"))
    assert "10.6 errors a minute" in shown
    assert re.search(r"failed requests? in 24 hours", shown)
    assert " a minute now" not in shown


@pytest.fixture
def own_desk(tmp_path, monkeypatch):
    """A desk of its own, for what cannot be taken back."""
    monkeypatch.chdir(tmp_path)
    with Runtime(load_settings(data_dir=tmp_path / "desk")) as runtime:
        runtime.instruments.refresh_if_due()
        with pages_over(runtime):
            yield runtime


def test_a_reset_of_the_paper_account_wants_its_name_and_lists_what_was_put_away(own_desk, monkeypatch):
    app = open_page("account")
    assert "number 1, opened" in words_on(app)
    with monkeypatch.context() as started:
        started.setattr(own_desk.orders, "ready", lambda: "the orders of before are being looked up first")
        app.button(key="account-reset").click().run()
        assert "What became of the orders of before is not known yet" in words_on(app)
    app.number_input(key="account-opening").set_value(500_000)

    app.text_input(key="account-confirm").set_value("yes")
    submit(app).click().run()
    assert "Type PAPER1 to confirm: every order" in words_on(app)
    assert own_desk.paper_account.look().mark.number == 1

    app.text_input(key="account-confirm").set_value("PAPER1")
    submit(app).click().run()

    assert not app.exception
    assert "number 2, opened" in words_on(app)
    assert "₹5,00,000.00" in words_on(app)
    [table] = sent_to_browser(app, "figure_table")
    assert [row["cells"][0] for row in table["rows"]] == ["1"]
    assert not [button for button in app.button if button.label == "Put it away and begin anew"]
    assert own_desk.audit.recent(1)[0].what in {"paper account reset", "account begun anew"}


def submit(app):
    [button] = [button for button in app.button if button.label == "Put it away and begin anew"]
    return button


def test_a_live_desk_offers_no_reset(desk, monkeypatch):
    desk.paper_account  # noqa: B018  # the real one is made first, so that it can be put back
    monkeypatch.setitem(desk._made, "paper_account", None)

    app = open_page("account")

    assert not app.exception
    assert "account-reset" not in {button.key for button in app.button}


def test_the_account_page_shows_token_money_and_settings_but_no_secret(desk):
    app = open_page("account")

    shown = words_on(app)
    assert [metric.value for metric in app.metric] == ["₹10,00,000.00", "₹0.00"]
    assert "access token" in shown
    assert "03:30 IST" in shown
    assert str(desk.folder) in shown
    assert desk.login.token().secret not in shown
    assert "Not needed: the paper broker takes orders from this machine alone" in shown
    assert "Of this desk off: orders may leave" in shown
    assert "DESK_MAX_ORDER_VALUE 2500000" in shown
    assert "UPSTOX_CLIENT_SECRET not set" in shown
    assert "You sit at this machine" in shown


def test_a_live_account_page_tells_the_registered_addresses_and_what_orders_said_of_ours(desk, monkeypatch):
    from dashboard.components import account_trading
    from services.domain.order_facts import StaticIp

    monkeypatch.setattr(account_trading, "Mode", SimpleNamespace(PAPER="not this one"))
    monkeypatch.setattr(desk.orders, "static_ip", lambda: StaticIp.REFUSED)

    shown = words_on(open_page("account"))

    assert "Primary 127.0.0.1, since " in shown
    assert "Secondary none" in shown
    assert "refused from this address: it is not the registered one" in shown


def test_secrets_are_told_as_set_and_no_more():
    from dashboard.components.account_cards import effective
    from services.settings import Settings

    given = Settings(_env_file=None, client_secret="s3cret-of-mine", metrics_token="t" * 20, names="desk.lan")
    told = effective(given)

    assert (told["UPSTOX_CLIENT_SECRET"], told["DESK_METRICS_TOKEN"]) == ("set", "set")
    assert (told["ENCRYPTION_KEY"], told["DESK_NAMES"]) == ("not set", "desk.lan")
    assert "s3cret" not in str(told)
    assert len(told) == len(Settings.model_fields)


def test_signing_out_asks_for_a_login_and_pages_go_on(desk):
    token = desk.login.token()
    app = open_page("account")
    app.button(key="account-sign-out").click().run()
    try:
        assert not app.exception
        assert any("no valid token" in str(m.value) for m in app.markdown)
    finally:
        desk.login.save("default", token)


@pytest.mark.parametrize("state", [CheckState.PASS, CheckState.FAIL])
def test_the_brokers_card_says_when_its_calls_fail(desk, monkeypatch, state):
    told = Check("rest", state, "No call has succeeded for 20 s.", desk.clock.now(), 5.0)
    monkeypatch.setattr(type(desk.measures), "checks", lambda measures: (told,))

    assert (told.reason in words_on(open_page("account"))) is (state is CheckState.FAIL)


def test_with_the_broker_gone_the_account_page_shows_what_it_told_last_grey_and_with_its_age(desk, monkeypatch):
    open_page("account")
    for keeper in (person_keeper(), paper_account_keeper()):
        told = keeper.look(desk.login.state().user)
        gone = Look(told.value, told.at, NotSent("refused"))
        monkeypatch.setattr(keeper, "look", lambda who, gone=gone: gone)
    switches = SwitchesView((), desk.clock.now(), "nothing answers there")
    monkeypatch.setattr(type(desk.orders), "broker_kill_switch", lambda orders: switches)
    shown = words_on(open_page("account"))

    assert "Balance :gray[₹10,00,000.00, open positions apart]" in shown
    assert "Exchanges :gray[" in shown
    assert shown.count("ago, not current. The broker cannot be reached.") >= 2
    assert "ago, not current: nothing answers there." in shown
    assert "Of this desk off" in shown


def test_a_token_that_is_none_is_refused_in_words(desk):
    app = open_page("account")
    app.text_input(key="account-pasted").set_value("not-a-token")
    app.button[-1].click().run() if not app.form_submit_button else app.form_submit_button[0].click().run()

    assert not app.exception
    assert app.error or app.warning


def closed_port() -> int:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@pytest.mark.parametrize("page", PAGES)
def test_with_a_broker_that_was_never_there_pages_say_so_and_wait(tmp_path, page):
    rt = Runtime(load_settings(data_dir=tmp_path, api_base=f"http://127.0.0.1:{closed_port()}", access_token="x.y.z"))
    with rt, pages_over(rt):
        app = open_page(page)

    assert not app.exception
    assert "The broker cannot be reached" in [box.proto.title for box in app.warning]


@pytest.mark.parametrize("page", [page for page in PAGES if page not in {"calendar", "health"}])
def test_without_a_login_pages_ask_for_one_and_show_the_way(tmp_path, page):
    with ExitStack() as closing:
        broker = PaperServer(PaperOptions(folder=tmp_path / "broker")).start()
        closing.callback(broker.stop)
        rehearsal = load_settings(mode="live", live_rehearsal=True, api_base=broker.base_url, data_dir=tmp_path)
        with Runtime(rehearsal) as rt, pages_over(rt):
            app = open_page(page)
            frame = sent_to_browser(app, "frame")[0]

    assert not app.exception
    assert frame["mode"] == "Live rehearsal"
    assert "no valid token" in words_on(app).lower()


def test_what_fails_while_a_page_renews_itself_is_told_in_words(desk, monkeypatch):
    def fail(*args):
        raise PoolExhausted("no connection")

    monkeypatch.setattr("dashboard.reading.instruments_of", fail)
    app = open_page("quotes")

    assert not app.exception
    assert "The desk's files are busy" in [box.proto.title for box in app.warning]


def test_a_wrong_set_up_is_told_instead_of_a_page(desk, monkeypatch):
    problem = DataFolderTooNew("this folder was written by version 9.")
    opened = SimpleNamespace(ready=SimpleNamespace(is_set=lambda: False), problem=problem, wait=lambda seconds: False)
    monkeypatch.setattr("dashboard.components.notices.opening", lambda: opened)
    app = open_page("quotes")

    assert not app.exception
    assert "version 9" in app.error[0].value


def test_with_the_broker_gone_last_values_stay_greyed_with_the_reason(desk, monkeypatch):
    open_page("quotes")
    reasons = SimpleNamespace(why=lambda keys: dict.fromkeys([RELIANCE, *keys], NotSent("refused")))
    monkeypatch.setattr("dashboard.reading.asker", lambda: reasons)
    app = open_page("quotes")

    rows = sent_to_browser(app, "quote_table")[0]["rows"]
    assert "The broker cannot be reached" in [box.proto.title for box in app.warning]
    assert all(r["o"] and r["v"][1] > 0 for r in rows)
    assert sent_to_browser(app, "frame")[0]["problem"] == "The broker cannot be reached"
