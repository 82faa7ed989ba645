"""What must agree after a week of trading: the paper broker's own file beside the desk's ledger and its book.

The broker's file is read as it lies on the disk, not through the answers that the desk was told.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from services.domain.intents import IntentKind, IntentState
from services.domain.orders import is_terminal
from services.ledger.alerts import Alert
from services.ledger.order_tables import intent_orders, order_intents
from services.paper.accounts import FILE
from services.pnl.comparisons import ReconcileView
from services.pnl.daily_check import differences_of
from services.portfolio.readers.facts import facts_of
from services.runtime import Runtime
from tests.support.week import WeekBroker

UNITS_OF_PAISA = 100
"""The broker counts in ten-thousandths of a rupee."""
SEGMENTS = {"NSE_EQ": "EQ", "BSE_EQ": "EQ", "NSE_FO": "FO", "BSE_FO": "FO"}
CAUSES: dict[str, tuple[frozenset[str], float]] = {
    "error_rate": (frozenset({"order fault", "read fault", "feed fault", "kill", "night"}), 300.0),
    "broker_failing": (frozenset({"read fault", "kill", "night"}), 120.0),
    "feed_silent": (frozenset({"feed fault", "kill", "night"}), 90.0),
    "token_ending": (frozenset({"night"}), 30.0),
    "token_ended": (frozenset({"night"}), 30.0),
    "order_unknown": (frozenset({"order fault", "read fault", "kill", "night"}), 90.0),
    "clock": (frozenset({"night", "kill"}), 30.0),
    "calendar_contradiction": (frozenset({"night", "kill"}), 30.0),
}
"""What may open an alert of a kind, and within how many real seconds before. Any other alert nobody can explain."""


@dataclass(frozen=True, slots=True)
class Table:
    """One table of the broker's file, row by row."""

    rows: list[dict[str, Any]]

    @classmethod
    def read(cls, folder: Path, name: str) -> Table:
        with closing(sqlite3.connect(f"file:{folder / FILE}?mode=ro", uri=True)) as file:
            file.row_factory = sqlite3.Row
            return cls([dict(row) for row in file.execute(f"SELECT * FROM {name}")])


class Audit:
    """Every comparison gives what does not agree, in words; an empty list is agreement."""

    def __init__(self, runtime: Runtime, broker: WeekBroker, first: date, last: date) -> None:
        self._rt = runtime
        self._first, self._last = first, last
        runtime.orders.refresh()
        runtime.pnl.refresh()
        self.told = runtime.trade_records.between(first, last)
        self.view: ReconcileView = runtime.pnl.reconcile()
        self.whole = runtime.pnl.read_whole()
        folder = broker.folder  # read last: the broker ends a day when he is asked
        self.book = Table.read(folder, "books").rows[-1]
        self.orders, self.fills = Table.read(folder, "orders").rows, Table.read(folder, "fills").rows
        self.notes, self.positions = Table.read(folder, "notes").rows, Table.read(folder, "positions").rows
        self.holdings, self.gtts = Table.read(folder, "holdings").rows, Table.read(folder, "gtts").rows

    def disagreements(self) -> dict[str, list[str]]:
        """All comparisons that found something, by name."""
        looks = (
            self.orders_agree, self.intents_agree, self.trades_agree, self.profit_agrees, self.cash_agrees,
            self.portfolio_agrees,
        )  # fmt: skip
        return {look.__name__: found for look in looks if (found := look())}

    def orders_agree(self) -> list[str]:
        """Every order of the broker in the ledger, with its end and what was filled; and none besides. Orders that the
        broker made by himself while nobody could ask (contracts that expired over night) may be missing."""
        ours = {order.order_id: order for order in self._rt.order_records.search(limit=100_000)}
        found = []
        for theirs in self.orders:
            mine = ours.pop(theirs["order_id"], None)
            if mine is None:
                if not theirs["by_broker"]:
                    found.append(f"the ledger lacks {theirs['order_id']} ({theirs['status']}, tag {theirs['tag']!r})")
                continue
            told = (mine.status, mine.filled_quantity, mine.quantity)
            meant = (theirs["status"], theirs["filled"], theirs["quantity"])
            if told != meant:
                found.append(f"{theirs['order_id']}: the ledger says {told}, the broker {meant}")
            if not is_terminal(mine.status):
                found.append(f"{theirs['order_id']} is {mine.status} for the ledger after its day")
        return found + [f"the broker never had {order_id}" for order_id in ours]

    def intents_agree(self) -> list[str]:
        """Every decision settled; each order of ours of exactly one; what counts as never sent is not there."""
        with self._rt.ledger.read() as connection:
            rows = connection.execute(order_intents.select()).mappings().all()
            links = Counter(row.order_id for row in connection.execute(intent_orders.select()))
        found = [f"{row['intent_id']} ({row['kind']}) is {row['state']}" for row in rows if row["state"] in _OPEN]
        by_tag: dict[str, list[str]] = {}
        for order in self.orders:
            if order["tag"]:
                by_tag.setdefault(order["tag"], []).append(order["order_id"])
        for row in rows:
            if row["kind"] != IntentKind.PLACE:
                continue
            there = by_tag.pop(row["tag"], [])
            if len(there) > 1:
                found.append(f"{row['intent_id']} was carried out {len(there)} times: {there}")
            if bool(there) and row["state"] in _NEVER:
                found.append(f"{row['intent_id']} is {row['state']}, and the broker has {there}")
            if not there and row["state"] == IntentState.ACCEPTED:
                found.append(f"{row['intent_id']} is accepted, and the broker has nothing")
            found += [
                f"{one} stands for {links[one]} placings" for one in there if links[one] > 1 and _placed(rows, one)
            ]
        waiting, named = {row["gtt_id"] for row in self.gtts}, {one for one in links if one.startswith("GTT-")}
        found += [f"waiting order {one} is of no decision, or not at the broker" for one in waiting ^ named]
        return found + [f"nobody decided {ids} (tag {tag})" for tag, ids in by_tag.items()]

    def trades_agree(self) -> list[str]:
        theirs = Counter(
            (one["day"], one["key"], bool(one["buys"]), one["quantity"], one["price"], one["trade_id"])
            for one in self.fills
        )
        ours = Counter(
            (one.day.isoformat(), one.key, one.side.value == "BUY", one.quantity, int(one.price * 10_000), one.trade_id)
            for one in self.told
        )
        return [
            *(f"the ledger lacks {one}" for one in (theirs - ours)),
            *(f"the broker lacks {one}" for one in (ours - theirs)),
        ]

    def profit_agrees(self) -> list[str]:
        """Our gross and each line of charges beside the broker's report, as the desk itself compares them, and the sum
        of our charges beside the contract notes in the broker's file. Only what the broker takes for closing a position
        by himself no trade tells; he tells it under "others", and GST is on it."""
        found = [f"{about}: {words}" for about, words in differences_of(self.view)]
        found += [f"{span.segment} {span.year} was not told: {span.broker.error}" for span in self.view.missing]
        found += [f"cannot be known: {words}" for words in self.view.unknown if not _expected(words)]
        found += self._without_order()
        off = {}
        for span in self.view.spans:
            if span.gross_off_by:
                found.append(f"{span.segment}: gross off by {span.gross_off_by} paise ({span.gross_cause})")
            noted = sum(_total(note) for note in self.notes if note["segment"] == span.segment)
            off[span.segment] = span.charges_traded.total + _with_gst(span.broker.others) - noted
        # Shares and their derivatives stand on one note: which of them bears the odd paisa of its tax moves with what
        # the broker took for closing. All together there is none.
        closing = sum(note["others"] > 0 for note in self.notes)
        if sum(off.values()) or any(abs(paise) > closing for paise in off.values()):
            found += [f"{segment}: our charges less the notes' are {paise} paise" for segment, paise in off.items()]
        return found

    def _without_order(self) -> list[str]:
        """Fills of which only the history tells, without their order. Of contracts that expired over night it has to be
        so; anything else the desk has missed while it ran."""
        by_broker = {one["order_id"] for one in self.orders if one["by_broker"]}
        excused = {one["trade_id"] for one in self.fills if one["order_id"] in by_broker}
        return [
            f"nobody told the order of trade {one.trade_id}"
            for one in self.told
            if not one.order_id and one.trade_id not in excused
        ]

    def cash_agrees(self) -> list[str]:
        """What was there at first, and every rupee that our trades moved, less our charges, is what there is, and what
        the desk is told."""
        flows = Decimal(0)
        for one in self.whole.fills():
            flows += (one.price * one.quantity * one.multiplier) * (-1 if one.side.value == "BUY" else 1)
        flows += self._settled()
        charges = sum(span.charges_traded.total + _with_gst(span.broker.others) for span in self.view.spans)
        still_bound = sum(one["cost"] * one["multiplier"] for one in self.positions)
        ours = self.book["opening"] + flows - charges * UNITS_OF_PAISA + still_bound
        if ours != self.book["balance"]:
            return [f"by our trades there are {ours / 10_000}, the broker has {Decimal(self.book['balance']) / 10_000}"]
        shown, balance = self._rt.api.funds(), Decimal(self.book["balance"]) / 10_000
        binds = any(_net(one) for one in self.positions)  # what is open, and what it loses is taken off
        if shown.available + shown.used > balance if binds else (shown.available, shown.used) != (balance, Decimal(0)):
            return [f"of {balance} the desk is told {shown.available} free and {shown.used} used"]
        return []

    def _settled(self) -> int:
        """Contracts that expired: of them `fills()` tells nothing, since nobody traded them."""
        rows = self.whole._kept.book.fills.rows
        return sum(
            (one.price * one.quantity * one.multiplier) * (-1 if one.side.value == "BUY" else 1)
            for one in rows
            if one.settled
        )

    def portfolio_agrees(self) -> list[str]:
        """What our book has open beside the broker's positions and holdings, one by one."""
        found = [f"{one.symbol}: {one.words}" for one in self.view.positions if not one.agrees]
        if self.view.positions_error:
            found.append(self.view.positions_error)
        ours = {one.instrument: one.quantity for one in self.view.positions if one.quantity}
        theirs = {one["isin"]: one["quantity"] for one in self.holdings}
        theirs |= {self._named(one["key"]): _net(one) for one in self.positions if _net(one)}
        if ours != theirs:
            found.append(f"open by our book {ours}, at the broker {theirs}")
        return found

    def _named(self, key: str) -> str:
        """What the book calls a contract."""
        return facts_of(self._rt.instruments.get(key)).instrument


_OPEN = {IntentState.PREPARED.value, IntentState.UNKNOWN.value}
_NEVER = {IntentState.NOT_SENT.value, IntentState.ABSENT.value, IntentState.REFUSED.value}
_LINES = (
    "brokerage", "stt", "transaction", "ipft", "sebi_turnover", "stamp_duty", "clearing", "depository", "others", "gst",
)  # fmt: skip


def _placed(rows: Iterable[Any], order_id: str) -> bool:
    """Do several placings name this order?"""
    named = [row for row in rows if row["kind"] == IntentKind.PLACE and order_id in str(row["result"])]
    return len(named) > 1


def _expected(words: str) -> bool:
    """Is this no news? Fills without an order are looked through one by one."""
    return "finished days only" in words or "nobody tells the order or the product" in words


def _with_gst(others: int) -> int:
    return others * 118 // 100


def _total(note: dict[str, Any]) -> int:
    return sum(note[line] for line in _LINES)


def _net(position: dict[str, Any]) -> int:
    return int(position["overnight_quantity"] + position["day_buy_quantity"] - position["day_sell_quantity"])


def unexplained(alerts: Iterable[Alert], broker: WeekBroker) -> list[str]:
    """Alerts that are still open, or that nothing of the script explains."""
    found = []
    for one in alerts:
        if one.is_open:
            found.append(f"{one.kind} {one.subject!r} is open still: {one.message}")
        kinds, seconds = CAUSES.get(one.kind, (frozenset(), 0.0))
        if not broker.causes(kinds, one.raised_at, seconds):
            found.append(f"{one.kind} {one.subject!r} at {one.raised_at}: nothing explains {one.message!r}")
    return found


def trouble_in(logs: dict[str, str]) -> list[str]:
    """Lines that may stand in no log; a traceback with its end, which is the first line that is not indented."""
    found = []
    for name, text in logs.items():
        lines = text.splitlines()
        for number, line in enumerate(lines):
            if "database is locked" in line or " CRITICAL " in line:
                found.append(f"{name}: {line[:300]}")
            elif line.startswith("Traceback"):
                end = next((at for at in range(number + 1, len(lines)) if lines[at][:1].strip()), len(lines) - 1)
                found.append("\n".join([f"{name}:", *lines[max(number - 3, 0) : end + 1][-14:]]))
    return found
