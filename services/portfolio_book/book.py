"""The account's positions, holdings and money for everybody in this process.

The broker is asked while somebody looks, and at once when the order stream tells of a change; what it told last stays,
with its age, while it cannot be asked: a failure is never an empty account. Prices come from the desk's quotes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Protocol, TypeVar

from services.domain.accounts import Funds
from services.domain.clock import Clock
from services.domain.positions import Holding, Position
from services.domain.quote_row import QuoteRow
from services.portfolio_book.kept import Kept
from services.portfolio_book.marks import HoldingLines, PositionLines
from services.portfolio_book.views import FundsView, HoldingsView, PositionsView

POSITIONS_SECONDS = 6.0
MTF_SECONDS = 60.0
HOLDINGS_SECONDS = 60.0
FUNDS_SECONDS = 20.0
"""Between two questions while somebody looks and nothing is told to have changed."""
LEASE_SECONDS = 20.0
HOLDER_OF_POSITIONS, HOLDER_OF_HOLDINGS = "positions", "holdings"
WAIT_SECONDS = 15.0
"""`refresh` waits so long for an answer; a read of the desk ends by itself before."""
WORKERS = 3

T = TypeVar("T")


class Quotes(Protocol):
    """The desk's quotes."""

    def last_known(self, keys: Collection[str]) -> Mapping[str, QuoteRow]: ...

    def watch(self, holder: str, keys: Collection[str], seconds: float) -> None: ...


class PortfolioBook:
    """Positions, holdings and money of the account that is logged in. Any thread; nothing here waits but where `wait`
    says so, and `refresh`. Threads: up to three named `portfolio-ask-*`, each in a question to the broker."""

    def __init__(
        self,
        *,
        positions: Callable[[], Sequence[Position]],
        mtf_positions: Callable[[], Sequence[Position]],
        holdings: Callable[[], Sequence[Holding]],
        funds: Callable[[], Funds],
        quotes: Callable[[], Quotes],
        clock: Clock,
        who: Callable[[], str] = lambda: "",
        monotonic: Callable[[], float] = time.monotonic,
        workers: Executor | None = None,
    ) -> None:
        """`who` is logged in ("" = nobody): one person's account is never shown to another."""
        self._quotes = quotes
        self._monotonic = monotonic
        self._workers = workers or ThreadPoolExecutor(WORKERS, thread_name_prefix="portfolio-ask")

        def kept(ask: Callable[[], T], name: str, every: float) -> Kept[T]:
            return Kept(
                ask, name=name, every_seconds=every, workers=self._workers, clock=clock, who=who, monotonic=monotonic
            )

        self._positions = kept(lambda: tuple(map(PositionLines.of, positions())), "positions", POSITIONS_SECONDS)
        self._mtf = kept(lambda: tuple(map(PositionLines.of, mtf_positions())), "MTF positions", MTF_SECONDS)
        self._holdings = kept(lambda: tuple(map(HoldingLines.of, holdings())), "holdings", HOLDINGS_SECONDS)
        self._funds = kept(funds, "funds", FUNDS_SECONDS)

    def positions(self, *, wait: float = 0.0) -> PositionsView:
        """The positions at the prices of now, those that are closed since this morning included. Asks the broker if it
        is time for that; waits at most `wait` seconds for a first answer."""
        known, mtf = self._positions.look(wait=wait), self._mtf.look()
        together = _together(known.value or (), mtf.value or ())
        rows = self._quotes_of([one.position.key for one in together], HOLDER_OF_POSITIONS)
        marked = [one.at(rows.get(one.position.key), known.as_of) for one in together]
        marked.sort(key=lambda one: (not one.is_open, one.position.symbol, one.position.product))
        return PositionsView(tuple(marked), known.as_of, known.error, mtf.error if mtf.value is None else None)

    def holdings(self, *, wait: float = 0.0) -> HoldingsView:
        """The holdings at the prices of now; otherwise as `positions`."""
        known = self._holdings.look(wait=wait)
        held = known.value or ()
        rows = self._quotes_of([one.holding.key for one in held], HOLDER_OF_HOLDINGS)
        marked = [one.at(rows.get(one.holding.key), known.as_of) for one in held]
        marked.sort(key=lambda one: one.holding.symbol)
        return HoldingsView(tuple(marked), known.as_of, known.error)

    def funds(self, *, wait: float = 0.0) -> FundsView:
        """The money; otherwise as `positions`."""
        known = self._funds.look(wait=wait)
        return FundsView(known.value, known.as_of, known.error)

    def first_answers(self, *, wait: float) -> None:
        """Ask for all that is due, at the same time, and wait at most `wait` seconds for what was never told yet: a
        page should not begin without it."""
        asked = (self._positions, self._holdings, self._funds)
        for kept in asked:
            kept.look()
        until = self._monotonic() + wait
        for kept in asked:
            kept.look(wait=max(0.0, until - self._monotonic()))

    def changed(self) -> None:
        """Something was bought, sold or converted: what is known of it is old. Never waits."""
        for kept in (self._positions, self._holdings, self._funds):
            kept.changed()

    def heard(self, update: Mapping[str, object]) -> None:
        """An update of the portfolio stream, as the broker spells it (a listener of that stream). Never waits."""
        kind = update.get("update_type")
        if kind == "position":
            self._positions.changed()
            self._funds.changed()
        elif kind == "holding":
            self._holdings.changed()
        elif kind == "order" and update.get("filled_quantity"):
            self.changed()

    def refresh(self) -> None:
        """Ask for all of it now, and wait for the answers. Raises what the first that failed met."""
        for kept in (self._positions, self._holdings, self._funds):
            kept.renewed(wait=WAIT_SECONDS)

    def close(self) -> None:
        """Ask no more; questions that are under way end by themselves."""
        self._workers.shutdown(wait=False, cancel_futures=True)

    def _quotes_of(self, keys: Collection[str], holder: str) -> Mapping[str, QuoteRow]:
        if not keys:
            return {}
        quotes = self._quotes()
        quotes.watch(holder, keys, LEASE_SECONDS)
        return quotes.last_known(keys)


def _together(positions: Sequence[PositionLines], mtf: Sequence[PositionLines]) -> list[PositionLines]:
    """Both lists, what is in both once."""
    told = {(one.position.key, one.position.product) for one in positions}
    return [*positions, *(one for one in mtf if (one.position.key, one.position.product) not in told)]
