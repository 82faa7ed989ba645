"""Sessions of a desk that are no browsers, many in one process: each has a page open, as Streamlit speaks with it, and
its way for prices.

Each line of input is a `Wish`; it is answered by one line when so many sessions are open, and by a `Served` after the
time in which they were watched. Sessions stay open until the input ends.
"""

from __future__ import annotations

import gc
import random
import selectors
import sys
import time
from dataclasses import asdict, dataclass
from statistics import median

import orjson

from tests.benchmarks.open_page import OpenPage
from tests.benchmarks.push_clients import READ_EVERY, Listener, lateness, say

OPEN_SECONDS, AT_ONCE = 40.0, 4
"""For the new pages to open, and how many of them at a time."""
BEGIN_SECONDS = 3.0
SETTLE_SECONDS = 3.0
"""Opening the pages is work too, and is not what is measured."""


@dataclass(frozen=True, slots=True)
class Wish:
    """So many sessions in all, the n-th over the n-th of the lists (and from the beginning again)."""

    url: str
    token: str
    page: str
    names: list[str]
    lists: list[list[str]]
    sessions: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Served:
    """What became of them. Milliseconds."""

    seconds: float
    runs: int
    """Of fragments, in all sessions, that were over in that time."""
    asked: int
    """Timers of all sessions, for each second: what should have run."""
    took: list[float]
    """From the question for a fragment to Streamlit's word that it ran; what is not over yet counts as it stands."""
    late: list[float]
    """From the broker's sending of a tick to its message, some of them."""
    messages: int
    lost: int
    """Connections that were cut off."""
    cpu_seconds: float


class Sessions:
    """All that are open."""

    def __init__(self) -> None:
        self._chance = random.Random(7)
        self._selector = selectors.DefaultSelector()
        self._pages: list[OpenPage] = []
        self._listeners: list[Listener] = []
        self._late: list[float] = []
        self._lost = 0

    def open(self, wish: Wish) -> int:
        """A few at a time, until there are so many or the time is over; how many are open then. Those that are open
        only listen meanwhile: how quickly pages open beside others is not what is measured. What did not open stays
        asked for, and counts as late."""
        if not self._pages:
            self._ask_for_all(wish)
        end = time.monotonic() + OPEN_SECONDS
        while (opening := self._opening()) or len(self._pages) < wish.sessions:
            if time.monotonic() > end:
                print(self._not_open(wish.sessions), file=sys.stderr)
                break
            if len(self._pages) < wish.sessions and opening < AT_ONCE:
                self._add(wish)
            self._live(self._chance.uniform(0.05, 0.15), asking=False)  # timers are spread, as people come
        now = time.monotonic()
        for page in self._pages:
            page.pass_over_missed(now)
        return len(self._pages) - self._opening()

    def _opening(self) -> int:
        return sum(not page.ready for page in self._pages)

    def _add(self, wish: Wish) -> None:
        place = len(self._pages) % len(wish.lists)
        listener = Listener(wish.url, wish.token, wish.lists[place])
        page = OpenPage(wish.url, wish.page, wish.names[place])
        for one in (listener, page):
            self._selector.register(one.sock, selectors.EVENT_READ, one)
        self._pages.append(page)
        self._listeners.append(listener)

    def _not_open(self, sessions: int) -> str:
        """Which pages, and what they have."""
        late = [f"the {place + 1}. has {page}" for place, page in enumerate(self._pages) if not page.ready]
        return f"{len(self._pages) - len(late)} of {sessions} pages opened; {'; '.join(late[:3])}"

    def _ask_for_all(self, wish: Wish) -> None:
        """The broker begins once everything was asked for, and then tells everything for good."""
        all_of_them = [Listener(wish.url, wish.token, keys) for keys in wish.lists]
        time.sleep(BEGIN_SECONDS)
        for one in all_of_them:
            one.close()

    def watch(self, seconds: float) -> Served:
        """What they are told in that time."""
        self._live(SETTLE_SECONDS)
        for page in self._pages:
            page.took.clear()
        self._late.clear()
        messages, runs = (sum(given) for given in self._counts())
        began, used = time.monotonic(), time.process_time()
        self._live(seconds)
        now = time.monotonic()
        after = [sum(given) for given in self._counts()]
        overdue = [1000 * (now - at) for page in self._pages for at in page.waiting]
        took = [one for page in self._pages for one in page.took]
        return Served(
            seconds=now - began,
            runs=after[1] - runs,
            asked=round(sum(page.rate for page in self._pages)),
            took=took + [one for one in overdue if one > median(took or [0.0])],
            late=list(self._late),
            messages=after[0] - messages,
            lost=self._lost,
            cpu_seconds=time.process_time() - used,
        )

    def _counts(self) -> tuple[list[int], list[int]]:
        return [one.messages for one in self._listeners], [page.runs for page in self._pages]

    def _live(self, seconds: float, *, asking: bool = True) -> None:
        end = time.monotonic() + seconds
        while (now := time.monotonic()) < end:
            due = min([end, *[page.due for page in self._pages if asking]])
            for key, _ in self._selector.select(max(0.0, due - now)):
                self._take(key.data)
            now = time.monotonic()
            for page in self._pages if asking else ():
                page.ask_what_is_due(now)

    def _take(self, one: OpenPage | Listener) -> None:
        if isinstance(one, OpenPage):
            there = one.serve(time.monotonic())
        else:
            there = (messages := one.read()) is not None
            for text in messages or ():
                if one.messages % READ_EVERY == 0:
                    self._late += lateness(text)
        if not there:
            self._selector.unregister(one.sock)
            self._lost += 1
            if isinstance(one, OpenPage):
                self._pages.remove(one)


def main() -> None:
    """One wish after the other."""
    sessions = Sessions()
    gc.collect()
    gc.freeze()
    for line in sys.stdin:
        wish = Wish(**orjson.loads(line))
        say({"open": sessions.open(wish)})
        say(asdict(sessions.watch(wish.seconds)))


if __name__ == "__main__":
    main()
