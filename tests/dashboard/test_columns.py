"""Which columns, in which order, sorted how; kept as plain words with the watchlist."""

from __future__ import annotations

import pytest

from dashboard.columns import CHOICE, DEFAULT, Layout, Sort
from services.domain.quote_row import Depth
from tests.support.readings import RELIANCE, row

EXPECTED = {
    "ltp", "change", "change_percent", "open", "high", "low", "prev_close", "volume", "average_price", "oi",
    "lower_circuit", "upper_circuit", "day", "year_range", "age", "source",
}  # fmt: skip


def test_everything_that_a_trader_expects_is_shown_at_first():
    assert set(DEFAULT) == EXPECTED


@pytest.mark.parametrize(
    "layout",
    [
        Layout(("volume", "ltp")),
        Layout(("ltp",), Sort("change_percent", down=True)),
        Layout(sort=Sort("symbol", down=False)),
    ],
)
def test_a_layout_survives_being_kept_as_words(layout):
    assert Layout.from_words(layout.words()) == layout


def test_the_usual_layout_keeps_nothing():
    assert Layout().words() is None
    assert Layout.from_words(None) == Layout()


def test_words_of_another_version_are_read_leniently():
    assert Layout.from_words(["gone", "ltp", "ltp", "down:gone"]) == Layout(("ltp",))
    assert Layout.from_words(["gone"]).ids == DEFAULT


@pytest.mark.parametrize("sent", [None, "x", {}, {"id": "gone", "dir": "asc"}, {"id": "", "dir": ""}, ["ltp"]])
def test_what_the_browser_sends_is_not_trusted(sent):
    assert Sort.from_browser(sent) is None


def test_a_click_on_a_head_becomes_a_sort():
    assert Sort.from_browser({"id": "volume", "dir": "desc"}) == Sort("volume", down=True)
    assert Sort.from_browser({"id": "symbol", "dir": "asc"}) == Sort("symbol", down=False)


def test_every_column_reads_a_quote_and_takes_what_is_not_there():
    full = row(RELIANCE)
    bare = dict(full) | dict.fromkeys([name for name in full if name not in {"depth", "source"}])
    bare["depth"] = Depth({"buy": (), "sell": ()})

    assert {column.id: column.value(full) for column in CHOICE}["year_range"] == [1200.0, 1600.0, 1500.0]
    assert all(column.value(bare) in (None, "–", "simulated") for column in CHOICE)
