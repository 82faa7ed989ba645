"""The columns of the quotes table: what each shows, where it comes from, how it is drawn. Choice and order as text."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dashboard.formatting import ist_time
from dashboard.reading import Row


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `kind` names its painter in `web/quote_table.js`; `value` reads it from a quote."""

    id: str
    label: str
    kind: str
    help: str
    value: Callable[[Row], Any] = lambda row: None  # Any: numbers, texts and small lists, as the painter wants them

    def head(self) -> dict[str, str]:
        return {"id": self.id, "label": self.label, "kind": self.kind, "help": self.help}


def _plain(name: str) -> Callable[[Row], Any]:
    return lambda row: row[name]


def _time(name: str) -> Callable[[Row], Any]:
    return lambda row: ist_time(row[name])


def _range(low: str, high: str) -> Callable[[Row], Any]:
    def value(row: Row) -> list[float] | None:
        if row[low] is None or row[high] is None or row["ltp"] is None:
            return None
        return [row[low], row[high], row["ltp"]]

    return value


def _best(side: str) -> Callable[[Row], Any]:
    def value(row: Row) -> float | None:
        levels = row["depth"][side]
        return levels[0]["price"] if levels else None

    return value


def _oi_change(row: Row) -> float | None:
    if row["oi"] is None or row["previous_oi"] is None:
        return None
    return float(row["oi"] - row["previous_oi"])


SYMBOL = Column("symbol", "Instrument", "symbol", "Symbol, name and segment")

CHOICE: tuple[Column, ...] = (
    Column("ltp", "LTP", "ltp", "Last traded price", _plain("ltp")),
    Column("change", "Change", "change", "Change since the previous close", _plain("change")),
    Column("change_percent", "Change %", "percent", "The same in percent", _plain("change_percent")),
    Column("day", "Day", "spark", "Path of the day; the dotted line is the previous close"),
    Column("age", "Age", "age", "How long ago this price came in"),
    Column("open", "Open", "price", "First price of the day", _plain("open")),
    Column("high", "High", "price", "Highest price of the day", _plain("high")),
    Column("low", "Low", "price", "Lowest price of the day", _plain("low")),
    Column("prev_close", "Prev close", "price", "Close of the previous day", _plain("prev_close")),
    Column("volume", "Volume", "quantity", "Units traded today", _plain("volume")),
    Column("average_price", "Average", "price", "Average traded price of the day", _plain("average_price")),
    Column("oi", "OI", "quantity", "Open interest", _plain("oi")),
    Column("oi_change", "OI change", "quantity", "Open interest against the previous day", _oi_change),
    Column("lower_circuit", "Lower circuit", "price", "Lowest price that the exchange takes", _plain("lower_circuit")),
    Column("upper_circuit", "Upper circuit", "price", "Highest price that the exchange takes", _plain("upper_circuit")),
    Column("year_range", "52 weeks", "range", "Where the price is in 52 weeks", _range("year_low", "year_high")),
    Column("day_range", "Day range", "range", "Where the price is in its day", _range("low", "high")),
    Column("bid", "Bid", "price", "Best bid", _best("buy")),
    Column("ask", "Ask", "price", "Best ask", _best("sell")),
    Column("buy_quantity", "Buy qty", "quantity", "All that waits to buy", _plain("total_buy_quantity")),
    Column("sell_quantity", "Sell qty", "quantity", "All that waits to sell", _plain("total_sell_quantity")),
    Column("last_trade", "Last trade", "text", "Time of the last trade, IST", _time("last_trade_time")),
    Column("source", "Source", "text", "Where this price comes from", _plain("source")),
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
