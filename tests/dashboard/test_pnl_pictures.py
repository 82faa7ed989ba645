"""What the pictures of results are drawn from."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dashboard.pnl_pictures import curve_scene, days_scene, spread_of, spread_scene, way_scene
from tests.support.lots import fill
from tests.support.pnl_page import FakeBook, many_fills


@pytest.fixture(scope="module")
def view():
    return FakeBook.of(many_fills(400, days=60)).read()


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(-(10**12), 10**12) | st.integers(-200, 200), max_size=60))
@example([0, -1])
def test_each_trade_is_in_exactly_one_bar_and_no_bar_holds_wins_and_losses(nets):
    net = np.array(nets, np.int64)
    edges, counts, names = spread_of(net)

    assert sum(counts) == len(net)
    assert len(counts) == len(names) == max(0, len(edges) - 1)
    if nets:
        assert 0 in edges
        lost = sum(count for edge, count in zip(edges, counts, strict=False) if edge < 0)
        assert lost == int((net < 0).sum())


def test_a_few_extremes_do_not_press_all_others_into_one_bar():
    net = np.array([*range(-5_000, 5_000, 50), 10**10, -(10**10)], np.int64)
    edges, counts, names = spread_of(net)

    assert len([count for count in counts if count]) > 15
    assert edges[-1] < 10**6
    assert "the best ₹10,00,00,000.00" in names[-1]
    assert "the worst" in names[0]
    assert spread_scene(net)["foot"] == f"First bar: {names[0]}. Last bar: {names[-1]}."
    assert spread_scene(np.array([-500, 500] * 20, np.int64))["foot"] == ""


def test_the_curve_is_the_running_sum_and_its_depth(view):
    scene = curve_scene(view.curve)

    assert scene["total"] == pytest.approx(list(np.cumsum(scene["net"])), abs=0.001)
    assert scene["total"][-1] == pytest.approx(view.trades.net.sum() / 100)
    assert max(scene["below"]) == 0 or min(scene["below"]) < 0
    assert scene["days"] == sorted(set(scene["days"]))
    assert sum(scene["trades"]) == len(view.trades)


def test_the_days_add_up_to_the_whole(view):
    scene = days_scene(view.trades)
    columns = list(zip(*scene["days"], strict=True))

    assert sum(columns[1]) == pytest.approx(view.trades.net.sum() / 100)
    assert sum(columns[2]) == pytest.approx(view.trades.gross.sum() / 100)
    assert sum(columns[3]) == pytest.approx(view.trades.charges.sum() / 100)
    assert sum(columns[4]) == len(view.trades)


def test_each_financial_year_says_its_net_result_and_its_days_won(view):
    scene = days_scene(view.trades)

    nets = [
        float(year["net"].translate(str.maketrans({"₹": "", ",": "", "−": "-", "+": ""})))
        for year in scene["years"].values()
    ]
    won = sum(day[1] > 0 for day in scene["days"])
    assert sum(nets) == pytest.approx(view.trades.net.sum() / 100)
    assert [year["way"] for year in scene["years"].values()] == [(net > 0) - (net < 0) for net in nets]
    assert sum(int(year["won"].split(" of ")[0]) for year in scene["years"].values()) == won
    assert sum(int(year["won"].split(" of ")[1].split()[0]) for year in scene["years"].values()) == len(scene["days"])


def test_the_way_from_gross_ends_at_net_step_by_step(view):
    steps = way_scene(view.total)["steps"]

    assert (steps[0]["name"], steps[-1]["name"]) == ("Gross", "Net")
    assert steps[0]["value"] + sum(step["value"] for step in steps[1:-1]) == pytest.approx(steps[-1]["value"])
    assert steps[-1]["value"] == view.total.net / 100
    assert all(step["value"] < 0 for step in steps[1:-1])


def test_nothing_closed_makes_empty_pictures_and_no_error():
    empty = FakeBook.of([fill("BUY", 10, "100")]).read()

    assert curve_scene(empty.curve)["days"] == []
    assert days_scene(empty.trades)["days"] == []
    assert days_scene(empty.trades)["years"] == {}
    assert spread_scene(empty.trades.net)["counts"] == []
    assert [step["value"] for step in way_scene(empty.total)["steps"]] == [0, 0]
