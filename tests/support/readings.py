"""Readings of the market for tests of components: a few known instruments with known figures."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from dashboard.reading import Reading
from services.domain.errors import UpstoxError
from services.domain.instruments import Instrument
from services.domain.quote_row import QuoteRow, quote_row
from services.domain.quotes import DepthLevel, Quote

NOW = datetime(2026, 11, 20, 8, 35, 33, tzinfo=UTC)
"""14:05:33 in India, a Friday in session."""
RELIANCE, INFY, NIFTY, FUTURE, USDINR = (
    "NSE_EQ|INE002A01018",
    "NSE_EQ|INE009A01021",
    "NSE_INDEX|Nifty 50",
    "NSE_FO|54012",
    "NCD_FO|9999",
)

INSTRUMENTS = {
    RELIANCE: Instrument(
        RELIANCE, "NSE_EQ", "NSE", "RELIANCE", "RELIANCE INDUSTRIES LTD", "EQ",
        isin="INE002A01018", tick_size=Decimal("0.1"), lot_size=1, freeze_quantity=100_000,
    ),
    INFY: Instrument(INFY, "NSE_EQ", "NSE", "INFY", "INFOSYS LIMITED", "EQ", isin="INE009A01021"),
    NIFTY: Instrument(NIFTY, "NSE_INDEX", "NSE", "NIFTY", "Nifty 50", "INDEX"),
    FUTURE: Instrument(
        FUTURE, "NSE_FO", "NSE", "NIFTY FUT 24 NOV 26", "NIFTY", "FUT", lot_size=65, expiry=date(2026, 11, 24)
    ),
    USDINR: Instrument(USDINR, "NCD_FO", "NSE", "USDINR FUT 26 NOV 26", "USDINR", "FUT", tick_size=Decimal("0.0025")),
}  # fmt: skip


def row(
    key: str = RELIANCE, ltp: float = 1500.0, prev_close: float | None = 1490.0, *, age: float = 2.0, depth: bool = True
) -> QuoteRow:
    """A quote that came in `age` seconds before `NOW`."""
    bids = tuple(DepthLevel(ltp - 0.1 * i, 100 * i, i) for i in range(1, 6)) if depth else ()
    asks = tuple(DepthLevel(ltp + 0.1 * i, 200 * i, i) for i in range(1, 6)) if depth else ()
    quote = Quote(
        key=key, symbol=key.partition("|")[2], ltp=ltp, open=1495.0, high=1510.0, low=1480.0, prev_close=prev_close,
        volume=12_34_567, average_price=1498.5, oi=None, oi_day_high=None, oi_day_low=None, previous_oi=None,
        lower_circuit=1341.0, upper_circuit=1639.0, year_high=1600.0, year_low=1200.0,
        total_buy_quantity=300_000 if depth else None, total_sell_quantity=100_000 if depth else None,
        bids=bids, asks=asks, last_trade_time=NOW, exchange_time=NOW,
    )  # fmt: skip
    return quote_row(quote, received_at=NOW - timedelta(seconds=age), source="simulated", api_version="v2")


def reading(
    *rows: QuoteRow,
    keys: tuple[str, ...] | None = None,
    problems: dict[str, UpstoxError] | None = None,
    problem: UpstoxError | None = None,
    in_session: bool = True,
) -> Reading:
    """A look at `rows`; `keys` may name instruments that have none."""
    found = {r["instrument_key"]: r for r in rows}
    shown = tuple(found) if keys is None else keys
    return Reading(
        now=NOW,
        keys=shown,
        rows=found,
        instruments=INSTRUMENTS,
        problems=problems or {},
        problem=problem,
        moving=frozenset(shown if in_session else ()),
        speed=1.0,
    )
