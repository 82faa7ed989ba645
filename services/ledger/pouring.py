"""Many plain rows at once into PostgreSQL, past SQLAlchemy: several times quicker than one statement for each."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg import sql

from services.domain.errors import StorageError


def pour(connection: sa.Connection, table: sa.Table, rows: Iterable[tuple[Any, ...]]) -> None:
    """Insert `rows`, each all columns of `table` in their order. Raises `StorageError` for a row that cannot be kept as
    it is; what else goes wrong is an error of SQLAlchemy, as with any other statement."""
    raw: Any = connection.connection.dbapi_connection  # Any: the driver's own
    told = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table.name), sql.SQL(", ").join(sql.Identifier(column.name) for column in table.c)
    )
    number = 0
    try:
        with raw.cursor() as cursor, cursor.copy(told) as copy:
            for row in rows:
                number += 1
                copy.write_row(row)
    except psycopg.errors.DataError as error:
        words = " ".join(str(error).split())[:300]
        raise StorageError(f"{table.name}, about row {number}, cannot be kept as it is: {words}") from None
    except psycopg.Error as error:
        raise sa.exc.DBAPIError.instance(None, None, error, psycopg.Error, hide_parameters=True) from error
