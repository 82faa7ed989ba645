"""What the results rest on and a person brings along: files, corporate actions, settlement prices, rates and plan."""

from __future__ import annotations

from dashboard.components.notices import problems_in_words
from dashboard.components.pnl_actions import actions_card, entry_forms, settlements_card
from dashboard.components.pnl_files import files_card
from dashboard.components.pnl_rates import rates_card
from services.pnl.book import PnlBook
from services.pnl.views import PnlView


def records_tab(view: PnlView, book: PnlBook) -> None:
    """The tab. A card that cannot be drawn says why, and the others stand."""
    with problems_in_words():
        files_card(book)
    with problems_in_words():
        actions_card(view, book)
    with problems_in_words():
        settlements_card(view, book)
    with problems_in_words():
        rates_card(view, book)
    with problems_in_words():
        entry_forms(view, book)
