"""Holdings on the portfolio page: shares in the demat account, what they are worth, and their sale."""

from __future__ import annotations

from dashboard.components.position_cards import not_known_yet, part_head, remember
from dashboard.components.position_table import Offer, position_table
from dashboard.portfolio_columns import HOLDING_COLUMNS
from dashboard.portfolio_rows import SELL, SELL_PART, TICKET, holding_row
from dashboard.reading import Reading
from services.domain.errors import UpstoxError
from services.portfolio_book.views import HoldingsView


def holdings_part(view: HoldingsView, reading: Reading, *, told: UpstoxError | None) -> None:
    """Draw the holdings that are known, or say why none are; not again, if the page has `told` it."""
    part_head("Holdings", view, reading)
    if view.as_of is None:
        not_known_yet(view.error, "holdings", told=told)
        return
    position_table(
        [holding_row(marked, reading) for marked in view.rows],
        HOLDING_COLUMNS,
        reading,
        key="portfolio-holdings",
        label="Holdings",
        noun="holding",
        empty="No holdings. Shares bought for delivery stand here from the day after.",
        actions={SELL: "Sell"},
        offers=(
            Offer(SELL, "Sell", "Sell what can be sold of the chosen holding at the market", of="one"),
            Offer(SELL_PART, "Sell a part", "Sell some of the chosen holding, or at a limit", of="one"),
            Offer(TICKET, "Order ticket", "The ticket filled in to sell it: a stop-loss, another price", of="one"),
        ),
        on_ask=remember,
    )
