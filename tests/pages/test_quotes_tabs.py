"""Option chain and movers, through the entry script, over a real runtime and a real paper broker."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.mover_groups import INDICES, SHARES
from services.domain.errors import NotSent
from tests.support.order_desk import eventually
from tests.support.screens import open_page, sent_to_browser, words_on

NIFTY = "NSE_INDEX|Nifty 50"


def open_tab(tab: str, **link: str) -> AppTest:
    """The Quotes page by a link to one of its tabs."""
    return open_page("quotes", tab=tab, **link)


def chain_of(app: AppTest) -> dict:
    """The chain, as soon as the broker has told it."""
    eventually(lambda: sent_to_browser(app, "option_chain") or sent_to_browser(app.run(), "option_chain"))
    assert not app.exception
    return sent_to_browser(app, "option_chain")[0]


def test_only_the_tab_that_is_open_runs(desk):
    app = open_tab("Option chain")

    assert sent_to_browser(app, "quote_table") == []
    assert sent_to_browser(app, "heat_map") == []
    assert len(chain_of(app)["rows"]) == 20


def test_a_chain_begins_with_prices_around_the_money(desk):
    chain = chain_of(open_tab("Option chain"))

    strikes = [row["s"] for row in chain["rows"]]
    assert chain["spot"]["k"] == NIFTY
    assert strikes[0] < chain["spot"]["ltp"] < strikes[-1]
    assert chain["figures"]["atm"] in strikes[8:13]
    assert all(row[side]["v"][0][0] > 0 for row in chain["rows"] for side in "cp")
    assert chain["figures"]["pcr_oi"] > 0
    assert chain["figures"]["pain"] is not None


def test_a_link_leads_to_underlying_expiry_and_number_of_strikes(desk):
    underlying = next(one for one in desk.instruments.with_options() if one.symbol == "BANKNIFTY")
    last = desk.instruments.option_expiries(underlying)[-1]

    chain = chain_of(open_tab("Option chain", of="BANKNIFTY", expiry=f"{last:%d %b %Y}", strikes="10"))

    assert chain["label"] == "Option chain of BANKNIFTY"
    assert chain["expiry"] == f"{last:%d %b %Y}"
    assert len(chain["rows"]) == 10


def test_all_strikes_are_as_many_as_the_instrument_list_has(desk):
    chain = chain_of(open_tab("Option chain", strikes="All"))
    underlying = next(one for one in desk.instruments.with_options() if one.symbol == "NIFTY")
    expiry = desk.instruments.option_expiries(underlying)[0]

    listed = {one.key for one in desk.instruments.options(underlying, expiry)}
    assert {row[side]["k"] for row in chain["rows"] for side in "cp" if row[side]} == listed


def test_columns_can_be_chosen_and_the_price_is_always_there(desk):
    app = open_tab("Option chain")
    chain_of(app)
    app.multiselect(key="figures").set_value(["theta", "oi"]).run()

    assert [column["id"] for column in chain_of(app)["columns"]] == ["ltp", "theta", "oi"]


def test_a_link_to_an_expiry_that_is_over_says_so_and_shows_the_nearest(desk):
    app = open_tab("Option chain", expiry="01 Jan 2020")

    assert "The link asks for the expiry 01 Jan 2020" in words_on(app)
    assert chain_of(app)["rows"]


def test_another_underlying_has_its_own_expiries(desk):
    app = open_tab("Option chain")
    app.selectbox(key="expiry").set_value(app.selectbox(key="expiry").options[1]).run()
    app.selectbox(key="of").set_value("SENSEX").run()

    sensex = next(one for one in desk.instruments.with_options() if one.symbol == "SENSEX")
    assert chain_of(app)["label"] == "Option chain of SENSEX"
    assert len(app.selectbox(key="expiry").options) == len(desk.instruments.option_expiries(sensex))


def test_a_chosen_contract_shows_its_depth_and_can_be_put_away(desk):
    app = open_tab("Option chain")
    key = chain_of(app)["rows"][10]["p"]["k"]
    app.session_state["side-panel-chain"] = key
    app.run()

    assert chain_of(app)["picked"] == key
    assert sent_to_browser(app, "depth")[0]["key"] == key
    assert len(sent_to_browser(app, "depth")[0]["bids"]) == 5

    app.button(key="chain-depth-close").click().run()
    assert sent_to_browser(app, "depth") == []


def test_where_the_broker_has_no_chain_it_is_made_of_the_instrument_list_and_that_is_said(desk, monkeypatch):
    monkeypatch.setattr(desk.api, "option_chain", lambda key, expiry: [])
    app = open_tab("Option chain", strikes="All")

    assert "The broker has no chain for this expiry" in words_on(app)
    assert len(chain_of(app)["rows"]) > 20


def test_a_chain_that_cannot_be_asked_for_says_why_and_is_there(desk, monkeypatch):
    def refuse(key, expiry):
        raise NotSent("nothing answers")

    monkeypatch.setattr(desk.api, "option_chain", refuse)
    app = open_tab("Option chain")

    assert "could not be had: The broker cannot be reached" in words_on(app)
    assert len(chain_of(app)["rows"]) == 20


def test_movers_begin_with_the_first_watchlist(desk):
    app = open_tab("Movers")

    assert not app.exception
    heat = sent_to_browser(app, "heat_map")[0]
    assert {tile["k"] for tile in heat["tiles"]} == set(desk.watchlists.all()[0].keys)
    gainers, losers, busy = sent_to_browser(app, "quote_table")
    assert all(row["v"][2] > 0 for row in gainers["rows"])
    assert all(row["v"][2] < 0 for row in losers["rows"])
    assert [row["v"][2] for row in busy["rows"]] == sorted((row["v"][2] for row in busy["rows"]), reverse=True)
    assert "your watchlist" in words_on(app)


@pytest.mark.parametrize("group", [SHARES, INDICES])
def test_movers_of_what_the_instrument_list_tells(desk, group):
    app = open_tab("Movers", among=group)

    assert not app.exception
    assert "today's instrument list" in words_on(app)
    wanted = desk.instruments.shares_with_contracts() if group == SHARES else desk.instruments.indices()
    heat = sent_to_browser(app, "heat_map")[0]
    assert len(heat["tiles"]) + heat["missing"] == len(wanted)


def test_indices_have_no_volume_so_no_list_of_it_and_equal_tiles(desk):
    app = open_tab("Movers", among=INDICES, tiles="Traded value")

    assert len(sent_to_browser(app, "quote_table")) == 2
    assert sent_to_browser(app, "heat_map")[0]["unsized"] is True


def test_movers_of_an_empty_list_say_that_there_is_nothing(desk):
    desk.watchlists.create("Empty")
    app = open_tab("Movers", among="Empty")

    assert not app.exception
    assert app.info[0].proto.title == "Nothing to show"


def test_movers_of_a_list_that_was_deleted_meanwhile_show_the_first_one(desk):
    gone = desk.watchlists.create("Gone", ["NSE_EQ|INE101A01026"])
    app = open_tab("Movers", among="Gone")
    assert len(sent_to_browser(app, "heat_map")[0]["tiles"]) == 1

    desk.watchlists.delete(gone.id)
    app.run()
    assert not app.exception
    assert len(sent_to_browser(app, "heat_map")[0]["tiles"]) == len(desk.watchlists.all()[0].keys)
