"""Profit and loss of the desk: the book kept between questions, what the broker is asked for, and both side by side."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from threading import Condition, Event, Lock

from services.domain.clock import Clock, ist_date
from services.domain.errors import InvalidRequest, StorageError, UpstoxError
from services.pnl.actions import Actions
from services.pnl.asking import TradeSource
from services.pnl.beside import beside_the_broker
from services.pnl.building import Builder, Built
from services.pnl.comparisons import ReconcileView
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
QUICK_BUILD = 0.4
"""A book that was built within this is built anew while its reader waits, at most `SHORT_WAIT`."""
SHORT_WAIT = 1.0
REST = 2.0
"""Between two builds at least so many times as long as one took: a large book leaves the processor to others."""
LOOK_SECONDS = 0.2
"""Between two looks whether anything has changed."""
ASK_SECONDS = 60.0
"""Between two questions to the broker while somebody looks."""
AGAIN_SECONDS = 15.0
"""After a failure."""
LINGER_SECONDS = 20.0

log = logging.getLogger(__name__)


class PnlBook:
    """Any thread. `read` makes no request; `refresh` and `reconcile` wait for the broker.

    Threads: `pnl-book` builds, `pnl-ask` asks, each while there is something to do. The lock guards what is below it
    and is held across neither.
    """

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
        self._builder = builder
        self._source = source
        self._reports = reports
        self._prices = prices
        self._clock = clock
        self._name = account
        self._trading_days = trading_days
        self._told_at = told_at
        self._monotonic = monotonic
        self._news = Condition(Lock())  # guards all below
        self._built: Built | None = None
        self._build_error: Exception | None = None
        self._builds = 0
        self._changes = 0
        self._known_account = ""
        self._looked = float("-inf")
        self._finished = float("-inf")
        self._wanted = False
        self._as_of: datetime | None = None
        self._error: UpstoxError | None = None
        self._asked = float("-inf")
        self._asking = False
        self._notes: tuple[str, Mapping[str, JournalNote]] = ("", {})
        self._closed = Event()
        self._building = Recurring(self._build_step, name="pnl-book", linger=LINGER_SECONDS)
        self._asker = Recurring(self._ask_step, name="pnl-ask", linger=LINGER_SECONDS)

    # -- what is known -----------------------------------------------------------------------------------------

    @property
    def account(self) -> str:
        """The running account; the last one that was known while nobody is logged in."""
        name = self._name()
        with self._news:
            if name:
                self._known_account = name
            return self._known_account

    @property
    def state(self) -> PnlState:
        account = self.account
        with self._news:
            built = self._built
            return PnlState(
                version=0 if built is None else built.version,
                account=account,
                as_of=self._as_of,
                trades=0 if built is None else len(built.kept.book.fills),
                building=self._wanted,
                asking=self._asking,
                error=self._error,
            )

    def known(self) -> frozenset[Identity]:
        """Fills that are known without any imported file. Waits for the first book."""
        built = self._current(FIRST_WAIT * 30)
        return frozenset() if built is None else built.known

    def read(self, only: Filter = EVERYTHING, *, capital: Decimal | None = None) -> PnlView:
        """The book through `only`. Makes no request; a book that is out of date is built anew in the background, and
        a small one while the caller waits a moment."""
        return self._view(only, capital, FIRST_WAIT)

    def read_whole(self, only: Filter = EVERYTHING, *, capital: Decimal | None = None) -> PnlView:
        """As `read`, but waits until the book holds all that is stored. For programs."""
        view = self._view(only, capital, 120.0, fresh=True)
        if view.version == 0:
            with self._news:
                error = self._build_error
            raise StorageError("the trades of this desk could not be read") from error
        return view

    def start(self) -> None:
        """Build the book in the background, so that the first reader need not wait. Asks nobody."""
        self._look()

    def changed(self) -> None:
        """Something of which the book is made has changed. Never waits."""
        with self._news:
            self._changes += 1
            self._looked = float("-inf")
            built = self._built is not None
        if built:
            self._look()

    # -- what is asked -----------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Ask the broker for the trades that the ledger lacks, and wait for them. Raises what it raises."""
        with self._news:
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
            with self._news:
                self._as_of = at
        finally:
            with self._news:
                self._asking, self._error = False, error
                self._looked = float("-inf")  # the ledger's own stamp tells whether something came
                built = self._built is not None
            if built:
                self._look()

    def refresh_if_due(self) -> None:
        """Ask in the background if it is time for that. Never waits."""
        with self._news:
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
            with self._news:
                error = self._build_error
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
        with self._news:
            self._news.notify_all()
        self._building.close()
        self._asker.close()

    # -- inside ------------------------------------------------------------------------------------------------

    def _view(self, only: Filter, capital: Decimal | None, wait: float, *, fresh: bool = False) -> PnlView:
        built = self._current(wait, fresh=fresh)
        account, now = self.account, self._clock.now()
        with self._news:
            building, error, build_error, as_of = self._wanted, self._error, self._build_error, self._as_of
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
        with self._news:
            if self._notes[0] == stamp:
                return self._notes[1]
        notes = self.journal.all()
        with self._news:
            self._notes = (stamp, notes)
        return notes

    def _current(self, wait: float, *, fresh: bool = False) -> Built | None:
        """The book, after a look whether it is out of date."""
        end = self._monotonic() + wait
        while True:
            self._look(at_once=fresh)
            with self._news:
                built = self._built
                if not self._wanted:
                    return built
                if not fresh:
                    pause = wait if built is None else SHORT_WAIT if built.seconds <= QUICK_BUILD else 0.0
                    self._news.wait_for(lambda: not self._wanted or self._closed.is_set(), pause)
                    return self._built
                self._news.wait_for(lambda: not self._wanted or self._closed.is_set(), end - self._monotonic())
                given_up = self._closed.is_set() or self._monotonic() >= end
                if given_up or self._build_error is not None:
                    return self._built
            # once more: what was built may have been begun before the newest rows came

    def _look(self, *, at_once: bool = False) -> None:
        """Have the book built if it is out of date. Looks at the ledger at most every `LOOK_SECONDS`, unless it has to
        be known `at_once`."""
        with self._news:
            if self._wanted or (not at_once and self._monotonic() - self._looked < LOOK_SECONDS):
                return
            changes, built = self._changes, self._built
        stamp = self._builder.stamp(self.account, changes)
        with self._news:
            self._looked = self._monotonic()
            if built is not None and built.stamp == stamp and self._changes == changes:
                return
            self._wanted = True
        self._building.ensure()

    def _build_step(self) -> float | None:
        with self._news:
            if not self._wanted or self._closed.is_set():
                return None
            built = self._built
            rest = 0.0 if built is None else self._finished + REST * built.seconds - self._monotonic()
            if built is not None and built.seconds > QUICK_BUILD and rest > 0:
                return rest
            changes, version = self._changes, self._builds + 1
        began = self._monotonic()
        made: Built | None = None
        error: Exception | None = None
        try:
            account = self.account
            made = self._builder.build(self._builder.stamp(account, changes), account, version)
            made.kept.prepare()
        except (UpstoxError, sqlite3.Error) as failed:
            log.warning("the P&L could not be built: %s", failed)
            error = failed
        except Exception as failed:  # outermost of the thread: nobody may wait for ever for a book that is not made
            log.exception("the P&L could not be built")
            error = StorageError(f"a fault of the desk's own ({type(failed).__name__}); the log has it")
        with self._news:
            self._finished = self._monotonic()
            self._build_error = error
            if made is not None:
                self._builds = version
                self._built = made.timed(self._finished - began)
            self._wanted = False
            self._looked = float("-inf") if self._changes != changes else self._finished
            if error is not None:
                self._looked = self._finished + AGAIN_SECONDS
            self._news.notify_all()
        return None

    def _ask_step(self) -> float | None:
        with self._news:
            due = self._asking
        if due and not self._closed.is_set():
            try:
                self.refresh()
            except (UpstoxError, InvalidRequest) as error:
                log.info("the trades that the ledger lacks were not told: %s", error)
        return None
