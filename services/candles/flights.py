"""Calls on their way, so that nobody asks for days that somebody else is waiting for already."""

from __future__ import annotations

from threading import Event, Lock

from services.candles.shelf import SeriesKey
from services.domain.day_spans import Span
from services.domain.errors import UpstoxError


class Flight:
    """One call for some days of one series. Written by the thread that asks, read by others after `wait`."""

    def __init__(self, of: SeriesKey, span: Span) -> None:
        self.of = of
        self.span = span
        self.error: UpstoxError | None = None
        self._landed = Event()

    def wait(self) -> None:
        """Bounded by the call itself, which always ends."""
        self._landed.wait()

    def land(self) -> None:
        self._landed.set()


class Flights:
    """Every call on its way. The lock guards the list; it is not held while anybody waits."""

    def __init__(self) -> None:
        self._guard = Lock()
        self._aloft: list[Flight] = []

    def join_or_start(self, of: SeriesKey, span: Span) -> tuple[Flight, bool]:
        """The flight that some of these days are on already, or a new one; True: it is the caller's own, to be
        ended by `end`."""
        with self._guard:
            for flight in self._aloft:
                if flight.of == of and flight.span[0] < span[1] and span[0] < flight.span[1]:
                    return flight, False
            mine = Flight(of, span)
            self._aloft.append(mine)
            return mine, True

    def end(self, flight: Flight, error: UpstoxError | None = None) -> None:
        """What there is to know of it is stored, or stands in `error`."""
        with self._guard:
            self._aloft.remove(flight)
        flight.error = error
        flight.land()
