"""Which shares and contracts a book has, by the names that it matches them under, and how a person reads those."""

from __future__ import annotations

import re
from datetime import date

from dashboard.formatting import day
from services.domain.clock import ist_date
from services.pnl.views import PnlView
from services.portfolio.lots.book import Cause, Flag

_PARTS = 5
"""Of a contract's name: exchange, underlying, expiry, strike, kind."""
_CONTRACT = re.compile(r":\D+\d.*(?:CE|PE|FUT)$")
"""Of sources that tell a contract's symbol only: `NSE:NIFTY26NOV25000CE`."""


def shares_of(view: PnlView) -> dict[str, str]:
    """Instrument and symbol of the shares of the book, by symbol."""
    found = {
        one: symbol for one, symbol in view.instruments.items() if expiry_of(one) is None and not _CONTRACT.search(one)
    }
    return dict(sorted(found.items(), key=lambda item: (item[1], item[0])))


def contracts_of(view: PnlView) -> list[str]:
    """Contracts of the book that have expired: those that wait for a price first, then the latest."""
    today = ist_date(view.now)
    waiting = [flag.instrument for flag in expired_of(view)]
    expiries = {one: expiry for one in view.instruments if (expiry := expiry_of(one)) is not None and expiry < today}
    others = sorted((one for one in expiries if one not in waiting), key=lambda one: (expiries[one], one), reverse=True)
    return [*dict.fromkeys(waiting), *others]


def expired_of(view: PnlView) -> list[Flag]:
    """Contracts that were open at their expiry, and nobody told at what price they were settled."""
    return [flag for flag in view.flags if flag.cause is Cause.EXPIRED]


def expiry_of(instrument: str) -> date | None:
    """Of a contract; `None` for shares, and for contracts whose source tells no expiry in their name."""
    parts = instrument.split(":")
    if len(parts) != _PARTS:
        return None
    try:
        return date.fromisoformat(parts[2])
    except ValueError:
        return None


def contract_words(instrument: str) -> str:
    """`NIFTY 25000 CE, 24 Nov 2026`."""
    expiry = expiry_of(instrument)
    if expiry is None:
        return instrument
    _, underlying, _, strike, kind = instrument.split(":")
    name = f"{underlying} future" if kind == "FUT" else f"{underlying} {strike} {kind}"
    return f"{name}, {day(expiry)}"
