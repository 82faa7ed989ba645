"""The frame of every page: mode, source, phase, age, trouble."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace

import pytest

from dashboard.components.frame import frame_data
from services.domain.calendar.calendar import BUNDLED, MarketCalendar
from services.domain.calendar.days import DayOverride
from services.domain.clock import epoch_ms
from services.domain.errors import LoginRequired, NotSent, TokenRejected
from services.domain.intents import KillSwitch
from services.domain.phases import Accepts, Listing, Market, Phase, PhaseNow, Stage
from services.domain.quote_row import QuoteRow
from services.domain.quotes import PriceSource
from services.orders.views import News
from services.settings import load_settings
from tests.support.order_page import FakeOrders
from tests.support.readings import NIFTY, NOW, RELIANCE, reading, row

OPEN = PhaseNow(Phase.OPEN, "until 15:30", NOW + timedelta(hours=1, minutes=24), then=Phase.CLOSED)
AUCTION = PhaseNow(
    Phase.CLOSING_AUCTION, "closing auction", NOW + timedelta(minutes=3), Stage.LIMIT_ONLY, Accepts.LIMIT,
    then=Phase.CLOSING_AUCTION, source="NSE/CMTR/74466",
)  # fmt: skip


class ACalendar:
    """Every listing is in `phase`, those of `auction` in that one."""

    def __init__(self, phase, auction=None, disputes=(), current=BUNDLED):
        self.current = current
        self._phases = {Listing.AUCTION: auction or phase}
        self._phase = phase
        self._disputes = disputes

    def phase(self, market=Market.NSE, *, listing=Listing.ORDINARY):
        return self._phases.get(listing, self._phase)

    def state(self):
        return SimpleNamespace(contradictions=self._disputes)


def a_desk(*, source=None, phase=None, auction=None, disputes=(), orders=None, now=NOW, current=BUNDLED,
           needs_login=False, **settings):  # fmt: skip
    return SimpleNamespace(
        feed=SimpleNamespace(health=lambda: SimpleNamespace(needs_login=needs_login)),
        settings=load_settings(**settings),
        source=source or PriceSource("simulated", "simulated", practice=True),
        broker=SimpleNamespace(label="paper broker of this desk"),
        clock=SimpleNamespace(now=lambda: now),
        calendar=ACalendar(phase or OPEN, auction, disputes, current),
        orders=orders or FakeOrders(),
    )


def test_a_practice_session_says_so_and_tells_the_real_phase_too():
    data = frame_data(a_desk(), reading(row(NIFTY)), None)

    assert data["mode"] == "Paper"
    assert data["source"] == "Prices: simulated"
    assert data["phase"] == "Practice session, every market open (NSE open)"
    assert data["phase_left"] is None
    assert data["age"] == 2.0
    assert data["problem"] is None


def test_with_real_hours_the_phase_counts_down():
    desk = a_desk(source=PriceSource("replay", "replay of 2026-08-21"))
    data = frame_data(desk, reading(row(NIFTY)), None)

    assert data["source"] == "Prices: replay of 2026-08-21"
    assert data["phase"] == "NSE open"
    assert data["phase_left"] == 84 * 60


UPSTOX = PriceSource("upstox", "Upstox")


def closed(reason, *, then=Phase.PRE_OPEN, **ahead):
    return PhaseNow(Phase.CLOSED, reason, NOW + timedelta(**ahead), then=then)


@pytest.mark.parametrize(
    ("phase", "text", "then", "left"),
    [
        (closed("Saturday", days=2), "NSE closed, pre-open Sun 22 Nov, 14:05 IST", "", None),
        (closed("after the close", hours=17), "NSE closed", "pre-open", 17 * 3600),
        (closed("between sessions", then=Phase.OPEN, hours=1), "NSE closed", "opens", 3600),
        (closed("the last day of the table", then=Phase.UNKNOWN, hours=4), "NSE closed", "hours unknown", 4 * 3600),
        (PhaseNow(Phase.PRE_OPEN, "pre-open", NOW + timedelta(minutes=5), Stage.LIMIT_ONLY, Accepts.LIMIT,
                  Phase.PRE_OPEN), "NSE pre-open, limit orders only", "", 300),
        (PhaseNow(Phase.POST_CLOSE, "at the close", NOW + timedelta(minutes=5), then=Phase.CLOSED),
         "NSE post-close", "", 300),
        (PhaseNow(Phase.UNKNOWN, "no hours are published", None), "NSE hours unknown", "", None),
    ],
)  # fmt: skip
def test_a_market_that_is_not_open_tells_when_it_will_be(phase, text, then, left):
    data = frame_data(a_desk(source=UPSTOX, phase=phase), None, None)

    assert (data["phase"], data["phase_then"], data["phase_left"]) == (text, then, left)
    assert data["phase_state"] == phase.phase.value


def test_while_some_shares_are_in_the_closing_auction_the_frame_tells_of_it():
    data = frame_data(a_desk(source=UPSTOX, auction=AUCTION), None, None)

    assert data["phase"] == "NSE closing auction, limit orders only"
    assert data["phase_state"] == "closing auction"
    assert "takes limit orders" in data["phase_help"]
    assert "NSE/CMTR/74466" in data["phase_help"]


MUHURAT = datetime(2026, 11, 8, 12, 45, tzinfo=UTC), datetime(2026, 11, 8, 13, 45, tzinfo=UTC)
TOLD = DayOverride(
    Market.NSE, date(2026, 11, 8), (MUHURAT,), "Diwali Laxmi Pujan (muhurat)", "SPECIAL_TIMING", "Upstox"
)


@pytest.mark.parametrize(
    ("hour", "calendar", "words"),
    [
        (11, MarketCalendar([TOLD]), "NSE closed, Diwali Laxmi Pujan session"),
        (13, MarketCalendar([TOLD]), "NSE open, Diwali Laxmi Pujan session"),
        (14, MarketCalendar([TOLD]), "NSE closed"),
        (13, BUNDLED, "NSE hours unknown, Diwali Laxmi Pujan session"),
    ],
)
def test_a_special_session_is_named_until_it_is_over(hour, calendar, words):
    now = datetime(2026, 11, 8, hour, tzinfo=UTC)
    phase = calendar.phase(Market.NSE, now)

    assert frame_data(a_desk(source=UPSTOX, phase=phase, now=now, current=calendar), None, None)["phase"] == words


def test_a_holiday_is_named():
    holiday = datetime(2026, 11, 24, 6, tzinfo=UTC)
    phase = BUNDLED.phase(Market.NSE, holiday)
    data = frame_data(a_desk(source=UPSTOX, phase=phase, now=holiday), None, None)

    assert data["phase"] == "NSE closed, Guru Nanak Jayanti"


def test_what_is_not_confirmed_is_said_to_be_so():
    doubtful = PhaseNow(Phase.OPEN, "x", NOW + timedelta(hours=1), confirmed=False, source="a press report")
    data = frame_data(a_desk(source=UPSTOX, phase=doubtful), None, None)

    assert data["phase_doubt"] == "unconfirmed"
    assert "a press report, unconfirmed" in data["phase_help"]


def test_a_contradiction_of_the_exchange_is_in_sight_with_both_sides():
    dispute = SimpleNamespace(market=Market.NSE, source="the broker", broker_says="closed", table_says="open to 15:30")
    elsewhere = SimpleNamespace(market=Market.MCX, source="the broker", broker_says="closed", table_says="open")

    data = frame_data(a_desk(source=UPSTOX, disputes=(dispute, elsewhere)), None, None)
    other = frame_data(a_desk(source=UPSTOX, disputes=(elsewhere,)), None, None)

    assert data["phase_doubt"] == "disputed"
    assert "the broker says closed, the calendar says open to 15:30" in data["phase_help"]
    assert other["phase_doubt"] == ""


def test_trouble_is_named_and_ages_that_are_not_known_stay_empty():
    data = frame_data(a_desk(), None, NotSent("refused"))

    assert data["problem"] == "The broker cannot be reached"
    assert data["login"] is False
    assert data["age"] is None


@pytest.mark.parametrize("error", [LoginRequired("log in"), TokenRejected("401", status=401)])
def test_where_a_login_is_missing_the_way_to_it_stands_in_the_frame(error):
    data = frame_data(a_desk(), None, error)

    assert data["problem"]
    assert data["login"] is True


def test_the_way_to_the_login_stands_there_too_where_the_feed_waits_for_it():
    assert frame_data(a_desk(needs_login=True), None, None)["login"] is True
    assert frame_data(a_desk(), None, None)["login"] is False


def test_the_frame_tells_when_the_newest_price_was_made():
    friday, before = row(NIFTY), QuoteRow({**row(RELIANCE), "last_trade_time": NOW - timedelta(minutes=5)})
    data = frame_data(a_desk(now=NOW + timedelta(days=2)), reading(before, friday, in_session=False), None)

    assert (data["made"], data["now"], data["in_session"]) == (epoch_ms(NOW), epoch_ms(NOW) + 2 * 86_400_000, False)
    assert frame_data(a_desk(), reading(keys=(NIFTY,)), None)["made"] is None
    assert frame_data(a_desk(), None, NotSent("refused"))["made"] is None


def test_live_and_rehearsal_are_named_in_words():
    live = a_desk(source=PriceSource("upstox", "Upstox"), mode="live")
    rehearsal = a_desk(mode="live", live_rehearsal=True, api_base="http://127.0.0.1:9")

    assert frame_data(live, None, None)["mode"] == "Live"
    assert frame_data(rehearsal, None, None)["mode"] == "Live rehearsal"
    assert frame_data(live, None, None)["tone"] == "live"


def test_what_happened_to_orders_is_told_with_its_age_and_whether_it_wants_attention():
    orders = FakeOrders()
    orders.announce(News.FILL, "bought 4 of 10 RELIANCE")
    orders.announce(News.REJECT, "no money", good=False)

    news = frame_data(a_desk(orders=orders), None, None)["news"]

    assert [(one["n"], one["text"], one["good"]) for one in news] == [
        (1, "Bought 4 of 10 RELIANCE", True),
        (2, "No money", False),
    ]
    assert news[0]["run"] == news[1]["run"]


def test_a_kill_switch_that_is_on_is_in_the_frame_of_every_page():
    orders = FakeOrders()
    orders.switch = KillSwitch(on=True)

    assert frame_data(a_desk(orders=orders), None, None)["halted"] is True
    assert frame_data(a_desk(), None, None)["halted"] is False
