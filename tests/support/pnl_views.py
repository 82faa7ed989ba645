"""Views of a book that is made in a test, without a desk around it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from services.pnl.kept import KeptBook
from services.pnl.values import Filter
from services.pnl.views import PnlView
from services.portfolio.lots.actions import Action
from services.portfolio.lots.fills import Asset, Fill
from services.portfolio.readers.tradebooks import read_tradebook
from tests.support.lots import FIRST, fill
from tests.support.shared_data import shared

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)


def view_of_fills(
    fills: Iterable[Fill],
    only: Filter | None = None,
    *,
    actions: Iterable[Action] = (),
    account: str = "A",
    **more: Any,
) -> PnlView:
    """The view of `fills`, at noon of a day in November 2026."""
    kept = KeptBook.of(fills, actions, as_of=NOW.date())
    return PnlView(kept, only or Filter(), account=account, now=NOW, as_of=NOW - timedelta(minutes=3), **more)


def many_fills(count: int, *, account: str = "A") -> list[Fill]:
    """So many round trips: shares within the day, shares over days, options; some won, some lost."""
    fills: list[Fill] = []
    for number in range(count):
        day = FIRST + timedelta(days=number % 180)
        price, step = 500 + number % 37, (number % 7) - 3
        option = number % 5 == 4
        own: dict[str, Any] = {"account": account, "at": 560 + number % 300}
        if option:
            own |= {
                "instrument": "NSE:NIFTY:2026-12-29:25000:CE", "symbol": "NIFTY 25000 CE 29 DEC 26",
                "asset": Asset.OPTION, "expiry": date(2026, 12, 29), "product": "D",
            }  # fmt: skip
        else:
            own |= {"product": "I" if number % 2 else "D"}
            own |= {"instrument": f"INE{number % 9:03d}A01018", "symbol": f"SHARE{number % 9}"}
        later = 0 if number % 2 or option else 3
        fills.append(fill("BUY", 10, str(price), day, order_id=f"B{number}", **own))
        own["at"] += 5
        fills.append(fill("SELL", 10, str(price + step), day + timedelta(days=later), order_id=f"S{number}", **own))
    return fills


def real_tradebook(account: str = "A") -> Sequence[Fill]:
    """The real one of 2024-25; skips where it is not there."""
    path = shared("data/tradebook/zerodha_tradebook_fy2425_A-J.csv")
    return read_tradebook(path.read_text("utf-8"), account=account).taken
