"""What the broker adds to its feed is noticed, by name and number."""

from __future__ import annotations

import pytest
from hypothesis import given

from services.domain.errors import MalformedPayload
from services.wire.feed import feed_v3_pb2 as pb
from services.wire.feed.decoder import decode
from services.wire.feed.unknown import unknown_members
from tests.support.feed_frames import full_frame, responses


@given(responses)
def test_messages_of_today_hold_nothing_unknown(response: pb.FeedResponse) -> None:
    assert unknown_members(response.SerializeToString()) == frozenset()


def test_new_members_are_named_wherever_they_are_and_do_not_disturb_the_others() -> None:
    frame = full_frame(3)
    response = pb.FeedResponse.FromString(frame)
    for feed in response.feeds.values():
        full = feed.fullFeed.marketFF
        full.MergeFromString(b"\x8a\x01\x00")
        full.ltpc.MergeFromString(b"\x30\x05")
        full.marketLevel.bidAskQuote[4].MergeFromString(b"\x29" + bytes(8))
        full.marketOHLC.ohlc[0].MergeFromString(b"\x40\x01")
    extended = response.SerializeToString() + b"\x48\x01"

    assert unknown_members(extended) == {"FeedResponse.9", "MarketFullFeed.17", "LTPC.6", "Quote.5", "OHLC.8"}
    assert [row[:20] for row in sorted(decode(extended).feeds)] == [row[:20] for row in sorted(decode(frame).feeds)]


def test_a_bad_frame_is_refused() -> None:
    with pytest.raises(MalformedPayload):
        unknown_members(b"\xff")
