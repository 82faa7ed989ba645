"""What is open, at the broker and at the prices of now: asked of the desk's other parts, which ask the network in their
own time. Nothing here waits."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol

import numpy as np

from services.domain.errors import InvalidRequest
from services.domain.instruments import Instrument, is_isin
from services.domain.quote_row import QuoteRow
from services.domain.quotes import FROM_FEED
from services.pnl.kept import KeptBook
from services.pnl.values import Held, PriceTold
from services.portfolio.lots.fills import Asset
from services.portfolio.money import PRICE_UNITS
from services.portfolio.readers.facts import Facts, facts_of
from services.portfolio.readers.tradebooks import share_asset

HOLDER = "pnl"
LEASE_SECONDS = 20.0
MOST_KEYS = 1000
"""So many prices are asked for; a book with more open instruments tells the rest as unknown."""


class Quotes(Protocol):
    """The desk's quotes."""

    def last_known(self, keys: Collection[str]) -> Mapping[str, QuoteRow]: ...

    def watch(self, holder: str, keys: Collection[str], seconds: float) -> None: ...


@dataclass(frozen=True, slots=True)
class BrokerHolds:
    """One holding or position, as the broker tells it. Rupees; `None` = not told."""

    key: str
    isin: str
    symbol: str
    product: str
    quantity: int
    pending: int
    """Bought the day before and not yet delivered; of holdings."""
    average: Decimal | None
    ltp: Decimal | None
    told_by: str
    at: datetime | None
    close: Decimal | None
    total: Decimal | None
    """Of a position: what it brought at `ltp`, closed and open together, charges apart, worked out of the amounts that
    the broker tells."""
    is_position: bool
    day_bought: int = 0
    day_sold: int = 0


@dataclass(frozen=True, slots=True)
class BrokerBook:
    """Holdings and positions together. `as_of=None`: at least one of them was not told yet."""

    rows: tuple[BrokerHolds, ...] = ()
    as_of: datetime | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class OpenNow:
    """What a view needs of now."""

    prices: Mapping[str, PriceTold]
    held: tuple[Held, ...] | None
    held_at: datetime | None
    error: str


class Prices:
    """Any thread."""

    def __init__(
        self,
        *,
        quotes: Callable[[], Quotes],
        held: Callable[[], BrokerBook],
        find: Callable[[str], Instrument | None],
    ) -> None:
        self._quotes = quotes
        self._held = held
        self._find = find

    def now(self, kept: KeptBook, keys: Mapping[str, str], account: str | None, running: str) -> OpenNow:
        """Prices of what is open in `account` (`None`: all), and what the broker holds for the `running` one. `keys`:
        instrument keys as they were traded last."""
        told = self._held()
        held, beside, unknown = self._joined(told.rows)
        wanted = {instrument: keys.get(instrument, "") for instrument in _open_in(kept, account)}
        if account in {None, running}:
            wanted |= {one.instrument: one.key for one in held if one.quantity}
        for one in held:
            if one.instrument in wanted and one.key:
                wanted[one.instrument] = one.key
        return OpenNow(
            self._prices(wanted, beside),
            held if told.as_of is not None else None,
            told.as_of,
            told.error or _unknown_words(unknown),
        )

    def positions(self) -> tuple[dict[str, list[BrokerHolds]], dict[str, tuple[int, int] | None]]:
        """The broker's positions by instrument, and of each the price and what all of its products brought at it, in
        ten-thousandths of a rupee; `None` where the broker does not tell enough."""
        rows: dict[str, list[BrokerHolds]] = {}
        for row in self._held().rows:
            known = self.instrument_of(row) if row.is_position else None
            if known is not None:
                rows.setdefault(known[0], []).append(row)
        totals: dict[str, tuple[int, int] | None] = {}
        for instrument, own in rows.items():
            told = [row.total for row in own if row.total is not None]
            price = own[0].ltp
            whole = price is not None and len(told) == len(own) and all(row.ltp == price for row in own)
            totals[instrument] = (_units(price), _units(sum(told, Decimal(0)))) if whole and price is not None else None
        return rows, totals

    def facts(self, key: str) -> Facts | None:
        """What the master of today knows of a key."""
        try:
            instrument = self._find(key)
            return None if instrument is None else facts_of(instrument)
        except InvalidRequest:
            return None

    def instrument_of(self, row: BrokerHolds) -> tuple[str, Asset, int] | None:
        """Identity, asset and multiplier of what the broker holds; `None`: nobody knows what it is."""
        if is_isin(row.isin) or (row.key.startswith(("NSE_EQ|", "BSE_EQ|")) and is_isin(row.key.partition("|")[2])):
            isin = row.isin if is_isin(row.isin) else row.key.partition("|")[2]
            return isin, share_asset(isin, row.symbol), 1
        facts = self.facts(row.key)
        return None if facts is None else (facts.instrument, facts.asset, facts.multiplier)

    def _joined(
        self, rows: Sequence[BrokerHolds]
    ) -> tuple[tuple[Held, ...], dict[str, PriceTold], tuple[BrokerHolds, ...]]:
        """Each instrument once: holdings and today's positions in it are one quantity. At the end the rows of which
        nobody knows what they are."""
        unknown: list[BrokerHolds] = []
        sums: dict[str, Held] = {}
        prices: dict[str, PriceTold] = {}
        for row in rows:
            known = self.instrument_of(row)
            if known is None:
                unknown.append(row)
                continue
            instrument, asset, multiplier = known
            if row.ltp is not None and instrument not in prices:
                prices[instrument] = PriceTold(
                    _units(row.ltp), row.told_by, row.at, None if row.close is None else _units(row.close), row.key
                )
            before = sums.get(instrument)
            average = None if row.average is None else _units(row.average)
            if before is None:
                sums[instrument] = Held(
                    instrument, row.symbol, asset, row.quantity, average, multiplier, row.pending, row.key
                )
            else:
                quantity = before.quantity + row.quantity
                sums[instrument] = Held(
                    instrument, before.symbol, asset, quantity, _average(before, row.quantity, average), multiplier,
                    before.pending + row.pending, before.key,
                )  # fmt: skip
        return tuple(sums.values()), prices, tuple(unknown)

    def _prices(self, wanted: Mapping[str, str], beside: Mapping[str, PriceTold]) -> dict[str, PriceTold]:
        by_key = {key or _share_key(instrument): instrument for instrument, key in wanted.items()}
        asked = [key for key in by_key if key][:MOST_KEYS]
        found = {instrument: told for instrument, told in beside.items() if instrument in wanted}
        if asked:
            quotes = self._quotes()
            quotes.watch(HOLDER, asked, LEASE_SECONDS)
            for key, row in quotes.last_known(asked).items():
                told = _told(key, row)
                if told is not None:
                    found[by_key[key]] = told
        return found


def _unknown_words(rows: Sequence[BrokerHolds]) -> str:
    if not rows:
        return ""
    named = ", ".join(sorted({row.symbol or row.key for row in rows})[:5])
    return f"{len(rows)} of them are of instruments that the master does not know ({named})"


def _open_in(kept: KeptBook, account: str | None) -> list[str]:
    matched = kept.book.matched
    series = np.unique(matched.open.series).tolist()
    return [matched.names[one].instrument for one in series if account in {None, matched.names[one].account}]


def _share_key(instrument: str) -> str:
    return f"NSE_EQ|{instrument}" if is_isin(instrument) else ""


def _told(key: str, row: QuoteRow) -> PriceTold | None:
    if not row["ltp"]:
        return None
    close = row["prev_close"]
    by = "feed" if row["api_version"] == FROM_FEED else "quote"
    return PriceTold(
        _units(Decimal(repr(row["ltp"]))), by, row["received_at"],
        None if not close else _units(Decimal(repr(close))), key,
    )  # fmt: skip


def _average(before: Held, quantity: int, average: int | None) -> int | None:
    """Of both together, where both were bought."""
    if before.average is None or average is None or before.quantity <= 0 or quantity <= 0:
        return before.average if quantity <= 0 else average if before.quantity <= 0 else None
    whole = before.quantity + quantity
    return (2 * (before.average * before.quantity + average * quantity) + whole) // (2 * whole)


def _units(rupees: Decimal) -> int:
    """Ten-thousandths; a broker's averages have more places, and are rounded here."""
    return int((rupees * PRICE_UNITS).to_integral_value())
