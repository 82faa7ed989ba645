"""The calendar page, through the entry script, over a real runtime and a real paper broker."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta

import pytest

from services.calendar import Contradiction
from services.domain.clock import ist_date
from services.domain.errors import NotSent
from services.domain.phases import Market
from services.paper.options import PaperOptions
from services.paper.server import PaperServer
from services.runtime import Runtime
from services.settings import load_settings
from tests.support.screens import open_page, pages_over, sent_to_browser, words_on


@pytest.fixture(scope="module")
def friday(tmp_path_factory):
    """A desk whose day is Friday 2026-11-20 in the closing auction, with the hours of the exchange."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("cwd"))
        folder = tmp_path_factory.mktemp("friday")
        settings = load_settings(data_dir=folder, paper_clock="2026-11-20T15:22:00+05:30x0.001")
    with Runtime(settings) as rt:
        yield rt


@pytest.fixture
def in_session(friday):
    with pages_over(friday):
        yield friday


def only(app, component):
    (data,) = sent_to_browser(app, f"calendar_{component}")
    return data


def test_a_practice_session_says_so_and_shows_the_real_phases(desk):
    app = open_page("calendar")

    assert not app.exception
    assert "Practice session: the paper broker trades around the clock" in app.info[0].value
    real = {row["id"]: row["phase"] for row in only(app, "now")["rows"]}
    assert real["F&O NFO BFO"] == desk.calendar.phase(Market.NFO).phase.value
    assert desk.calendar.state().contradictions == ()


def test_with_the_hours_of_the_exchange_there_is_no_such_note(in_session):
    app = open_page("calendar")

    assert not app.exception
    assert not app.info
    rows = {row["name"]: row for row in only(app, "now")["rows"]}
    assert rows["Shares with F&O"]["phase"] == "closing auction"
    assert rows["Other shares"]["phase"] == "open"
    assert sent_to_browser(app, "frame")[0]["phase"] == "NSE closing auction, orders"


def test_the_page_shows_the_year_and_the_list_of_today(in_session):
    app = open_page("calendar")

    year, lines = only(app, "year"), only(app, "list")
    assert (year["year"], year["today"], year["published"]) == (2026, "2026-11-20", True)
    assert year["days"]["2026-11-24"]["marks"] == ["H", "P"]
    assert {row["kind"] for row in lines["rows"]} >= {"Holiday", "Special session", "Monthly expiry", "New hours"}
    assert "Weekly expiry" not in {row["kind"] for row in lines["rows"]}


def test_another_exchange_is_filtered_in_year_and_list(in_session):
    app = open_page("calendar")
    app.segmented_control(key="cal-market").set_value("MCX").run()

    assert only(app, "year")["days"]["2026-11-24"]["marks"] == ["P"]
    holidays = [row["hours"] for row in only(app, "list")["rows"] if row["kind"] == "Holiday"]
    assert len(holidays) == 4
    assert "calendar.ics?market=MCX" in app.code[0].value


def test_kinds_are_filtered_and_go_into_the_address_of_the_subscription(in_session):
    app = open_page("calendar")
    app.pills(key="cal-kinds").set_value(["special", "weekly"]).run()

    assert not app.exception
    assert {row["kind"] for row in only(app, "list")["rows"]} == {"Special session", "Weekly expiry"}
    assert app.code[0].value.endswith("/calendar.ics?kinds=special,weekly")


@pytest.mark.parametrize("year", range(2019, 2027))
def test_every_published_year_can_be_looked_at(in_session, year):
    app = open_page("calendar")
    app.selectbox(key="cal-year").set_value(year).run()

    assert not app.exception
    assert only(app, "year")["note"] == ""
    assert len(only(app, "list")["rows"]) > 20


def test_a_year_that_is_not_published_says_so_and_shows_nothing_as_open(in_session):
    app = open_page("calendar")
    app.selectbox(key="cal-year").set_value(2027).run()

    year = only(app, "year")
    assert (year["published"], year["days"]) == (False, {})
    assert "not published yet" in year["note"]
    assert only(app, "list")["rows"] == []


def test_a_contradiction_is_a_warning_with_both_sides(in_session, monkeypatch):
    now = in_session.clock.now()
    dispute = Contradiction(
        Market.NSE, ist_date(now) + timedelta(days=3), "hours", "open 09:15 to *15:30*", "closed",
        "the paper broker's holidays", now,
    )  # fmt: skip
    state = replace(in_session.calendar.state(), contradictions=(dispute,))
    monkeypatch.setattr(in_session.calendar, "state", lambda: state)
    app = open_page("calendar")

    box = app.warning[0]
    assert box.proto.title == "Broker and calendar disagree: NSE shares, Mon 23 Nov 2026"
    assert "closed" in box.value
    assert "open 09\\:15 to \\*15\\:30\\*" in box.value
    assert sent_to_browser(app, "frame")[0]["phase_doubt"] == "disputed"


def test_with_the_broker_gone_the_table_answers_and_says_so(in_session, monkeypatch):
    def refuse(*args, **kwargs):
        raise NotSent("nothing listens there")

    for name in ("holidays", "timings", "market_status"):
        monkeypatch.setattr(in_session.api, name, refuse)
    with pytest.raises(NotSent):
        in_session.calendar.refresh()
    app = open_page("calendar")

    assert not app.exception
    assert "The broker was not heard" in [box.proto.title for box in app.warning]
    assert "Nothing listens there." in app.warning[0].value
    assert "own table answers" in app.warning[0].value
    assert len(only(app, "now")["rows"]) > 4


def test_without_a_login_the_table_answers_and_the_way_to_the_login_is_shown(tmp_path):
    with ExitStack() as closing:
        broker = PaperServer(PaperOptions(folder=tmp_path / "broker")).start()
        closing.callback(broker.stop)
        rehearsal = load_settings(mode="live", live_rehearsal=True, api_base=broker.base_url, data_dir=tmp_path)
        with Runtime(rehearsal) as rt, pages_over(rt):
            open_page("overview")  # opens the desk
            rt.calendar.refresh_if_due(wait=True)
            app = open_page("calendar")

    assert not app.exception
    assert "A login is needed to hear the broker" in [box.proto.title for box in app.warning]
    assert "log in" in words_on(app)
    assert only(app, "year")["published"]


def test_the_list_can_be_taken_along(in_session):
    app = open_page("calendar")

    labels = [button.proto.label for button in app.get("download_button")]
    assert labels == ["CSV", "Calendar file"]
    link = app.get("link_button")[0].proto
    assert link.url.startswith("webcal://")
    assert link.url.endswith("/calendar.ics")
