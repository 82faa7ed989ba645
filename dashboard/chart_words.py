"""What a chart says of its bars in words: where they came from and when, what is missing, what may still change."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np

from dashboard.candle_loading import Look
from dashboard.chart_bars import Cut
from dashboard.chart_choice import Choice
from dashboard.formatting import age, ist_when, quantity
from dashboard.indicators import PRICE
from dashboard.words import in_words
from services.candles.audit import AuditReport, Finding, Kind
from services.candles.series import CandleSeries, Missing, SourcePart
from services.domain.candles import Interval
from services.domain.clock import IST, epoch_ms, ist_date
from services.domain.errors import BrokerFault, RequestRefused, TransportError, UpstoxError
from services.domain.instruments import Instrument

SOURCES = {
    "stored": "stored here",
    "v3": "the broker's history (v3)",
    "v2": "the broker's history (v2)",
    "intraday": "the broker's bars of the day",
    "forming (feed)": "the live feed",
    "derived from minutes": "made of stored minutes",
    "derived from days": "made of stored days",
}
MOST_TOLD = 3


def stretch(start: datetime, end: datetime, interval: Interval) -> str:
    """A stretch of bars in Indian time: `20 Nov 2026`, `3 Aug – 20 Nov 2026`, `20 Nov 2026, 12:05–12:09`."""
    first, last = start.astimezone(IST), (end - timedelta(milliseconds=1)).astimezone(IST)
    if first.date() != last.date():
        same = first.year == last.year
        return f"{first:%d %b}{'' if same else f' {first.year}'} – {last:%d %b %Y}"
    if not interval.intraday or (end - start) >= timedelta(hours=23):
        return f"{first:%d %b %Y}"
    since, until = f"{first:%H:%M}", f"{end.astimezone(IST):%H:%M}"
    return f"{first:%d %b %Y}, {since if since == until else f'{since}–{until}'}"


def sources_told(series: CandleSeries, now: datetime) -> str:
    """Where the bars came from and how long ago, one clause for each way."""
    ways: dict[str, list[SourcePart]] = {}
    for part in series.sources:
        ways.setdefault(part.source, []).append(part)
    return "; ".join(_way(source, parts, series.interval, now) for source, parts in ways.items())


def _way(source: str, parts: Sequence[SourcePart], interval: Interval, now: datetime) -> str:
    name = SOURCES.get(source, source)
    bars = sum(part.bars for part in parts)
    when = [at for part in parts for at in part.told]
    told = f", told {age((now - max(when)).total_seconds())} ago" if when else ""
    if when and max(when) - min(when) > timedelta(minutes=1):  # one age would be before the newest bar, or too new
        ages = dict.fromkeys(age((now - at).total_seconds()) for at in (max(when), min(when)))
        told = f", told {' to '.join(ages)} ago"
    where = stretch(min(part.start for part in parts), max(part.end for part in parts), interval)
    return f"{quantity(bars)} bar{'' if bars == 1 else 's'} {where}: {name}{told}"


def missing_told(series: CandleSeries) -> list[str]:
    """What was asked for and could not be had, one sentence for each reason. Bars of such a stretch that are there from
    before could not be renewed."""
    reasons: dict[tuple[str, str], list[Missing]] = {}
    for one in series.missing:
        why = str(in_words(one.error)) if one.error is not None else _sentence(one.why)
        first, last = np.searchsorted(series.start_ms, [epoch_ms(one.start), epoch_ms(one.end)])
        reasons.setdefault(("Not renewed" if last > first else "Missing", why), []).append(one)
    return [f"{what}: {_listed(parts, series.interval)}. {why}" for (what, why), parts in reasons.items()]


def provisional_told(series: CandleSeries, now: datetime) -> str:
    """From when on bars may still change; empty if all are final."""
    since = series.provisional_from
    if since is None or not len(series) or series.last is None or series.last < since:
        return ""
    if ist_date(since) == ist_date(now):
        return "Today's bars are provisional: the broker's history, from tomorrow on, may differ a little."
    return f"Bars from {ist_when(since, now)} on are provisional: the broker's history may still differ a little."


def audit_told(report: AuditReport | None) -> str:
    """What an audit found, in a line; empty if nothing is wrong."""
    if report is None:
        return ""
    found = [f"{quantity(count)} {kind.value}" for kind in Kind if (count := report.count(kind))]
    return f"The sessions have room for {quantity(report.expected)} bars; {', '.join(found)}." if found else ""


def why_empty(look: Look, instrument: Instrument | None, key: str, now: datetime) -> str:
    """Why there is nothing to draw; empty while something is."""
    if look.series is not None and len(look.series):
        return ""
    if look.first:
        return "The candles are on their way."
    error = look.error or _first_error(look.series)
    if error is not None and not (instrument is None and isinstance(error, RequestRefused)):
        words = in_words(error)
        if isinstance(error, TransportError | BrokerFault):
            return f"{words.title}. Nothing is stored of this stretch, and the desk keeps asking."
        return f"{words} Nothing is stored of this stretch."
    if instrument is None:
        return f"The instrument master does not know {key}: it may be delisted or expired, or the link is wrong."
    if instrument.expiry is not None and instrument.expiry < ist_date(now):
        return f"{instrument.symbol} expired on {instrument.expiry:%d %b %Y}. The broker keeps no candles of it."
    return (
        f"The broker has no candles of {instrument.symbol} in this range: it did not trade, or is not listed any more."
    )


def _first_error(series: CandleSeries | None) -> UpstoxError | None:
    return next((one.error for one in series.missing if one.error is not None), None) if series is not None else None


def findings_rows(report: AuditReport) -> list[dict[str, object]]:
    """The findings of an audit as rows of a table, newest first."""
    return [
        {
            "What": one.kind.value,
            "When": stretch(one.start, one.end, report.interval),
            "Bars": one.bars,
            "Detail": one.detail,
        }
        for one in sorted(report.findings, key=lambda one: one.start, reverse=True)
    ]


def hole_text(finding: Finding, interval: Interval) -> str:
    """A gap in the bars, at its place in the chart."""
    bars = f"{finding.bars} bar{'' if finding.bars == 1 else 's'}"
    return f"{stretch(finding.start, finding.end, interval)}: {bars} {finding.kind.value}"


def foot(choice: Choice, cut: Cut) -> str:
    """What is told below the drawing of how it was made."""
    told = []
    if cut.step > 1:
        told.append(f"Each bar drawn stands for {cut.step} bars; zoom in to see every one.")
    if choice.compared and any(study.area == PRICE for study in choice.studies):
        told.append("Indicators over the price rest while instruments are compared.")
    return " ".join(told)


def label(symbol: str, choice: Choice) -> str:
    """What a screen reader is told of the drawing, with its keys."""
    lines = ", ".join(study.label for study in choice.studies)
    return (
        f"Candle chart of {symbol}, {choice.interval.label}{', with ' + lines if lines else ''}. Arrow keys read bar "
        "by bar, with Shift they move the chart; plus and minus zoom, 0 shows all, L switches the logarithmic axis."
    )


def _listed(parts: Sequence[Missing], interval: Interval) -> str:
    told = ", ".join(stretch(one.start, one.end, interval) for one in parts[:MOST_TOLD])
    return told if len(parts) <= MOST_TOLD else f"{told} and {len(parts) - MOST_TOLD} more stretches"


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."
