"""The figures of the day at the top of the overview: what was won and lost, what is open, and the money. Each leads to
the page where it is explained."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from dashboard.components.notices import caution, live_part
from dashboard.components.pnl_headline import made_at_rest, prices_at_rest
from dashboard.components.pnl_headline import tiles as pnl_tiles
from dashboard.components.tiles import Tile, tile_row
from dashboard.formatting import MISSING, ist_when, rupees
from dashboard.navigation import ACCOUNT, ORDERS, PNL, PORTFOLIO
from dashboard.pnl_choice import Behind
from dashboard.pnl_words import not_current
from dashboard.portfolio_headlines import Headline, holdings_today, open_orders, open_positions, positions_today
from dashboard.portfolio_words import oldest_words
from dashboard.resources import desk
from dashboard.state import first_time
from dashboard.words import in_words
from services.domain.clock import ist_date
from services.pnl.values import Filter
from services.pnl.views import PnlView
from services.portfolio_book.views import FundsView, HoldingsView, PositionsView

EVERY = 2.0
FIRST_WAIT = 1.0
"""Real seconds that a first look may wait for positions."""
_TONES = {1: "up", -1: "down", 0: ""}


@live_part(EVERY, "overview-today")
def today_cards() -> None:
    """Closed trades of today with their charges, as the page of results has them; then what is open."""
    rt = desk()
    now = rt.clock.now()
    today = ist_date(now)
    rt.pnl.refresh_if_due()
    results = result_tiles(rt.pnl.read(Filter(today, today)))
    tile_row(results, key="overview-result", label="Profit and loss of today", every=EVERY)
    if first_time("overview-today"):
        rt.portfolio.first_answers(wait=FIRST_WAIT)
    positions, holdings, funds = rt.portfolio.positions(), rt.portfolio.holdings(), rt.portfolio.funds()
    at_rest = made_at_rest(one.holding.key for one in holdings.rows)
    book = rt.orders.book()
    tile_row(
        (
            _tile("positions", positions_today(positions, now), positions),
            _tile("open", open_positions(positions, now), positions),
            _tile("holdings", holdings_today(holdings, now, at_rest), holdings),
            orders_tile(open_orders(book, now), old=book.error is not None),
            funds_tile(funds, now),
        ),
        key="overview-open",
        label="What is open",
        every=EVERY,
    )
    told = (("positions", positions), ("holdings", holdings), ("orders", book), ("money", funds))
    old = oldest_words(((name, view.as_of, view.error) for name, view in told), rt.clock.now())
    if old is not None:
        caution(old)


def result_tiles(view: PnlView) -> tuple[Tile, ...]:
    """Gross, charges, net of what was closed today, and what is open; dashes while the book is not built yet, and for
    the results of a day of which nothing was told."""
    return tuple(_result_tile(view, one) for one in pnl_tiles(view, prices_at_rest(view)))


def _result_tile(view: PnlView, one: Mapping[str, Any]) -> Tile:  # Any: texts and flags, see `pnl_headline.tiles`
    id, name, note, tone = str(one["id"]), str(one["name"]), str(one["note"]), str(one["tone"])
    known, of_now = view.version > 0, id == Behind.UNREALISED
    if not known:
        note = "being worked out"
    elif not of_now and view.old and (view.as_of is None or ist_date(view.as_of) < ist_date(view.now)):
        known, note = False, f"nothing of today is known; {not_current(view.as_of, view.now)}"
    elif view.missing and not view.old:
        note += "; incomplete"  # why, the page behind the tile tells
    return Tile(
        id, name if of_now else f"{name} today", str(one["figure"]) if known else MISSING, note,
        PNL, {"period": "today", "behind": id}, tone if known else "",
        warn=view.version > 0 and (bool(one["warn"]) or bool(view.missing)), old=view.version > 0 and view.old,
    )  # fmt: skip


def orders_tile(headline: Headline, *, old: bool) -> Tile:
    return Tile("orders", headline.title, headline.figure, headline.note, ORDERS, {"view": "Book"}, old=old)


def funds_tile(view: FundsView, now: datetime) -> Tile:
    """The money that is free, with when it was told; the last that was told, marked as such, while the broker is
    silent."""
    if view.funds is None:
        why = f"not known: {in_words(view.error).title}" if view.error is not None else "the broker is being asked"
        return Tile("funds", "Available", MISSING, why, ACCOUNT, warn=view.error is not None)
    note = f"{rupees(view.funds.used)} used, as of {ist_when(view.as_of, now)}"
    if view.error is not None:
        note += ", not current"
    return Tile("funds", "Available", rupees(view.funds.available), note, ACCOUNT, old=view.error is not None)


def _tile(id: str, headline: Headline, view: PositionsView | HoldingsView) -> Tile:
    tone, old = _TONES[headline.direction], view.error is not None
    note = f"{headline.note}, not current" if old and view.as_of is not None else headline.note
    return Tile(id, headline.title, headline.figure, note, PORTFOLIO, tone=tone, old=old)
