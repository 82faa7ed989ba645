"""The cards of the overview: columns of the movers, markets that share a line."""

from __future__ import annotations

from dashboard.components.overview_cards import mover_columns, told_once
from tests.support.readings import INFY, RELIANCE, reading, row


def test_the_path_of_the_day_has_its_column_only_where_there_is_or_may_be_one():
    keys = (RELIANCE, INFY)
    rows = row(RELIANCE), row(INFY)

    def columns(path, *, in_session):
        return mover_columns(reading(*rows, in_session=in_session), lambda key: path, keys).ids

    assert "day" in columns((), in_session=True)
    assert "day" in columns((1.0, 2.0), in_session=False)
    assert "day" not in columns((), in_session=False)


def test_markets_in_the_same_phase_share_a_line():
    assert told_once({"NSE shares": "Open", "NSE F&O": "Open", "MCX": "Closed"}) == {
        "NSE shares, NSE F&O": "Open",
        "MCX": "Closed",
    }
