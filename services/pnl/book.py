"""Profit and loss of the desk: views of the book, what the broker is asked for, and both side by side."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from threading import Event, Lock

from services.domain.clock import Clock, ist_date
from services.domain.errors import InvalidRequest, StorageError, UpstoxError
from services.pnl.actions import Actions
from services.pnl.asking import TradeSource
from services.pnl.beside import beside_the_broker
from services.pnl.building import Builder
from services.pnl.comparisons import ReconcileView
from services.pnl.current import LINGER_SECONDS, CurrentBook
from services.pnl.imports import Imports
from services.pnl.journal import Journal
from services.pnl.kept import KeptBook
from services.pnl.previews import Identity
from services.pnl.prices import OpenNow, Prices
from services.pnl.rates import ChargeRates
from services.pnl.reports import BrokerReports
from services.pnl.values import ALL_ACCOUNTS, EVERYTHING, RUNNING_ACCOUNT, Filter, PnlState
from services.pnl.views import PnlView
from services.portfolio.records import JournalNote
from services.storage.background import Recurring

FIRST_WAIT = 1.0
"""A read waits so long for the very first book."""
ASK_SECONDS = 60.0
"""Between two questions to the broker while somebody looks."""
AGAIN_SECONDS = 15.0
"""After a question that failed."""

log = logging.getLogger(__name__)


class PnlBook:
    """Any thread. `read` makes no request; `refresh` and `reconcile` wait for the broker. The thread `pnl-ask` asks,
    while there is something to do."""

    def __init__(
        self,
        *,
        builder: Builder,
        source: TradeSource,
        reports: BrokerReports,
        prices: Prices,
        imports: Imports,
        journal: Journal,
        actions: Actions,
        rates: ChargeRates,
        clock: Clock,
        account: Callable[[], str],
        trading_days: Callable[[date, date], Sequence[date] | None] = lambda first, last: None,
        told_at: Callable[[], datetime | None] = lambda: None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`account`: the name of the running account, "" while nobody knows it. `trading_days`: of a span, `None` where
        they are not known. `told_at`: when the trades of today were told to another part of the desk."""
        self.imports, self.journal, self.actions, self.rates = imports, journal, actions, rates
        self._current = CurrentBook(builder, account=lambda: self.account, monotonic=monotonic)
        self._source = source
        self._reports = reports
        self._prices = prices
        self._clock = clock
        self._name = account
        self._trading_days = trading_days
        self._told_at = told_at
        self._monotonic = monotonic
        self._guard = Lock()  # guards all below
        self._known_account = ""
        self._as_of: datetime | None = None
        self._error: UpstoxError | None = None
        self._asked = float("-inf")
        self._asking = False
        self._notes: tuple[str, Mapping[str, JournalNote]] = ("", {})
        self._closed = Event()
        self._asker = Recurring(self._ask_step, name="pnl-ask", linger=LINGER_SECONDS)

    # -- what is known -----------------------------------------------------------------------------------------

    @property
    def account(self) -> str:
        """The running account; the last one that was known while nobody is logged in."""
        name = self._name()
        with self._guard:
            if name:
                self._known_account = name
            return self._known_account

    @property
    def state(self) -> PnlState:
        account = self.account
        built, building, _ = self._current.state()
        with self._guard:
            return PnlState(
                version=0 if built is None else built.version,
                account=account,
                as_of=self._as_of,
                trades=0 if built is None else len(built.kept.book.fills),
                building=building,
                asking=self._asking,
                error=self._error,
            )

    def known(self) -> frozenset[Identity]:
        """Fills that are known without any imported file. Waits for the first book."""
        built = self._current.get(FIRST_WAIT * 30)
        return frozenset() if built is None else built.known

    def read(self, only: Filter = EVERYTHING, *, capital: Decimal | None = None) -> PnlView:
        """The book through `only`. Makes no request; a book that is out of date is built anew in the background, and
        a small one while the caller waits a moment."""
        return self._view(only, capital, FIRST_WAIT)

    def read_whole(self, only: Filter = EVERYTHING, *, capital: Decimal | None = None) -> PnlView:
        """As `read`, but waits until the book holds all that is stored. For programs."""
        view = self._view(only, capital, 120.0, fresh=True)
        if view.version == 0:
            raise StorageError("the trades of this desk could not be read") from self._current.state()[2]
        return view

    def start(self) -> None:
        """Build the book in the background, so that the first reader need not wait. Asks nobody."""
        self._current.look()

    def changed(self) -> None:
        """Something of which the book is made has changed. Never waits."""
        self._current.changed()

    # -- what is asked -----------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Ask the broker for the trades that the ledger lacks, and wait for them. Raises what it raises."""
        with self._guard:
            self._asking = True
            self._asked = self._monotonic()
        error: UpstoxError | None = None
        try:
            account = self.account
            at = self._source.read(account)
        except UpstoxError as failed:
            error = failed
            raise
        else:
            with self._guard:
                self._as_of = at
        finally:
            with self._guard:
                self._asking, self._error = False, error
            self._current.changed(stored=True)

    def refresh_if_due(self) -> None:
        """Ask in the background if it is time for that. Never waits."""
        with self._guard:
            pause = ASK_SECONDS if self._error is None else AGAIN_SECONDS
            if self._asking or self._monotonic() - self._asked < pause or self._closed.is_set():
                return
            self._asking = True
            self._asked = self._monotonic()
        self._asker.ensure()

    def reconcile(self, only: Filter = EVERYTHING, *, ask: bool = True) -> ReconcileView:
        """Ours beside the broker's report and positions and beside imported contract notes, from `only.first` to
        `only.last`, at most to yesterday. `ask=False`: beside what the broker told last. Never raises for what the
        broker does not tell: it stands there as missing, with the reason. `StorageError` where the desk's own trades
        cannot be read. Notes are compared whatever their day."""
        account = self.account if only.account in {RUNNING_ACCOUNT, ALL_ACCOUNTS} else only.account
        view = self._view(Filter(account=account), None, 30.0, fresh=ask)
        if view.version == 0:  # an empty book would be compared as if nothing had ever been traded
            error = self._current.state()[2]
            raise StorageError("the trades of this desk could not be read, so there is nothing to compare") from error
        return beside_the_broker(
            view,
            account,
            only,
            ist_date(self._clock.now()),
            running=account == self.account,
            ask=ask,
            reports=self._reports,
            prices=self._prices,
            notes=self.imports.notes(),
        )

    def close(self) -> None:
        self._closed.set()
        self._current.close()
        self._asker.close()

    # -- inside ------------------------------------------------------------------------------------------------

    def _view(self, only: Filter, capital: Decimal | None, wait: float, *, fresh: bool = False) -> PnlView:
        built = self._current.get(wait, fresh=fresh)
        account, now = self.account, self._clock.now()
        _, building, build_error = self._current.state()
        with self._guard:
            error, as_of = self._error, self._as_of
        missing: list[str] = []
        if build_error is not None:
            missing.append(f"the trades of this desk could not be read: {build_error}")
        if error is not None:
            missing.append(f"the trades could not be read from the broker: {error}")
        if built is None:
            return PnlView(
                KeptBook.of(()), only, account=account, now=now, missing=missing, building=build_error is None
            )
        wanted = None if only.account == ALL_ACCOUNTS else only.account or account
        open_now: OpenNow = self._prices.now(built.kept, built.keys, wanted, account)
        if open_now.error and wanted in {None, account}:
            missing.append(f"holdings and positions: {open_now.error}")
        told_at = self._told_at()
        return PnlView(
            built.kept,
            only,
            account=account,
            version=built.version,
            now=now,
            as_of=max((one for one in (as_of, told_at) if one is not None), default=None),
            sources=built.sources,
            missing=[*missing, *built.missing],
            building=building,
            past_asked=self._source.asks_past,
            old=error is not None or build_error is not None,
            prices=open_now.prices,
            held=open_now.held,
            held_at=open_now.held_at,
            notes=self._journal_notes(),
            capital=capital,
            trading_days=self._trading_days,
            keys=built.keys,
            settings=built.settings,
        )

    def _journal_notes(self) -> Mapping[str, JournalNote]:
        stamp = self.journal.stamp()
        with self._guard:
            if self._notes[0] == stamp:
                return self._notes[1]
        notes = self.journal.all()
        with self._guard:
            self._notes = (stamp, notes)
        return notes

    def _ask_step(self) -> float | None:
        with self._guard:
            due = self._asking
        if due and not self._closed.is_set():
            try:
                self.refresh()
            except (UpstoxError, InvalidRequest) as error:
                log.info("the trades that the ledger lacks were not told: %s", error)
        return None
