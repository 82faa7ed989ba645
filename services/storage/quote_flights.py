"""Requests on their way, so that nobody asks for a key that somebody else is waiting for already."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from threading import Event

from services.domain.errors import NoAnswer, UpstoxError
from services.domain.quote_row import QuoteRow


class Flight:
    """One chunk of keys that is being fetched. Written by the thread that fetches, read by others after `wait`."""

    def __init__(self, keys: Sequence[str], start_by: float = float("inf")) -> None:
        """`start_by`: the monotonic instant after which it is not worth starting any more."""
        self.keys = tuple(keys)
        self.start_by = start_by
        self.rows: Mapping[str, QuoteRow] = {}
        unknown = NoAnswer("the request for this quote broke off")  # until something better is known
        self.problems: Mapping[str, UpstoxError] = dict.fromkeys(self.keys, unknown)
        self.calls = 0
        self.fetch_ms = 0.0
        self.api_version: str | None = None
        self._landed = Event()

    def land(self) -> None:
        """What there is to know stands in the members now."""
        self._landed.set()

    def wait(self) -> None:
        """Bounded by the fetch itself, which always ends (every request has its time limits)."""
        self._landed.wait()


class Flights:
    """Flights by key. Not locked: the quote book's lock guards it."""

    def __init__(self) -> None:
        self._by_key: dict[str, Flight] = {}

    def split(self, keys: Iterable[str]) -> tuple[list[Flight], list[str]]:
        """The flights that some of `keys` are on, each once, and the keys that are on none."""
        joined: dict[int, Flight] = {}
        rest: list[str] = []
        for key in keys:
            flight = self._by_key.get(key)
            if flight is None:
                rest.append(key)
            else:
                joined[id(flight)] = flight
        return list(joined.values()), rest

    def add(self, flight: Flight) -> None:
        self._by_key.update(dict.fromkeys(flight.keys, flight))

    def remove(self, flight: Flight) -> None:
        for key in flight.keys:
            if self._by_key.get(key) is flight:
                del self._by_key[key]

    def all(self) -> list[Flight]:
        return list({id(flight): flight for flight in self._by_key.values()}.values())
