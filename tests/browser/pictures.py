"""Takes the README's pictures from a running desk: `.venv/bin/python -m tests.browser.pictures`.

The desk runs on a simulated clock in the middle of a trading day, so that the pictures show the same market each time.
"""

from __future__ import annotations

import sys
import tempfile
from decimal import Decimal
from pathlib import Path

from playwright.sync_api import sync_playwright

from services.acting import local_user
from services.domain.orders import OrderRequest, OrderType, Product, Side
from services.runtime import Runtime
from services.settings import load_settings
from tests.support.chromium import LAUNCH_ARGUMENTS, find_chromium
from tests.support.desk import Desk
from tests.support.shared_data import ROOT

FOLDER = ROOT / "docs" / "pictures"
CLOCK = "2026-11-20T13:40:00+05:30x1"
PICTURES = (
    ("quotes", "/quotes", "dark"),
    ("candles", "/candles?key=NSE_EQ%7CINE002A01018&interval=5m&range=5D&with=ema20,vwap,rsi14", "dark"),
    ("orders", "/orders?key=NSE_EQ%7CINE002A01018", "light"),
    ("portfolio", "/portfolio", "dark"),
    ("pnl", "/pnl", "light"),
    ("calendar", "/calendar", "light"),
    ("overview", "/", "light"),
    ("health", "/health", "dark"),
    ("account", "/account", "light"),
)
RELIANCE, INFY, TCS = "NSE_EQ|INE002A01018", "NSE_EQ|INE009A01021", "NSE_EQ|INE467B01029"
PAST_DAYS = 90
"""Before today on which the account has traded: P&L is a story of many days."""
SETTLED_MS = 6000
"""By then the sparklines of the default watchlist are there."""


def trade(data_dir: Path) -> None:
    """A few orders from a program beside the desk, so that its pages have something to show."""
    with Runtime(load_settings(data_dir=data_dir)) as runtime:
        runtime.instruments.refresh_if_due()
        account = runtime.paper_account
        assert account is not None
        account.reset("PAPER1", past_days=PAST_DAYS, actor=local_user())
        last = Decimal(str(runtime.quotes.get([RELIANCE]).quotes[RELIANCE]["ltp"]))
        low = (last * Decimal("0.99")).quantize(Decimal(1))
        market, limit = OrderType.MARKET, OrderType.LIMIT
        wanted = (
            OrderRequest(RELIANCE, Side.BUY, 50, market),
            OrderRequest(INFY, Side.SELL, 120, market, Product.INTRADAY),
            OrderRequest(TCS, Side.BUY, 25, market, Product.INTRADAY),
            OrderRequest(TCS, Side.SELL, 25, market, Product.INTRADAY),
            OrderRequest(RELIANCE, Side.BUY, 25, limit, price=low),
            OrderRequest(RELIANCE, Side.SELL, 20, limit, price=last + 4),
        )
        for number, request in enumerate(wanted):
            runtime.orders.place(request, intent_id=f"picture-{number}", actor=local_user())


def main() -> int:
    """Write one PNG a picture; 1 if there is no Chromium."""
    chromium = find_chromium()
    if chromium is None:
        print("There is no Chromium on this machine.")
        return 1
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        Desk(Path(folder) / "desk", environment={"DESK_PAPER_CLOCK": CLOCK}) as desk,
        sync_playwright() as playwright,
    ):
        trade(Path(folder) / "desk")
        browser = playwright.chromium.launch(executable_path=chromium, args=list(LAUNCH_ARGUMENTS))
        for name, path, scheme in PICTURES:
            context = browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme=scheme)
            page = context.new_page()
            page.goto(desk.url + path)
            page.wait_for_selector("h1")
            page.wait_for_timeout(SETTLED_MS)
            notices = page.get_by_label("Close this notice")
            while notices.count():
                notices.first.click()
                page.wait_for_timeout(300)
            page.screenshot(path=str(FOLDER / f"{name}-{scheme}.png"))
            context.close()
            print(f"docs/pictures/{name}-{scheme}.png")
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
