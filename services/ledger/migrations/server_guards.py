"""What the migrations say to PostgreSQL alone: triggers by which the database refuses to change or lose rows, and texts
as SQLite has them. Their names are `<table>_<guard>`, as in a file."""

from __future__ import annotations

import sqlalchemy as sa


def guard(table: str, name: str, words: str, when: str = "true") -> list[str]:
    """Refuse changes of a row (`name` "delete": its deletion) where `when` holds of OLD and NEW.

    The condition stands in a function: a trigger's own would tie the types of the columns.
    """
    event = "DELETE" if name == "delete" else "UPDATE"
    return [
        f"CREATE FUNCTION {table}_{name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF {when} THEN "
        f"RAISE EXCEPTION USING MESSAGE = '{words}', ERRCODE = 'integrity_constraint_violation'; END IF; "
        f"RETURN {'OLD' if name == 'delete' else 'NEW'}; END $$",
        f"CREATE TRIGGER {table}_{name} BEFORE {event} ON {table} FOR EACH ROW EXECUTE FUNCTION {table}_{name}()",
    ]


def kept(table: str, words: str, when: str = "true") -> list[str]:
    """Refuse to delete rows, one by one or all at once."""
    return [
        *guard(table, "delete", words, when),
        f"CREATE FUNCTION {table}_truncate() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"RAISE EXCEPTION USING MESSAGE = '{words}', ERRCODE = 'integrity_constraint_violation'; END $$",
        f"CREATE TRIGGER {table}_truncate BEFORE TRUNCATE ON {table} FOR EACH STATEMENT "
        f"EXECUTE FUNCTION {table}_truncate()",
    ]


def differs(columns: str, json: str = "") -> str:
    """Is one of `columns` another one than before? `json`: those of them that hold JSON, which knows no equality."""
    as_text = set(json.split())
    pairs = [
        (f"CAST(OLD.{name} AS text)", f"CAST(NEW.{name} AS text)")
        if name in as_text
        else (f"OLD.{name}", f"NEW.{name}")
        for name in columns.split()
    ]
    return " OR ".join(f"{old} IS DISTINCT FROM {new}" for old, new in pairs)


def texts_as_in_a_file(connection: sa.Connection) -> None:
    """Texts of any length, ordered by their bytes, whatever the database's own rules: SQLite takes them so, and a
    broker's text that is longer than anybody thought must not keep an order out of the ledger."""
    found = connection.exec_driver_sql(
        "SELECT c.relname, a.attname, a.atttypid = 'text'::regtype FROM pg_attribute a "
        "JOIN pg_class c ON c.oid = a.attrelid JOIN pg_collation o ON o.oid = a.attcollation "
        "WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace AND a.attnum > 0 "
        "AND NOT a.attisdropped AND c.relname <> 'alembic_version' "
        "AND a.atttypid IN ('text'::regtype, 'varchar'::regtype) "
        "AND (a.atttypmod <> -1 OR o.collname <> 'C') ORDER BY 1, 2"
    ).all()
    quote = connection.dialect.identifier_preparer.quote
    changes: dict[str, list[str]] = {}
    for table, column, is_text in found:
        kind = "text" if is_text else "varchar"
        changes.setdefault(table, []).append(f'ALTER COLUMN {quote(column)} TYPE {kind} COLLATE "C"')
    for table, several in changes.items():
        connection.exec_driver_sql(f"ALTER TABLE {quote(table)} {', '.join(several)}")
