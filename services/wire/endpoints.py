"""The route table: for every operation the ordered candidates that may serve it.

Profile `upstox` (default) asks the published v3 path first, then v2. Profile `guide` asks the implementation guide's
path first, which Upstox itself does not serve, then the published ones. Source: Upstox API documents up to September
2026 and the official SDK 2.30.0.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

_STANDARD = "standard"
_ORDERS = "orders"
_BULK = "bulk_orders"


class Base(StrEnum):
    """Which host serves a path; each is one setting."""

    API = "api"
    ORDER = "order"
    ASSETS = "assets"


class Profile(StrEnum):
    """Whose paths are tried first."""

    UPSTOX = "upstox"
    GUIDE = "guide"


@dataclass(frozen=True, slots=True)
class Route:
    """One way to serve an operation. Braces in `path` are filled with percent-encoded members."""

    version: str
    """`v2`, `v3` or `guide`: which shape of answer to expect."""
    method: str
    path: str
    base: Base = Base.API
    keys_in: str = "query"
    """Where instrument keys travel: `query` (`instrument_key=a,b`) or `json` (`{"instrument_keys": [...]}`)."""


@dataclass(frozen=True, slots=True)
class Operation:
    """What we want, its candidates by preference, and the rate-limit group it counts against."""

    name: str
    published: tuple[Route, ...]
    guide: tuple[Route, ...] = ()
    group: str = _STANDARD
    writes: bool = False
    needs_token: bool = True
    max_keys: int | None = None

    def routes(self, profile: Profile) -> tuple[Route, ...]:
        """The candidates in the order in which they are to be tried."""
        return (*self.guide, *self.published) if profile is Profile.GUIDE else self.published


def _one(
    name: str,
    method: str,
    path: str,
    version: str = "v2",
    *,
    base: Base = Base.API,
    needs_token: bool = True,
    guide: tuple[Route, ...] = (),
    group: str = _STANDARD,
    writes: bool = False,
) -> Operation:
    """An operation that exists in one version only."""
    route = Route(version, method, path, base)
    return Operation(name, (route,), guide, group=group, writes=writes, needs_token=needs_token)


TOKEN = _one("token", "POST", "/v2/login/authorization/token", needs_token=False)
TOKEN_REQUEST = _one("token_request", "POST", "/v3/login/auth/token/request/{client_id}", "v3", needs_token=False)
LOGOUT = _one("logout", "DELETE", "/v2/logout")
PROFILE = _one("profile", "GET", "/v2/user/profile")
USER_IP = _one("user_ip", "GET", "/v2/user/ip")
FUNDS = Operation(
    "funds",
    (Route("v3", "GET", "/v3/user/get-funds-and-margin"), Route("v2", "GET", "/v2/user/get-funds-and-margin")),
)

QUOTES = Operation(
    "quotes",
    (Route("v3", "GET", "/v3/market-quote/quotes"), Route("v2", "GET", "/v2/market-quote/quotes")),
    guide=(Route("guide", "POST", "/market-quote/quotes/v3/", keys_in="json"),),
    max_keys=500,
)
LTP = Operation(
    "ltp",
    (Route("v3", "GET", "/v3/market-quote/ltp"), Route("v2", "GET", "/v2/market-quote/ltp")),
    max_keys=500,
)
OHLC = Operation(
    "ohlc",
    (Route("v3", "GET", "/v3/market-quote/ohlc"), Route("v2", "GET", "/v2/market-quote/ohlc")),
    max_keys=500,
)
OPTION_GREEKS = Operation("option_greeks", (Route("v3", "GET", "/v3/market-quote/option-greek"),), max_keys=50)
OPTION_CHAIN = _one("option_chain", "GET", "/v2/option/chain")
OPTION_CONTRACTS = _one("option_contracts", "GET", "/v2/option/contract")
INTRADAY_BARS = Operation(
    "intraday_bars",
    (
        Route("v3", "GET", "/v3/historical-candle/intraday/{instrument_key}/{unit}/{interval}"),
        Route("v2", "GET", "/v2/historical-candle/intraday/{instrument_key}/{v2_interval}"),
    ),
)
"""The running day. Only v2's `1minute` and `30minute` have a second way."""
HISTORY_BARS = Operation(
    "history_bars",
    (
        Route("v3", "GET", "/v3/historical-candle/{instrument_key}/{unit}/{interval}/{to_date}/{from_date}"),
        Route("v2", "GET", "/v2/historical-candle/{instrument_key}/{v2_interval}/{to_date}/{from_date}"),
    ),
    guide=(Route("guide", "GET", "/market-quote/candles/v3/{instrument_key}"),),
)
"""The days before today, both ends included. `to_date` stands before `from_date`. `{v2_interval}`: `1minute`,
`30minute`, `day`, `week`, `month`. The guide's path takes `unit`, `interval`, `to_date` and `from_date` as a query."""
HISTORY_BARS_TO = (
    Route("v3", "GET", "/v3/historical-candle/{instrument_key}/{unit}/{interval}/{to_date}"),
    Route("v2", "GET", "/v2/historical-candle/{instrument_key}/{v2_interval}/{to_date}"),
)
"""The same without a first date: as much as one call gives. The official SDK has it; ours always says both dates."""

MARKET_STATUS = Operation(
    "market_status",
    (Route("v2", "GET", "/v2/market/status/{exchange}"),),
    guide=(Route("guide", "GET", "/market-status"),),
)
MARKET_HOLIDAYS = Operation(
    "market_holidays",
    (Route("v2", "GET", "/v2/market/holidays"),),
    guide=(Route("guide", "GET", "/market-holidays"),),
    needs_token=False,
)
MARKET_HOLIDAY = _one("market_holiday", "GET", "/v2/market/holidays/{date}", needs_token=False)
MARKET_TIMINGS = Operation(
    "market_timings",
    (Route("v2", "GET", "/v2/market/timings/{date}"),),
    guide=(Route("guide", "GET", "/market-timings"),),
    needs_token=False,
)

INSTRUMENT_SEARCH = _one("instrument_search", "GET", "/v2/instruments/search")
INSTRUMENT_FILE = _one(
    "instrument_file",
    "GET",
    "/market-quote/instruments/exchange/{file}.json.gz",
    "assets",
    base=Base.ASSETS,
    needs_token=False,
)

FEED_AUTHORIZE = Operation(
    "feed_authorize",
    (Route("v3", "GET", "/v3/feed/market-data-feed/authorize"),),
    guide=(Route("guide", "POST", "/feed/market-data-feed/authorize/v3"),),
)
PORTFOLIO_FEED_AUTHORIZE = _one("portfolio_feed_authorize", "GET", "/v2/feed/portfolio-stream-feed/authorize")

ORDER_PLACE = Operation(
    "order_place",
    (Route("v3", "POST", "/v3/order/place", Base.ORDER), Route("v2", "POST", "/v2/order/place", Base.ORDER)),
    guide=(Route("guide", "POST", "/orders/v3/regular/create"),),
    group=_ORDERS,
    writes=True,
)
"""v2 has neither slicing nor market protection."""
ORDER_MODIFY = Operation(
    "order_modify",
    (Route("v3", "PUT", "/v3/order/modify", Base.ORDER), Route("v2", "PUT", "/v2/order/modify", Base.ORDER)),
    guide=(Route("guide", "PUT", "/orders/v3/regular/modify"),),
    group=_ORDERS,
    writes=True,
)
ORDER_CANCEL = Operation(
    "order_cancel",
    (Route("v3", "DELETE", "/v3/order/cancel", Base.ORDER), Route("v2", "DELETE", "/v2/order/cancel", Base.ORDER)),
    guide=(Route("guide", "DELETE", "/orders/v3/regular/cancel/{order_id}"),),
    group=_ORDERS,
    writes=True,
)
"""The published paths take `order_id` as a query."""
ORDER_MULTI_PLACE = _one("order_multi_place", "POST", "/v2/order/multi/place", group=_BULK, writes=True)
ORDER_MULTI_CANCEL = _one("order_multi_cancel", "DELETE", "/v2/order/multi/cancel", group=_BULK, writes=True)
POSITIONS_EXIT = _one("positions_exit", "POST", "/v2/order/positions/exit", group=_BULK, writes=True)
ORDER_BOOK = _one("order_book", "GET", "/v2/order/retrieve-all", guide=(Route("guide", "GET", "/orders"),))
ORDER_DETAILS = _one("order_details", "GET", "/v2/order/details")
ORDER_HISTORY = _one("order_history", "GET", "/v2/order/history")
TRADES = _one("trades", "GET", "/v2/order/trades/get-trades-for-day", guide=(Route("guide", "GET", "/trades"),))
ORDER_TRADES = _one("order_trades", "GET", "/v2/order/trades")
PAST_TRADES = _one("past_trades", "GET", "/v2/charges/historical-trades")

GTT_PLACE = _one("gtt_place", "POST", "/v3/order/gtt/place", "v3", group=_ORDERS, writes=True)
GTT_MODIFY = _one("gtt_modify", "PUT", "/v3/order/gtt/modify", "v3", group=_ORDERS, writes=True)
GTT_CANCEL = _one("gtt_cancel", "DELETE", "/v3/order/gtt/cancel", "v3", group=_ORDERS, writes=True)
"""The id travels in a JSON body."""
GTT_DETAILS = _one("gtt_details", "GET", "/v3/order/gtt", "v3")

POSITIONS = _one("positions", "GET", "/v2/portfolio/short-term-positions")
MTF_POSITIONS = _one("mtf_positions", "GET", "/v3/portfolio/mtf-positions", "v3")
HOLDINGS = _one("holdings", "GET", "/v2/portfolio/long-term-holdings")
POSITION_CONVERT = _one(
    "position_convert",
    "PUT",
    "/v2/portfolio/convert-position",
    guide=(Route("guide", "POST", "/portfolio/positions/convert"),),
    writes=True,
)

BROKERAGE = _one("brokerage", "GET", "/v2/charges/brokerage")
MARGIN = _one("margin", "POST", "/v2/charges/margin")
"""A question, although it is a POST."""
PNL_METADATA = _one("pnl_metadata", "GET", "/v2/trade/profit-loss/metadata")
PNL_DATA = _one(
    "pnl_data",
    "GET",
    "/v2/trade/profit-loss/data",
    guide=(Route("guide", "GET", "/portfolio/trades/p-and-l"),),
)
PNL_CHARGES = _one(
    "pnl_charges",
    "GET",
    "/v2/trade/profit-loss/charges",
    guide=(Route("guide", "GET", "/portfolio/trades/charges"),),
)
"""The report of realised gains: one segment and financial year a question, dates as dd-mm-yyyy."""
KILL_SWITCH = _one("kill_switch", "GET", "/v2/user/kill-switch")
KILL_SWITCH_SET = _one("kill_switch_set", "POST", "/v2/user/kill-switch", writes=True)

MARKET_FEED = Route("v3", "GET", "/v3/feed/market-data-feed")
PORTFOLIO_FEED = Route("v2", "GET", "/v2/feed/portfolio-stream-feed")
"""The direct ways: a websocket handshake with the token, answered 302 to the authorised address. The official SDK's
way; ours asks for that address first."""

LOGIN_DIALOG = Route("v2", "GET", "/v2/login/authorization/dialog")
"""Opened by the person's browser, never by us."""

OPERATIONS: tuple[Operation, ...] = (
    TOKEN, TOKEN_REQUEST, LOGOUT, PROFILE, USER_IP, FUNDS,
    QUOTES, LTP, OHLC, OPTION_GREEKS, OPTION_CHAIN, OPTION_CONTRACTS,
    INTRADAY_BARS, HISTORY_BARS,
    MARKET_STATUS, MARKET_HOLIDAYS, MARKET_HOLIDAY, MARKET_TIMINGS,
    INSTRUMENT_SEARCH, INSTRUMENT_FILE,
    FEED_AUTHORIZE, PORTFOLIO_FEED_AUTHORIZE,
)  # fmt: skip
ORDER_OPERATIONS: tuple[Operation, ...] = (
    ORDER_PLACE, ORDER_MODIFY, ORDER_CANCEL, ORDER_MULTI_PLACE, ORDER_MULTI_CANCEL, POSITIONS_EXIT,
    ORDER_BOOK, ORDER_DETAILS, ORDER_HISTORY, TRADES, ORDER_TRADES, PAST_TRADES,
    GTT_PLACE, GTT_MODIFY, GTT_CANCEL, GTT_DETAILS,
    POSITIONS, MTF_POSITIONS, HOLDINGS, POSITION_CONVERT,
    BROKERAGE, MARGIN, PNL_METADATA, PNL_DATA, PNL_CHARGES, KILL_SWITCH, KILL_SWITCH_SET,
)  # fmt: skip
"""Orders, positions, charges and the kill switch."""


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `calls` in any `seconds`."""

    calls: int
    seconds: float


RATE_LIMITS: dict[str, tuple[Limit, ...]] = {
    _STANDARD: (Limit(50, 1), Limit(500, 60), Limit(2000, 1800)),
    _ORDERS: (Limit(10, 1), Limit(500, 60), Limit(2000, 1800)),
    _BULK: (Limit(4, 1), Limit(40, 60), Limit(160, 1800)),
}
"""Per API and per user. In `standard` every operation has a bucket of its own; the order groups share one."""
