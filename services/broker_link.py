"""Where the broker is, and what time it is there: the real addresses, or a paper broker that is found or started."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock

import orjson

from services.domain.clock import Clock, HostClock, ScaledClock
from services.domain.errors import ConfigurationError, MalformedPayload
from services.domain.quotes import PriceSource
from services.paper.finding import Found, find_or_start
from services.paper.options import PaperOptions
from services.settings import UPSTOX_API, UPSTOX_ASSETS, UPSTOX_ORDER, Mode, Settings
from services.transport.http import HttpClient
from services.wire.endpoints import Base


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """Where the broker is. `label` is for the screen; a paper broker hands out its own token."""

    api: str
    order: str
    assets: str
    label: str

    def base(self, which: Base) -> str:
        return {Base.API: self.api, Base.ORDER: self.order, Base.ASSETS: self.assets}[which]


@dataclass(frozen=True, slots=True)
class BrokerTime:
    """What a paper broker says of its clock and its prices."""

    clock: Clock
    source: PriceSource


class BrokerLink:
    """The broker of this process. `close()` stops a paper broker that is ours."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self._settings = settings
        self._found = _FoundBroker(folder, _paper_options(settings, folder)) if settings.starts_own_broker else None

    def address(self) -> BrokerAddress:
        """Where requests go now. In paper mode without an address this finds the running broker or starts one."""
        given = self._settings
        if self._found is not None:
            base = self._found.now().base_url
            return BrokerAddress(base, base, base, "paper broker of this desk")
        if given.api_base is not None:
            label = "rehearsal broker" if given.live_rehearsal else "paper broker"
            return BrokerAddress(
                given.api_base,
                given.order_base or given.api_base,
                given.assets_base or given.api_base,
                f"{label} at {given.api_base}",
            )
        return BrokerAddress(UPSTOX_API, given.order_base or UPSTOX_ORDER, given.assets_base or UPSTOX_ASSETS, "Upstox")

    def ask_time(self, http: Callable[[], HttpClient]) -> BrokerTime:
        """The clock and the price source: in live mode the host's clock; a paper broker is asked, once."""
        host = HostClock(time.time)
        if self._settings.mode is Mode.LIVE:
            label = "rehearsal broker" if self._settings.live_rehearsal else "Upstox"
            return BrokerTime(host, PriceSource("upstox", label))
        address = self.address()
        asked = time.monotonic()
        answer = http().send("GET", f"{address.api}/_paper/clock")
        if answer.status != 200:
            raise ConfigurationError(f"{address.label} is not a paper broker of this desk: it tells no clock")
        return _read_broker_time(answer.body, host, (time.monotonic() - asked) / 2)

    def access_token(self) -> str | None:
        """The token that a paper broker hands to the desks of its machine; `None` where a person has to log in."""
        given = self._settings
        if given.mode is not Mode.PAPER:
            return None
        if self._found is not None:
            return self._found.now().access_token()
        return given.access_token.get_secret_value() if given.access_token else None

    def seek(self) -> None:
        """The paper broker took no connection: if its process is gone, find the next one or take its place."""
        if self._found is not None:
            self._found.seek()

    def close(self) -> None:
        if self._found is not None:
            self._found.close()


class _FoundBroker:
    """The paper broker of a data folder: found or started on first need, looked for again when it is gone."""

    def __init__(self, folder: Path, options: PaperOptions) -> None:
        self._folder = folder
        self._options = options
        self._lock = Lock()
        self._found: Found | None = None
        self._ended = False

    def now(self) -> Found:
        if self._found is not None:
            return self._found
        return self.seek()

    def seek(self) -> Found:
        """Find the broker that runs now, or start one. Bounded by the finder's own deadline."""
        with self._lock:
            if self._ended:
                raise RuntimeError("the runtime is closed; the broker was asked for")
            if self._found is not None and self._found.server is not None:
                return self._found  # it is ours: it lives as long as we do
            self._found = find_or_start(self._folder, self._options)
            return self._found

    def close(self) -> None:
        with self._lock:
            self._ended = True
            if self._found is not None:
                self._found.close()


def _paper_options(settings: Settings, folder: Path) -> PaperOptions:
    return PaperOptions(
        folder=folder,
        clock=settings.paper_clock,
        seed=settings.paper_seed,
        instruments=settings.paper_instruments,
        prices=settings.paper_prices,
        candles=settings.paper_candles,
        faults=settings.paper_faults,
    )


def _read_broker_time(body: bytes, host: Clock, half_trip: float) -> BrokerTime:
    """What `/_paper/clock` told, as a clock and a price source."""
    try:
        told = orjson.loads(body)
        mode, speed, source = str(told["mode"]), float(told["speed"]), str(told["source"])
        then = datetime.fromisoformat(told["now"])
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise MalformedPayload("the paper broker's clock cannot be read", field="_paper/clock") from error
    if mode == "simulated":
        clock: Clock = ScaledClock(then + timedelta(seconds=half_trip * speed), speed=speed, monotonic=time.monotonic)
    else:
        clock = host
    kind, _, day = source.partition(":")
    label = f"replay of {day}" if kind == "replay" else kind
    return BrokerTime(clock, PriceSource(kind, label, practice=mode == "always"))
