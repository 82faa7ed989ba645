"""Fills of the ledger as the book of lots takes them, and those that nobody can make sense of."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from services.domain.errors import InvalidRequest
from services.domain.instruments import Instrument, is_isin
from services.domain.orders import PastTrade, Side
from services.ledger.told_trades import ToldTrade
from services.pnl.values import Origin
from services.portfolio.lots.fills import Fill, share_identity
from services.portfolio.readers.facts import Facts, as_told, facts_of, facts_of_past, read_facts
from services.portfolio.readers.tradebooks import plain_exchange, share_asset

FRESH = timedelta(days=5)
"""So long after a trade the key of its contract still means the same."""
_NO_LETTERS = re.compile(r"[^A-Z0-9]")


@dataclass(slots=True)
class Gathered:
    """What became of the ledger's fills."""

    fills: list[Fill] = field(default_factory=list)
    origins: list[Origin] = field(default_factory=list)
    """Who told each of them."""
    unread: list[tuple[ToldTrade, str]] = field(default_factory=list)
    """Fills that could not be counted in, and why."""
    described: list[tuple[ToldTrade, Mapping[str, Any]]] = field(default_factory=list)  # Any: JSON values
    """What the master says of fills that nothing was written down of."""
    keys: dict[str, str] = field(default_factory=dict)
    """The instrument key of each instrument, as it was traded last."""


class Gatherer:
    """Makes fills of what the ledger holds. One thread."""

    def __init__(self, find: Callable[[str], Instrument | None]) -> None:
        """`find`: the instrument master of today."""
        self._find = find
        self._by_history: dict[tuple[str, ...], Facts | str] = {}

    def gather(self, told: Iterable[ToldTrade], *, account_of: Callable[[ToldTrade], str], today: date) -> Gathered:
        """`account_of` tells whose a fill is."""
        found = Gathered()
        by_key: dict[str, Facts | str | None] = {}
        newest: dict[str, date] = {}
        same_key: dict[str, set[Facts]] = {}
        puzzling: list[tuple[ToldTrade, Facts | str]] = []
        known: list[tuple[ToldTrade, Facts | str]] = []
        for one in told:
            facts = self._written(one) or self._by_key(one, by_key, today, found)
            if isinstance(facts, str):
                puzzling.append((one, facts))
            else:
                known.append((one, facts))
                same_key.setdefault(one.key, set()).add(facts)
        known += [(one, _by_another(one, same_key) or why) for one, why in puzzling]
        for one, facts in known:
            if isinstance(facts, str):
                found.unread.append((one, facts))
                continue
            try:
                fill = Fill(
                    account_of(one), facts.instrument, facts.symbol, facts.asset, facts.exchange,
                    Side.BUY if one.side == "BUY" else Side.SELL, one.quantity, one.price, one.day, one.trade_id,
                    one.order_id, one.at_ms, one.product, facts.multiplier, facts.group, facts.expiry,
                )  # fmt: skip
            except InvalidRequest as error:
                found.unread.append((one, str(error)))
                continue
            found.fills.append(fill)
            found.origins.append(Origin.HISTORY if one.from_history else Origin.DESK)
            if one.key and newest.get(facts.instrument, date.min) <= one.day:
                found.keys[facts.instrument], newest[facts.instrument] = one.key, one.day
        return found

    def _written(self, one: ToldTrade) -> Facts | str | None:
        """What stands beside the fill; a text: why that is not enough."""
        if one.about is None:
            return None
        ours = read_facts(one.about)
        if ours is not None:
            return ours
        about = one.about
        names = ("segment", "name", "isin", "option_type", "strike", "expiry", "symbol")
        particulars = (one.exchange, one.symbol, one.key, *(str(about.get(name) or "") for name in names))
        facts = self._by_history.get(particulars)
        if facts is None:
            facts = self._by_history[particulars] = self._of_history(one, about)
        return facts

    def _of_history(self, one: ToldTrade, about: Mapping[str, Any]) -> Facts | str:  # Any: JSON values
        past = PastTrade(
            trade_id=one.trade_id,
            key=one.key,
            segment=about.get("segment") or "",
            exchange=one.exchange,
            side=Side.BUY,
            quantity=one.quantity,
            price=Decimal(one.price).scaleb(-4),
            amount=Decimal(about.get("amount") or 0),
            traded_on=one.day.isoformat(),
            symbol=about.get("symbol") or one.symbol,
            name=about.get("name") or "",
            isin=about.get("isin") or "",
            option_type=about.get("option_type") or "",
            strike=about.get("strike") or "",
            expiry=about.get("expiry") or "",
        )
        try:
            return facts_of_past(past)
        except InvalidRequest as error:
            return f"the broker's history does not say enough of it: {error}"

    def _by_key(
        self, one: ToldTrade, known: dict[str, Facts | str | None], today: date, found: Gathered
    ) -> Facts | str:
        if one.key not in known:
            known[one.key] = self._of_master(one.key)
        facts = known[one.key]
        if isinstance(facts, Facts) and _means_it(facts, one, today):
            found.described.append((one, as_told(facts)))
            return facts
        share = _share_of(one)
        if share is not None:
            return share
        if isinstance(facts, str):
            return facts
        return f"{one.symbol or one.key} is in no instrument master any more, and the broker's history was not read yet"

    def _of_master(self, key: str) -> Facts | str | None:
        instrument = self._find(key) if key else None
        if instrument is None:
            return None
        try:
            return facts_of(instrument)
        except InvalidRequest as error:
            return str(error)


def _means_it(facts: Facts, one: ToldTrade, today: date) -> bool:
    """Did the key of `facts` mean the same when the fill was made? Keys of contracts are given out again."""
    if facts.asset.delivered:
        return True
    if facts.expiry is None or facts.expiry < one.day:
        return False
    return today - one.day <= FRESH or _plain(facts.symbol) == _plain(one.symbol)


def _by_another(one: ToldTrade, same_key: Mapping[str, set[Facts]]) -> Facts | None:
    """What another fill of the same key tells, of a contract that had not expired yet: the first to expire."""
    fitting = [
        facts for facts in same_key.get(one.key, ()) if one.key and (facts.expiry is None or facts.expiry >= one.day)
    ]
    return min(fitting, key=lambda facts: (facts.expiry or date.max, facts.instrument), default=None)


def _plain(symbol: str) -> str:
    return _NO_LETTERS.sub("", symbol.upper())


def _share_of(one: ToldTrade) -> Facts | None:
    """A share is known by its ISIN, which its key holds, whether a master knows it or not."""
    segment, _, isin = one.key.partition("|")
    if segment not in {"NSE_EQ", "BSE_EQ"} or not is_isin(isin):
        return None
    exchange = plain_exchange(segment)
    return Facts(
        share_identity(isin, exchange, one.symbol), one.symbol or isin, share_asset(isin, one.symbol), exchange
    )
