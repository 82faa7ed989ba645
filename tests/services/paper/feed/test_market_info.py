from __future__ import annotations

from datetime import date, datetime

import pytest

from services.domain.clock import epoch_ms
from services.paper.feed.market_info import EXCHANGE_OF_SEGMENT, market_info
from services.paper.sessions import Sessions
from services.wire.feed import feed_v3_pb2 as pb


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+05:30")


@pytest.fixture
def sessions() -> Sessions:
    return Sessions(always=False)


def test_every_segment_has_a_status(sessions: Sessions) -> None:
    info = market_info(sessions, at("2026-11-20T11:15:00"))

    assert set(info.segmentStatus) == set(EXCHANGE_OF_SEGMENT)
    assert set(info.segmentStatus.values()) == {pb.NORMAL_OPEN}


def test_shares_close_before_commodities(sessions: Sessions) -> None:
    info = market_info(sessions, at("2026-11-20T18:00:00"))

    assert info.segmentStatus["NSE_EQ"] in {pb.NORMAL_CLOSE, pb.CLOSING_END}
    assert info.segmentStatus["NSE_INDEX"] == info.segmentStatus["NSE_EQ"]
    assert info.segmentStatus["MCX_FO"] == pb.NORMAL_OPEN


def test_the_closing_auction_is_told_apart(sessions: Sessions) -> None:
    info = market_info(sessions, at("2026-11-20T15:22:00"))

    assert info.segmentStatus["NSE_EQ"] == pb.NORMAL_OPEN
    assert info.casMarketStatus["NSE_EQ"].status == "CAS_LM_START"
    assert info.casMarketStatus["NSE_EQ"].updatedTime == epoch_ms(at("2026-11-20T15:20:00"))


def test_the_last_word_of_the_pre_open_session_stays_for_the_day(sessions: Sessions) -> None:
    before = market_info(sessions, at("2026-11-20T09:03:00")).preOpenSessionStatus["NSE_EQ"]
    after = market_info(sessions, at("2026-11-20T14:00:00")).preOpenSessionStatus["NSE_EQ"]
    on_sunday = market_info(sessions, at("2026-11-22T14:00:00")).preOpenSessionStatus["NSE_EQ"]

    assert before.status == "PRE_OPEN_START"
    assert before.updatedTime == epoch_ms(at("2026-11-20T09:00:00"))
    assert after.status == on_sunday.status == "PRE_OPEN_END"
    assert epoch_ms(at("2026-11-20T09:00:00")) < after.updatedTime < epoch_ms(at("2026-11-20T09:15:00"))
    assert on_sunday.updatedTime == after.updatedTime


def test_a_practice_session_is_open_everywhere_and_has_no_pre_open() -> None:
    info = market_info(Sessions(always=True), at("2026-11-22T02:00:00"))

    assert set(info.segmentStatus.values()) == {pb.NORMAL_OPEN}
    assert dict(info.preOpenSessionStatus) == {}


class Odd:
    def status(self, exchange: str, now: datetime) -> dict[str, object]:
        return {"exchange": exchange, "status": "SOMETHING_NEW", "last_updated": 1}

    def timings(self, day: date) -> list[dict[str, object]]:
        return []


def test_a_word_that_the_enum_lacks_is_no_open_market() -> None:
    info = market_info(Odd(), at("2026-11-20T11:15:00"))

    assert set(info.segmentStatus.values()) == {pb.NORMAL_CLOSE}
