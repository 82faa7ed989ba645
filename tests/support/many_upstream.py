"""How many connections a broker has had at once."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Self

import requests

from tests.support.many import Team


class Upstream:
    """Looks ten times a second who is connected to the broker's feeds, and keeps the most that it has seen at once."""

    def __init__(self, team: Team) -> None:
        self._team = team
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="upstream", daemon=True)
        self.most: dict[str, int] = {"market": 0, "portfolio": 0}
        self.looks = 0
        self.failed: list[str] = []

    def _run(self) -> None:
        while not self._end.wait(0.1):
            try:
                seen = self._team.upstream()
            except (requests.RequestException, ValueError, KeyError) as error:
                self.failed.append(repr(error))
                continue
            self.looks += 1
            for feed, most in self.most.items():
                self.most[feed] = max(most, len(seen[feed]))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._end.set()
        self._thread.join(30)
