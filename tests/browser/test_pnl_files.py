"""Files in a real browser: a tradebook goes in, workbook and CSV come out, the report becomes a PDF."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pandas as pd
import pytest

from tests.support.downloads import downloaded
from tests.support.shared_data import shared
from tests.support.widths import sideways
from tests.support.workbooks import ReadWorkbook

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

LINK = "/pnl?period=all&account=Zerodha&part="
HEADING = "symbol,isin,trade_date,exchange,segment,trade_type,quantity,price,trade_id,order_id"
REFUSED = f"{HEADING}\nINFY,INE009A01021,2024-04-01,NSE,EQ,buy,ten,1500,X1,O1\n"
SLEEPLESS = "[data-testid=stApp][data-test-script-state=notRunning]"


def dialog(page):
    return page.get_by_role("dialog")


def choose(page, file):
    page.get_by_role("button", name="Import a file").click()
    dialog(page).locator("input[type=file]").set_input_files(file)


def fits(page):
    return sideways(page) <= 0


def made(page, kind, folder):
    """Make a file of the results and take it."""
    page.get_by_role("button", name="Export", exact=True).click()
    page.get_by_role("radio", name=kind, exact=True).click()
    page.get_by_text(re.compile("Excel, several" if kind == "Workbook" else "CSV of the closed")).wait_for()
    page.get_by_role("button", name="Make the file").click()
    file = downloaded(page, "Download 27 trades", ".xlsx" if kind == "Workbook" else ".csv")
    path = folder / file.suggested_filename
    file.save_as(path)
    page.get_by_role("button", name="Another file").click()
    page.get_by_role("button", name="Make the file").wait_for()
    page.keyboard.press("Escape")
    return path


@pytest.fixture(scope="module")
def imported(desk, chromium):
    """The desk with the real tradebook in it, which is taken out again at the end."""
    book = shared("data/tradebook/zerodha_tradebook_fy2425_A-J.csv")
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.set_default_timeout(45_000)
    page.goto(desk.url + LINK + "Records")
    choose(page, str(book))
    dialog(page).get_by_role("button", name="Import 169 trades").click()
    page.get_by_text("169 trades, 35 symbols").wait_for()
    yield desk.url + LINK
    page.get_by_role("button", name="Remove").click()
    dialog(page).get_by_role("button", name="Remove").click()
    page.get_by_text("None yet. Import the tradebook").wait_for()
    context.close()


def test_a_tradebook_goes_in_and_files_come_out(imported, open_page, tmp_path: Path):
    page = open_page(imported + "Records")
    choose(page, {"name": "refused.csv", "mimeType": "text/csv", "buffer": REFUSED.encode()})
    dialog(page).get_by_text("1 row refused").wait_for()
    assert dialog(page).get_by_role("button", name="Nothing in it can be used").is_disabled()
    dialog(page).get_by_role("button", name="Leave it").click()
    dialog(page).wait_for(state="detached")

    book = ReadWorkbook(made(page, "Workbook", tmp_path).read_bytes())
    assert book.line("Gross")[0] == round(book.line("Gross")[1], 6) == -2715.96
    assert book.line("Closed trades")[0] == 27
    table = pd.read_csv(io.BytesIO(made(page, "Trades", tmp_path).read_bytes()))
    assert round(table["gross (₹)"].sum(), 2) == -2715.96
    assert round(table["net (₹)"].sum(), 2) == round(book.line("Net")[1], 2)

    with page.context.expect_page() as opening:
        page.get_by_role("link", name="Print").click()
    sheet = opening.value
    sheet.get_by_text("For the tax return").wait_for()
    assert "account=Zerodha" in sheet.url
    sheet.get_by_role("button", name="Print or save as PDF").wait_for()
    sheet.emulate_media(media="print", color_scheme="dark")
    assert not sheet.locator("[data-testid=stSidebar]").is_visible()
    assert not sheet.get_by_role("button", name="Print or save as PDF").is_visible()
    report = sheet.locator(".desk-report")
    assert report.evaluate("node => getComputedStyle(node).color") == "rgb(0, 0, 0)"
    pdf = sheet.pdf(prefer_css_page_size=True)
    assert pdf.startswith(b"%PDF-")
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) in (2, 3)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_tabs_fit_on_a_phone(imported, open_page, scheme):
    for part, words in {
        "Tax": "Short-term capital gains",
        "Reconciliation": "What cannot be known",
        "Records": "Rates and plan",
    }.items():
        page = open_page(imported + part, width=390, height=844, scheme=scheme)
        page.get_by_text(words).first.wait_for()
        page.locator(SLEEPLESS).wait_for()
        assert fits(page), part
