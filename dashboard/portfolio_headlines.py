"""The day in a few figures, for the overview. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from dashboard.formatting import MISSING, quantity, rupees, short_rupees
from dashboard.pnl_words import NONE_AT_REST, AtRest
from dashboard.portfolio_sums import Sum, total
from services.domain.clock import IST, ist_date
from services.orders.views import BookView
from services.portfolio_book.views import HoldingsView, PositionsView

HOLDINGS = "Holdings, day's change"


@dataclass(frozen=True, slots=True)
class Headline:
    """One figure with its name and a line below it. `direction`: of its colour, beside the sign that it carries."""

    title: str
    figure: str
    note: str
    direction: int = 0


def positions_today(view: PositionsView, now: datetime) -> Headline:
    """What positions brought today, before charges; what was told last on a day before is of that day."""
    if view.as_of is None:
        return Headline("Positions today", MISSING, "positions are not known yet")
    title = f"Positions{_of_day(view.as_of, now)}"
    today = total(one.pnl_today for one in view.rows)
    if not view.rows:
        return Headline(title, rupees(Decimal(0)), "no positions")
    realised = total(one.realised for one in view.rows)
    note = f"realised {_signed(realised.amount)}, before charges"
    return _money(title, today, note, "positions")


def holdings_today(view: HoldingsView, now: datetime, at_rest: AtRest = NONE_AT_REST) -> Headline:
    """By how much holdings have changed in worth since the close before the day of their prices: on a Saturday that is
    Friday's change, and is said to be so."""
    if view.as_of is None:
        return Headline(HOLDINGS, MISSING, "holdings are not known yet")
    if not view.rows:
        return Headline(HOLDINGS, rupees(Decimal(0)), "no holdings")
    worth = total(one.value for one in view.rows)
    today = total(one.pnl_today for one in view.rows)
    note = f"{_of_earlier(view, now, at_rest)}worth {short_rupees(worth.amount)}"
    return _money(HOLDINGS, today, note, "holdings")


def _of_earlier(view: HoldingsView, now: datetime, at_rest: AtRest) -> str:
    """ "of Fri 20 Nov, " where nothing is in session and the newest price was made on that earlier day."""
    keys = {one.holding.key for one in view.rows}
    made = [at for key in keys if (at := at_rest.get(key)) is not None]
    if not made or not keys <= at_rest.keys() or ist_date(max(made)) >= ist_date(now):
        return ""
    return f"of {max(made).astimezone(IST):%a %d %b}, "


def open_positions(view: PositionsView, now: datetime) -> Headline:
    """How many positions are open, and what is at stake in them."""
    if view.as_of is None:
        return Headline("Open positions", MISSING, "not known yet")
    alive = [one for one in view.rows if one.is_open]
    closed = len(view.rows) - len(alive)
    note = f"{quantity(closed) if closed else 'none'} closed{_of_day(view.as_of, now)}"
    if alive:
        stake = total(one.unrealised for one in alive)
        told = [f"{_signed(stake.amount)} unrealised", stake.words("positions"), note]
        note = ", ".join(word for word in told if word)
    return Headline("Open positions", quantity(len(alive)), note)


def open_orders(book: BookView, now: datetime) -> Headline:
    """How many orders wait at the broker, and how many were filled."""
    if book.as_of is None:
        return Headline("Open orders", MISSING, book.error or "not known yet")
    alive = sum(not order.terminal for order in book.orders)
    filled = sum(order.filled_quantity > 0 for order in book.orders)
    note = f"{quantity(filled)} with fills today, {quantity(len(book.orders))} in all"
    if ist_date(book.as_of) < ist_date(now):  # of a day before only what was open is kept
        note = f"as they were{_of_day(book.as_of, now)}"
    if book.error is not None:
        note += ", not current"
    return Headline("Open orders", quantity(alive), note)


def _money(title: str, sum_: Sum, note: str, of: str) -> Headline:
    lacking = sum_.words(of)
    words = f"{note}, {lacking}" if lacking else note
    return Headline(title, _signed(sum_.amount), words, _direction(sum_.amount))


def _signed(amount: Decimal | None) -> str:
    """With its sign, so that colour is never the only signal."""
    text = rupees(amount)
    return f"+{text}" if amount is not None and amount > 0 else text


def _direction(amount: Decimal | None) -> int:
    return 0 if not amount else 1 if amount > 0 else -1


def _of_day(as_of: datetime, now: datetime) -> str:
    """ " today", or the day on which it was told: " on Thu 19 Nov"."""
    return " today" if ist_date(as_of) == ist_date(now) else f" on {as_of.astimezone(IST):%a %d %b}"
