"""One look at the market: the lease, ages, whom to ask about what is old, the first wait."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from dashboard import reading as module
from dashboard.reading import first_read, read
from services.domain.errors import BadInstrumentKey, NotSent
from services.domain.phases import Listing, Phase, PhaseNow
from services.domain.quotes import FROM_FEED, PriceSource
from tests.support.readings import INFY, INSTRUMENTS, NOW, RELIANCE, reading, row


class Book:
    def __init__(self) -> None:
        self.leases = []
        self.rows = {}

    def watch(self, holder, keys, seconds=15.0):
        self.leases.append((holder, keys))

    def last_known(self, keys):
        return {key: self.rows[key] for key in keys if key in self.rows}


class Phases:
    """A calendar in which each market is in the phase that a test gives it, else closed."""

    def __init__(self, **phases):
        self.phases = phases

    def phase(self, market, *, listing=Listing.ORDINARY):
        phase = self.phases.get(f"{market}_{listing.name}", self.phases.get(market, Phase.CLOSED))
        return PhaseNow(phase, "", None)


@pytest.fixture
def asked(monkeypatch):
    """What was asked about, and the reasons that will be given."""
    asked = SimpleNamespace(keys=None, reasons={})

    def why(keys):
        asked.keys = list(keys)
        return {key: asked.reasons[key] for key in keys if key in asked.reasons}

    monkeypatch.setattr(module, "asker", lambda: SimpleNamespace(why=why))
    monkeypatch.setattr(module, "feed_word", lambda desk: {"live": desk.feed_lives, "state": "", "why": ""})
    monkeypatch.setattr(module, "instruments_of", lambda desk, keys: {k: INSTRUMENTS[k] for k in keys})
    return asked


@pytest.fixture
def desk(asked):
    clock = SimpleNamespace(now=lambda: NOW)
    return SimpleNamespace(
        quotes=Book(),
        clock=clock,
        source=PriceSource("simulated", "simulated", practice=True),
        calendar=Phases(),
        feed_lives=False,
    )


def test_reading_takes_a_lease_on_each_instrument_once(desk):
    look = read(desk, "quotes-1", [RELIANCE, INFY, RELIANCE])

    assert desk.quotes.leases == [("quotes-1", (RELIANCE, INFY))]
    assert look.keys == (RELIANCE, INFY)


def test_no_instruments_need_no_lease(desk):
    assert read(desk, "quotes-1", []).youngest is None
    assert desk.quotes.leases == []


@pytest.mark.parametrize("lives", [True, False])
def test_what_a_living_feed_told_long_ago_is_current_and_nobody_is_asked_about_it(desk, asked, lives):
    quiet = {**row(RELIANCE, age=300.0), "api_version": FROM_FEED}
    desk.quotes.rows, desk.feed_lives = {RELIANCE: quiet}, lives

    look = read(desk, "x", [RELIANCE])

    assert look.is_whole is lives
    assert asked.keys == ([] if lives else [RELIANCE])
    assert look.of([RELIANCE]).clockwork()["word"]["live"] is lives


def test_the_newest_quote_tells_whether_it_came_by_the_feed(desk):
    desk.quotes.rows = {RELIANCE: {**row(RELIANCE, age=1.0), "api_version": FROM_FEED}, INFY: row(INFY, age=9.0)}

    look = read(desk, "x", [INFY, RELIANCE])

    assert (look.newest, look.youngest) == (RELIANCE, 1.0)
    assert [look.of_feed(key) for key in look.keys] == [False, True]


def test_ages_go_by_the_desks_clock(desk):
    desk.quotes.rows = {RELIANCE: row(RELIANCE, age=3.0), INFY: row(INFY, age=20.0)}
    look = read(desk, "x", [RELIANCE, INFY])

    assert look.age(RELIANCE) == 3.0
    assert look.youngest == 3.0
    assert not look.is_whole
    assert look.of([RELIANCE]).is_whole
    assert look.age("NSE_INDEX|Nifty 50") is None


def test_only_what_is_old_or_missing_is_asked_about(desk, asked):
    desk.quotes.rows = {RELIANCE: row(RELIANCE, age=6.0)}
    read(desk, "x", [RELIANCE, INFY])
    assert asked.keys == [INFY]

    desk.quotes.rows = {RELIANCE: row(RELIANCE, age=8.0)}
    read(desk, "x", [RELIANCE])
    assert asked.keys == [RELIANCE]


def test_trouble_of_one_instrument_stays_with_it_and_trouble_of_all_is_told_once(desk, asked):
    asked.reasons = {RELIANCE: BadInstrumentKey("x", status=400)}
    look = read(desk, "x", [RELIANCE, INFY])
    assert look.problem is None
    assert set(look.problems) == {RELIANCE}

    asked.reasons = {RELIANCE: NotSent("x"), INFY: NotSent("x")}
    look = read(desk, "x", [RELIANCE, INFY])
    assert isinstance(look.problem, NotSent)
    assert look.problems == {}


def test_a_clock_that_runs_faster_stretches_what_is_called_old(desk, asked):
    desk.clock = SimpleNamespace(now=lambda: NOW, speed=60.0)
    desk.quotes.rows = {RELIANCE: row(RELIANCE, age=300.0)}
    look = read(desk, "x", [RELIANCE])

    assert asked.keys == []
    assert look.clockwork()["stale_after"] == 900.0
    assert look.is_whole


@pytest.mark.parametrize(
    ("practice", "phase", "in_session"),
    [
        (True, Phase.CLOSED, True),
        (False, Phase.CLOSED, False),
        (False, Phase.OPEN, True),
        (False, Phase.PRE_OPEN, True),
        (False, Phase.CLOSING_AUCTION, True),
        (False, Phase.POST_CLOSE, False),
        (False, Phase.UNKNOWN, False),
    ],
)
def test_prices_are_expected_to_move_in_session_only(desk, practice, phase, in_session):
    desk.source = PriceSource("simulated", "simulated", practice=practice)
    desk.calendar = Phases(NSE=phase)

    look = read(desk, "x", [RELIANCE])

    assert (look.in_session, RELIANCE in look.moving) == (in_session, in_session)
    assert look.clockwork()["in_session"] is in_session


def test_each_instrument_follows_its_own_market(desk, monkeypatch):
    monkeypatch.setattr(module, "instruments_of", lambda desk, keys: {})
    crude, world = "MCX_FO|500001", "GLOBAL_INDEX|SGX NIFTY"
    desk.source = PriceSource("upstox", "Upstox")
    desk.calendar = Phases(MCX=Phase.OPEN)

    look = read(desk, "x", [RELIANCE, crude, world])

    assert look.moving == {crude}
    assert look.in_session
    assert not look.of([RELIANCE, world]).in_session


def test_shares_still_move_in_the_closing_auction_after_the_others_have_closed(desk):
    desk.source = PriceSource("upstox", "Upstox")
    desk.calendar = Phases(NSE_AUCTION=Phase.CLOSING_AUCTION)

    assert read(desk, "x", [RELIANCE]).moving == {RELIANCE}


def test_part_of_a_look_keeps_its_moment(desk):
    desk.quotes.rows = {RELIANCE: row(RELIANCE), INFY: row(INFY, age=30.0)}
    part = read(desk, "x", [RELIANCE, INFY]).of([INFY])

    assert part.keys == (INFY,)
    assert part.youngest == 30.0


class Waiting:
    """Time that passes only while somebody sleeps, and then brings prices."""

    def __init__(self, book, *, comes_after):
        self.now, self.book, self.comes_after = 0.0, book, comes_after

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds
        if self.now >= self.comes_after:
            self.book.rows = {RELIANCE: row(RELIANCE, age=0.0)}


def test_a_first_paint_waits_a_moment_for_first_prices(desk):
    time = Waiting(desk.quotes, comes_after=0.3)
    look = first_read(desk, "x", [RELIANCE], monotonic=time.monotonic, sleep=time.sleep)

    assert RELIANCE in look.rows
    assert 0.3 <= time.now < 0.4


def test_a_first_paint_waits_for_all_prices_but_not_for_one_that_will_never_come(desk, asked):
    asked.reasons = {INFY: BadInstrumentKey("x", status=400)}
    time = Waiting(desk.quotes, comes_after=0.3)
    first_read(desk, "x", [RELIANCE, INFY], monotonic=time.monotonic, sleep=time.sleep)

    assert 0.3 <= time.now < 0.4


def test_a_first_paint_waits_no_longer_than_allowed(desk):
    desk.quotes.rows = {RELIANCE: row(RELIANCE, age=3600.0)}
    time = Waiting(desk.quotes, comes_after=99.0)
    look = first_read(desk, "x", [RELIANCE], seconds=1.5, monotonic=time.monotonic, sleep=time.sleep)

    assert look.age(RELIANCE) == 3600.0
    assert time.now <= 1.6


def test_a_first_paint_does_not_wait_for_a_broker_that_is_gone(desk, asked):
    asked.reasons = {RELIANCE: NotSent("x")}
    time = Waiting(desk.quotes, comes_after=99.0)
    first_read(desk, "x", [RELIANCE], monotonic=time.monotonic, sleep=time.sleep)

    assert time.now == 0.0


def test_the_moment_of_a_look_is_aware(desk):
    assert read(desk, "x", []).now == datetime(2026, 11, 20, 8, 35, 33, tzinfo=UTC) + timedelta()


@pytest.mark.parametrize(
    ("age", "in_session", "problem", "old"),
    [(2.0, True, None, False), (60.0, True, None, True), (60.0, False, None, False), (2.0, True, NotSent("no"), True)],
)
def test_a_price_is_old_by_its_age_in_session_and_whenever_it_cannot_be_renewed(age, in_session, problem, old):
    look = reading(row(age=age), keys=(RELIANCE, INFY), problem=problem, in_session=in_session)

    assert look.is_old(RELIANCE) is old
    assert look.is_old(INFY) is False, "what has no price is missing, not old"


def test_what_a_living_feed_answers_for_is_never_old_and_without_the_feed_it_is():
    told = {**row(age=60.0), "api_version": FROM_FEED}
    alive = replace(reading(told), feed={"live": True, "state": "", "why": ""})

    assert alive.of_feed(RELIANCE)
    assert not alive.is_old(RELIANCE)
    assert replace(alive, feed=module.NO_FEED).is_old(RELIANCE)
