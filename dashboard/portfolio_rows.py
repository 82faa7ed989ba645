"""Positions and holdings as their tables draw them: one compact record per row. Pure.

Thousands of rows travel at once, so what is usual is left out: a flag that is not set, a text that is empty.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dashboard.formatting import price_decimals, signed
from dashboard.portfolio_columns import HOLDING_COLUMNS, POSITION_COLUMNS, MoneyColumn
from dashboard.push.fields import member
from dashboard.reading import Reading
from dashboard.ticket_form import product_name
from dashboard.words import in_words
from services.domain.clock import epoch_ms
from services.domain.instruments import Instrument
from services.domain.orders import PLACEABLE, Product
from services.portfolio_book.marks import MarkedHolding, MarkedPosition, Price, PriceFrom

EXIT, EXIT_PART, EXIT_ALL, CONVERT = "exit", "exit_part", "exit_all", "convert"
SELL, SELL_PART = "sell", "sell_part"
TODAY = "today"
TICKET = "ticket"
"""Not a deed yet: the order ticket, filled in to close what is held."""
CONVERTIBLE = (Product.DELIVERY, Product.INTRADAY)

Record = Mapping[str, Any]  # Any: texts, numbers, flags, lines


def position_id(marked: MarkedPosition) -> str:
    """What tells one position from the others: an instrument may be held under several products."""
    return f"{marked.position.key}/{marked.position.product}"


def may_exit(marked: MarkedPosition) -> bool:
    """Is there something to be closed, in a way in which orders are placed?"""
    return marked.is_open and marked.position.product in PLACEABLE


def may_convert(marked: MarkedPosition) -> bool:
    return marked.is_open and marked.position.product in CONVERTIBLE


def position_row(marked: MarkedPosition, reading: Reading, *, day: str = TODAY) -> Record:
    """The record of one position. `day`: of which it was told."""
    held = marked.position
    instrument = reading.instruments.get(held.key)
    segment, _, rest = held.key.partition("|")
    actions = [EXIT, EXIT_PART, TICKET] if may_exit(marked) else []
    if may_convert(marked):
        actions.append(CONVERT)
    return {
        "i": f"{held.key}/{held.product}",
        "s": instrument.symbol if instrument else held.symbol or rest,
        "n": f"{product_name(held.product, segment)} · {_what_of_it(marked, day)}",
        "g": held.exchange,
        "can": " ".join(actions),
        "v": [column.value(marked) for column in POSITION_COLUMNS],
        **_price_record(held.key, marked.price, instrument, reading),
        **({} if marked.is_open else {"z": True}),
    }


def holding_row(marked: MarkedHolding, reading: Reading) -> Record:
    """The record of one holding."""
    held = marked.holding
    instrument = reading.instruments.get(held.key)
    return {
        "i": held.key,
        "s": instrument.symbol if instrument else held.symbol or held.isin,
        "n": held.company,
        "g": held.exchange,
        "can": f"{SELL} {SELL_PART} {TICKET}" if marked.sellable > 0 else "",
        "v": [column.value(marked) for column in HOLDING_COLUMNS],
        **_price_record(held.key, marked.price, instrument, reading),
    }


def table_data(
    rows: Sequence[Record],
    columns: Sequence[MoneyColumn[Any]],
    reading: Reading,  # Any: of either table
) -> dict[str, Any]:  # Any: as in `Record`
    """What the browser draws."""
    return {**reading.clockwork(), "columns": [column.head() for column in columns], "rows": list(rows)}


def _what_of_it(marked: MarkedPosition, day: str) -> str:
    """Which part is of `day` and which was carried: long, carried +65, today +10."""
    held = marked.position
    if not marked.is_open:
        return "closed"
    side = "long" if held.quantity > 0 else "short"
    if not held.overnight_quantity:
        return f"{side}, of {day}"
    today = held.quantity - held.overnight_quantity
    carried = f"{side}, carried {signed(held.overnight_quantity, 0)}"
    return f"{carried}, {day} {signed(today, 0)}" if today else carried


def _price_record(key: str, price: Price, instrument: Instrument | None, reading: Reading) -> Record:
    record: dict[str, Any] = {"k": key, "l": None if price.ltp is None else float(price.ltp), "a": None}
    if price.at is not None:
        record["a"] = round(max(0.0, (reading.now - price.at).total_seconds()), 1)
        if price.told_by in (PriceFrom.FEED, PriceFrom.QUOTE):
            record["t"] = epoch_ms(price.at)
            if key not in reading.moving and (row := reading.rows.get(key)) is not None:
                record["p"] = member(row, "last_trade_ms")
    if price.told_by is PriceFrom.FEED:
        record["feed"] = True
    if price.told_by is PriceFrom.BROKER:
        record["b"] = True
    if key in reading.moving:
        record["m"] = True
    problem = reading.problems.get(key)
    if problem is not None or reading.problem is not None:
        record["o"] = True
    if problem is not None:
        record["x"] = in_words(problem).title
    if instrument is not None and (decimals := price_decimals(instrument.tick_size)) != 2:
        record["d"] = decimals
    return record
