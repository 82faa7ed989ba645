"""The parts of the pictures' scripts that draw nothing: the bar that forms, labels of axes, results put together."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from services.domain.clock import IST, epoch_ms
from tests.support.components import run

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

PARTS = ("shared.js", "chart_axis.js", "chart_forming.js")
MINUTE = 60_000


def at(text):
    return epoch_ms(datetime.fromisoformat(text).replace(tzinfo=IST).astimezone(UTC))


START = at("2026-11-20 11:00")
EDGES = [START + number * MINUTE for number in range(6)]


def loaded(page, parts, names):
    page.goto("about:blank")
    run(page, parts, f"Object.assign(globalThis, {{ {names} }})")
    return page


@pytest.fixture
def script(blank):
    return loaded(blank, PARTS, "Forming, timeTicks, Scale, momentText, clearOf")


def told(**changes):
    bar = {
        "start": START, "end": START + MINUTE, "open": 100, "high": 102, "low": 99, "close": 101, "volume": 50,
        "base": 1000, "day": 1050, "at": START + 5000,
    }  # fmt: skip
    return {**bar, **changes}


def play(script, prices, bar=None, edges=EDGES):
    """Feed prices `[ltp, volume, traded, now]` to a forming bar; the bar, what closed, and what each price did."""
    return script.evaluate(
        "([bar, edges, prices]) => { const one = new Forming(bar, edges);"
        " const did = prices.map(price => one.price(...price)); return { bar: one.bar, closed: one.closed, did } }",
        [bar, edges, prices],
    )


def test_prices_move_the_bar_and_count_its_volume(script):
    found = play(
        script,
        [
            [103, 1060, START + 10_000, START + 10_500],
            [98, 1075, START + 20_000, START + 20_500],
            [98, 1075, START + 20_000, START + 21_000],
        ],
        told(),
    )

    bar = found["bar"]
    assert (bar["open"], bar["high"], bar["low"], bar["close"], bar["volume"]) == (100, 103, 98, 98, 75)
    assert found["did"] == ["moved", "moved", ""]


def test_a_bar_closes_with_the_first_trade_of_the_next_minute(script):
    found = play(script, [[105, 1080, START + MINUTE + 900, START + MINUTE + 1000]], told())

    assert found["did"] == ["opened"]
    assert [one["close"] for one in found["closed"]] == [101]
    assert (found["bar"]["start"], found["bar"]["open"], found["bar"]["volume"]) == (START + MINUTE, 105, 30)


def test_minutes_without_a_trade_make_no_bars(script):
    found = play(script, [[105, 1080, START + 4 * MINUTE + 1, START + 4 * MINUTE + 500]], told())

    assert len(found["closed"]) == 1
    assert found["bar"]["start"] == START + 4 * MINUTE


def test_an_old_trade_that_comes_late_opens_no_bar(script):
    found = play(script, [[101, 1050, START + 59_000, START + MINUTE + 2000]], told())

    assert found["bar"]["start"] == START
    assert found["closed"] == []


def test_an_old_price_is_taken_over_by_the_bar_that_was_told_before_it(script):
    found = play(script, [[103, 1060, START + 10_000, START + 10_500, False]], told(at=START + 5000))

    assert (found["bar"]["close"], found["bar"]["at"], found["did"]) == (103, START + 10_500, ["moved"])


@pytest.mark.parametrize(
    ("bar", "heard"),
    [
        (told(at=START + 20_000), START + 10_500),  # told later, by the broker
        (told(at=None), START + 10_500),  # nobody knows when
        (told(), START + MINUTE + 1000),  # of the next minute
        (None, START + 10_500),
    ],
)
def test_an_old_price_undoes_nothing_and_opens_no_bar(script, bar, heard):
    found = play(script, [[103, 1060, heard, heard, False]], bar)

    assert (found["bar"], found["closed"], found["did"]) == (bar, [], [""])


@pytest.mark.parametrize(
    ("bar", "ltp", "received", "when"),
    [
        (told(), 103, START + 9000, START + 5000),  # the age of another price is not that of this one
        (told(), 101, START + 9000, START + 9000),
        (told(), 101, START + 1000, START + 5000),
        (told(at=None), 103, START + 9000, None),
        (told(at=None), 101, START + 9000, START + 9000),
        (None, 103, START + 9000, None),
    ],
)
def test_the_price_of_the_bar_is_as_old_as_it_was_told(script, bar, ltp, received, when):
    found = script.evaluate(
        "([bar, edges, ltp, received]) => new Forming(bar, edges).toldAt(ltp, received)", [bar, EDGES, ltp, received]
    )

    assert found == when


def test_after_the_last_edge_and_before_the_first_nothing_is_taken(script):
    assert play(script, [[105, 1, EDGES[-1] + 1, EDGES[-1] + 1]], told())["did"] == [""]
    assert play(script, [[105, 1, START - 1, START - 1]], told())["did"] == [""]
    assert play(script, [[0, 1, START + 1, START + 1]], told())["did"] == [""]


def test_an_index_has_no_volume_and_no_time_of_a_trade(script):
    found = play(script, [[105, None, None, START + 100]], None)

    assert (found["bar"]["open"], found["bar"]["volume"]) == (105, 0)


def test_what_the_desk_tells_anew_does_not_undo_what_was_heard_since(script):
    found = script.evaluate(
        """([bar, edges, start]) => {
          const before = new Forming(bar, edges)
          before.price(110, 1090, start + 30000, start + 30000)
          before.price(95, 1095, start + 31000, start + 31000)
          const after = new Forming({ ...bar, close: 101.5, at: start + 20000 }, edges)
          after.inherit(before)
          return after.bar
        }""",
        [told(), EDGES, START],
    )

    assert (found["high"], found["low"], found["close"], found["volume"]) == (110, 95, 95, 95)


def test_a_bar_that_closed_here_stays_until_the_desk_tells_it(script):
    found = script.evaluate(
        """([bar, edges, start]) => {
          const before = new Forming(bar, edges)
          before.price(105, 1080, start + 60900, start + 61000)
          const after = new Forming(bar, edges)       // the desk has not read again yet
          after.inherit(before)
          const still = after.closed.map(one => one.start)
          after.forget(start)                          // now it tells the first bar as closed
          return { still, closed: after.closed, start: after.bar.start }
        }""",
        [told(), EDGES, START],
    )

    assert found == {"still": [START], "closed": [], "start": START + MINUTE}


def ticks(script, times, places, span, apart):
    return script.evaluate("given => timeTicks(...given)", [times, places, *span, apart])


def test_a_new_year_is_told_before_a_month_and_a_month_before_a_day(script):
    days = [at("2025-12-01 00:00") + number * 86_400_000 for number in range(90)]
    found = ticks(script, days, list(range(90)), (0, 89), 12)

    assert "2026" in found["text"]
    assert "Feb" in found["text"]
    assert all(b - a >= 12 for a, b in zip(found["at"], found["at"][1:], strict=False))


def test_nights_and_holidays_take_no_room_and_the_day_is_told_where_it_begins(script):
    friday = [at("2026-11-20 09:15") + number * MINUTE for number in range(375)]
    monday = [at("2026-11-23 09:15") + number * MINUTE for number in range(375)]
    found = ticks(script, friday + monday, list(range(750)), (0, 749), 60)

    assert found["at"][found["text"].index("23 Nov")] == 375
    assert "12:00" in found["text"]


def test_bars_of_several_minutes_are_labelled_by_the_full_hour(script):
    times = [at("2026-11-20 09:15") + number * 7 * MINUTE for number in range(50)]

    labels = ticks(script, times, list(range(50)), (1, 49), 10)["text"]
    assert set(labels) <= {"10:00", "11:00", "12:00", "13:00", "14:00", "15:00", "09:30", "10:30", "11:30", "12:30"}


@pytest.mark.parametrize("kind", ["plain", "log", "percent"])
def test_a_scale_is_its_own_way_back(script, kind):
    values = [0.05, 12.5, 1500.0, 98_765.4]
    back = script.evaluate(
        "([kind, values]) => { const one = new Scale(kind); return values.map(v => one.from(one.to(v, 400), 400)) }",
        [kind, values],
    )

    assert back == pytest.approx(values)


def test_labels_that_the_tag_of_the_last_price_would_half_cover_are_left_out(script):
    marks = {"at": [1490, 1495, 1500, 1505], "text": ["a", "b", "c", "d"]}

    found = script.evaluate("marks => [clearOf(marks, 1501.1, 2), clearOf(marks, NaN, 2)]", marks)

    assert found == [{**marks, "text": ["a", "b", "", "d"]}, marks]


def test_a_logarithmic_axis_has_round_prices_and_nothing_below_zero(script):
    found = script.evaluate("() => { const one = new Scale('log'); return [one.ticks(1, 4, 5, 2).text, one.to(-3)] }")

    assert found[0][:4] == ["10.00", "20.00", "50.00", "100.00"]
    assert found[1] is None


def test_moments_are_told_in_indian_time_wherever_the_browser_is(chromium):
    context = chromium.new_context(timezone_id="America/New_York")
    page = context.new_page()
    page.set_content("<html></html>")
    run(page, ("chart_axis.js",), "globalThis.momentText = momentText")

    assert page.evaluate("ms => momentText(ms, 'minutes')", START) == "Fri 20 Nov 2026, 11:00"
    assert page.evaluate("ms => momentText(ms, 'days')", START + int(timedelta(hours=13).total_seconds() * 1000)) == (
        "Sat 21 Nov 2026"
    )
    context.close()


def test_results_of_a_week_are_summed_to_the_paisa(blank):
    page = loaded(blank, ("shared.js", "pnl_text.js", "pnl_plot.js"), "barsOf")
    days = ["2026-11-16", "2026-11-17", "2026-11-18", "2026-11-20", "2026-11-23"]

    found = page.evaluate("days => barsOf(days, [0.1, 0.1, 0.1, -4.35, 9007199254.07], 5)", days)
    assert found["unit"] == "week"
    assert [value for _, value in found["bars"]] == [-4.05, 9007199254.07]


def test_large_figures_of_small_places_are_shortened_to_lakh_and_crore(blank):
    axis = loaded(blank, ("shared.js", "health_charts.js"), "axisText")
    values = [0, 0.5, 500, 20_000, 250_000, 40_000_000]
    assert axis.evaluate("values => values.map(axisText)", values) == [
        "0", "0.5", "500", "20,000", "2.50\u202fL", "4\u202fCr",
    ]  # fmt: skip

    cell = loaded(blank, ("shared.js", "pnl_days.js"), "signedShort")
    values = [0, -950.4, 45_230, -250_000, 12_500_000]
    assert cell.evaluate("values => values.map(signedShort)", values) == [
        "0", "\u2212950", "+45,230", "\u22122.5\u202fL", "+1.3\u202fCr",
    ]  # fmt: skip
