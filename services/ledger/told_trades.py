"""All fills of a ledger at once, as the P&L reads them: plain tuples in whole numbers, a hundred thousand in a second.

What is known of a fill's instrument is written beside it here, where nobody has done so: it stays readable when the
contract is long forgotten.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

import orjson
import sqlalchemy as sa

from services.domain.actors import THE_DESK
from services.ledger.engine import Ledger
from services.ledger.order_tables import order_settings, trades
from services.ledger.plain_values import plain
from services.ledger.trades_told import told_so_far

_HISTORY = "history of "


class ToldTrade(NamedTuple):
    """One fill. `price` in ten-thousandths of a rupee; empty = not told."""

    day: date
    segment: str
    """Of the instrument key: `NSE_EQ`."""
    trade_id: str
    side: str
    order_id: str
    key: str
    quantity: int
    price: int
    product: str
    exchange: str
    symbol: str
    at_ms: int | None
    about: Mapping[str, Any] | None  # Any: JSON values
    """What is known of its instrument: ours (`readers.facts.as_told`), or the broker's history of past trades."""
    account: str
    from_history: bool
    """Only the broker's history of past days told of it."""


class ToldTrades:
    """Any thread."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def all(self) -> list[ToldTrade]:
        """Every fill, in no particular order."""
        columns = trades.c
        query = sa.select(
            sa.cast(columns.day, sa.Text),
            columns.segment,
            columns.trade_id,
            columns.side,
            columns.order_id,
            columns.key,
            columns.quantity,
            sa.type_coerce(columns.price, sa.BigInteger),
            columns.product,
            columns.exchange,
            columns.symbol,
            sa.cast(columns.traded_at, sa.Text),
            sa.cast(columns.about, sa.Text),
            columns.account,
            columns.source,
        )
        with self._ledger.read() as connection:
            rows = connection.execute(query).all()
        days: dict[str, date] = {}
        found: list[ToldTrade] = []
        for (
            day,
            segment,
            trade_id,
            side,
            order,
            key,
            quantity,
            price,
            product,
            exchange,
            symbol,
            at,
            about,
            account,
            source,
        ) in rows:
            if day not in days:
                days[day] = date.fromisoformat(day)
            found.append(
                ToldTrade(
                    days[day], segment, trade_id, side, order or "", key, quantity, price, product, exchange, symbol,
                    None if at is None else _epoch_ms(at),
                    None if about is None else orjson.loads(about),
                    account or "", source == HISTORY_SOURCE,
                )
            )  # fmt: skip
        return found

    def stamp(self) -> tuple[int, str]:
        """Changes with every new fill (`Trades` counts them) and every reading of the broker's history (which may fill
        in what was known of a fill), whoever wrote it. Quick."""
        read = sa.select(sa.func.max(order_settings.c.changed_at)).where(order_settings.c.name.startswith(_HISTORY))
        with self._ledger.read() as connection:
            count = told_so_far(connection)
            history: datetime | None = connection.execute(read).scalar_one()
        return count, "" if history is None else history.isoformat()

    def describe(self, told: Iterable[tuple[ToldTrade, Mapping[str, Any]]]) -> None:  # Any: JSON values
        """Write down what is known of the instruments of fills that nothing is known of yet."""
        changes = [
            {
                "b_day": one.day,
                "b_segment": one.segment,
                "b_trade": one.trade_id,
                "b_side": one.side,
                "facts": plain(facts),
            }
            for one, facts in told
        ]
        if not changes:
            return
        mine = (
            trades.c.day == sa.bindparam("b_day"),
            trades.c.segment == sa.bindparam("b_segment"),
            trades.c.trade_id == sa.bindparam("b_trade"),
            trades.c.side == sa.bindparam("b_side"),
            trades.c.about.is_(None),
        )
        query = sa.update(trades).where(*mine).values(about=sa.bindparam("facts"))
        with self._ledger.write() as connection:
            connection.execute(query, changes)

    def history_told(self, account: str) -> tuple[date, date] | None:
        """The days that the broker's history of past trades was read of; `None`: none yet."""
        query = sa.select(order_settings.c.value).where(order_settings.c.name == _name(account))
        with self._ledger.read() as connection:
            value = connection.execute(query).scalar_one_or_none()
        if not isinstance(value, dict):
            return None
        return date.fromisoformat(value["first"]), date.fromisoformat(value["last"])

    def tell_history(self, account: str, first: date, last: date, now: datetime) -> None:
        """Of these days it was read."""
        told = {
            "value": {"first": first.isoformat(), "last": last.isoformat()},
            "actor": THE_DESK.name, "role": THE_DESK.role.value, "session": THE_DESK.session, "changed_at": now,
        }  # fmt: skip
        with self._ledger.write() as connection:
            changed = connection.execute(
                sa.update(order_settings).where(order_settings.c.name == _name(account)).values(**told)
            )
            if changed.rowcount == 0:
                connection.execute(sa.insert(order_settings).values(name=_name(account), **told))


HISTORY_SOURCE = "past trades"
"""As `Trades.add` is told it."""


def _name(account: str) -> str:
    return f"{_HISTORY}{account}"[:40]


def _epoch_ms(text: str) -> int:
    at = datetime.fromisoformat(text)
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)
