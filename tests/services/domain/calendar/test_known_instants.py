"""What can be done at instants that somebody has written down: regimes, special sessions, holidays, MCX."""

from __future__ import annotations

import pytest

from services.domain.calendar.calendar import BUNDLED
from services.domain.phases import Accepts, Listing, Market, Phase, Stage
from tests.support.calendar_instants import at

NSE, BSE, NFO, BFO = Market.NSE, Market.BSE, Market.NFO, Market.BFO
CDS, BCD, MCX, NSCOM = Market.CDS, Market.BCD, Market.MCX, Market.NSCOM
CLOSED, PRE, OPEN = Phase.CLOSED, Phase.PRE_OPEN, Phase.OPEN
AUCTION, POST, UNKNOWN = Phase.CLOSING_AUCTION, Phase.POST_CLOSE, Phase.UNKNOWN

ORDINARY_DAYS = [
    (NSE, "2026-11-20T08:59:59", CLOSED, "2026-11-20T09:00"),
    (NSE, "2026-11-20T09:15", OPEN, "2026-11-20T15:30"),
    (NSE, "2026-11-20T15:30", CLOSED, "2026-11-20T15:50"),
    (NSE, "2026-11-20T15:50", POST, "2026-11-20T16:00"),
    (NSE, "2026-11-20T16:00", CLOSED, "2026-11-23T09:00"),
    (BSE, "2026-07-31T15:40", POST, "2026-07-31T16:00"),
    (NSE, "2026-07-31T15:39:59", CLOSED, "2026-07-31T15:40"),
    (NSE, "2020-02-28T15:29:59.999999", OPEN, "2020-02-28T15:30"),
    (NSE, "2024-02-29T12:00", OPEN, "2024-02-29T15:30"),
    (NSE, "2020-02-29T12:00", CLOSED, "2020-03-02T09:00"),
    (NFO, "2026-07-31T15:30", CLOSED, "2026-08-03T09:15"),
    (NFO, "2026-08-03T15:39:59", OPEN, "2026-08-03T15:40"),
    (BFO, "2026-12-04T15:40", CLOSED, "2026-12-07T09:15"),
    (BFO, "2026-12-07T15:44:59", OPEN, "2026-12-07T15:45"),
    (CDS, "2026-11-20T09:00", OPEN, "2026-11-20T17:00"),
    (BCD, "2026-11-20T17:00", CLOSED, "2026-11-23T09:00"),
    (MCX, "2026-11-20T23:54:59", OPEN, "2026-11-20T23:55"),
    (MCX, "2026-10-30T23:30", CLOSED, "2026-11-02T08:45"),
    (MCX, "2026-03-06T23:54", OPEN, "2026-03-06T23:55"),
    (MCX, "2026-03-09T23:30", CLOSED, "2026-03-10T08:45"),
    (MCX, "2023-11-06T23:40", OPEN, "2023-11-06T23:55"),
    (MCX, "2024-03-11T23:40", CLOSED, "2024-03-12T08:45"),
    (NSCOM, "2026-11-02T23:40", OPEN, "2026-11-02T23:55"),
    (MCX, "2020-03-30T17:00", CLOSED, "2020-03-31T08:45"),
    (MCX, "2020-04-23T17:00", OPEN, "2020-04-23T23:30"),
]

SPECIAL_DAYS = [
    # Budget: ordinary hours on a weekend; commodities to 17:00, currencies rest.
    (NSE, "2020-02-01T09:15", OPEN, "2020-02-01T15:30"),
    (CDS, "2020-02-01T11:00", CLOSED, "2020-02-03T09:00"),
    (MCX, "2020-02-01T11:00", OPEN, "2020-02-01T17:00"),
    (NSE, "2025-02-01T09:00", PRE, "2025-02-01T09:08"),
    (NFO, "2025-02-01T15:29", OPEN, "2025-02-01T15:30"),
    (MCX, "2025-02-01T16:59", OPEN, "2025-02-01T17:00"),
    (MCX, "2025-02-01T17:00", CLOSED, "2025-02-03T08:45"),
    (NSE, "2026-02-01T11:00", OPEN, "2026-02-01T15:30"),
    (NSE, "2026-02-01T15:45", POST, "2026-02-01T16:00"),
    (CDS, "2026-02-01T11:00", CLOSED, "2026-02-02T09:00"),
    (MCX, "2026-02-01T08:50", PRE, "2026-02-01T08:59"),
    (NSCOM, "2026-02-01T12:00", OPEN, "2026-02-01T17:00"),
    (NSE, "2026-01-31T12:00", CLOSED, "2026-02-01T09:00"),
    # A whole Saturday for the Monday that was declared a holiday.
    (NSE, "2024-01-20T10:30", OPEN, "2024-01-20T15:30"),
    (NFO, "2024-01-20T15:29", OPEN, "2024-01-20T15:30"),
    (MCX, "2024-01-20T10:30", CLOSED, "2024-01-22T17:00"),
    (CDS, "2024-01-20T10:30", CLOSED, "2024-01-23T09:00"),
    (NSE, "2024-01-22T10:30", CLOSED, "2024-01-23T09:00"),
    # Drills in two parts.
    (NSE, "2024-03-02T09:59", OPEN, "2024-03-02T10:00"),
    (NSE, "2024-03-02T10:00", CLOSED, "2024-03-02T11:15"),
    (NSE, "2024-03-02T11:15", PRE, "2024-03-02T11:23"),
    (NFO, "2024-03-02T10:00", CLOSED, "2024-03-02T11:30"),
    (NFO, "2024-03-02T12:29", OPEN, "2024-03-02T12:30"),
    (MCX, "2024-03-02T12:00", CLOSED, "2024-03-04T08:45"),
    (BSE, "2024-05-18T11:30", OPEN, "2024-05-18T12:30"),
    (NSE, "2024-05-18T12:45", POST, "2024-05-18T12:50"),
    (BFO, "2024-05-18T12:30", CLOSED, "2024-05-21T09:15"),
    (MCX, "2024-05-18T12:00", CLOSED, "2024-05-20T17:00"),
    # Muhurat: an hour in the evening, in 2025 in the afternoon.
    (NSE, "2019-10-27T18:14:59", PRE, "2019-10-27T18:15"),
    (NFO, "2019-10-27T18:15", OPEN, "2019-10-27T19:15"),
    (NSE, "2020-11-14T19:14", OPEN, "2020-11-14T19:15"),
    (NSE, "2020-11-14T19:25", POST, "2020-11-14T19:35"),
    (MCX, "2020-11-14T18:00", PRE, "2020-11-14T18:14"),
    (MCX, "2020-11-14T19:15", CLOSED, "2020-11-16T17:00"),
    (NSE, "2021-11-04T11:00", CLOSED, "2021-11-04T18:00"),
    (CDS, "2021-11-04T18:15", OPEN, "2021-11-04T19:15"),
    (BSE, "2022-10-24T18:08", PRE, "2022-10-24T18:12"),
    (NSE, "2022-10-24T19:15", CLOSED, "2022-10-25T09:00"),
    (NSE, "2023-11-12T18:30", OPEN, "2023-11-12T19:15"),
    (MCX, "2023-11-12T18:30", OPEN, "2023-11-12T19:15"),
    (NSE, "2024-11-01T17:45", PRE, "2024-11-01T17:53"),
    (NSE, "2024-11-01T18:00", OPEN, "2024-11-01T19:00"),
    (NSE, "2024-11-01T19:10", POST, "2024-11-01T19:20"),
    (MCX, "2024-11-01T19:00", CLOSED, "2024-11-04T08:45"),
    (NSE, "2025-10-21T11:00", CLOSED, "2025-10-21T13:30"),
    (NSE, "2025-10-21T13:45", OPEN, "2025-10-21T14:45"),
    (BFO, "2025-10-21T14:44:59", OPEN, "2025-10-21T14:45"),
    (CDS, "2025-10-21T14:45", CLOSED, "2025-10-23T09:00"),
    (NSE, "2025-10-21T14:55", POST, "2025-10-21T15:05"),
    (MCX, "2025-10-21T13:45", OPEN, "2025-10-21T14:45"),
    (MCX, "2025-10-21T18:30", CLOSED, "2025-10-22T17:00"),
    # The muhurat of 2026 takes place, nobody knows when.
    (NSE, "2026-11-07T12:00", CLOSED, "2026-11-08T00:00"),
    (NSE, "2026-11-08T18:30", UNKNOWN, "2026-11-09T00:00"),
    (NFO, "2026-11-08T03:00", UNKNOWN, "2026-11-09T00:00"),
    (CDS, "2026-11-08T18:30", UNKNOWN, "2026-11-09T00:00"),
    (MCX, "2026-11-08T18:30", UNKNOWN, "2026-11-09T00:00"),
    # The outage of February 2021 and its long afternoon.
    (NSE, "2021-02-24T13:00", CLOSED, "2021-02-24T15:45"),
    (NFO, "2021-02-24T16:59", OPEN, "2021-02-24T17:00"),
    (BSE, "2021-02-24T16:00", OPEN, "2021-02-24T17:00"),
]

HOLIDAYS = [
    # Declared three days before.
    (NSE, "2026-01-15T11:00", CLOSED, "2026-01-16T09:00"),
    (BFO, "2026-01-15T11:00", CLOSED, "2026-01-16T09:15"),
    (CDS, "2026-01-15T11:00", CLOSED, "2026-01-16T09:00"),
    (MCX, "2026-01-15T11:00", CLOSED, "2026-01-15T17:00"),
    (MCX, "2026-01-15T23:54", OPEN, "2026-01-15T23:55"),
    # Settlement holidays: shares and commodities trade, currencies do not.
    (NSE, "2026-02-19T11:00", OPEN, "2026-02-19T15:30"),
    (CDS, "2026-02-19T11:00", CLOSED, "2026-02-20T09:00"),
    (MCX, "2026-02-19T11:00", OPEN, "2026-02-19T23:55"),
    (NFO, "2026-03-19T11:00", OPEN, "2026-03-19T15:30"),
    (BCD, "2026-03-19T11:00", CLOSED, "2026-03-20T09:00"),
    (NSE, "2026-04-01T11:00", OPEN, "2026-04-01T15:30"),
    (CDS, "2026-04-01T11:00", CLOSED, "2026-04-02T09:00"),
    (NSE, "2026-08-26T15:20", OPEN, "2026-08-26T15:30"),
    (CDS, "2026-08-26T15:20", CLOSED, "2026-08-27T09:00"),
    (CDS, "2025-09-05T11:00", OPEN, "2025-09-05T17:00"),
    (CDS, "2025-09-08T11:00", CLOSED, "2025-09-09T09:00"),
    # The Tuesday whose monthly expiry is on Monday.
    (NSE, "2026-11-24T11:00", CLOSED, "2026-11-25T09:00"),
    (NFO, "2026-11-23T15:30", OPEN, "2026-11-23T15:40"),
    (NFO, "2026-11-24T11:00", CLOSED, "2026-11-25T09:15"),
    (MCX, "2026-11-24T16:59", CLOSED, "2026-11-24T17:00"),
    (MCX, "2026-11-24T17:00", OPEN, "2026-11-24T23:55"),
    # MCX: closed, morning only, evening only.
    (MCX, "2026-01-26T18:00", CLOSED, "2026-01-27T08:45"),
    (MCX, "2026-01-01T16:59", OPEN, "2026-01-01T17:00"),
    (MCX, "2026-01-01T17:00", CLOSED, "2026-01-02T08:45"),
    (NSCOM, "2026-01-01T18:00", CLOSED, "2026-01-02T09:00"),
    (MCX, "2020-04-06T18:00", CLOSED, "2020-04-07T08:45"),
    (MCX, "2026-12-25T18:00", CLOSED, "2026-12-28T08:45"),
    (NSE, "2023-06-28T11:00", OPEN, "2023-06-28T15:30"),
    (NSE, "2023-06-29T11:00", CLOSED, "2023-06-30T09:00"),
    # The edges of what is published.
    (NSE, "2026-12-31T16:00", CLOSED, "2027-01-01T00:00"),
    (NSE, "2018-12-31T11:00", UNKNOWN, "2019-01-01T00:00"),
    (NSE, "2019-01-01T09:15", OPEN, "2019-01-01T15:30"),
]


@pytest.mark.parametrize(("market", "moment", "phase", "until"), [*ORDINARY_DAYS, *SPECIAL_DAYS, *HOLIDAYS])
def test_the_phase_at_a_known_instant_and_its_end(market: Market, moment: str, phase: Phase, until: str) -> None:
    now = BUNDLED.phase(market, at(moment))

    assert now.phase is phase
    assert now.until == at(until)


@pytest.mark.parametrize("moment", ["2027-01-01T00:00", "2027-01-04T11:00", "2027-01-03T11:00", "2030-06-01T11:00"])
@pytest.mark.parametrize("market", list(Market))
def test_years_not_published_are_unknown_without_end_sundays_too(market: Market, moment: str) -> None:
    now = BUNDLED.phase(market, at(moment))

    assert now.phase is UNKNOWN
    assert now.until is None
    assert now.then is None
    assert "no hours are published" in now.reason


STAGES = [
    # The pre-open before and after 2026-09-07.
    (NSE, Listing.ORDINARY, "2026-09-04T09:04:59", PRE, Stage.ORDERS, Accepts.LIMIT_AND_MARKET, "09:08"),
    (NSE, Listing.ORDINARY, "2026-09-04T09:08", PRE, Stage.MATCHING, Accepts.NOTHING, "09:12"),
    (NSE, Listing.ORDINARY, "2026-09-04T09:12", PRE, Stage.BUFFER, Accepts.NOTHING, "09:15"),
    (NSE, Listing.ORDINARY, "2026-09-07T09:04:59", PRE, Stage.ORDERS, Accepts.LIMIT_AND_MARKET, "09:05"),
    (BSE, Listing.AUCTION, "2026-09-07T09:05", PRE, Stage.LIMIT_ONLY, Accepts.LIMIT, "09:10"),
    (NSE, Listing.ORDINARY, "2026-09-07T09:10", PRE, Stage.MATCHING, Accepts.NOTHING, "09:12"),
    (NSE, Listing.ORDINARY, "2026-09-07T09:14:59", PRE, Stage.BUFFER, Accepts.NOTHING, "09:15"),
    # The closing auction: not yet, first form, second form.
    (NSE, Listing.AUCTION, "2026-07-31T15:20", OPEN, Stage.CONTINUOUS, Accepts.ALL, "15:30"),
    (NSE, Listing.AUCTION, "2026-08-03T15:14:59", OPEN, Stage.CONTINUOUS, Accepts.ALL, "15:15"),
    (NSE, Listing.AUCTION, "2026-08-03T15:15", AUCTION, Stage.REFERENCE, Accepts.NOTHING, "15:20"),
    (BSE, Listing.AUCTION, "2026-08-03T15:20", AUCTION, Stage.ORDERS, Accepts.LIMIT_AND_MARKET, "15:25"),
    (NSE, Listing.AUCTION, "2026-08-03T15:25", AUCTION, Stage.LIMIT_ONLY, Accepts.LIMIT, "15:30"),
    (NSE, Listing.AUCTION, "2026-08-03T15:30", AUCTION, Stage.MATCHING, Accepts.NOTHING, "15:35"),
    (NSE, Listing.AUCTION, "2026-08-03T15:35", CLOSED, Stage.NONE, Accepts.NOTHING, "15:50"),
    (NSE, Listing.AUCTION, "2026-08-03T15:50", POST, Stage.CLOSING_PRICE, Accepts.CLOSING_PRICE, "16:00"),
    (NSE, Listing.ORDINARY, "2026-08-03T15:20", OPEN, Stage.CONTINUOUS, Accepts.ALL, "15:30"),
    (NSE, Listing.AUCTION, "2026-12-04T15:16", AUCTION, Stage.REFERENCE, Accepts.NOTHING, "15:20"),
    (NSE, Listing.AUCTION, "2026-12-07T15:16", OPEN, Stage.CONTINUOUS, Accepts.ALL, "15:30"),
    (NSE, Listing.AUCTION, "2026-12-07T15:30", AUCTION, Stage.REFERENCE, Accepts.NOTHING, "15:31"),
    (NSE, Listing.AUCTION, "2026-12-07T15:31", AUCTION, Stage.ORDERS, Accepts.LIMIT_AND_MARKET, "15:36"),
    (BSE, Listing.AUCTION, "2026-12-07T15:39:59", AUCTION, Stage.LIMIT_ONLY, Accepts.LIMIT, "15:40"),
    (NSE, Listing.AUCTION, "2026-12-07T15:40", CLOSED, Stage.NONE, Accepts.NOTHING, "15:50"),
    (NSE, Listing.ORDINARY, "2026-12-07T15:35", CLOSED, Stage.NONE, Accepts.NOTHING, "15:50"),
    # Futures with a pre-open, expiring contracts, agricultural ones, MCX's quarter for cancellations.
    (NFO, Listing.NEAR_FUTURE, "2025-12-05T09:05", CLOSED, Stage.NONE, Accepts.NOTHING, "09:15"),
    (NFO, Listing.NEAR_FUTURE, "2025-12-08T09:05", PRE, Stage.ORDERS, Accepts.LIMIT_AND_MARKET, "09:08"),
    (BFO, Listing.NEAR_FUTURE, "2025-12-08T09:09", PRE, Stage.MATCHING, Accepts.NOTHING, "09:12"),
    (NFO, Listing.ORDINARY, "2025-12-08T09:05", CLOSED, Stage.NONE, Accepts.NOTHING, "09:15"),
    (NFO, Listing.EXPIRING_INDEX, "2026-12-01T15:35", OPEN, Stage.CONTINUOUS, Accepts.ALL, "15:40"),
    (NFO, Listing.EXPIRING_INDEX, "2026-12-08T15:29:59", OPEN, Stage.CONTINUOUS, Accepts.ALL, "15:30"),
    (CDS, Listing.EXPIRING_CURRENCY, "2026-11-26T12:29", OPEN, Stage.CONTINUOUS, Accepts.ALL, "12:30"),
    (MCX, Listing.AGRICULTURAL, "2026-11-20T16:59", OPEN, Stage.CONTINUOUS, Accepts.ALL, "17:00"),
    (MCX, Listing.ORDINARY, "2026-11-20T08:45", PRE, Stage.CANCELLATIONS, Accepts.NOTHING, "08:59"),
    (MCX, Listing.ORDINARY, "2026-11-20T08:59", PRE, Stage.BUFFER, Accepts.NOTHING, "09:00"),
]


@pytest.mark.parametrize(("market", "listing", "moment", "phase", "stage", "accepts", "until"), STAGES)
def test_the_stage_at_a_known_instant_and_which_orders_it_takes(
    market: Market, listing: Listing, moment: str, phase: Phase, stage: Stage, accepts: Accepts, until: str
) -> None:
    now = BUNDLED.phase(market, at(moment), listing=listing)

    assert (now.phase, now.stage, now.accepts) == (phase, stage, accepts)
    assert now.until == at(f"{moment[:10]}T{until}")


@pytest.mark.parametrize(
    ("market", "moment", "reason"),
    [
        (NSE, "2026-11-24T11:00", "Guru Nanak Jayanti"),
        (NSE, "2026-11-21T11:00", "Saturday"),
        (NSE, "2026-11-20T08:00", "before the open"),
        (NSE, "2026-11-20T15:40", "between sessions"),
        (NSE, "2026-11-20T17:00", "after the close"),
        (NSE, "2026-11-20T12:00", "until 15:30"),
        (NSE, "2025-10-21T14:00", "Diwali Laxmi Pujan, until 14:45"),
        (NSE, "2025-10-21T11:00", "Diwali Laxmi Pujan"),
        (MCX, "2026-11-24T11:00", "Guru Nanak Jayanti, evening session only"),
        (MCX, "2026-01-01T18:00", "New Year, after the close"),
        (CDS, "2026-02-19T11:00", "Shivaji Jayanti"),
        (NSE, "2026-02-19T11:00", "until 15:30, nothing settles (Shivaji Jayanti)"),
        (NSE, "2026-02-19T08:00", "before the open"),
        (NSE, "2026-11-08T11:00", "Diwali Laxmi Pujan: the exchange trades, its hours are not confirmed"),
    ],
)
def test_the_reason_is_told_in_words(market: Market, moment: str, reason: str) -> None:
    assert BUNDLED.phase(market, at(moment)).reason == reason


def test_a_doubtful_source_shows_in_every_answer_of_its_day() -> None:
    assert not BUNDLED.phase(NSE, at("2026-11-08T11:00")).confirmed
    assert not BUNDLED.phase(NFO, at("2026-12-07T11:00")).confirmed
    assert BUNDLED.phase(NFO, at("2026-12-04T11:00")).confirmed
    assert BUNDLED.phase(NSE, at("2024-09-16T11:00")).confirmed  # that it settles is in doubt, not that it trades
    assert not BUNDLED.phase(MCX, at("2024-01-22T11:00")).confirmed
    assert not BUNDLED.phase(MCX, at("2020-02-01T11:00")).confirmed
