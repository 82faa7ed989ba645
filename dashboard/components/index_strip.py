"""The index strip: last value, change and path of the day of the main indices."""

from __future__ import annotations

from typing import Any

from dashboard.components.quote_table import Tracks
from dashboard.components.sparks import spark
from dashboard.components.web import browser_component
from dashboard.push.fields import member
from dashboard.reading import Reading
from dashboard.resources import push_tokens
from dashboard.state import push_door
from services.domain.clock import epoch_ms

_mount = browser_component("index_strip", live=True)


def index_strip(reading: Reading, tracks: Tracks, *, key: str) -> None:
    """One card per index of the reading that the instrument master or a quote knows."""
    _mount(key=key, data={**strip_data(reading, tracks), "push": push_door(push_tokens().renew)})


def strip_data(reading: Reading, tracks: Tracks) -> dict[str, Any]:
    """What the browser draws. An index that neither master nor broker knows gets no card."""
    known = [key for key in reading.keys if key in reading.rows or key in reading.instruments]
    return {**reading.clockwork(), "label": "Indices", "cards": [_card(reading, key, tracks) for key in known]}


def _card(reading: Reading, key: str, tracks: Tracks) -> dict[str, Any]:
    row = reading.rows.get(key)
    instrument = reading.instruments.get(key)
    age = reading.age(key)
    return {
        "k": key,
        "n": instrument.name if instrument else key.partition("|")[2],
        "ltp": row["ltp"] if row else None,
        "ch": row["change"] if row else None,
        "pc": row["change_percent"] if row else None,
        "path": spark(tracks(key), row["prev_close"]) if row else None,
        "a": None if age is None else round(max(age, 0.0), 1),
        "m": key in reading.moving,
        "t": None if row is None else epoch_ms(row["received_at"]),
        "feed": row is not None and member(row, "from_feed"),
        "o": reading.problem is not None or key in reading.problems,
        "src": row["source"] if row else "",
        **({} if row is None or key in reading.moving else {"p": member(row, "last_trade_ms")}),
    }
