"""The route table against a literal list: published paths as documented, the guide's word for word."""

from __future__ import annotations

from services.wire.endpoints import HISTORY_BARS_TO, OPERATIONS, ORDER_OPERATIONS, RATE_LIMITS, Base, Profile

PUBLISHED = {
    "token": [("v2", "POST", "/v2/login/authorization/token")],
    "token_request": [("v3", "POST", "/v3/login/auth/token/request/{client_id}")],
    "logout": [("v2", "DELETE", "/v2/logout")],
    "profile": [("v2", "GET", "/v2/user/profile")],
    "user_ip": [("v2", "GET", "/v2/user/ip")],
    "funds": [("v3", "GET", "/v3/user/get-funds-and-margin"), ("v2", "GET", "/v2/user/get-funds-and-margin")],
    "quotes": [("v3", "GET", "/v3/market-quote/quotes"), ("v2", "GET", "/v2/market-quote/quotes")],
    "ltp": [("v3", "GET", "/v3/market-quote/ltp"), ("v2", "GET", "/v2/market-quote/ltp")],
    "ohlc": [("v3", "GET", "/v3/market-quote/ohlc"), ("v2", "GET", "/v2/market-quote/ohlc")],
    "option_greeks": [("v3", "GET", "/v3/market-quote/option-greek")],
    "option_chain": [("v2", "GET", "/v2/option/chain")],
    "option_contracts": [("v2", "GET", "/v2/option/contract")],
    "intraday_bars": [
        ("v3", "GET", "/v3/historical-candle/intraday/{instrument_key}/{unit}/{interval}"),
        ("v2", "GET", "/v2/historical-candle/intraday/{instrument_key}/{v2_interval}"),
    ],
    "history_bars": [
        ("v3", "GET", "/v3/historical-candle/{instrument_key}/{unit}/{interval}/{to_date}/{from_date}"),
        ("v2", "GET", "/v2/historical-candle/{instrument_key}/{v2_interval}/{to_date}/{from_date}"),
    ],
    "market_status": [("v2", "GET", "/v2/market/status/{exchange}")],
    "market_holidays": [("v2", "GET", "/v2/market/holidays")],
    "market_holiday": [("v2", "GET", "/v2/market/holidays/{date}")],
    "market_timings": [("v2", "GET", "/v2/market/timings/{date}")],
    "instrument_search": [("v2", "GET", "/v2/instruments/search")],
    "instrument_file": [("assets", "GET", "/market-quote/instruments/exchange/{file}.json.gz")],
    "feed_authorize": [("v3", "GET", "/v3/feed/market-data-feed/authorize")],
    "portfolio_feed_authorize": [("v2", "GET", "/v2/feed/portfolio-stream-feed/authorize")],
}
PUBLISHED_ORDERS = {
    "order_place": [("v3", "POST", "/v3/order/place"), ("v2", "POST", "/v2/order/place")],
    "order_modify": [("v3", "PUT", "/v3/order/modify"), ("v2", "PUT", "/v2/order/modify")],
    "order_cancel": [("v3", "DELETE", "/v3/order/cancel"), ("v2", "DELETE", "/v2/order/cancel")],
    "order_multi_place": [("v2", "POST", "/v2/order/multi/place")],
    "order_multi_cancel": [("v2", "DELETE", "/v2/order/multi/cancel")],
    "positions_exit": [("v2", "POST", "/v2/order/positions/exit")],
    "order_book": [("v2", "GET", "/v2/order/retrieve-all")],
    "order_details": [("v2", "GET", "/v2/order/details")],
    "order_history": [("v2", "GET", "/v2/order/history")],
    "trades": [("v2", "GET", "/v2/order/trades/get-trades-for-day")],
    "order_trades": [("v2", "GET", "/v2/order/trades")],
    "past_trades": [("v2", "GET", "/v2/charges/historical-trades")],
    "gtt_place": [("v3", "POST", "/v3/order/gtt/place")],
    "gtt_modify": [("v3", "PUT", "/v3/order/gtt/modify")],
    "gtt_cancel": [("v3", "DELETE", "/v3/order/gtt/cancel")],
    "gtt_details": [("v3", "GET", "/v3/order/gtt")],
    "positions": [("v2", "GET", "/v2/portfolio/short-term-positions")],
    "mtf_positions": [("v3", "GET", "/v3/portfolio/mtf-positions")],
    "holdings": [("v2", "GET", "/v2/portfolio/long-term-holdings")],
    "position_convert": [("v2", "PUT", "/v2/portfolio/convert-position")],
    "brokerage": [("v2", "GET", "/v2/charges/brokerage")],
    "margin": [("v2", "POST", "/v2/charges/margin")],
    "pnl_metadata": [("v2", "GET", "/v2/trade/profit-loss/metadata")],
    "pnl_data": [("v2", "GET", "/v2/trade/profit-loss/data")],
    "pnl_charges": [("v2", "GET", "/v2/trade/profit-loss/charges")],
    "kill_switch": [("v2", "GET", "/v2/user/kill-switch")],
    "kill_switch_set": [("v2", "POST", "/v2/user/kill-switch")],
}
GUIDE = {
    "order_place": "POST /orders/v3/regular/create",
    "order_modify": "PUT /orders/v3/regular/modify",
    "order_cancel": "DELETE /orders/v3/regular/cancel/{order_id}",
    "order_book": "GET /orders",
    "trades": "GET /trades",
    "position_convert": "POST /portfolio/positions/convert",
    "pnl_data": "GET /portfolio/trades/p-and-l",
    "pnl_charges": "GET /portfolio/trades/charges",
    "quotes": "POST /market-quote/quotes/v3/",
    "history_bars": "GET /market-quote/candles/v3/{instrument_key}",
    "market_status": "GET /market-status",
    "market_holidays": "GET /market-holidays",
    "market_timings": "GET /market-timings",
    "feed_authorize": "POST /feed/market-data-feed/authorize/v3",
}


def test_every_published_route_is_the_documented_one() -> None:
    table = {op.name: [(r.version, r.method, r.path) for r in op.routes(Profile.UPSTOX)] for op in OPERATIONS}

    assert table == PUBLISHED


def test_every_published_order_route_is_the_documented_one() -> None:
    table = {op.name: [(r.version, r.method, r.path) for r in op.routes(Profile.UPSTOX)] for op in ORDER_OPERATIONS}

    assert table == PUBLISHED_ORDERS


def test_only_the_paths_of_placing_changing_and_cancelling_are_on_the_order_host() -> None:
    fast = {row.path for op in ORDER_OPERATIONS for row in (*op.published, *op.guide) if row.base is Base.ORDER}

    assert fast == {f"/{version}/order/{what}" for version in ("v2", "v3") for what in ("place", "modify", "cancel")}


def test_what_changes_something_is_marked_and_counted_in_its_group() -> None:
    groups = {op.name: op.group for op in ORDER_OPERATIONS if op.writes}

    assert groups == {
        **dict.fromkeys(
            ("order_place", "order_modify", "order_cancel", "gtt_place", "gtt_modify", "gtt_cancel"), "orders"
        ),
        **dict.fromkeys(("order_multi_place", "order_multi_cancel", "positions_exit"), "bulk_orders"),
        **dict.fromkeys(("position_convert", "kill_switch_set"), "standard"),
    }
    asked = {op.name for op in ORDER_OPERATIONS if not op.writes}
    assert {op.group for op in ORDER_OPERATIONS if op.name in asked} == {"standard"}
    assert all(op.needs_token for op in ORDER_OPERATIONS)


def test_history_without_a_first_date_is_the_documented_one() -> None:
    assert [(r.version, r.method, r.path) for r in HISTORY_BARS_TO] == [
        ("v3", "GET", "/v3/historical-candle/{instrument_key}/{unit}/{interval}/{to_date}"),
        ("v2", "GET", "/v2/historical-candle/{instrument_key}/{v2_interval}/{to_date}"),
    ]


def test_the_guides_paths_stand_word_for_word_and_come_first_in_its_profile() -> None:
    table = {op.name: f"{op.guide[0].method} {op.guide[0].path}" for op in (*OPERATIONS, *ORDER_OPERATIONS) if op.guide}

    assert table == GUIDE
    for op in (*OPERATIONS, *ORDER_OPERATIONS):
        assert op.routes(Profile.GUIDE) == (*op.guide, *op.published)


def test_the_guides_paths_are_written_in_the_guide(shared_guide: str) -> None:
    for route in GUIDE.values():
        assert f"`{route}`" in shared_guide


def test_limits_are_the_documented_windows() -> None:
    windows = {group: [(w.calls, w.seconds) for w in limits] for group, limits in RATE_LIMITS.items()}

    assert windows == {
        "standard": [(50, 1), (500, 60), (2000, 1800)],
        "orders": [(10, 1), (500, 60), (2000, 1800)],
        "bulk_orders": [(4, 1), (40, 60), (160, 1800)],
    }
