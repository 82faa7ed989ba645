from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from services.paper.feed.requests import Mode
from services.paper.feed.rows import Rows
from services.wire.feed import feed_v3_pb2 as pb
from tests.support.feed_paper import MovingMarket
from tests.support.paper import CALL, NIFTY, RELIANCE

AT = datetime.fromisoformat("2026-11-20T11:15:00+05:30")


@pytest.fixture
def market() -> MovingMarket:
    return MovingMarket()


@pytest.fixture
def rows(market: MovingMarket) -> Rows:
    return Rows(market)


def test_the_first_look_changes_everything_and_the_second_nothing(rows: Rows) -> None:
    wanted = {RELIANCE: {Mode.FULL, Mode.LTPC}, NIFTY: {Mode.LTPC}}

    assert set(rows.refresh(wanted, AT)) == {(RELIANCE, Mode.FULL), (RELIANCE, Mode.LTPC), (NIFTY, Mode.LTPC)}
    assert rows.refresh(wanted, AT) == []


def test_only_what_moved_has_changed(rows: Rows, market: MovingMarket) -> None:
    wanted = {RELIANCE: {Mode.LTPC}, CALL: {Mode.LTPC}}
    rows.refresh(wanted, AT)
    market.move(CALL, 190.0)

    assert rows.refresh(wanted, AT) == [(CALL, Mode.LTPC)]


def test_a_change_that_a_mode_does_not_show_is_no_change_in_it(rows: Rows, market: MovingMarket) -> None:
    wanted = {RELIANCE: {Mode.LTPC, Mode.FULL}}
    rows.refresh(wanted, AT)
    market.move(RELIANCE, 1472.5, volume=4_400_000)

    assert rows.refresh(wanted, AT) == [(RELIANCE, Mode.FULL)]


def test_a_change_seen_in_one_mode_is_still_new_in_another(rows: Rows, market: MovingMarket) -> None:
    market.once = True
    rows.refresh({RELIANCE: {Mode.LTPC, Mode.FULL}}, AT)
    market.move(RELIANCE, 1500.0)
    rows.refresh({RELIANCE: {Mode.LTPC}}, AT)

    assert rows.refresh({RELIANCE: {Mode.LTPC, Mode.FULL}}, AT) == [(RELIANCE, Mode.FULL)]


def test_a_snapshot_that_is_known_is_not_encoded_again(market: MovingMarket) -> None:
    class Asked:
        count = 0

        def feed(self, key: str, mode: Mode) -> bytes | None:
            self.count += 1
            return None

        def next_change_ms(self) -> int | None:
            return None

    asked = Asked()
    rows = Rows(market, asked)
    market.once = True
    for _ in range(3):
        rows.refresh({RELIANCE: {Mode.FULL}}, AT)

    assert asked.count == 1


def test_a_new_minute_shows_in_full_only(rows: Rows) -> None:
    wanted = {RELIANCE: {Mode.LTPC, Mode.FULL}}
    rows.refresh(wanted, AT)

    assert rows.refresh(wanted, AT + timedelta(minutes=1)) == [(RELIANCE, Mode.FULL)]


def test_keys_that_are_no_longer_listed_are_silent(rows: Rows) -> None:
    assert rows.refresh({"NSE_EQ|GONE": {Mode.LTPC}}, AT) == []
    assert rows.get("NSE_EQ|GONE", Mode.LTPC) is None


def test_rows_nobody_wants_are_forgotten(rows: Rows) -> None:
    rows.refresh({RELIANCE: {Mode.FULL, Mode.LTPC}, NIFTY: {Mode.LTPC}}, AT)

    rows.keep_only({RELIANCE: {Mode.LTPC}})

    assert rows.get(RELIANCE, Mode.LTPC) is not None
    assert rows.get(RELIANCE, Mode.FULL) is None
    assert rows.get(NIFTY, Mode.LTPC) is None


def test_a_row_is_a_message_with_one_entry(rows: Rows) -> None:
    rows.refresh({RELIANCE: {Mode.LTPC}}, AT)

    row = rows.get(RELIANCE, Mode.LTPC)
    assert row is not None
    assert list(pb.FeedResponse.FromString(row).feeds) == [RELIANCE]
