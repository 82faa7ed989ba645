"""What a ledger file holds, in figures: to know that two are equal, and whether one is sound."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256

from services.ledger.money import from_units
from services.ledger.pnl_tables import ALL_GUARDS, PNL_TABLES

PNL_SINCE = "0003"
"""The revision that brought the tables of profit and loss."""


@dataclass(frozen=True, slots=True)
class Figures:
    """All of one ledger at one instant. Equal figures: the same rows, down to the last letter."""

    revision: str
    counts: Mapping[str, int]
    """Rows by table."""
    filled: int
    """Units filled, over all orders."""
    traded: int
    """Units, over all trades."""
    turnover: Decimal
    """Price times units over all trades, rupees, exact."""
    digests: Mapping[str, str]
    """SHA-256 of all rows, by table."""

    def in_words(self) -> str:
        """Two lines for a person."""
        rows = ", ".join(f"{count} {name}" for name, count in self.counts.items() if count)
        return (
            f"revision {self.revision}; {rows or 'no rows'}\n"
            f"filled {self.filled}, traded {self.traded} units for ₹{self.turnover:,.4f}"
        )


def figures_of(connection: sqlite3.Connection) -> Figures:
    """The figures of what `connection` sees. Inside a transaction they are of one instant."""
    tables = _names(connection, "table")
    counts: dict[str, int] = {}
    digests: dict[str, str] = {}
    for table in tables:
        digest, count = sha256(), 0
        for row in connection.execute(f"SELECT * FROM {table} ORDER BY rowid"):  # noqa: S608  # of the file's own list
            digest.update(repr(tuple(row)).encode())
            count += 1
        counts[table], digests[table] = count, digest.hexdigest()
    filled = traded = turnover = 0
    if "orders_v3" in tables:
        filled = sum(row[0] for row in connection.execute("SELECT filled_quantity FROM orders_v3"))
    if "trades" in tables:  # added up here: SQLite's sums end at 64 bits
        for quantity, price in connection.execute("SELECT quantity, price FROM trades"):
            traded += quantity
            turnover += quantity * price
    return Figures(_revision(connection, tables), counts, filled, traded, from_units(turnover), digests)


def trouble_in(connection: sqlite3.Connection) -> list[str]:
    """What is wrong with a ledger, in words; empty: nothing was found. SQLite's own checks, then what must agree."""
    found = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(20)") if row[0] != "ok"]
    if found:
        return [f"the file is damaged: {words}" for words in found]
    for table, row_id, parent, _ in connection.execute("PRAGMA foreign_key_check").fetchmany(20):
        found.append(f"row {row_id} of {table} points to a row of {parent} that is not there")
    tables = _names(connection, "table")
    if "alembic_version" not in tables:
        return [*found, "it carries no version mark of the desk: it is no ledger"]
    if "orders_v3" not in tables:
        return found  # of a desk that had no orders yet
    with_pnl = _revision(connection, tables) >= PNL_SINCE
    missing = [table for table in PNL_TABLES if table not in tables] if with_pnl else []
    found += [f"the table {table} is missing" for table in missing]
    there = _names(connection, "trigger")
    for table, guards in ALL_GUARDS.items():
        if table in tables and any(f"{table}_{guard}" not in there for guard in guards):
            found.append(f"{table} has lost its guards: rows could be changed unseen")
    for words, query in (*MUST_BE_EMPTY, *(PNL_MUST_BE_EMPTY if with_pnl and not missing else ())):
        names = [str(row[0]) for row in connection.execute(query).fetchmany(20)]
        found += [f"{words}: {', '.join(names)}"] if names else []
    return found


MUST_BE_EMPTY = (
    ("orders filled beyond their quantity", "SELECT order_id FROM orders_v3 WHERE filled_quantity > quantity"),
    (
        "orders without an event",
        "SELECT o.order_id FROM orders_v3 o "
        "WHERE NOT EXISTS (SELECT 1 FROM order_events e WHERE e.order_id = o.order_id)",
    ),
    (
        "intents that the audit does not know",
        "SELECT i.intent_id FROM order_intents i "
        "WHERE NOT EXISTS (SELECT 1 FROM audit a WHERE a.intent_id = i.intent_id)",
    ),
    (
        "conversions without their intent",
        "SELECT c.intent_id FROM position_conversions c "
        "WHERE NOT EXISTS (SELECT 1 FROM order_intents i WHERE i.intent_id = c.intent_id AND i.kind = 'CONVERT')",
    ),
)

PNL_MUST_BE_EMPTY = (
    (
        "imported files of which rows are missing",
        "SELECT f.id FROM imported_files f WHERE f.state = 'here' AND f.taken <> "
        "(SELECT count(*) FROM imported_fills r WHERE r.file_id = f.id) + "
        "(SELECT count(*) FROM imported_notes r WHERE r.file_id = f.id)",
    ),
    (
        "imported files that the audit does not know",
        "SELECT f.id FROM imported_files f WHERE f.state = 'here' "
        "AND NOT EXISTS (SELECT 1 FROM audit a WHERE a.target = 'file ' || f.id)",
    ),
    (
        "corporate actions that the audit does not know",
        "SELECT c.id FROM corporate_actions c "
        "WHERE NOT EXISTS (SELECT 1 FROM audit a WHERE a.target = 'corporate action ' || c.id)",
    ),
)


def _names(connection: sqlite3.Connection, kind: str) -> list[str]:
    query = "SELECT name FROM sqlite_master WHERE type = ? AND name NOT LIKE 'sqlite~_%' ESCAPE '~' ORDER BY name"
    return [row[0] for row in connection.execute(query, (kind,))]


def _revision(connection: sqlite3.Connection, tables: list[str]) -> str:
    if "alembic_version" not in tables:
        return ""
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return "" if row is None else str(row[0])
