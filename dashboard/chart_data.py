"""What the browser gets of a chart: bars of what is in sight, lines beside them, the forming bar, what is missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from dashboard.candle_files import file_name
from dashboard.candle_loading import Look
from dashboard.chart_asset import ADDRESS
from dashboard.chart_bars import Cut, beside, cut_of, figures, line, places_of, thinned
from dashboard.chart_choice import Choice
from dashboard.chart_edges import edges
from dashboard.chart_marks import Mark, placed
from dashboard.chart_words import foot, hole_text, label, why_empty
from dashboard.formatting import price_decimals
from dashboard.indicators import GUIDES, PRICE, RANGES, Kind, Line, Study
from services.candles.audit import Kind as Fault
from services.candles.series import CandleSeries
from services.domain.calendar.calendar import MarketCalendar
from services.domain.clock import TOKEN_END, epoch_ms, from_epoch_ms
from services.domain.instruments import Instrument
from services.domain.quotes import Bar

_ROLL_MS = int(timedelta(hours=TOKEN_END.hour, minutes=TOKEN_END.minute).total_seconds() * 1000)
"""A practice session goes on through midnight; its day begins then."""
MOST_HOLES = 40
"""More gaps than that are told in words only: an option trades in few of its minutes."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything that one drawing stands on."""

    choice: Choice
    look: Look
    start: datetime
    """The first instant shown; bars before it only feed the indicators."""
    now: datetime
    instruments: Mapping[str, Instrument]
    compared: Mapping[str, Look]
    forming: Bar | None
    """Out of the feed."""
    day_volume: int | None
    calendar: MarketCalendar
    practice: bool
    clockwork: Mapping[str, object]
    origin: str
    """Where the prices come from, for a picture."""
    troubled: bool = False
    """Does asking for its price fail?"""
    marks: Sequence[Mark] = ()
    """Own trades and open orders."""

    @property
    def id(self) -> str:
        """Names the bars and their numbers: another chart has another one."""
        return f"{self.choice.key} {self.choice.interval.word} {self.start.date()}"

    @property
    def segment(self) -> str:
        return self.choice.key.partition("|")[0]

    def symbol(self, key: str) -> str:
        known = self.instruments.get(key)
        return known.symbol if known else key.partition("|")[2]


def instants(scene: Scene, view: tuple[int, int] | None) -> tuple[datetime, datetime] | None:
    """When the bars of `view` begin and end; `None` if all are in sight."""
    shown = _shown(scene)[0]
    if view is None:
        return None
    if view[0] >= len(shown):
        return scene.choice.view
    first, last = (from_epoch_ms(int(shown.start_ms[min(at, len(shown) - 1)])) for at in view)
    return first, last


def chart_data(scene: Scene, view: tuple[int, int] | None) -> dict[str, Any]:
    """What the browser draws. Bars are numbered from the first one shown."""
    choice, look = scene.choice, scene.look
    shown, begin, closed, forming = _shown(scene)
    whole = _with(closed, forming)
    instrument = scene.instruments.get(choice.key)
    decimals = price_decimals(instrument.tick_size if instrument else None)
    cut = cut_of(len(shown), view)
    has_volume = bool(shown.volume.any())
    told = forming is not None
    lines, areas = _studies(scene, whole, begin, cut, decimals, told)
    coming = _edges(scene, closed, forming)
    symbol = scene.symbol(choice.key)
    return {
        **scene.clockwork,
        "roll": _ROLL_MS if scene.practice else 0,
        "id": scene.id,
        "key": choice.key,
        "asset": ADDRESS,
        "symbol": symbol,
        "interval": choice.interval.label,
        "unit": choice.interval.unit.value,
        "label": label(symbol, choice),
        "origin": scene.origin,
        "file": file_name(symbol, shown, "png"),
        "decimals": decimals,
        "now": epoch_ms(scene.now),
        "troubled": scene.troubled,
        "bars": thinned(shown, cut),
        "total": len(shown),
        "last_start": int(shown.start_ms[-1]) if len(shown) else None,
        "has_volume": has_volume or bool(forming and forming.volume),
        "lines": lines,
        "areas": areas,
        "compared": _compared(scene, shown, cut, forming),
        "log": choice.log,
        "forming": None if forming is None else _forming(scene, forming, coming),
        "edges": [epoch_ms(one) for one in coming],
        "provisional": _provisional(look.series, shown),
        "holes": _holes(scene, shown),
        "marks": placed(scene.marks, shown, forming, cut),
        "view": _first_view(choice, shown),
        "note": why_empty(look, instrument, choice.key, scene.now) if not len(shown) and forming is None else None,
        "progress": [round(look.share, 2), look.words] if look.running and look.first else None,
        "foot": foot(choice, cut),
    }


def _shown(scene: Scene) -> tuple[CandleSeries, int, CandleSeries, Bar | None]:
    """The bars that are shown and have ended, how many lie before them, all that have ended, and the one that forms."""
    closed, forming = _split(scene)
    begin = int(np.searchsorted(closed.start_ms, epoch_ms(scene.start))) if len(closed) else 0
    return _part(closed, begin), begin, closed, forming


def _split(scene: Scene) -> tuple[CandleSeries, Bar | None]:
    """The bars that have ended, and the one that has not: out of the feed, or as the broker last told it."""
    series = scene.look.series
    if series is None:
        return _nothing(scene.choice), scene.forming
    if scene.forming is not None and _from(scene, scene.forming.start)[1] > scene.now:
        before = int(np.searchsorted(series.start_ms, epoch_ms(scene.forming.start)))
        if before >= len(series) - 1:  # else the feed is behind the broker's bars
            return _part(series, 0, before), scene.forming
    last = series.last
    if last is not None and _from(scene, last)[1] > scene.now:
        (bar,) = series.tail(1).bars()
        return _part(series, 0, len(series) - 1), bar
    return series, None


def _from(scene: Scene, begun: datetime) -> tuple[datetime, ...]:
    """The starts of the bars from the one that began then on."""
    return edges(
        scene.choice.interval, begun, scene.now, calendar=scene.calendar, segment=scene.segment, practice=scene.practice
    )


def _nothing(choice: Choice) -> CandleSeries:
    counts, prices = np.empty(0, np.int64), np.empty(0, np.float64)
    return CandleSeries(choice.key, choice.interval, counts, prices, prices, prices, prices, counts, counts)


def _part(series: CandleSeries, start: int, end: int | None = None) -> CandleSeries:
    return CandleSeries.of(series.key, series.interval, series.columns.take(slice(start, end)))


def _with(series: CandleSeries, bar: Bar | None) -> CandleSeries:
    """The series with the forming bar behind it, for what is computed over both."""
    if bar is None:
        return series
    figures = (epoch_ms(bar.start), bar.open, bar.high, bar.low, bar.close, bar.volume, bar.oi)
    columns = (np.append(column, value) for column, value in zip(series.columns.as_tuple(), figures, strict=True))
    start_ms, opens, highs, lows, closes, volumes, oi = columns
    return CandleSeries(series.key, series.interval, start_ms, opens, highs, lows, closes, volumes, oi)


def _studies(
    scene: Scene, whole: CandleSeries, begin: int, cut: Cut, decimals: int, told: bool
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The lines of all indicators, and the areas below the prices that some of them need."""
    lines: list[dict[str, Any]] = []
    areas: list[dict[str, Any]] = []
    colour = 0
    for study in scene.choice.studies:
        if study.why_not(whole):
            continue
        if study.area != PRICE:
            areas.append(
                {
                    "id": study.area,
                    "guides": list(GUIDES.get(study.kind, ())),
                    "range": list(RANGES[study.kind]) if study.kind in RANGES else None,
                }
            )
        found = study.lines(whole, day_begins_ms=_ROLL_MS if scene.practice else 0)
        lines += [_line(one, study, begin, cut, decimals, told, colour + one.second) for one in found]
        colour += 1 + any(one.second for one in found)
    return lines, areas


def _line(one: Line, study: Study, begin: int, cut: Cut, decimals: int, told: bool, colour: int) -> dict[str, Any]:
    places = decimals if one.area == PRICE else 2
    values = one.values[begin:]
    closed = values[:-1] if told else values
    column = line(closed, cut, places + 1)
    if told:
        column += figures(values[-1:], places + 1)
    return {
        "group": study.label, "name": one.name, "area": one.area, "kind": one.kind, "tone": one.tone, "dash": one.dash,
        "thin": one.thin, "anchored": study.kind is Kind.VWAP, "colour": colour, "decimals": places, "values": column,
    }  # fmt: skip


def _compared(scene: Scene, shown: CandleSeries, cut: Cut, forming: Bar | None) -> list[dict[str, Any]]:
    found = []
    for key in scene.choice.compared:
        look = scene.compared.get(key)
        series = look.series if look is not None else None
        values = np.full(len(shown), np.nan) if series is None else beside(shown, series)
        column = line(values, cut, 4)
        if forming is not None:
            column.append(float(series.close[-1]) if series is not None and len(series) else None)
        found.append({"key": key, "symbol": scene.symbol(key), "close": column})
    return found


def _edges(scene: Scene, closed: CandleSeries, forming: Bar | None) -> tuple[datetime, ...]:
    """When bars begin from now on; none while the market rests."""
    interval = scene.choice.interval
    if forming is not None:
        begun = forming.start
    elif scene.clockwork.get("in_session") and closed.last is not None and interval.intraday:
        length = (interval.minutes or 1) * 60_000
        begun = from_epoch_ms(int(closed.start_ms[-1]) + length)
        if not scene.practice and (scene.now - begun).total_seconds() > 6 * 3600:
            return ()
        ahead = max(0, (epoch_ms(scene.now) - epoch_ms(begun)) // length)
        begun = from_epoch_ms(epoch_ms(begun) + ahead * length)
    else:
        return ()
    return _from(scene, begun)


def _forming(scene: Scene, bar: Bar, coming: Sequence[datetime]) -> dict[str, Any]:
    told = _told_at(scene, bar)
    base = None if scene.day_volume is None else scene.day_volume - bar.volume
    return {
        "start": epoch_ms(bar.start), "end": epoch_ms(coming[1]) if len(coming) > 1 else None,
        "open": bar.open, "high": bar.high, "low": bar.low, "close": bar.close, "volume": bar.volume,
        "base": base, "day": scene.day_volume, "at": None if told is None else epoch_ms(told),
    }  # fmt: skip


def _told_at(scene: Scene, bar: Bar) -> datetime | None:
    """Until when that bar is told: now by the feed, else when the broker told it. A price from before that is in it
    already; one from after it belongs to it."""
    if bar is scene.forming:
        return scene.now
    series = scene.look.series
    told = series.sources[-1].told if series is not None and series.sources else ()
    return told[-1] if told else None


def _provisional(series: CandleSeries | None, shown: CandleSeries) -> int | None:
    """The number of the first bar that may still change; `None` if all are final."""
    if series is None or series.provisional_from is None or not len(shown):
        return None
    return places_of(shown, [epoch_ms(series.provisional_from)])[0]


def _holes(scene: Scene, shown: CandleSeries) -> list[dict[str, Any]]:
    """Where bars are missing between others: the chart leaves no room for them, so it marks the place."""
    report = scene.look.audit
    if report is None or not len(shown):
        return []
    gaps = [one for kind in (Fault.NOT_FETCHED, Fault.NO_TRADE) for one in report.of(kind)]
    places = places_of(shown, [epoch_ms(one.start) for one in gaps])
    found = [
        {"at": place - 0.5, "text": hole_text(one, report.interval)}
        for one, place in zip(gaps, places, strict=True)
        if 0 < place < len(shown)
    ]
    return found if len(found) <= MOST_HOLES else []


def _first_view(choice: Choice, shown: CandleSeries) -> list[float] | None:
    """The stretch that a link asks for, in numbers of bars."""
    if choice.view is None or not len(shown):
        return None
    first, last = places_of(shown, [epoch_ms(at) for at in choice.view])
    return [first - 0.5, max(last, first + 2) - 0.5] if first < len(shown) else None
