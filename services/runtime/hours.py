"""What can be traded, and when: instruments and calendar."""

from __future__ import annotations

from pathlib import Path

from services.calendar import ALERT_KIND, Calendar
from services.domain.calendar.calendar import market_of
from services.domain.phases import PhaseNow
from services.instrument_master import InstrumentMaster
from services.parts import part
from services.runtime.core import MARKET_FILE, CoreRuntime
from services.settings import Mode, Settings


class HoursRuntime(CoreRuntime):
    """Instruments, and the market's hours."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._calendars: dict[str | Path, Calendar] = {}

    def phase(self, segment: str = "NSE_EQ") -> PhaseNow:
        """The phase of the real market in `segment`, by this process's clock. Makes no request."""
        return self.calendar.phase(market_of(segment))

    @part
    def instruments(self) -> InstrumentMaster:
        return InstrumentMaster(pool=self.market_pool, download=self.api.instrument_file, clock=self.clock)

    def calendar_in(self, db_path: str | Path = MARKET_FILE) -> Calendar:
        """The market calendar with the broker's answers kept in that market file, one per file. It asks nobody before
        its `start`."""
        known = self._calendars.get(db_path)  # the common way, without a lock: entries are only ever added
        if known is not None:
            return known
        pool, api, clock, alerts = self.pool(db_path), self.api, self.clock, self.alerts
        with self._registry:
            if pool.path not in self._calendars:
                if self._closed:
                    raise RuntimeError("the runtime is closed; the calendar was asked for")
                made = Calendar(
                    ask=api,
                    pool=pool,
                    clock=clock,
                    raise_alert=lambda message, **told: alerts.raise_alert(ALERT_KIND, message, **told),
                    resolve_alerts=lambda but: alerts.resolve_all(ALERT_KIND, but=but),
                    judges=self._judges,
                    practice=lambda: self.source.practice,
                    broker=self._broker_name(),
                )
                self._calendars[pool.path] = self.keep(made, "calendar", busy=True)
            return self._calendars.setdefault(db_path, self._calendars[pool.path])

    @property
    def calendar(self) -> Calendar:
        """Is it open, until when, and why not: the desk's own table with the broker's word over it."""
        return self.calendar_in()

    def _judges(self) -> bool:
        """Of several processes that raise and end the same alerts, the one that leads does; without Redis each does."""
        shared = self.shared
        if shared is None or self.settings.ledger_url is None:
            return True
        return shared.lease.leads() or not shared.link.state().up

    def _broker_name(self) -> str:
        """Who speaks, in the middle of a sentence."""
        if self.settings.mode is Mode.PAPER:
            return "the paper broker"
        return "the rehearsal broker" if self.settings.live_rehearsal else "Upstox"

    @property
    def speed(self) -> float:
        """Seconds of the desk's clock in a real one."""
        return self._broker_time.clock.speed
