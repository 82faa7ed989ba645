"""The ledger's tables of profit and loss. Alembic makes them, with guards (`migrations/versions`); a test compares.

Prices and the broker's amounts count ten-thousandths of a rupee, charges and notes paise, rates parts of 10⁹.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from services.ledger.money import Exact
from services.ledger.order_tables import GUARDS as ORDER_GUARDS
from services.ledger.tables import Instant, metadata

PNL_GUARDS = {
    "imported_files": ("update", "delete", "replace"),
    "imported_fills": ("update", "delete", "replace"),
    "imported_notes": ("update", "delete", "replace"),
    "corporate_actions": ("update", "replace"),
    "charge_rates": ("update", "replace"),
    "plan_rules": ("update", "replace"),
}
"""As `order_tables.GUARDS`. Rows of a file go only after the file was marked as gone; the file's own row stays."""
ALL_GUARDS = ORDER_GUARDS | PNL_GUARDS

LINES_OF_CHARGES = ("brokerage", "stt", "exchange", "ipft", "sebi", "stamp", "clearing", "dp", "gst")
AMOUNTS_OF_BROKER = (
    "total", "brokerage", "gst", "stt", "stamp_duty", "transaction", "clearing", "ipft", "others", "sebi_turnover",
    "demat_transaction",
)  # fmt: skip


def _text(name: str, length: int, *, primary_key: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=False, primary_key=primary_key)


def _whole(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=nullable)


def _amount(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, Exact, nullable=nullable)


def _actor() -> tuple[sa.Column[str], ...]:
    return _text("actor", 80), _text("role", 20), _text("session", 80)


imported_files = sa.Table(
    "imported_files",
    metadata,
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
    sa.Column("imported_at", Instant, nullable=False),
    # arriving: its rows are being written; here: it counts; gone: it was removed, or never arrived
    _text("state", 10),
    sa.Index("imported_files_state", "state"),
    sa.Index(
        "imported_files_once",
        "account",
        "digest",
        unique=True,
        sqlite_where=sa.text("state = 'here'"),
        postgresql_where=sa.text("state = 'here'"),
    ),
    sqlite_autoincrement=True,
)

imported_fills = sa.Table(
    "imported_fills",
    metadata,
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

imported_notes = sa.Table(
    "imported_notes",
    metadata,
    sa.Column("file_id", sa.Integer, sa.ForeignKey("imported_files.id"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    _text("account", 80),
    _text("name", 120),
    sa.Column("day", sa.Date),
    _text("segment", 120),
    *(_whole(name, nullable=True) for name in LINES_OF_CHARGES),
    _whole("obligation", nullable=True),
    _whole("net", nullable=True),
)

corporate_actions = sa.Table(
    "corporate_actions",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    _text("kind", 20),
    _text("instrument", 120),
    sa.Column("day", sa.Date, nullable=False),
    _text("into", 120),
    _whole("new"),
    _whole("old"),
    sa.Column("free_lots", sa.Boolean, nullable=False),
    _amount("cost_percent", nullable=True),
    _text("note", 200),
    *_actor(),
    sa.Column("entered_at", Instant, nullable=False),
    sa.Index("corporate_actions_instrument", "instrument", "day"),
    sqlite_autoincrement=True,
)

settlement_prices = sa.Table(
    "settlement_prices",
    metadata,
    _text("instrument", 120, primary_key=True),
    _whole("price"),
    *_actor(),
    sa.Column("entered_at", Instant, nullable=False),
)

journal_notes = sa.Table(
    "journal_notes",
    metadata,
    _text("trade_id", 200, primary_key=True),
    sa.Column("text", sa.Text, nullable=False),
    *_actor(),
    sa.Column("written_at", Instant, nullable=False),
    sa.Index("journal_notes_written", "written_at"),
)

journal_tags = sa.Table(
    "journal_tags",
    metadata,
    sa.Column(
        "trade_id", sa.String(200), sa.ForeignKey("journal_notes.trade_id", ondelete="CASCADE"), primary_key=True
    ),
    _text("tag", 40, primary_key=True),
    sa.Index("journal_tags_tag", "tag", "trade_id"),
)

charge_rates = sa.Table(
    "charge_rates",
    metadata,
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
    sa.Column("entered_at", Instant, nullable=False),
    sa.Index("charge_rates_once", "line", "kind", "exchange", "side", "rate_group", "since", unique=True),
    sqlite_autoincrement=True,
)

plan_rules = sa.Table(
    "plan_rules",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    _text("rule_of", 40),
    _text("kind", 40),
    sa.Column("since", sa.Date, nullable=False),
    _amount("flat"),
    _whole("share", nullable=True),
    _text("source", 200),
    *_actor(),
    sa.Column("entered_at", Instant, nullable=False),
    sa.Index("plan_rules_once", "rule_of", "kind", "since", unique=True),
    sqlite_autoincrement=True,
)

charge_settings = sa.Table(
    "charge_settings",
    metadata,
    _text("name", 40, primary_key=True),
    sa.Column("value", sa.JSON(none_as_null=True), nullable=False),
    *_actor(),
    sa.Column("changed_at", Instant, nullable=False),
)

pnl_reports = sa.Table(
    "pnl_reports",
    metadata,
    _text("account", 80, primary_key=True),
    _text("segment", 10, primary_key=True),
    _text("financial_year", 10, primary_key=True),
    # the broker's rows have no name: it is made of what they say, and equal ones are counted
    _text("row_name", 48, primary_key=True),
    sa.Column("closed_on", sa.Date),
    _amount("quantity"),
    _text("isin", 20),
    _text("scrip_name", 200),
    _text("trade_type", 20),
    sa.Column("buy_date", sa.Date),
    _amount("buy_average"),
    sa.Column("sell_date", sa.Date),
    _amount("sell_average"),
    _amount("buy_amount"),
    _amount("sell_amount"),
    sa.Column("told_at", Instant, nullable=False),
    sa.Index("pnl_reports_closed", "account", "segment", "financial_year", "closed_on"),
)

pnl_report_periods = sa.Table(
    "pnl_report_periods",
    metadata,
    _text("account", 80, primary_key=True),
    _text("segment", 10, primary_key=True),
    _text("financial_year", 10, primary_key=True),
    sa.Column("first_day", sa.Date, primary_key=True),
    sa.Column("last_day", sa.Date, primary_key=True),
    _whole("trades_count", nullable=True),
    sa.Column("told_at", Instant),
    *(_amount(name, nullable=True) for name in AMOUNTS_OF_BROKER),
    sa.Column("charges_at", Instant),
)

trade_charges = sa.Table(
    "trade_charges",
    metadata,
    # a fill, as `Fill.identity`; `exchange` is one of the lines
    _text("account", 80, primary_key=True),
    _text("market", 20, primary_key=True),
    sa.Column("day", sa.Date, primary_key=True),
    _text("trade_id", 80, primary_key=True),
    _text("instrument", 120, primary_key=True),
    _text("side", 10, primary_key=True),
    _text("symbol", 120),
    _text("order_id", 80),
    _text("status", 200),
    *(_whole(name, nullable=True) for name in (*LINES_OF_CHARGES, "total")),
    _text("settings", 64),
    sa.Column("computed_at", Instant, nullable=False),
    sa.Index("trade_charges_trade", "trade_id"),
)

PNL_TABLES = tuple(
    table.name
    for table in (
        imported_files, imported_fills, imported_notes, corporate_actions, settlement_prices, journal_notes,
        journal_tags, charge_rates, plan_rules, charge_settings, pnl_reports, pnl_report_periods, trade_charges,
    )
)  # fmt: skip
