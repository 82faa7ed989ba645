"""The whole comparison: ours beside the broker's report and positions, and beside contract notes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

import numpy as np

from services.pnl.comparisons import ReconcileView, SpanCheck
from services.pnl.kept import KeptBook
from services.pnl.prices import Prices
from services.pnl.reconciling import check_notes, check_positions, check_span, unknown_words
from services.pnl.reports import SEGMENTS, BrokerReports
from services.pnl.values import Filter
from services.pnl.views import PnlView
from services.portfolio.lots.fills import day_of
from services.portfolio.records import StoredNote


def beside_the_broker(
    view: PnlView,
    account: str,
    only: Filter,
    today: date,
    *,
    running: bool,
    ask: bool,
    reports: BrokerReports,
    prices: Prices,
    notes: Iterable[StoredNote],
) -> ReconcileView:
    """`view`: of all of `account`, which is the `running` one or not. `ask`: have the broker's reports told anew. What
    it does not tell stands there as missing, with the reason."""
    kept = view.kept
    first, last = _span_of(kept, account, only, today)
    spans: list[SpanCheck] = []
    if running and first <= last:
        segments = [only.segment] if only.segment else SEGMENTS
        periods = reports.periods(account, first, last, segments)
        failed = reports.ask_all(periods) if ask else {}
        spans = [check_span(kept, account, reports.span(period, failed.get(period))) for period in periods]
    unknown = unknown_words(kept, account, first, last)
    if not running:
        unknown.insert(0, "the broker tells nothing of an account that is not the running one")
    if only.last is None or only.last >= today:
        unknown.append("the broker's report knows finished days only: it is compared up to yesterday")
    now = prices.now(kept, view.keys, account, account)
    by_instrument, totals = prices.positions()
    return ReconcileView(
        account=account,
        first=first,
        last=last,
        spans=tuple(spans),
        notes=tuple(check_notes(kept, [one for one in notes if one.account in {"", account}])),
        positions=tuple(check_positions(kept, account, today, now.held, by_instrument, totals)) if running else (),
        positions_at=now.held_at,
        positions_error=now.error,
        unknown=(*view.missing, *unknown),
    )


def _span_of(kept: KeptBook, account: str, only: Filter, today: date) -> tuple[date, date]:
    """The days to compare: from the first trade of the account, if nothing else is said, to yesterday."""
    yesterday = today - timedelta(days=1)
    fills, names = kept.book.fills, kept.book.matched.names
    mine = np.array([name.account == account for name in names], bool)
    days = fills.day[mine[fills.series]] if len(fills) else fills.day
    begins = day_of(int(days.min())) if len(days) else yesterday
    return only.first or begins, min(only.last or yesterday, yesterday)
