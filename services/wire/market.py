"""Market status, holidays and timings."""

from __future__ import annotations

from services.domain.accounts import Holiday, MarketStatus, Window
from services.domain.errors import MalformedPayload
from services.wire.fields import Row, as_list, as_map, instant_ms, iso_day, text, text_or_none, texts


def parse_status(data: object) -> MarketStatus:
    """The status of one exchange, in open-ended words; `cas_status` is `None` where there is no closing auction."""
    row = as_map(data, "data")
    cas = row.get("cas_eligible_status")
    return MarketStatus(
        exchange=text(row, "exchange", "data"),
        status=text(row, "status", "data"),
        last_updated=instant_ms(row, "last_updated", "data"),
        cas_status=None if cas is None else text(as_map(cas, "data.cas_eligible_status"), "status", "data.cas"),
    )


def parse_holidays(data: object) -> list[Holiday]:
    """The broker's holidays, in its order; an ordinary day asked for alone gives an empty list."""
    return [
        _holiday(as_map(row, f"data[{place}]"), f"data[{place}]") for place, row in enumerate(as_list(data, "data"))
    ]


def parse_timings(data: object) -> list[Window]:
    """Opening hours of each exchange on the day asked for; an empty list on a full holiday."""
    return _windows(data, "data")


def _holiday(row: Row, where: str) -> Holiday:
    return Holiday(
        day=iso_day(row.get("date"), f"{where}.date").isoformat(),
        description=text_or_none(row, "description", where) or "",
        kind=text(row, "holiday_type", where),
        closed=texts(row, "closed_exchanges", where),
        open=tuple(_windows(row.get("open_exchanges") or [], f"{where}.open_exchanges")),
    )


def _windows(value: object, field: str) -> list[Window]:
    windows = []
    for place, item in enumerate(as_list(value, field)):
        where = f"{field}[{place}]"
        row = as_map(item, where)
        window = Window(
            exchange=text(row, "exchange", where),
            start=instant_ms(row, "start_time", where),
            end=instant_ms(row, "end_time", where),
        )
        if window.end <= window.start:
            raise MalformedPayload("a market that closes before it opens", field=f"{where}.end_time")
        windows.append(window)
    return windows
