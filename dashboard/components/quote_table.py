"""The live table of quotes: rows for the browser, and what came back from it (chosen row, order, columns, removal)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from dashboard.columns import SYMBOL, Column, Layout
from dashboard.components.notices import problems_said
from dashboard.components.sparks import spark
from dashboard.components.web import browser_component
from dashboard.formatting import price_decimals
from dashboard.push.fields import member
from dashboard.reading import Reading
from dashboard.resources import push_tokens
from dashboard.state import push_door
from dashboard.words import in_words
from services.domain.clock import epoch_ms
from services.domain.instruments import Instrument

_mount = browser_component("quote_table", live=True)

Tracks = Callable[[str], Sequence[float]]
Event = Callable[[Any], object]
"""What a handler gets: a key, a list of column ids or a sort, as the browser sent it (Any: not trusted yet)."""


def quote_table(
    reading: Reading,
    layout: Layout,
    *,
    key: str,
    label: str,
    tracks: Tracks,
    empty: str,
    picked: str | None = None,
    on_pick: Event | None = None,
    on_remove: Event | None = None,
    on_order: Event | None = None,
    on_sort: Event | None = None,
    on_shift: Event | None = None,
    on_trade: Event | None = None,
    on_alert: Event | None = None,
    quiet: bool = False,
) -> None:
    """Draw the table. A handler that is given makes that gesture possible; it runs before the next redraw.

    `quiet` leaves the status line under the table to screen readers.
    """
    data = table_data(reading, layout, tracks)
    sort = layout.sort
    data |= {
        "label": label,
        "empty": empty,
        "picked": picked,
        "pickable": on_pick is not None,
        "removable": on_remove is not None,
        "movable": on_order is not None,
        "tradable": on_trade is not None,
        "alertable": on_alert is not None,
        "quiet": quiet,
        "push": push_door(push_tokens().renew),
        "sort": None if sort is None else {"id": sort.id, "dir": "desc" if sort.down else "asc"},
    }
    _mount(
        key=key,
        data=data,
        on_picked_change=_handler(key, "picked", on_pick),
        on_removed_change=_handler(key, "removed", on_remove),
        on_ordered_change=_handler(key, "ordered", on_order),
        on_sorted_change=_handler(key, "sorted", on_sort),
        on_shifted_change=_handler(key, "shifted", on_shift),
        on_traded_change=_handler(key, "traded", on_trade),
        on_alerted_change=_handler(key, "alerted", on_alert),
    )


def table_data(reading: Reading, layout: Layout, tracks: Tracks) -> dict[str, Any]:
    """What the browser draws: the heads, and one compact record per instrument in the order of the reading."""
    columns = (SYMBOL, *layout.columns)
    return {
        **reading.clockwork(),
        "columns": [column.head() for column in columns],
        "rows": [_record(reading, key, columns, tracks) for key in reading.keys],
    }


def _record(reading: Reading, key: str, columns: Sequence[Column], tracks: Tracks) -> dict[str, Any]:
    row = reading.rows.get(key)
    instrument = reading.instruments.get(key)
    problem = reading.problems.get(key)
    symbol, name, tag = _names(key, instrument, row)
    return {
        "k": key,
        "s": symbol,
        "n": name,
        "g": tag,
        "d": price_decimals(instrument.tick_size if instrument else None),
        "a": _rounded(reading.age(key)),
        "m": key in reading.moving,
        "t": None if row is None else epoch_ms(row["received_at"]),
        "feed": row is not None and member(row, "from_feed"),
        "i": instrument is not None and instrument.is_index,
        "o": reading.problem is not None or problem is not None,
        "x": in_words(problem).title if problem else None,
        "v": [None if row is None else _value(column, key, row, tracks) for column in columns],
        **({} if row is None or key in reading.moving else {"p": member(row, "last_trade_ms")}),
    }


def _value(column: Column, key: str, row: Mapping[str, Any], tracks: Tracks) -> Any:
    if column.kind == "spark":
        return spark(tracks(key), row["prev_close"])
    return column.value(row)


def _names(key: str, instrument: Instrument | None, row: Mapping[str, Any] | None) -> tuple[str, str, str]:
    """Symbol, name and tag; what the master does not know (yet) is told by the quote or by the key itself."""
    if instrument is not None:
        return instrument.symbol, instrument.name, instrument.exchange
    segment, _, rest = key.partition("|")
    return (row["symbol"] if row else rest), "", segment.partition("_")[0]


def _rounded(age: float | None) -> float | None:
    return None if age is None else round(max(age, 0.0), 1)


def _handler(key: str, event: str, handle: Event | None) -> Callable[[], None]:
    """Hand what the browser sent to `handle`, if something was sent."""

    def run() -> None:
        sent = getattr(st.session_state.get(key), event, None)
        if handle is not None and sent is not None:
            with problems_said():
                handle(sent)

    return run
