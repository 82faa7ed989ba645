"""What single trades cost, of a book that is at hand."""

from __future__ import annotations

from collections.abc import Iterable

from services.pnl.asking import year_code
from services.pnl.views import PnlView
from services.portfolio.charges.kinds import LINES
from services.portfolio.charges.lines import PaiseLines
from services.portfolio.closed import SEGMENTS
from services.portfolio.records import TradeCharge

COMPUTED = "computed"


def computed_charges(view: PnlView, trade_id: str | None = None) -> list[TradeCharge]:
    """The trades of that number, or all, of the account that is looked at. Settlements at expiry are no trades."""
    kept, account = view.kept, view.wanted_account
    unpriced = set(kept.costs.unpriced.tolist())
    begins = max(kept.rates.changes[0], kept.plan.changes[0])
    found: list[TradeCharge] = []
    for place, fill in enumerate(kept.book.fills.rows):
        if fill.settled or account not in {None, fill.account} or trade_id not in {None, fill.trade_id}:
            continue
        lines: PaiseLines | None = None
        status = COMPUTED
        if place in unpriced:
            status = f"no rates are known for this trade: the table begins on {begins:%Y-%m-%d}"
        else:
            lines = PaiseLines(*(int(kept.costs.fills[line][place]) for line in LINES))
        found.append(TradeCharge(fill.identity, fill.symbol, fill.order_id, status, lines, view.settings))
    return found


def segments_and_years(view: PnlView, charges: Iterable[TradeCharge]) -> set[tuple[str, str]]:
    """Segment and financial year (in the broker's code) of each of them."""
    wanted = {one.identity for one in charges}
    rows = view.kept.book.fills.rows
    return {(SEGMENTS[fill.asset], year_code(fill.day)) for fill in rows if fill.identity in wanted}
