"""What only a practice account can do: begin anew, trade where Upstox does not, hand out a read-only token.

    GET  /_paper/account             number, money, counts and the accounts that were put away
    POST /_paper/reset               {"confirm": "<user id>", "opening": 1000000, "past_days": 60}: put this account
                                     away, open a new one (which has already traded on so many days before)
    GET  /_paper/archive?number=1    orders and trades of the day on which that account was put away, as its books told
    GET, POST /_paper/trading        {"mcx_open": true}: take orders for MCX, which Upstox does not since April 2026
    POST /_paper/read-only-token     a token for reads, good for a year
    GET, POST, DELETE /_paper/update-faults     see `services.paper.feed.update_faults`; with `--faults` only

All of them need a token, so that no web page can do it; what changes something needs one that may trade.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, time

from starlette.requests import Request
from starlette.responses import Response

from services.domain.clock import IST
from services.domain.errors import InvalidRequest
from services.paper.broker import Broker, Handler
from services.paper.envelope import read_object, refusal, success
from services.paper.feed.recorded import RecordedMarket
from services.paper.members import INVALID, flag, price, whole
from services.paper.order_told import amount, stamp, tell_order, tell_trade
from services.paper.parameters import whole_number
from services.paper.past_days import MOST_DAYS, past_orders, trading_days
from services.paper.relay.market import RelayMarket
from services.paper.routes_account import bearer
from services.paper.sessions import Sessions
from services.paper.tokens import Claims
from services.paper.trading.desk import OPENING_PAISE, Past
from services.paper.trading.past import past_of
from services.paper.trading.values import UNITS_OF_PAISA, Archive

ACCOUNT = "/_paper/account"
RESET = "/_paper/reset"
ARCHIVE = "/_paper/archive"
TRADING = "/_paper/trading"
READ_ONLY_TOKEN = "/_paper/read-only-token"  # noqa: S105  # an address
UPDATE_FAULTS = "/_paper/update-faults"
LARGEST_OPENING = 1_000_000_000 * 10_000
_MOST_ACCOUNTS = 1_000_000


async def account(broker: Broker, request: Request) -> Response:
    broker.tokens.check(bearer(request))
    return success(request, _account(broker))


async def reset(broker: Broker, request: Request) -> Response:
    """`confirm` must repeat the user id: a person has read what happens. `opening` in rupees, else ten lakh.
    `past_days`: on so many trading days before this one the new account has already traded."""
    claims = trader(broker, request)
    body = await read_object(request)
    if body.get("confirm") != claims.user_id:
        told = f"confirm: must be {claims.user_id}; every order, position and holding of this account is put away"
        raise refusal(INVALID, property_path="confirm", message=told)
    opening = OPENING_PAISE
    if body.get("opening") is not None:
        units = price(body, "opening")
        if not 0 < units <= LARGEST_OPENING or units % UNITS_OF_PAISA:
            raise refusal(INVALID, property_path="opening", message="opening: rupees above 0, in whole paise")
        opening = units // UNITS_OF_PAISA
    days = whole(body, "past_days", default=0)
    if days > MOST_DAYS:
        raise refusal(INVALID, property_path="past_days", message=f"past_days: at most {MOST_DAYS}")
    past = await asyncio.to_thread(_past, broker, days) if days else None
    broker.desk.reset(opening, past)
    return success(request, _account(broker))


async def archive(broker: Broker, request: Request) -> Response:
    """For a desk that has not heard of the last steps: what became of every order of the account that is gone."""
    broker.tokens.check(bearer(request))
    number = whole_number(request, "number", 0, least=1, most=_MOST_ACCOUNTS, code=INVALID)
    if number not in {one.number for one in broker.desk.archives()}:
        raise refusal(INVALID, property_path="number", message="number: no account of that number was put away")
    orders, fills = broker.desk.last_day(number)
    user, listings = broker.user_id, broker.listings()
    told = {
        "number": number,
        "orders": [tell_order(order, user, listings) for order in orders],
        "trades": [tell_trade(fill, listings) for fill in fills],
    }
    return success(request, told)


async def trading(broker: Broker, request: Request) -> Response:
    if request.method == "POST":
        trader(broker, request)
        broker.desk.mcx_open = flag(await read_object(request), "mcx_open")
    else:
        broker.tokens.check(bearer(request))
    return success(request, {"mcx_open": broker.desk.mcx_open})


async def read_only_token(broker: Broker, request: Request) -> Response:
    token, claims = broker.tokens.issue(trader(broker, request).user_id, read_only=True)
    return success(request, {"access_token": token, "expires_at": str(round(claims.expires.timestamp() * 1000))})


async def update_faults(broker: Broker, request: Request) -> Response:
    broker.tokens.check(bearer(request))
    hub = broker.portfolio_updates
    if request.method == "POST":
        try:
            return success(request, hub.add_fault(await read_object(request)).told())
        except InvalidRequest as problem:
            raise refusal(INVALID, message=str(problem)) from None
    if request.method == "DELETE":
        hub.clear_faults()
    return success(request, hub.waiting_faults())


def practice_routes(broker: Broker) -> list[tuple[str, list[str], Handler]]:
    """Path, methods and handler."""
    routes: list[tuple[str, list[str], Handler]] = [
        (ACCOUNT, ["GET"], account),
        (RESET, ["POST"], reset),
        (ARCHIVE, ["GET"], archive),
        (TRADING, ["GET", "POST"], trading),
        (READ_ONLY_TOKEN, ["POST"], read_only_token),
    ]
    if broker.faults is not None:
        routes.append((UPDATE_FAULTS, ["GET", "POST", "DELETE"], update_faults))
    return routes


def _past(broker: Broker, days: int) -> Past:
    """What a new account has traded on so many days, at the market's own prices."""
    if isinstance(broker.market, RecordedMarket | RelayMarket):
        told = "past_days: only the simulated market knows the prices of every instant before"
        raise refusal(INVALID, property_path="past_days", message=told)
    today = broker.desk.hours.today(broker.clock.now())
    sessions = Sessions(always=False)
    found = trading_days(sessions, today, days)
    if not found:
        raise refusal(INVALID, property_path="past_days", message="past_days: no trading days are known before today")
    orders, seen = past_orders(broker.market, found, seed=broker.desk.account().number)
    return past_of(seen, broker.desk.hours, datetime.combine(found[0], time(9), IST), orders)


def trader(broker: Broker, request: Request) -> Claims:
    """Whose token this is; refused if it is good for reads only."""
    claims = broker.tokens.check(bearer(request))
    if claims.read_only:
        raise refusal("UDAPI100067")
    return claims


def _account(broker: Broker) -> dict[str, object]:
    desk = broker.desk
    money, running = desk.funds(), desk.account()
    return {
        "user_id": broker.user_id,
        "number": running.number,
        "opened": stamp(running.opened_ms),
        "after_order": running.after_order,
        "opening": amount(running.opening),
        "balance": amount(money.balance),
        "available": amount(money.available),
        "orders_today": len(desk.orders()),
        "trades_today": len(desk.trades()),
        "archives": [_archive(one) for one in desk.archives()],
    }


def _archive(one: Archive) -> dict[str, object]:
    return {
        "number": one.number,
        "opened": stamp(one.opened_ms),
        "closed": stamp(one.closed_ms),
        "opening": amount(one.opening),
        "balance": amount(one.balance),
        "orders": one.orders,
        "trades": one.trades,
    }
