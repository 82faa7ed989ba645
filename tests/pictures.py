"""Takes the README's pictures from a running desk, within minutes: `.venv/bin/python -m tests.pictures [NAME ...]`.

The desk runs on a simulated clock in the middle of a trading day, on an account that has traded before, so that the
pictures show the same market each time.
"""

from __future__ import annotations

import sys
import tempfile
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from dashboard.tour_steps import put_away
from services.acting import local_user
from services.domain.orders import OrderRequest, OrderType, Product, Side
from services.runtime import Runtime
from services.settings import load_settings
from tests.support.chromium import LAUNCH_ARGUMENTS, find_chromium
from tests.support.desk import Desk
from tests.support.shared_data import ROOT

FOLDER = ROOT / "docs" / "pictures"
CLOCK = "2026-11-20T13:40:00+05:30x1"
PICTURES = {
    "quotes": ("/quotes", "dark"),
    "candles": ("/candles?key=NSE_EQ%7CINE002A01018&interval=5m&range=5D&with=ema20,vwap,rsi14", "dark"),
    "orders": ("/orders?key=NSE_EQ%7CINE002A01018", "light"),
    "portfolio": ("/portfolio", "dark"),
    "pnl": ("/pnl", "light"),
    "calendar": ("/calendar", "light"),
    "overview": ("/", "light"),
    "health": ("/health", "dark"),
    "account": ("/account", "light"),
}
RELIANCE, INFY, TCS = "NSE_EQ|INE002A01018", "NSE_EQ|INE009A01021", "NSE_EQ|INE467B01029"
PAST_DAYS = 90
"""Before today on which the account has traded: P&L is a story of many days."""
SECONDS = 300.0
"""For all of it; what is not done by then is not done."""
STILL_SECONDS, UNSETTLED_SECONDS = 3.0, 25.0
"""A page is drawn when nothing was added for so long; one that never rests is taken as it is."""
SHAPE = """() => [
  document.querySelectorAll('[data-testid="stSkeleton"], [data-testid="stSpinner"], [data-stale="true"]').length,
  document.querySelectorAll('*').length, document.body.scrollHeight].join()"""


def trade(data_dir: Path) -> None:
    """A few orders from a program beside the desk, so that its pages have something to show; and the tour put away."""
    with Runtime(load_settings(data_dir=data_dir)) as runtime:
        runtime.instruments.refresh_if_due()
        put_away(runtime, local_user(), away=True)
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
        runtime.pnl.refresh()  # the year's trades, of which the pages tell


def main(asked: list[str]) -> int:
    """One PNG a picture, of those asked for or all; 1 if that cannot be, 2 if a name is none."""
    if unknown := [name for name in asked if name not in PICTURES]:
        print(f"unknown: {', '.join(unknown)}; there are: {', '.join(PICTURES)}", file=sys.stderr)
        return 2
    chromium = find_chromium()
    if chromium is None:
        print("There is no Chromium on this machine.", file=sys.stderr)
        return 1
    FOLDER.mkdir(parents=True, exist_ok=True)
    end = time.monotonic() + SECONDS
    with (
        tempfile.TemporaryDirectory() as folder,
        Desk(Path(folder) / "desk", environment={"DESK_PAPER_CLOCK": CLOCK}) as desk,
        sync_playwright() as playwright,
    ):
        desk.opened()
        trade(Path(folder) / "desk")
        browser = playwright.chromium.launch(executable_path=chromium, args=list(LAUNCH_ARGUMENTS))
        for name in asked or PICTURES:
            if time.monotonic() > end:
                print(f"not done within {SECONDS:g} s: {name} and what follows", file=sys.stderr)
                return 1
            path, scheme = PICTURES[name]
            if not _take(browser, desk.url + path, scheme, FOLDER / f"{name}-{scheme}.png"):
                print(f"{path} ends in an error; no picture of it was taken.\n{desk.log[-4000:]}", file=sys.stderr)
                return 1
            print(f"docs/pictures/{name}-{scheme}.png", flush=True)
        browser.close()
    return 0


def _take(browser: Any, url: str, scheme: str, file: Path) -> bool:
    """False: the page shows a fault of the desk's own."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    page.set_default_timeout(45_000)
    page.goto(url)
    page.wait_for_selector("h1")
    _rest(page)
    notices = page.get_by_label("Close this notice")
    while notices.count():
        notices.first.click()
        page.wait_for_timeout(300)
    sound = not page.locator('[data-testid="stException"], .stException').count()
    if sound:
        page.screenshot(path=str(file))
    context.close()
    return sound


def _rest(page: Any) -> None:
    """Wait until the page's shape stands still: prices move all the time, rows and pictures are there once."""
    shape, since = "", time.monotonic()
    end = since + UNSETTLED_SECONDS
    while time.monotonic() < min(end, since + STILL_SECONDS):
        page.wait_for_timeout(250)
        if (now := page.evaluate(SHAPE)) != shape or not now.startswith("0,"):
            shape, since = now, time.monotonic()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
