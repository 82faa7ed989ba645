"""Portfolio services, as the v3 guide promises them: profit and loss, what trades cost, and positions that go from one
product to another.

from services.portfolio_services_v3 import PortfolioServicesV3

portfolio = PortfolioServicesV3()
portfolio.get_pnl_report(start_date="2026-04-01", end_date="2026-11-20")
portfolio.calculate_pnl_summary()["net_pnl"]
portfolio.get_charges(trade_id="75217301")
portfolio.convert_position(symbol="INFY", quantity=10, from_product="MIS", to_product="CNC")

Amounts are `Decimal` rupees to the paisa. What is not known is `None`, with the reason beside it, and never zero.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

if __name__ == "__main__":  # run as a file, Python looks for `services` beside it and not where it is
    import sys
    from pathlib import Path

    sys.path[0] = str(Path(__file__).resolve().parents[1])

from services.acting import acting
from services.domain.actors import Actor
from services.domain.clock import ist_date
from services.domain.errors import InvalidRequest, NotSent, OrderOutcomeUnknown, UpstoxError
from services.domain.intents import IntentState
from services.domain.orders import OrderRequest, OrderType, Product, Side, read_product
from services.orders.symbols import instrument_named
from services.orders.views import Outcome
from services.pnl.charging import computed_charges, segments_and_years
from services.pnl.reports import SEGMENTS
from services.pnl.telling import charges_told, report_told
from services.portfolio.money import rupees_of_paise
from services.runtime import get_runtime
from services.self_check import INFOSYS, assure, main

ANSWER_SECONDS = 10.0
"""`calculate_pnl_summary` waits so long for holdings and positions."""


class PortfolioServicesV3:
    """Profit, loss and what is held, through the process's runtime. Cheap to make."""

    def __init__(self, db_path: str = "market_data.db") -> None:
        """`db_path`: the market file, relative to the data folder. Decisions stand in the ledger beside it, which is
        one for all files of a folder."""
        self._runtime = get_runtime()
        self._db_path = db_path

    # -- profit and loss -----------------------------------------------------------------------------------------

    def get_pnl_report(
        self, start_date: date | str | None = None, end_date: date | str | None = None, segment: str | None = None
    ) -> dict[str, Any]:
        """The broker's own report of realised gains from `start_date` (else the first day of the running financial
        year) to `end_date` (else today), both included; of one segment (`EQ`, `FO`, `COM`, `CD`) or of all.

        Asked for now, a call for each segment and financial year, and kept in `pnl_reports`, where the same row stands
        once however often it is told. `trades`: the rows, in the order of closing; `segments`: one entry for each call,
        whose `status` is `ok`, `stale` (what was told before; `error` says why not now) or `missing` (`error` says why;
        its amounts are `None`); `missing`: those in words. `realized_pnl`, `total_charges` and `net_pnl` are `None`
        while a segment is missing: a sum without it would be no sum. Raises what the broker raises if it told nothing.
        """
        today = ist_date(self._runtime.clock.now())
        last = today if end_date is None else _day(end_date)
        first = date(last.year - (last.month < 4), 4, 1) if start_date is None else _day(start_date)
        if last < first:
            raise InvalidRequest("the last day lies before the first")
        self._runtime.login.token()
        reports, account = self._runtime.broker_reports, self._runtime.pnl.account
        periods = reports.periods(account, first, last, _segments(segment))
        failed = reports.ask_all(periods)
        spans = [reports.span(period, failed.get(period)) for period in periods]
        if all(not span.told for span in spans):
            raise next(iter(failed.values()))
        return report_told(first, last, account, spans, [(period, reports.rows(period)) for period in periods])

    def calculate_pnl_summary(self) -> dict[str, Any]:
        """Profit and loss of the running account over all its trades, by our own book: FIFO, each fill once, whoever
        told it, charges by the rates of its day.

        `total_realized_pnl` (charges apart), `total_unrealized_pnl` (`None` if a price is missing), `total_charges`,
        `net_pnl` (realised less charges, as the P&L page shows it; what is open is not in it), `total_trades`,
        `winning_trades`, `losing_trades` (net of charges; break-even is neither), `win_rate` in percent (`None` while
        nothing was won or lost). `notes` says what is missing, `as_of` when the broker told the trades. Asks the broker
        for what the ledger lacks; if it does not answer, the figures are of what is known and `error` says so.
        """
        pnl = self._runtime.pnl
        error: UpstoxError | None = None
        try:
            pnl.refresh()
        except UpstoxError as failed:
            error = failed
        self._runtime.portfolio.first_answers(wait=ANSWER_SECONDS)
        view = pnl.read_whole()
        if error is not None and view.as_of is None and view.empty:
            raise error
        total, figures, open_now = view.total, view.statistics, view.unrealised_total
        return {
            "total_realized_pnl": rupees_of_paise(total.gross),
            "total_unrealized_pnl": None if open_now.paise is None else rupees_of_paise(open_now.paise),
            "total_charges": rupees_of_paise(total.charges.total),
            "net_pnl": rupees_of_paise(total.net),
            "total_trades": figures.trades,
            "winning_trades": figures.wins,
            "losing_trades": figures.losses,
            "win_rate": None if figures.win_rate.value is None else round(figures.win_rate.value, 2),
            "account": view.account,
            "as_of": view.as_of,
            "error": None if error is None else str(error),
            "notes": [*view.missing, *([f"unrealised: {open_now.why_not}"] if open_now.why_not else [])],
        }

    def get_charges(self, trade_id: str | None = None) -> dict[str, Any]:
        """What a trade cost, line by line, by our own rates; without an id, all trades of the running account together.
        Kept in `trade_charges`.

        `status`: `computed`; or why the amounts, which are all `None` then, are not known: a trade that nobody knows,
        or one older than the rates. `total brokerage stt exchange_charges ipft sebi stamp_duty clearing dp gst`: its
        share of the contract note of its day, which its trades add up to. An exchange counts anew each day: where
        several trades have the number, the amounts are of all of them and `trades` has each. `broker`: the charges that
        the broker told last for the financial year and segment of the trade, all trades together (it tells no
        single ones); `None`: it was not asked yet (`get_pnl_report` asks). `as_of`: when the broker told the trades;
        `notes` says what of them is missing.
        """
        view = self._runtime.pnl.read_whole()
        charges = computed_charges(view, None if trade_id is None else str(trade_id))
        self._runtime.trade_charges.keep(charges)
        reports = self._runtime.broker_reports
        told = charges_told(trade_id, charges, reports.beside(view.account, segments_and_years(view, charges)))
        return told | {"as_of": view.as_of, "notes": list(view.missing)}

    # -- positions -----------------------------------------------------------------------------------------------

    def convert_position(
        self,
        symbol: str,
        quantity: int,
        from_product: str,
        to_product: str,
        transaction_type: str = "BUY",
        *,
        intent_id: str | None = None,
        actor: Actor | None = None,
    ) -> bool:
        """Turn `quantity` units of a position from one product into another: `MIS` or `I` (intraday), `CNC`, `NRML` or
        `D` (delivery, carry forward).

        `symbol`: an instrument key, or a symbol; a bare one means the share on NSE, else on BSE, else the only
        instrument of that name. `transaction_type` is the side that opened the position. True: the broker has done it.
        False: the broker refused, and the reason is in the ledger. `intent_id`: the decision; the same one again sends
        nothing and gives the first answer. `actor`: who decided, else the person at the screen or the user
        of the operating system.

        Raises `InvalidRequest` for nonsense and for what the desk's own checks refuse, `UnknownInstrument`,
        `LoginRequired`, `NotSent` if it certainly never left, and `OrderOutcomeUnknown` if no answer came: then the
        desk looks for it, and a second call must not be made with another id before that is settled.
        """
        side, old, new = _side(transaction_type), read_product(from_product), read_product(to_product)
        if old is new:
            raise InvalidRequest(f"the position is held as {old.value} already: there is nothing to convert")
        instrument = instrument_named(symbol, self._runtime.instruments)
        outcome = self._runtime.orders.convert(
            instrument.key,
            side,
            quantity,
            old,
            new,
            intent_id=intent_id or f"convert-{uuid.uuid4().hex}",
            actor=actor or acting(),
        )
        return _was_taken(outcome)


def _day(told: date | str) -> date:
    if isinstance(told, datetime):
        return told.date()
    if isinstance(told, date):
        return told
    try:
        return date.fromisoformat(str(told))
    except ValueError:
        raise InvalidRequest(f"{str(told)[:20]!r} is not a date (YYYY-MM-DD)") from None


def _segments(segment: str | None) -> tuple[str, ...]:
    if segment is None:
        return SEGMENTS
    word = str(segment).strip().upper()
    if word not in SEGMENTS:
        raise InvalidRequest(f"segment {str(segment)[:20]!r}: {', '.join(SEGMENTS)}")
    return (word,)


def _side(text: str) -> Side:
    word = str(text).strip().upper()
    if word not in set(Side):
        raise InvalidRequest(f"transaction type {str(text)[:20]!r}: BUY or SELL, the side that opened the position")
    return Side(word)


def _was_taken(outcome: Outcome) -> bool:
    match outcome.state:
        case IntentState.ACCEPTED:
            return True
        case IntentState.REFUSED:
            return False
        case IntentState.NOT_SENT:
            raise NotSent(outcome.reason or "the request was not sent")
        case IntentState.ABSENT | IntentState.ABANDONED:
            raise NotSent(outcome.reason or "the broker's books do not show that it was done; look before sending anew")
        case _:
            raise OrderOutcomeUnknown(
                outcome.reason or "no answer came; the desk looks for it in the broker's positions",
                intent_id=outcome.intent_id,
                tag=outcome.tag,
            )


def check_itself() -> Iterator[str]:
    """One share bought and sold again: the result, its charges, and that the parts add up."""
    desk, actor = get_runtime().orders, acting()
    for side in (Side.BUY, Side.SELL):
        request = OrderRequest(
            key=INFOSYS, side=side, quantity=1, order_type=OrderType.MARKET, product=Product.DELIVERY
        )
        outcome = desk.place(request, intent_id=str(uuid.uuid4()), actor=actor)
        assure(bool(outcome.order_ids), f"the order was not taken: {outcome.reason}")
    portfolio = PortfolioServicesV3()
    summary = portfolio.calculate_pnl_summary()
    assure(summary["total_trades"] == 1, f"1 closed trade was expected, not {summary['total_trades']}")
    gross, charges, net = (summary[name] for name in ("total_realized_pnl", "total_charges", "net_pnl"))
    assure(gross - charges == net, f"{gross} less {charges} is not {net}")
    yield f"bought and sold one share: ₹{gross} less charges of ₹{charges} is ₹{net}"
    told = portfolio.get_charges()
    assure(told["total"] == charges, f"charges are {told['total']} here and {charges} there")
    yield f"charges by our own rates: brokerage ₹{told['brokerage']}, STT ₹{told['stt']}, GST ₹{told['gst']}"
    assure(portfolio.get_charges("no such trade")["total"] is None, "an unknown trade was given amounts")
    yield "an unknown trade has no amounts"


if __name__ == "__main__":
    main(check_itself)
