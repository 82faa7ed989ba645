"""What the P&L keeps: imported files, corporate actions, settlement prices, notes, rates, the broker's reports.

Prices and the broker's amounts are integers of 1/10000 rupee, charges of paise, rates of 10⁻⁹. The rows of a file are
written while it arrives and go only after it was marked as gone: the database itself refuses anything else.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from services.ledger.migrations.server_guards import differs, guard, kept

revision = "0003"
down_revision = "0002"

INSTANT = sa.DateTime(timezone=True)
LINES = "brokerage stt exchange ipft sebi stamp clearing dp gst"
BROKERS = "total brokerage gst stt stamp_duty transaction clearing ipft others sebi_turnover demat_transaction"


def _text(name: str, length: int, *, primary_key: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=False, primary_key=primary_key)


def _whole(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=nullable)


def _wholes(names: str) -> list[sa.Column[int]]:
    return [_whole(name, nullable=True) for name in names.split()]


def _actor() -> tuple[sa.Column[str], ...]:
    return _text("actor", 80), _text("role", 20), _text("session", 80)


def upgrade() -> None:
    op.add_column("trades", sa.Column("account", sa.String(80)))  # of older rows nobody knows it
    _make_files()
    _make_entered()
    _make_settings()
    _make_reports()
    for statement in _guards() if op.get_bind().dialect.name == "sqlite" else _server_guards():
        op.execute(statement)


def _make_files() -> None:
    op.create_table(
        "imported_files",
        sa.Column("id", sa.Integer, primary_key=True),
        _text("kind", 20),
        _text("account", 80),
        _text("name", 200),
        _text("source", 80),
        _text("digest", 64),
        _whole("size"),
        _whole("taken"),
        _whole("refused"),
        _whole("symbols"),
        sa.Column("first_day", sa.Date),
        sa.Column("last_day", sa.Date),
        *_actor(),
        sa.Column("imported_at", INSTANT, nullable=False),
        _text("state", 10),
        sqlite_autoincrement=True,
    )
    op.create_index("imported_files_state", "imported_files", ["state"])
    here = sa.text("state = 'here'")
    op.create_index(
        "imported_files_once",
        "imported_files",
        ["account", "digest"],
        unique=True,
        sqlite_where=here,
        postgresql_where=here,
    )
    op.create_table(
        "imported_fills",
        sa.Column("file_id", sa.Integer, sa.ForeignKey("imported_files.id"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        _text("account", 80),
        _text("instrument", 120),
        _text("symbol", 120),
        _text("asset", 20),
        _text("exchange", 20),
        _text("side", 10),
        _whole("quantity"),
        _whole("price"),
        sa.Column("day", sa.Date, nullable=False),
        _text("trade_id", 80),
        _text("order_id", 80),
        _whole("at_ms", nullable=True),
        _text("product", 20),
        _whole("multiplier"),
        _text("rate_group", 40),
        sa.Column("expiry", sa.Date),
        sa.Column("settled", sa.Boolean, nullable=False),
    )
    op.create_table(
        "imported_notes",
        sa.Column("file_id", sa.Integer, sa.ForeignKey("imported_files.id"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        _text("account", 80),
        _text("name", 120),
        sa.Column("day", sa.Date),
        _text("segment", 120),
        *_wholes(LINES),
        *_wholes("obligation net"),
    )


def _make_entered() -> None:
    op.create_table(
        "corporate_actions",
        sa.Column("id", sa.Integer, primary_key=True),
        _text("kind", 20),
        _text("instrument", 120),
        sa.Column("day", sa.Date, nullable=False),
        _text("into", 120),
        _whole("new"),
        _whole("old"),
        sa.Column("free_lots", sa.Boolean, nullable=False),
        _whole("cost_percent", nullable=True),
        _text("note", 200),
        *_actor(),
        sa.Column("entered_at", INSTANT, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("corporate_actions_instrument", "corporate_actions", ["instrument", "day"])
    op.create_table(
        "settlement_prices",
        _text("instrument", 120, primary_key=True),
        _whole("price"),
        *_actor(),
        sa.Column("entered_at", INSTANT, nullable=False),
    )
    op.create_table(
        "journal_notes",
        _text("trade_id", 200, primary_key=True),
        sa.Column("text", sa.Text, nullable=False),
        *_actor(),
        sa.Column("written_at", INSTANT, nullable=False),
    )
    op.create_index("journal_notes_written", "journal_notes", ["written_at"])
    note = sa.ForeignKey("journal_notes.trade_id", ondelete="CASCADE")
    op.create_table(
        "journal_tags",
        sa.Column("trade_id", sa.String(200), note, primary_key=True),
        _text("tag", 40, primary_key=True),
    )
    op.create_index("journal_tags_tag", "journal_tags", ["tag", "trade_id"])


def _make_settings() -> None:
    op.create_table(
        "charge_rates",
        sa.Column("id", sa.Integer, primary_key=True),
        _text("line", 20),
        _text("kind", 40),
        _text("exchange", 20),
        _text("side", 10),
        _text("rate_group", 40),
        sa.Column("since", sa.Date, nullable=False),
        _whole("share"),
        _text("source", 200),
        *_actor(),
        sa.Column("entered_at", INSTANT, nullable=False),
        sqlite_autoincrement=True,
    )
    which = ["line", "kind", "exchange", "side", "rate_group", "since"]
    op.create_index("charge_rates_once", "charge_rates", which, unique=True)
    op.create_table(
        "plan_rules",
        sa.Column("id", sa.Integer, primary_key=True),
        _text("rule_of", 40),
        _text("kind", 40),
        sa.Column("since", sa.Date, nullable=False),
        _whole("flat"),
        _whole("share", nullable=True),
        _text("source", 200),
        *_actor(),
        sa.Column("entered_at", INSTANT, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("plan_rules_once", "plan_rules", ["rule_of", "kind", "since"], unique=True)
    op.create_table(
        "charge_settings",
        _text("name", 40, primary_key=True),
        sa.Column("value", sa.JSON, nullable=False),
        *_actor(),
        sa.Column("changed_at", INSTANT, nullable=False),
    )


def _make_reports() -> None:
    op.create_table(
        "pnl_reports",
        _text("account", 80, primary_key=True),
        _text("segment", 10, primary_key=True),
        _text("financial_year", 10, primary_key=True),
        _text("row_name", 48, primary_key=True),
        sa.Column("closed_on", sa.Date),
        _whole("quantity"),
        _text("isin", 20),
        _text("scrip_name", 200),
        _text("trade_type", 20),
        sa.Column("buy_date", sa.Date),
        _whole("buy_average"),
        sa.Column("sell_date", sa.Date),
        _whole("sell_average"),
        _whole("buy_amount"),
        _whole("sell_amount"),
        sa.Column("told_at", INSTANT, nullable=False),
    )
    op.create_index("pnl_reports_closed", "pnl_reports", ["account", "segment", "financial_year", "closed_on"])
    op.create_table(
        "pnl_report_periods",
        _text("account", 80, primary_key=True),
        _text("segment", 10, primary_key=True),
        _text("financial_year", 10, primary_key=True),
        sa.Column("first_day", sa.Date, primary_key=True),
        sa.Column("last_day", sa.Date, primary_key=True),
        _whole("trades_count", nullable=True),
        sa.Column("told_at", INSTANT),
        *_wholes(BROKERS),
        sa.Column("charges_at", INSTANT),
    )
    op.create_table(
        "trade_charges",
        _text("account", 80, primary_key=True),
        _text("market", 20, primary_key=True),
        sa.Column("day", sa.Date, primary_key=True),
        _text("trade_id", 80, primary_key=True),
        _text("instrument", 120, primary_key=True),
        _text("side", 10, primary_key=True),
        _text("symbol", 120),
        _text("order_id", 80),
        _text("status", 200),
        *_wholes(LINES),
        _whole("total", nullable=True),
        _text("settings", 64),
        sa.Column("computed_at", INSTANT, nullable=False),
    )
    op.create_index("trade_charges_trade", "trade_charges", ["trade_id"])


TOLD = "id kind account name source digest size taken refused symbols first_day last_day actor role session imported_at"
MOVED = "OLD.state = 'gone' AND NEW.state <> 'gone' OR OLD.state = 'here' AND NEW.state = 'arriving'"


def _server_guards() -> list[str]:
    """The same of a PostgreSQL database, which has no `INSERT OR REPLACE`, but has TRUNCATE."""
    guards = [
        *guard("imported_files", "update", "what is known of a file stays as it was", f"{differs(TOLD)} OR {MOVED}"),
        *kept("imported_files", "files are kept in the record"),
        *guard("corporate_actions", "update", "a corporate action is taken back and entered anew"),
        *guard("charge_rates", "update", "a rate is taken back and set anew"),
        *guard("plan_rules", "update", "a rule is taken back and set anew"),
    ]
    for table in ("imported_fills", "imported_notes"):
        here = "(SELECT state FROM imported_files WHERE id = OLD.file_id) = 'here'"
        guards += guard(table, "update", "the rows of a file stay as they were")
        guards += kept(table, "the rows of a file go with the file", here)
    return guards


def _guards() -> list[str]:
    guards = [
        _guard("imported_files", "UPDATE", "what is known of a file stays as it was", f"{_differs(TOLD)} OR {MOVED}"),
        _guard("imported_files", "DELETE", "files are kept in the record"),
        _no_replacing("imported_files", ["id"]),
        _guard("corporate_actions", "UPDATE", "a corporate action is taken back and entered anew"),
        _no_replacing("corporate_actions", ["id"]),
        _guard("charge_rates", "UPDATE", "a rate is taken back and set anew"),
        _no_replacing("charge_rates", ["id"], ["line", "kind", "exchange", "side", "rate_group", "since"]),
        _guard("plan_rules", "UPDATE", "a rule is taken back and set anew"),
        _no_replacing("plan_rules", ["id"], ["rule_of", "kind", "since"]),
    ]
    for table in ("imported_fills", "imported_notes"):
        here = "(SELECT state FROM imported_files WHERE id = OLD.file_id) = 'here'"
        guards += [
            _guard(table, "UPDATE", "the rows of a file stay as they were"),
            _guard(table, "DELETE", "the rows of a file go with the file", here),
            _no_replacing(table, ["file_id", "number"]),
        ]
    return guards


def _guard(table: str, event: str, words: str, when: str = "") -> str:
    condition = f"WHEN {when} " if when else ""
    return (
        f"CREATE TRIGGER {table}_{event.lower()} BEFORE {event} ON {table} {condition}"
        f"BEGIN SELECT RAISE(ABORT, '{words}'); END"
    )


def _no_replacing(table: str, *unique: list[str]) -> str:
    taken = " OR ".join(
        f"EXISTS (SELECT 1 FROM {table} WHERE {' AND '.join(f'{name} = NEW.{name}' for name in names)})"  # noqa: S608
        for names in unique
    )
    return (
        f"CREATE TRIGGER {table}_replace BEFORE INSERT ON {table} WHEN {taken} "
        f"BEGIN SELECT RAISE(ABORT, 'UNIQUE: a row of {table} is not replaced'); END"
    )


def _differs(columns: str) -> str:
    return " OR ".join(f"OLD.{name} IS NOT NEW.{name}" for name in columns.split())
