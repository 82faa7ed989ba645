"""Which closed trades a table shows, in which order, a page at a time: of a hundred thousand the browser gets fifty."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pandas as pd

from dashboard.pnl_choice import Choice, Outcome
from services.portfolio.closed_columns import TradeColumns
from services.portfolio.lots.fills import Flags, Ints

PAGE = 50
_COLUMNS = {
    "closed": "closed_day", "opened": "opened_day", "symbol": "symbol", "segment": "segment", "product": "product",
    "side": "side", "quantity": "quantity", "buy": "buy_average", "sell": "sell_average", "gross": "gross",
    "charges": "charges", "net": "net", "days": "held_days",
}  # fmt: skip
_FINER = {"closed": "closed_ms", "opened": "opened_ms", "days": "held_ms"}
"""What orders rows that are alike so far."""


@dataclass(frozen=True, slots=True)
class Slice:
    """A page of the table. `places`: rows of the columns."""

    places: tuple[int, ...]
    page: int
    pages: int
    found: int
    first: int
    """Number of the first row shown, from 1; 0 where there are none."""

    @property
    def last(self) -> int:
        return self.first + len(self.places) - 1 if self.places else 0


def slice_of(trades: TradeColumns, choice: Choice, noted: Collection[str] = ()) -> Slice:
    """The page that `choice` asks for, or the last one there is. `noted`: ids of trades somebody wrote about."""
    places = ordered(trades, np.flatnonzero(found(trades, choice, noted)), choice.sort, down=choice.down)
    pages = max(1, -(-len(places) // PAGE))
    page = min(choice.page, pages)
    shown = places[(page - 1) * PAGE : page * PAGE]
    return Slice(tuple(shown.tolist()), page, pages, len(places), (page - 1) * PAGE + 1 if len(places) else 0)


def found(trades: TradeColumns, choice: Choice, noted: Collection[str] = ()) -> Flags:
    """Which trades the table shows."""
    only = np.ones(len(trades), bool)
    match choice.outcome:
        case Outcome.WON:
            only &= trades.net > 0
        case Outcome.LOST:
            only &= trades.net < 0
        case Outcome.DOUBTFUL:
            only &= trades.doubtful
        case Outcome.NOTED:
            only &= np.isin(trades.id, list(noted))
    text = choice.find.strip().casefold()
    if text:
        codes, symbols = pd.factorize(trades.symbol)
        fits = np.array([text in str(symbol).casefold() for symbol in symbols], bool)
        only &= fits[codes] if len(symbols) else False
    return only


def ordered(trades: TradeColumns, places: Ints, sort: str, *, down: bool) -> Ints:
    """`places` in the order of a column; what is alike stays the newest first."""
    if sort == "closed" and down:
        return places  # as they come
    order = np.arange(len(places))
    for name in filter(None, (_FINER.get(sort), _COLUMNS[sort])):
        column = getattr(trades, name)[places]
        if column.dtype == object:
            column = pd.factorize(column, sort=True)[0]
        keys = column.astype(np.int64)[order]
        order = order[np.argsort(-keys if down else keys, kind="stable")]
    return np.asarray(places[order])
