"""Sessions at hours of their own, or on days on which the exchanges usually rest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from services.domain.calendar.regimes import (
    CURRENCY,
    DERIVATIVES,
    EQUITY,
    SHARES,
    cancel_only,
    closing_price,
    pre_open,
    trading,
)
from services.domain.calendar.table.rows import Special
from services.domain.phases import Market

_DIWALI = "Diwali Laxmi Pujan"
_BUDGET = "Union Budget"
_DRILL = "Disaster recovery drill"
_OUTAGE = "NSE outage, hours extended"
_SEBI_OUTAGE = "SEBI statement of 2021-02-24"

Rows = Mapping[Market, Special]


def _each(markets: Iterable[Market], row: Special) -> dict[Market, Special]:
    return dict.fromkeys(sorted(markets), row)


def _muhurat(opens: str, closes: str, source: str, after: tuple[str, str] | None = None) -> dict[Market, Special]:
    """An hour for shares, derivatives and currencies; shares with the quarter before it and, where `after` is known,
    ten minutes at the closing price."""
    hour = trading(opens, closes)
    late = (closing_price(*after),) if after else ()
    note = "" if after else "whether shares traded at the closing price afterwards was not found"
    return {
        **_each(SHARES, Special(_DIWALI, source, (*pre_open(opens), hour, *late), note=note)),
        **_each(DERIVATIVES | CURRENCY, Special(_DIWALI, source, (hour,))),
    }


def _muhurat_commodities(opens: str, closes: str, source: str, *, confirmed: bool = True) -> dict[Market, Special]:
    """The same hour for commodities. Lists call the evening of such a day open; that evening is this hour."""
    hour = trading(opens, closes)
    return {
        Market.MCX: Special(_DIWALI, source, (*cancel_only(opens), hour), confirmed=confirmed),
        Market.NSCOM: Special(_DIWALI, source, (hour,), confirmed=confirmed),
    }


def _budget(source: str) -> dict[Market, Special]:
    """A Saturday or Sunday with the ordinary hours of shares and their derivatives; currencies rest."""
    return _each(EQUITY, Special(_BUDGET, source, ordinary=True))


def _budget_commodities(source: str, *, confirmed: bool = True) -> dict[Market, Special]:
    day = trading("09:00", "17:00")
    return {
        Market.MCX: Special(_BUDGET, source, (*cancel_only("09:00"), day), confirmed=confirmed),
        Market.NSCOM: Special(_BUDGET, source, (day,), confirmed=confirmed),
    }


def _drill(source: str, *, after: bool) -> dict[Market, Special]:
    """Two parts, the second from the exchange's other site; what is not traded in the first is cancelled."""
    first, second = trading("09:15", "10:00"), trading("11:30", "12:30")
    late = (closing_price("12:40", "12:50"),) if after else ()
    shares = (*pre_open("09:15"), first, *pre_open("11:30"), second, *late)
    return {
        **_each(SHARES, Special(_DRILL, source, shares)),
        **_each(DERIVATIVES, Special(_DRILL, source, (first, second))),
    }


_OUTAGE_NSE = (trading("09:15", "11:40"), trading("15:45", "17:00"))
_OUTAGE_BSE = (trading("09:15", "17:00"),)

SPECIALS: dict[date, Rows] = {
    date(2019, 10, 27): {
        **_muhurat("18:15", "19:15", "NSE and BSE circulars of October 2019 (NDTV 2019-10-27)"),
        **_muhurat_commodities(
            "18:15", "19:15", "the hour of NSE and BSE; MCX's circular was not seen", confirmed=False
        ),
    },
    date(2020, 2, 1): {
        **_budget("NSE and BSE circulars of January 2020"),
        **_budget_commodities("MCX traded (PTI 2020-02-01); the hours of 2025 and 2026 assumed", confirmed=False),
    },
    date(2020, 11, 14): {
        **_muhurat("18:15", "19:15", "NSE timetable (NDTV 2020-11-14)", after=("19:25", "19:35")),
        **_muhurat_commodities("18:15", "19:15", "MCX circular of 2020-11-02 (Business Today)"),
    },
    date(2021, 2, 24): {
        **_each(SHARES, Special(_OUTAGE, _SEBI_OUTAGE, (*pre_open("09:15"), *_OUTAGE_BSE), settles=True)),
        Market.NSE: Special(_OUTAGE, _SEBI_OUTAGE, (*pre_open("09:15"), *_OUTAGE_NSE), settles=True),
        Market.NFO: Special(_OUTAGE, _SEBI_OUTAGE, _OUTAGE_NSE, settles=True),
        Market.BFO: Special(_OUTAGE, _SEBI_OUTAGE, _OUTAGE_BSE, settles=True),
    },
    date(2021, 11, 4): {
        **_muhurat("18:15", "19:15", "NSE timetable (Mint 2021-11-03)", after=("19:25", "19:35")),
        **_muhurat_commodities("18:15", "19:15", "Mint 2021-11-03"),
    },
    date(2022, 10, 24): {
        **_muhurat("18:15", "19:15", "NSE and BSE circulars (Financial Express 2022-10-15)"),
        **_muhurat_commodities(
            "18:15", "19:15", "the hour of BSE's commodities; MCX's circular was not seen", confirmed=False
        ),
    },
    date(2023, 11, 12): {
        **_muhurat("18:15", "19:15", "exchange timetables (a broker's notice)", after=("19:25", "19:35")),
        **_muhurat_commodities("18:15", "19:15", "exchange timetables (a broker's notice)"),
    },
    date(2024, 1, 20): _each(
        EQUITY,
        Special(
            "Saturday in place of 22 January",
            "NSE and BSE circulars of 2024-01-19: regular timings instead of a drill in two parts",
            ordinary=True,
        ),
    ),
    date(2024, 3, 2): _drill("NSE and BSE circulars of 2024-02-14", after=False),
    date(2024, 5, 18): _drill("NSE circular of 2024-05-07", after=True),
    date(2024, 11, 1): {
        **_muhurat("18:00", "19:00", "NSE and BSE circulars of 2024-10-20", after=("19:10", "19:20")),
        **_muhurat_commodities("18:00", "19:00", "MCX circular (Business Standard 2024-10-29)"),
    },
    date(2025, 2, 1): {
        **_budget("NSE and BSE circulars of 2024-12-23"),
        **_budget_commodities("MCX circular of 2025-01-29"),
    },
    date(2025, 10, 21): {
        **_muhurat("13:45", "14:45", "NSE circular of 2025-09-22", after=("14:55", "15:05")),
        **_muhurat_commodities("13:45", "14:45", "MCX circular (Free Press Journal 2025-10-21)"),
    },
    date(2026, 2, 1): {
        **_budget("NSE/CMTR/72349 of 2026-01-16"),
        **_budget_commodities("MCX circular of 2026-01-16 (press)"),
    },
    date(2026, 11, 8): _each(
        Market,
        Special(
            _DIWALI,
            "NSE/FAOP/71777 of 2025-12-12 has the date; the hours were to be notified",
            confirmed=False,
            note="18:15 to 19:15 is only the convention of most years",
        ),
    ),
}
