"""Indicators over candles: which there are, their parameters, and their lines. Pure.

The sums are TA-Lib's (BSD, C, kept up since 1999; wants numpy only, so the version of pandas does not matter), used in
this module alone. Its definitions are the ones that charts elsewhere show: Wilder's smoothing for the RSI, population
deviation for Bollinger's bands, averages that begin with the plain mean of their first bars. VWAP is summed here: what
traders mean begins anew with each session, and the library's runs on. The MACD is two of the library's averages, each
begun with its own first bars, as published worked examples have it; the library's own shortens the quicker one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any

import numpy as np
import talib
from numpy.typing import NDArray

from services.candles.series import CandleSeries
from services.domain.errors import InvalidRequest

Values = NDArray[np.float64]
"""One figure a bar; NaN where the indicator has none yet."""

PRICE = "price"
MOST_STUDIES = 8
_DAY_MS, _INDIA_MS = 86_400_000, 19_800_000


class Kind(StrEnum):
    """The word that stands for an indicator in a link."""

    SMA = "sma"
    EMA = "ema"
    VWAP = "vwap"
    BOLLINGER = "bb"
    RSI = "rsi"
    MACD = "macd"
    SUPERTREND = "supertrend"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A number that a person may choose. `whole`: no fractions."""

    name: str
    usual: float
    least: float
    most: float
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Line:
    """One line or row of columns. `area`: `price`, or the word of the study whose area below the prices it is in."""

    name: str
    values: Values
    kind: str = "line"
    """`line`, `columns`, or `to-next`: a line with the space to the one before it filled."""
    area: str = PRICE
    tone: str = ""
    """`up` or `down` for a line that means a direction."""
    dash: str = "solid"
    thin: bool = False
    second: bool = False
    """Drawn in a colour of its own beside the study's first."""


@dataclass(frozen=True)
class Study:
    """An indicator with its numbers. Raises `InvalidRequest` for numbers it cannot work with."""

    kind: Kind
    numbers: tuple[float, ...]

    def __post_init__(self) -> None:
        parameters = PARAMETERS[self.kind]
        if len(self.numbers) != len(parameters):
            raise InvalidRequest(f"{NAMES[self.kind]} takes {len(parameters)} numbers")
        for number, parameter in zip(self.numbers, parameters, strict=True):
            wrong = parameter.whole and number != int(number)
            if wrong or not parameter.least <= number <= parameter.most:
                raise InvalidRequest(
                    f"{NAMES[self.kind]}: {parameter.name.lower()} is {parameter.least:g} to {parameter.most:g}"
                )
        if self.kind is Kind.MACD and self.numbers[0] >= self.numbers[1]:
            raise InvalidRequest("MACD: the fast average must be shorter than the slow one")

    @classmethod
    def usual(cls, kind: Kind) -> Study:
        """With the numbers that everybody begins with."""
        return cls(kind, tuple(parameter.usual for parameter in PARAMETERS[kind]))

    @classmethod
    def parse(cls, word: str) -> Study:
        """`sma20`, `macd12-26-9`, `supertrend10-3`; a kind alone has its usual numbers. Raises `InvalidRequest`."""
        found = re.fullmatch(r"([a-z]+)(\d+(?:\.\d+)?(?:-\d+(?:\.\d+)?)*)?", word.strip().lower()[:40])
        if found is None or found[1] not in list(Kind):
            raise InvalidRequest(f"{word[:30]!r} is no indicator: there are {', '.join(Kind)}")
        if found[2] is None:
            return cls.usual(Kind(found[1]))
        return cls(Kind(found[1]), tuple(float(number) for number in found[2].split("-")))

    @cached_property
    def word(self) -> str:
        """As `parse` reads it."""
        return self.kind + "-".join(f"{number:g}" for number in self.numbers)

    @property
    def label(self) -> str:
        """As a chart names it: SMA 20, MACD 12 26 9."""
        return " ".join([NAMES[self.kind], *(f"{number:g}" for number in self.numbers)])

    @property
    def area(self) -> str:
        """Where it is drawn."""
        return self.word if self.kind in (Kind.RSI, Kind.MACD) else PRICE

    @property
    def warm_up(self) -> int:
        """Bars before the first one shown after which its figures no longer depend on where the bars began (to a
        part in a thousand, for averages that never forget)."""
        longest = int(max(self.numbers, default=0))
        return {Kind.VWAP: 0, Kind.SMA: longest, Kind.BOLLINGER: longest, Kind.EMA: 4 * longest}.get(
            self.kind, 8 * longest
        )

    def lines(self, series: CandleSeries, *, day_begins_ms: int = 0) -> tuple[Line, ...]:
        """Its lines over `series`. `day_begins_ms`: where sessions go on through midnight, how long after it (in
        India) the next one begins."""
        if self.kind is Kind.VWAP:
            return (Line("VWAP", session_vwap(series, day_begins_ms)),)
        return _LINES[self.kind](self, series)

    def why_not(self, series: CandleSeries) -> str:
        """Why it can say nothing of these bars; empty if it can."""
        if self.kind is not Kind.VWAP:
            return ""
        if not series.interval.intraday:
            return "VWAP begins anew with each session, so it needs bars shorter than a day."
        return "" if len(series) == 0 or series.volume.any() else "VWAP needs volume, and this instrument has none."


NAMES = {
    Kind.SMA: "SMA", Kind.EMA: "EMA", Kind.VWAP: "VWAP", Kind.BOLLINGER: "Bollinger", Kind.RSI: "RSI",
    Kind.MACD: "MACD", Kind.SUPERTREND: "Supertrend",
}  # fmt: skip
_LENGTH = Parameter("Bars", 20, 2, 500)
PARAMETERS: dict[Kind, tuple[Parameter, ...]] = {
    Kind.SMA: (_LENGTH,),
    Kind.EMA: (_LENGTH,),
    Kind.VWAP: (),
    Kind.BOLLINGER: (_LENGTH, Parameter("Deviations", 2, 0.5, 5, whole=False)),
    Kind.RSI: (Parameter("Bars", 14, 2, 200),),
    Kind.MACD: (Parameter("Fast", 12, 2, 200), Parameter("Slow", 26, 3, 400), Parameter("Signal", 9, 2, 100)),
    Kind.SUPERTREND: (Parameter("Bars", 10, 2, 200), Parameter("Multiplier", 3, 0.5, 10, whole=False)),
}
GUIDES: dict[Kind, tuple[float, ...]] = {Kind.RSI: (30.0, 70.0), Kind.MACD: (0.0,)}
"""Levels that are drawn in an indicator's own area."""
RANGES: dict[Kind, tuple[float, float]] = {Kind.RSI: (0.0, 100.0)}


def _safely(bars: int, lines: int, compute: Callable[[], Any]) -> tuple[Values, ...]:  # Any: one array or several
    """The library refuses to look at nothing at all; then there are simply no figures."""
    if bars < 2:
        return tuple(np.full(bars, np.nan) for _ in range(lines))
    found = compute()
    return found if isinstance(found, tuple) else (found,)


def _sma(study: Study, series: CandleSeries) -> tuple[Line, ...]:
    (values,) = _safely(len(series), 1, lambda: talib.SMA(series.close, int(study.numbers[0])))
    return (Line("SMA", values),)


def _ema(study: Study, series: CandleSeries) -> tuple[Line, ...]:
    return (Line("EMA", _ema_of(series.close, int(study.numbers[0]))),)


def _bollinger(study: Study, series: CandleSeries) -> tuple[Line, ...]:
    bars, width = int(study.numbers[0]), study.numbers[1]
    upper, middle, lower = _safely(len(series), 3, lambda: talib.BBANDS(series.close, bars, width, width))
    return (
        Line("upper", upper, thin=True),
        Line("lower", lower, kind="to-next", thin=True),
        Line("middle", middle, dash="dot", thin=True),
    )


def _rsi(study: Study, series: CandleSeries) -> tuple[Line, ...]:
    (values,) = _safely(len(series), 1, lambda: talib.RSI(series.close, int(study.numbers[0])))
    return (Line("RSI", values, area=study.area),)


def _ema_of(values: Values, bars: int) -> Values:
    (average,) = _safely(len(values), 1, lambda: talib.EMA(values, bars))
    return average


def _macd(study: Study, series: CandleSeries) -> tuple[Line, ...]:
    fast, slow, signal = map(int, study.numbers)
    quick, slowly = (_ema_of(series.close, bars) for bars in (fast, slow))
    macd = quick - slowly
    average = np.full(len(macd), np.nan)
    average[slow - 1 :] = _ema_of(macd[slow - 1 :], signal)
    distance = macd - average
    return (
        Line("histogram", distance, kind="columns", area=study.area),
        Line("MACD", macd, area=study.area),
        Line("signal", average, area=study.area, second=True),
    )


def _supertrend(study: Study, series: CandleSeries) -> tuple[Line, ...]:
    bars, factor = int(study.numbers[0]), float(study.numbers[1])
    line, trend = _safely(len(series), 2, lambda: talib.SUPERTREND(series.high, series.low, series.close, bars, factor))
    return (
        Line("rising", np.where(trend > 0, line, np.nan), tone="up"),
        Line("falling", np.where(trend < 0, line, np.nan), tone="down"),
    )


_LINES: dict[Kind, Callable[[Study, CandleSeries], tuple[Line, ...]]] = {
    Kind.SMA: _sma, Kind.EMA: _ema, Kind.BOLLINGER: _bollinger, Kind.RSI: _rsi, Kind.MACD: _macd,
    Kind.SUPERTREND: _supertrend,
}  # fmt: skip


def session_vwap(series: CandleSeries, day_begins_ms: int = 0) -> Values:
    """The average price by volume since the day's first bar, of (high + low + close) / 3; a day begins so many ms after
    midnight in India. NaN for bars of a day or
    longer, and until something was traded on that day."""
    if not len(series) or not series.interval.intraday:
        return np.full(len(series), np.nan)
    days = (series.start_ms + _INDIA_MS - day_begins_ms) // _DAY_MS
    begins = np.flatnonzero(np.diff(days, prepend=days[0] - 1))
    lengths = np.diff(begins, append=len(series))
    typical = (series.high + series.low + series.close) / 3
    volume = series.volume.astype(np.float64)
    money, units = np.cumsum(typical * volume), np.cumsum(volume)
    before = begins[1:] - 1
    money -= np.repeat(np.concatenate(([0.0], money[before])), lengths)
    units -= np.repeat(np.concatenate(([0.0], units[before])), lengths)
    averages: Values = np.divide(money, units, out=np.full(len(series), np.nan), where=units > 0)
    return averages


def parse_studies(text: str) -> tuple[tuple[Study, ...], tuple[str, ...]]:
    """The studies of `sma20,rsi14`, each once, and what could not be understood, in words."""
    studies: dict[str, Study] = {}
    problems: list[str] = []
    for word in filter(None, (part.strip() for part in text[:400].split(","))):
        try:
            study = Study.parse(word)
        except InvalidRequest as error:
            problems.append(str(error))
        else:
            studies.setdefault(study.word, study)
    if len(studies) > MOST_STUDIES:
        problems.append(f"a chart takes {MOST_STUDIES} indicators")
    return tuple(studies.values())[:MOST_STUDIES], tuple(problems)


def words_of(studies: Sequence[Study]) -> str:
    """As `parse_studies` reads it."""
    return ",".join(study.word for study in studies)
