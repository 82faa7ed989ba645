"""The report that is printed: one page of markup with everything a reader of paper needs, and how paper shows it.

On the screen it is a sheet in the page; printed, everything around it is left out, tables begin anew on each page with
their heads, and ink is black.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from html import escape

from dashboard.formatting import MISSING, day, ist_moment, quantity
from dashboard.pnl_export import filter_words, period_words
from dashboard.pnl_markup import STYLE, Cell, Head, Row, figure_table, gain
from dashboard.pnl_record_words import SEGMENT_NAMES, plural
from dashboard.pnl_tax_words import COLUMNS, rows_of, year_name
from dashboard.pnl_words import (
    LINE_NAMES,
    NONE_AT_REST,
    AtRest,
    average,
    figure_words,
    money,
    month_word,
    not_current,
    prices_words,
    signed_money,
)
from services.pnl.views import PnlView
from services.portfolio.charges.kinds import LINES
from services.portfolio.closed import By, Sums
from services.portfolio.statistics import Figure

MOST_TRADES = 1_000
"""Closed trades that are printed; the workbook holds all."""
MOST_SYMBOLS = 60

_SUM_HEADS = (Head("", number=False), Head("Closed lots"), Head("Gross"), Head("Charges"), Head("Net"))


def report(view: PnlView, *, where: str, made: datetime, at_rest: AtRest = NONE_AT_REST) -> str:
    """The markup, style and all. `where`: mode and source of prices, in words."""
    months = view.by(By.MONTH)
    parts = [
        _head(view, where, made),
        _doubts(view),
        _result(view, at_rest),
        _section("By segment", _segments(view)),
        _section("By month", _groups(months, {one.label: month_word(one.label) for one in months})),
        _section("By share or underlying", _symbols(view)),
        _tax(view),
        _trades(view),
        f"<footer>{escape(f'Upstox Desk · {where} · made {ist_moment(made)}')}</footer>",
    ]
    return STYLE + PRINT_STYLE + '<article class="desk-report">' + "".join(parts) + "</article>"


def _head(view: PnlView, where: str, made: datetime) -> str:
    facts = {"Period": period_words(view.only), **filter_words(view), "Desk": where}
    told = f"{ist_moment(view.as_of)}{', not current' if view.old else ''}" if view.as_of else "never told"
    facts["Trades as of"] = told
    facts["Made"] = ist_moment(made)
    lines = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(text)}</dd></div>" for name, text in facts.items())
    return f"<header><h2>Profit and loss</h2><dl>{lines}</dl></header>"


def _doubts(view: PnlView) -> str:
    """What is missing comes before the figures."""
    told = [f"{one[:1].upper()}{one[1:]}".rstrip(".") + "." for one in view.missing]
    doubtful = [flag for flag in view.flags if flag.cause.doubtful]
    if view.building:
        told.append("The book was being built anew when this was made; newer trades are not in it.")
    if doubtful:
        names = ", ".join(dict.fromkeys(flag.symbol for flag in doubtful))
        told.append(f"A part of the history is missing of {names}: figures are those of the known part.")
    if view.total.unpriced:
        told.append(f"Charges of {plural(view.total.unpriced, 'lot')} are known in part: older than the rates.")
    if not told:
        return ""
    return '<div class="doubts">' + "".join(f"<p>{escape(one)}</p>" for one in told) + "</div>"


def _result(view: PnlView, at_rest: AtRest) -> str:
    total, unrealised = view.total, view.unrealised_total
    charges: list[Row] = [
        (LINE_NAMES[line], money(-total.charges.of(line))) for line in LINES if total.charges.of(line)
    ]
    rows: list[Row] = [(Cell("Gross", small="sold less bought"), gain(total.gross)), *charges]
    rows.append(("Charges", money(-total.charges.total)))
    result = figure_table("Result", (Head("Realised", number=False), Head("₹")), rows, (Cell("Net"), gain(total.net)))
    doubts = sum(bool(row.doubt) for row in view.unrealised)
    told = (prices_words(view.unrealised, view.now, at_rest), f"{quantity(doubts)} in doubt" if doubts else "")
    known = (
        Cell(signed_money(unrealised.paise), small=unrealised.why_not)
        if unrealised.paise is None
        else gain(unrealised.paise, ", ".join(filter(None, told)))
    )
    one = view.statistics
    facts: list[Row] = [
        ("Unrealised, before charges", known),
        ("Closed trades", quantity(one.trades)),
        ("Won, lost, broke even", f"{quantity(one.wins)}, {quantity(one.losses)}, {quantity(one.break_even)}"),
        ("Win rate", _figure(one.win_rate, one.trades, unit="%")),
        ("Profit factor", _figure(one.profit_factor, one.trades)),
        ("Net of a trade, on average", _figure(one.expectancy, one.trades, rupees=True)),
        ("Average win", _figure(one.average_win, one.trades, rupees=True)),
        ("Average loss", _figure(one.average_loss, one.trades, rupees=True)),
        ("Deepest drawdown", money(int(one.drawdown.rupees.scaleb(2))) if one.trades else MISSING),
    ]
    beside = figure_table(
        "Trades", (Head("Closed trades net of charges, and what is open", number=False), Head("")), facts
    )
    age = not_current(view.as_of, view.now) if view.old else ""
    words = f'<p class="age">{escape(age[:1].upper() + age[1:])}.</p>' if age else ""
    return f'<section class="pair{" old" if view.old else ""}"><div>{result}</div><div>{beside}</div>{words}</section>'


def _figure(figure: Figure, trades: int, *, rupees: bool = False, unit: str = "") -> Cell:
    """Of these trades. Why it is not known; without any trade the row that counts them tells that once."""
    why = "" if figure.known or not trades else figure.why_not
    return Cell(figure_words(figure, money=rupees, unit=unit), small=why)


def _groups(groups: Sequence[Sums], names: dict[str, str]) -> str:
    rows: list[Row] = [_sums(names.get(one.label, one.label), one) for one in groups]
    return figure_table("Groups", _SUM_HEADS, rows, folded=True) if rows else ""


def _segments(view: PnlView) -> str:
    """With why there are more lots than trades, where there are."""
    groups = view.by(By.SEGMENT)
    several = sum(one.matches for one in groups) > len(view.trades)
    return _groups(groups, SEGMENT_NAMES) + ("<p>A trade may close several lots.</p>" if several else "")


def _sums(label: str, one: Sums) -> Row:
    return (label, quantity(one.matches), gain(one.gross), money(one.charges.total), gain(one.net))


def _symbols(view: PnlView) -> str:
    groups = sorted(view.by(By.UNDERLYING), key=lambda one: (-abs(one.net), one.label))
    table = _groups(groups[:MOST_SYMBOLS], {})
    if len(groups) > MOST_SYMBOLS:
        table += f"<p>The {MOST_SYMBOLS} with the largest results of {len(groups)}; the workbook lists all.</p>"
    return table


def _tax(view: PnlView) -> str:
    """The financial years of the period."""
    first, last = view.only.first, view.only.last
    parts = []
    for year in view.years:
        figures = view.tax(year)
        if (first is None or figures.last >= first) and (last is None or figures.first <= last):
            rows = rows_of(figures.rows)
            if rows:
                parts.append(
                    figure_table(
                        year_name(figures), (Head(year_name(figures), number=False), *COLUMNS[1:]), rows, folded=True
                    )
                )
    if not parts:
        return ""
    note = "<p>Whole financial years of the account; no rate, exemption or set-off is applied.</p>"
    return _section("For the tax return", "".join(parts) + note)


def _trades(view: PnlView) -> str:
    trades, count = view.trades, len(view.trades)
    heads = (
        Head("Closed", number=False), Head("Instrument", number=False), Head("Side", number=False), Head("Quantity"),
        Head("Bought at"), Head("Sold at"), Head("Gross"), Head("Charges"), Head("Net"),
    )  # fmt: skip
    columns = (
        trades.closed_day, trades.symbol, trades.side, trades.quantity, trades.buy_average, trades.sell_average,
        trades.gross, trades.charges, trades.net, trades.doubtful,
    )  # fmt: skip
    rows: list[Row] = [
        (
            day(closed), Cell(symbol, small="in doubt" if doubtful else ""), side, quantity(units), average(bought),
            average(sold), gain(gross), money(charges), gain(net),
        )
        for closed, symbol, side, units, bought, sold, gross, charges, net, doubtful in zip(
            *(column[:MOST_TRADES].tolist() for column in columns), strict=True
        )
    ]  # fmt: skip
    if not rows:
        return f"<p>{'No closed trade is known' if view.missing else 'Nothing was closed'}.</p>"
    note = ""
    if count > MOST_TRADES:
        note = f"<p>The newest {quantity(MOST_TRADES)} of {quantity(count)}; the workbook lists all.</p>"
    return _section("Closed trades", figure_table("Closed trades", heads, rows, folded=True) + note)


def _section(title: str, body: str) -> str:
    return f"<section><h3>{escape(title)}</h3>{body}</section>" if body else ""


PRINT_STYLE = """<style>
.desk-report { max-width: 62rem; font-variant-numeric: tabular-nums }
.desk-report h2 { font-size: 1.45rem; margin: 0 0 .75rem; padding: 0 }
.desk-report h3 { font-size: 1.05rem; margin: 0 0 .4rem; padding: 0 }
.desk-report section, .desk-report header { margin: 0 0 1.75rem }
.desk-report dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)); gap: .55rem 1.5rem;
  margin: 0 !important; padding: 0 !important }
.desk-report dt { font-size: .82rem; color: color-mix(in srgb, currentColor 66%, transparent); font-weight: 400 }
.desk-report dt, .desk-report dd { margin: 0 !important; padding: 0 }
.desk-report .doubts { border: 1px solid light-dark(#b7791f, #f2b84b); border-radius: 6px; padding: .6rem .9rem;
  margin: 0 0 1.75rem }
.desk-report .doubts p { margin: 0 0 .25rem } .desk-report .doubts p:last-child { margin: 0 }
.desk-report .pair { display: grid; grid-template-columns: 1fr 1fr; gap: 0 2.5rem }
.desk-report .pair > * { min-width: 0 }
.desk-report .old tr > *, .desk-report .age { color: color-mix(in srgb, currentColor 66%, transparent) }
.desk-report .old :is(th, td) * { color: inherit }
.desk-report .age { grid-column: 1 / -1; margin: .4rem 0 0 }
.desk-report footer { font-size: .82rem; color: color-mix(in srgb, currentColor 66%, transparent) }
@media (max-width: 640px) { .desk-report .pair { grid-template-columns: 1fr; gap: 1.5rem } }
@media print {
  @page { size: A4; margin: 14mm 12mm 16mm }
  [data-testid="stHeader"], [data-testid="stSidebar"], [data-testid="stToolbar"], [data-testid="stDecoration"],
  [data-testid="stStatusWidget"], [data-testid="stSidebarCollapsedControl"], [data-testid="stToast"],
  [data-testid="stHeading"], .stBidiComponent, [data-testid="stBidiComponent"], .stButton, .stPageLink,
  [data-testid="stCaptionContainer"], [data-testid="stAlert"], [class*="st-key-desk-frame"] { display: none !important }
  html, body, .stApp, [data-testid="stAppViewContainer"], [data-testid="stMain"],
  [data-testid="stMainBlockContainer"] { position: static !important; overflow: visible !important;
    height: auto !important; min-height: 0 !important; max-width: none !important; padding: 0 !important;
    background: #fff !important }
  .stApp { color-scheme: light !important }
  .desk-report, .desk-report * { color: #000 !important }
  .desk-report { max-width: none; font-size: 9.5pt; line-height: 1.35 }
  .desk-report small, .desk-report dt, .desk-report footer, .desk-report thead th { color: #444 !important }
  .desk-report .old tr > *, .desk-report .old tr > * * { color: #666 !important }
  .desk-figures { overflow: visible; font-size: 8.5pt }
  .desk-figures thead { display: table-header-group }
  .desk-figures tr, .desk-report header, .desk-report .pair { break-inside: avoid }
  .desk-report h3 { break-after: avoid }
  .desk-figures th, .desk-figures td { padding: 1.2pt 4pt }
}
</style>"""
