"""Quote rows: read like dicts, cannot be changed, survive copying."""

from __future__ import annotations

import copy
import json
import pickle
from dataclasses import replace

import orjson
import pytest

from services.domain.quote_row import QuoteRow, quote_row
from tests.support.quotes import NOW, quote, row


def test_a_row_tells_what_the_quote_tells_and_where_it_came_from() -> None:
    made = row()

    assert (made["instrument_key"], made["ltp"], made["prev_close"]) == ("NSE_EQ|INE002A01018", 1472.5, 1465.2)
    assert (made["change"], made["change_percent"]) == (quote().change, quote().change_percent)
    assert made["received_at"] is NOW
    assert (made["source"], made["api_version"]) == ("simulated", "v3")
    assert made["oi"] is None


def test_without_a_previous_close_there_is_no_change() -> None:
    made = quote_row(quote(prev_close=None), received_at=NOW, source="simulated", api_version="v2")

    assert made["change"] is made["change_percent"] is None


def test_depth_reads_as_dicts_best_level_first() -> None:
    depth = row()["depth"]

    assert depth["buy"][0] == {"price": 1472.4, "quantity": 154, "orders": 5}
    assert [level["price"] for level in depth["sell"]] == [1472.5]
    assert depth.get("buy") == depth["buy"]
    assert dict(depth.items()) == dict(depth) == {"buy": depth["buy"], "sell": depth["sell"]}
    assert list(depth.values()) == [depth["buy"], depth["sell"]]
    assert depth.get("other", ()) == ()


@pytest.mark.parametrize(
    "change",
    [
        lambda row: row.__setitem__("ltp", 1.0),
        lambda row: row.__delitem__("ltp"),
        lambda row: row.update(ltp=1.0),
        lambda row: row.setdefault("new", 1.0),
        lambda row: row.pop("ltp"),
        lambda row: row.popitem(),
        lambda row: row.clear(),
        lambda row: row.__ior__({"ltp": 1.0}),
        lambda row: row["depth"].clear(),
        lambda row: row["depth"]["buy"][0].__setitem__("price", 1.0),
    ],
)
def test_a_row_cannot_be_changed(change: object) -> None:
    made = row()

    with pytest.raises(TypeError, match="read-only"):
        change(made)  # type: ignore[operator]

    assert made == row()


def test_a_copy_may_be_changed() -> None:
    mine = dict(row())
    mine["ltp"] = 1.0

    assert mine["ltp"] == 1.0
    assert type(row() | {"ltp": 2.0}) is dict


def test_rows_survive_pickling_and_deep_copies_as_what_they_are() -> None:
    made = row()

    for twin in (pickle.loads(pickle.dumps(made)), copy.deepcopy(made), copy.copy(made)):
        assert type(twin) is QuoteRow
        assert twin == made


def test_rows_differ_by_their_depth_too() -> None:
    other = quote_row(replace(quote(), asks=()), received_at=NOW, source="simulated", api_version="v3")

    assert other != row()


def test_json_holds_the_depth_in_full() -> None:
    assert orjson.loads(orjson.dumps(row()))["depth"]["buy"][1] == {"price": 1472.3, "quantity": 380, "orders": 9}
    assert json.loads(json.dumps(row()["depth"]))["sell"] == [{"price": 1472.5, "quantity": 96, "orders": 3}]
