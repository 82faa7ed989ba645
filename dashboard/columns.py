"""The columns of the quotes table: what each shows, where it comes from, how it is drawn. Choice and order as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dashboard.push.fields import PLACE, Row, member


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `kind` names its painter in `web/quote_table.js`; `fields` are the members of a quote that it shows,
    as they travel to the browser, at first and with every change."""

    id: str
    label: str
    kind: str
    help: str
    fields: tuple[str, ...] = ()

    def head(self) -> dict[str, Any]:  # Any: texts and places
        return {
            "id": self.id,
            "label": self.label,
            "kind": self.kind,
            "help": self.help,
            "f": [PLACE[name] for name in self.fields],
        }

    def value(self, row: Row) -> Any:  # Any: a number, a text, or a list of numbers, as the painter wants it
        """What it shows of `row`; several members are a list, or nothing if one of them is missing."""
        told = [member(row, name) for name in self.fields]
        if len(told) < 2:
            return told[0] if told else None
        return None if None in told else told


SYMBOL = Column("symbol", "Instrument", "symbol", "Symbol, name and segment")

CHOICE: tuple[Column, ...] = (
    Column("ltp", "LTP", "ltp", "Last traded price", ("ltp",)),
    Column("change", "Change", "change", "Change since the previous close", ("change",)),
    Column("change_percent", "Change %", "percent", "The same in percent", ("change_percent",)),
    Column("day", "Day", "spark", "Path of the day; the dotted line is the previous close"),
    Column("age", "Age", "age", "How long ago this price came in"),
    Column("open", "Open", "price", "First price of the day", ("open",)),
    Column("high", "High", "price", "Highest price of the day", ("high",)),
    Column("low", "Low", "price", "Lowest price of the day", ("low",)),
    Column("prev_close", "Prev close", "price", "Close of the previous day", ("prev_close",)),
    Column("volume", "Volume", "quantity", "Units traded today", ("volume",)),
    Column("average_price", "Average", "price", "Average traded price of the day", ("average_price",)),
    Column("oi", "OI", "quantity", "Open interest", ("oi",)),
    Column("oi_change", "OI change", "quantity", "Open interest against the previous day", ("oi_change",)),
    Column("lower_circuit", "Lower circuit", "price", "Lowest price that the exchange takes", ("lower_circuit",)),
    Column("upper_circuit", "Upper circuit", "price", "Highest price that the exchange takes", ("upper_circuit",)),
    Column("year_range", "52 weeks", "range", "Where the price is in 52 weeks", ("year_low", "year_high", "ltp")),
    Column("day_range", "Day range", "range", "Where the price is in its day", ("low", "high", "ltp")),
    Column("bid", "Bid", "price", "Best bid", ("bid",)),
    Column("ask", "Ask", "price", "Best ask", ("ask",)),
    Column("buy_quantity", "Buy qty", "quantity", "All that waits to buy", ("total_buy_quantity",)),
    Column("sell_quantity", "Sell qty", "quantity", "All that waits to sell", ("total_sell_quantity",)),
    Column("last_trade", "Last trade", "time", "Time of the last trade, IST", ("last_trade_ms",)),
    Column("source", "Source", "text", "Where this price comes from", ("source",)),
)

_BY_ID = {column.id: column for column in CHOICE}

DEFAULT: tuple[str, ...] = (
    "ltp", "change", "change_percent", "day", "age", "open", "high", "low", "prev_close", "volume", "average_price",
    "oi", "lower_circuit", "upper_circuit", "year_range", "source",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sort:
    """Sorted by that column; `down` = largest first."""

    id: str
    down: bool

    @classmethod
    def from_browser(cls, sent: object) -> Sort | None:
        """What the table sent: `{"id", "dir"}`; `None` for the list's own order or anything that is no column."""
        if not isinstance(sent, Mapping) or sent.get("id") not in {SYMBOL.id, *_BY_ID}:
            return None
        return cls(str(sent["id"]), sent.get("dir") == "desc")


@dataclass(frozen=True, slots=True)
class Layout:
    """Which columns, in which order, sorted how. Kept with the watchlist as plain words."""

    ids: tuple[str, ...] = DEFAULT
    sort: Sort | None = None

    @classmethod
    def from_words(cls, words: Sequence[str] | None) -> Layout:
        """What a watchlist keeps, read leniently: a column that no longer exists is left out."""
        ids, sort = [], None
        for word in words or ():
            kind, _, rest = word.rpartition(":")
            if kind in {"up", "down"} and (rest in _BY_ID or rest == SYMBOL.id):
                sort = Sort(rest, kind == "down")
            elif word in _BY_ID and word not in ids:
                ids.append(word)
        return cls(tuple(ids) or DEFAULT, sort)

    def words(self) -> tuple[str, ...] | None:
        """What is kept; `None` when it is the default."""
        if self == Layout():
            return None
        return (*self.ids, *((f"{'down' if self.sort.down else 'up'}:{self.sort.id}",) if self.sort else ()))

    @property
    def columns(self) -> tuple[Column, ...]:
        return tuple(_BY_ID[id] for id in self.ids)


def label(id: str) -> str:
    """The label of the column of that id, for choosing."""
    return _BY_ID[id].label
