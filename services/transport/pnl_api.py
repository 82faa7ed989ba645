"""The broker's report of realised gains as typed methods: one segment and one financial year a call."""

from __future__ import annotations

from services.domain.errors import MalformedPayload
from services.domain.pnl_reports import BrokerCharges, ReportPeriod, ReportRow
from services.transport.call import Call
from services.transport.caller import Caller
from services.wire import endpoints, pnl

LARGEST_PAGE = 5000
MOST_PAGES = 1000
"""A mistaken count must end somewhere."""


class PnlApi:
    """Safe to share between threads."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def size(self, period: ReportPeriod) -> pnl.ReportSize:
        """How many rows `period` has, and how many of them come in one page."""
        call = Call(endpoints.PNL_METADATA, params=pnl.period_params(period))
        return self._caller.read(call, pnl.parse_report_size).value

    def report(self, period: ReportPeriod) -> tuple[int, list[ReportRow]]:
        """The number of rows that the metadata tells, and the rows, page after page. One page that fails fails the
        whole: a part of a report is none. Where fewer rows come than were told, both are given back as they came."""
        size = self.size(period)
        found: list[ReportRow] = []
        page_size = min(size.page_size_limit, LARGEST_PAGE)
        number = 1
        while len(found) < size.trades:
            if number > MOST_PAGES:
                raise MalformedPayload(f"a report of {size.trades} trades does not end", field="trades_count")
            page = self.page(period, number, page_size)
            if page.number is not None and page.number != number:
                raise MalformedPayload(
                    f"page {number} of the report was asked for and page {page.number} came", field="page_number"
                )
            if not page.rows:
                break
            found += page.rows
            number += 1
        return size.trades, found

    def page(self, period: ReportPeriod, number: int, size: int) -> pnl.ReportPage:
        """One page, counted from 1."""
        params = pnl.period_params(period) | {"page_number": str(number), "page_size": str(size)}
        return self._caller.read_page(Call(endpoints.PNL_DATA, params=params), pnl.parse_report_page).value

    def charges(self, period: ReportPeriod) -> BrokerCharges:
        """What all trades of `period` cost together."""
        call = Call(endpoints.PNL_CHARGES, params=pnl.period_params(period))
        return self._caller.read(call, pnl.parse_report_charges).value
