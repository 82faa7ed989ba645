"""The account: profile, funds, logout."""

from __future__ import annotations

from datetime import time

from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from services.domain.clock import IST
from services.paper.accounts import Account
from services.paper.broker import Broker, Handlers
from services.paper.envelope import refusal, success
from services.paper.portfolio_told import tell_funds_v2, tell_funds_v3

_SERVICE_FROM = time(5, 30)


def person(account: Account) -> dict[str, object]:
    """The members that profile and token answer have in common."""
    return {
        "email": account.email,
        "exchanges": ["NSE", "NFO", "BSE", "CDS", "BFO", "BCD", "MCX"],
        "products": ["D", "CO", "I", "MTF"],
        "broker": "UPSTOX",
        "user_id": account.user_id,
        "user_name": account.user_name,
        "order_types": ["MARKET", "LIMIT", "SL", "SL-M"],
        "user_type": "individual",
        "poa": False,
        "is_active": True,
    }


def bearer(request: HTTPConnection) -> str:
    """The token in the Authorization header, or nothing."""
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


def refuse_foreign_page(request: Request) -> None:
    """Refuse a POST that a page of another site makes a browser send. For routes that ask for no token: a bearer cannot
    be sent across sites without the broker's leave, a plain form can.

    Browsers say `Sec-Fetch-Site`; that is asked first, because a form on our own pages, which tell no referrer, has the
    origin `null`. Programs send neither.
    """
    if bearer(request):
        return
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is None:
        foreign = origin is not None and origin != f"http://{request.headers.get('host', '')}"
    else:
        foreign = site not in {"same-origin", "none"}
    if foreign:
        raise refusal("UDAPI10000", status=403, message="The paper broker takes no requests from pages of other sites")


async def profile(broker: Broker, request: Request) -> Response:
    return success(request, person(broker.accounts.account()) | {"ddpi": True})


async def user_ip(broker: Broker, request: Request) -> Response:
    """The paper broker takes orders from this machine alone."""
    opened = broker.clock.now().astimezone(IST).strftime("%Y-%m-%d 00:00:00")
    told = {"user_id": broker.accounts.account().user_id, "primary_ip": "127.0.0.1", "primary_ip_updated_at": opened}
    return success(request, told | {"secondary_ip": None, "secondary_ip_updated_at": None})


async def funds_v2(broker: Broker, request: Request) -> Response:
    _refuse_at_night(broker)
    segment = request.query_params.get("segment")
    if segment not in {None, "", "SEC", "COM"}:
        raise refusal("UDAPI100036", property_path="segment", invalid_value=segment)
    blocks = tell_funds_v2(broker.desk.funds())
    if segment:
        name = "equity" if segment == "SEC" else "commodity"
        blocks = {name: blocks[name]}
    return success(request, blocks)


async def funds_v3(broker: Broker, request: Request) -> Response:
    _refuse_at_night(broker)
    return success(request, tell_funds_v3(broker.desk.funds()))


async def logout(broker: Broker, request: Request) -> Response:
    broker.tokens.revoke(broker.tokens.check(bearer(request)))
    return success(request, True)


HANDLERS: Handlers = {
    ("profile", "v2"): profile,
    ("user_ip", "v2"): user_ip,
    ("funds", "v2"): funds_v2,
    ("funds", "v3"): funds_v3,
    ("logout", "v2"): logout,
}


def _refuse_at_night(broker: Broker) -> None:
    """The funds service keeps hours, 05:30-24:00 IST; a practice session has none."""
    if broker.clock.mode != "always" and broker.clock.now().astimezone(IST).time() < _SERVICE_FROM:
        raise refusal("UDAPI100072")
