"""What a ledger in PostgreSQL holds, in figures, and whether it is sound: as `figures` for a file.

The server itself keeps references and finds damaged pages; here is what must agree beyond that.
"""

from __future__ import annotations

from collections.abc import Generator
from hashlib import sha256
from typing import Any

import sqlalchemy as sa

from services.ledger.figures import MUST_BE_EMPTY, PNL_MUST_BE_EMPTY, Figures
from services.ledger.money import Exact, from_units
from services.ledger.order_tables import orders_v3, trades
from services.ledger.pnl_tables import ALL_GUARDS
from services.ledger.tables import metadata
from services.ledger.token_tables import sealed_tokens
from services.ledger.upgrade import HEAD, revision_of
from services.ledger.user_tables import users

TABLES: tuple[sa.Table, ...] = tuple(metadata.sorted_tables)
"""Every table of a ledger, each after those that it refers to."""
assert {users, sealed_tokens, orders_v3} <= set(TABLES)
MANY = 2_000
"""Rows that are fetched at a time."""


def plain_rows(connection: sa.Connection, table: sa.Table) -> Generator[tuple[Any, ...]]:  # Any: cells of several kinds
    """All rows in the order of their key, on either engine the same: JSON as the text that was written, amounts as
    whole numbers, instants in UTC."""
    columns = [_plain(column, connection.dialect.name) for column in table.c]
    query = sa.select(*columns).order_by(*table.primary_key).execution_options(yield_per=MANY)
    with connection.execute(query) as rows:
        for row in rows:
            yield tuple(row)


def server_guards(connection: sa.Connection) -> set[str]:
    """The names of the triggers by which the database refuses to change or lose rows."""
    query = (
        "SELECT t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
        "WHERE NOT t.tgisinternal AND t.tgenabled <> 'D' AND c.relnamespace = current_schema()::regnamespace"
    )
    return set(connection.exec_driver_sql(query).scalars())


def wanted_guards() -> set[str]:
    """The names that `server_guards` must find. There is no `INSERT OR REPLACE` here, and no guard against it; whatever
    is not deleted is not emptied either."""
    told = {(table, guard) for table, guards in ALL_GUARDS.items() for guard in guards if guard != "replace"}
    return {f"{table}_{guard}" for table, guard in told} | {f"{t}_truncate" for t, guard in told if guard == "delete"}


def server_figures(connection: sa.Connection) -> Figures:
    """The figures of what `connection` sees; inside `read()` they are of one instant."""
    counts: dict[str, int] = {}
    digests: dict[str, str] = {}
    for table in TABLES:
        digest, count = sha256(), 0
        for row in plain_rows(connection, table):
            digest.update(repr(row).encode())
            count += 1
        counts[table.name], digests[table.name] = count, digest.hexdigest()
    filled = connection.execute(sa.select(sa.func.sum(orders_v3.c.filled_quantity))).scalar_one() or 0
    traded = turnover = 0
    for quantity, price in connection.execute(
        sa.select(trades.c.quantity, sa.type_coerce(trades.c.price, sa.BigInteger))
    ):
        traded += quantity
        turnover += quantity * price
    return Figures(revision_of(connection) or "", counts, int(filled), traded, from_units(turnover), digests)


def server_trouble(connection: sa.Connection) -> list[str]:
    """What is wrong with a ledger, in words; empty: nothing was found."""
    revision = revision_of(connection)
    if revision is None:
        return ["it carries no version mark of the desk: it is no ledger"]
    if revision != HEAD:
        return [f"it is of revision {revision}, this version of the desk knows {HEAD}"]
    there = set(sa.inspect(connection).get_table_names())
    missing = [table.name for table in TABLES if table.name not in there]
    if missing:
        return [f"the table {name} is missing" for name in missing]
    found = [f"the guard {name} is missing: rows could be changed unseen" for name in _lost_guards(connection)]
    for words, query in (*MUST_BE_EMPTY, *PNL_MUST_BE_EMPTY):
        names = [str(row[0]) for row in connection.exec_driver_sql(query).fetchmany(20)]
        found += [f"{words}: {', '.join(names)}"] if names else []
    return found


def _lost_guards(connection: sa.Connection) -> list[str]:
    return sorted(wanted_guards() - server_guards(connection))


def _plain(column: sa.Column[Any], dialect: str) -> sa.ColumnElement[Any]:
    if isinstance(column.type, sa.JSON):
        text = sa.type_coerce(column, sa.Text) if dialect == "sqlite" else sa.cast(column, sa.Text)
        return text.label(column.name)
    return sa.type_coerce(column, sa.BigInteger) if isinstance(column.type, Exact) else column
