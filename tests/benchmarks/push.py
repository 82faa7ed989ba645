"""From the broker to the screens: a desk as a person starts it, many clients of its push channel, and one real browser.

The broker's frames are encoded beforehand, and every row tells when it was sent: what the browser paints, it can date.
The clients that are no browser live in one process of their own. The peer is a bare server that sends a stamp to a bare
page of the same browser before and after: what machine and browser take by themselves.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from typing import Any

from dashboard.push.fields import PLACE
from services.runtime import Runtime
from services.settings import load_settings
from tests.benchmarks.processes import Process, chromium, cpu_seconds, process
from tests.benchmarks.push_broker import Ticking
from tests.benchmarks.push_clients import Crowd, Heard
from tests.benchmarks.surroundings import share_met
from tests.benchmarks.table import Row
from tests.support.chromium import find_chromium
from tests.support.desk import Desk

SHARES, TICKS_A_SECOND, PER_FRAME = 200, 4, 20
"""Each share ticks so often."""
LIST, LISTS = 50, 8
"""So many shares on a screen; so many different screens, which overlap."""
SESSIONS, CROWD = 50, 200
PAINT_SECONDS, COST_SECONDS, BARE_SECONDS, COST_TURNS = 8.0, 3.5, 3.0, 3
MOST_PAINT_MS, MOST_COST = 100.0, 5.0
NOISY_MS = 50.0
"""The bare way leaves the desk less than half of what it may take: nothing can be told."""
BARE_EVERY_SECONDS = 0.05


def run() -> list[Row]:
    """All rows; a minute. None where there is no Chromium."""
    if find_chromium() is None:
        print("push is not measured: there is no Chromium", file=sys.stderr)
        return []
    with ExitStack() as closing:
        broker = closing.enter_context(process("tests.benchmarks.push_broker"))
        clients = closing.enter_context(process("tests.benchmarks.push_clients"))
        browser = closing.enter_context(chromium())
        told = broker.ask(asdict(Ticking(SHARES, SHARES * TICKS_A_SECOND, PER_FRAME)))
        folder = Path(closing.enter_context(TemporaryDirectory()))
        desk = closing.enter_context(_desk(folder / "data", told))
        bench = Bench(told["keys"], broker, desk, clients, browser)
        return [*_painted(bench), *_cost(bench)]


# -- the pieces ------------------------------------------------------------------------------------------------------


@contextmanager
def _desk(data_dir: Path, told: dict[str, Any]) -> Iterator[Desk]:
    """A desk beside that broker, with one watchlist: the first shares."""
    base = dict.fromkeys(("api_base", "order_base", "assets_base"), told["base_url"])
    settings = load_settings(data_dir=data_dir, access_token=told["access_token"], _env_file=None, **base)
    with Runtime(settings) as runtime:
        runtime.watchlists.create("Benchmark", told["keys"][:LIST])
    environment = {f"DESK_{name.upper()}": value for name, value in base.items()}
    with Desk(data_dir, environment=environment | {"DESK_ACCESS_TOKEN": told["access_token"]}) as desk:
        yield desk


@dataclass(frozen=True, slots=True)
class Bench:
    """Everything that runs."""

    keys: list[str]
    broker: Process
    desk: Desk
    clients: Process
    browser: Any

    def crowd(self, token: str, clients: int, seconds: float) -> Crowd:
        shift = len(self.keys) // LISTS
        around = self.keys * 2
        lists = [around[place * shift : place * shift + LIST] for place in range(LISTS)]
        return Crowd(self.desk.url, token, lists, clients, seconds)

    @contextmanager
    def listening(self, token: str, clients: int, seconds: float) -> Iterator[list[Heard]]:
        """So many clients listen inside the block, which lasts as long; what they heard is there at its end."""
        heard: list[Heard] = []
        assert self.clients.ask(asdict(self.crowd(token, clients, seconds))) == {"listening": clients}
        yield heard
        heard.append(Heard(**self.clients.hear()))


@dataclass(frozen=True, slots=True)
class Used:
    """CPU of the processes, in percent of a core."""

    desk: float
    broker: float


@contextmanager
def _used(bench: Bench) -> Iterator[list[Used]]:
    found: list[Used] = []
    began, before = time.monotonic(), [cpu_seconds(pid) for pid in (bench.desk.pid, bench.broker.pid)]
    yield found
    seconds = time.monotonic() - began
    after = [cpu_seconds(pid) for pid in (bench.desk.pid, bench.broker.pid)]
    found.append(Used(*(100 * (late - early) / seconds for early, late in zip(before, after, strict=True))))


# -- to the screen ---------------------------------------------------------------------------------------------------

WATCH = """([traded, fromFeed]) => {
  const hub = globalThis.deskLive, receive = hub.receive
  const found = globalThis.found = []
  hub.receive = function (message) {
    const came = Date.now()
    receive.call(this, message)
    const sent = Object.values(message.rows).filter(row => row[fromFeed]).map(row => row[traded])
    if (message.t !== "diff" || sent.length === 0) return
    requestAnimationFrame(() => {
      const channel = new MessageChannel() // its message comes after the frame was painted
      channel.port1.onmessage = () => {
        const painted = Date.now()
        for (const at of sent) found.push([came - at, painted - at])
      }
      channel.port2.postMessage(null)
    })
  }
}"""
"""What the page paints, dated: for each row of a message the time from its sending by the broker to its arrival, and to
the frame that shows it."""

_BARE = """url => {
  const place = document.body.appendChild(document.createElement("p")), found = globalThis.found = []
  const socket = new WebSocket(url)
  socket.onmessage = event => {
    place.textContent = event.data
    const at = Number(event.data.split(" ")[0])
    requestAnimationFrame(() => {
      const channel = new MessageChannel()
      channel.port1.onmessage = () => found.push([0, Date.now() - at])
      channel.port2.postMessage(null)
    })
  }
}"""


def _painted(bench: Bench) -> list[Row]:
    page = _open(bench)
    token = page.evaluate("deskLive.push.token")
    bare = _bare(bench)
    with bench.listening(token, SESSIONS - 1, 3.0):
        pass  # every share is subscribed and asked for; the stream has begun
    page.evaluate(WATCH, [PLACE["last_trade_ms"], PLACE["from_feed"]])
    with bench.listening(token, SESSIONS - 1, PAINT_SECONDS) as heard, _used(bench) as used:
        time.sleep(PAINT_SECONDS - 0.5)
        found: list[list[float]] = page.evaluate("found")
    page.context.close()
    bare += _bare(bench)
    arrived, painted = _percentiles([one[0] for one in found]), _percentiles([one[1] for one in found])
    control = _percentiles([one[1] for one in bare])
    noisy = control.p95 > NOISY_MS
    met = painted.p95 <= MOST_PAINT_MS
    [told] = heard
    how = f"{SHARES} shares at {TICKS_A_SECOND} a second, {LIST} on each screen"
    expected = LIST * TICKS_A_SECOND * (PAINT_SECONDS - 0.5)
    return [
        Row(f"tick to painted, p95, {SESSIONS} sessions", painted.p95, control.p95, None, f"<= {MOST_PAINT_MS:g} ms",
            met, "ms", f"median {painted.p50:.0f}; {len(found):,} paints of {expected:,.0f} ticks; {how}; peer: a bare "
            "server and page" + (f"; these alone took more than {NOISY_MS:g} ms" if noisy else "")),
        Row("  tick to the browser's socket, p95", arrived.p95, None, None, "", None, "ms",
            f"median {arrived.p50:.0f}"),
        Row(f"  tick to the other {SESSIONS - 1} clients, p95", told.p95, None, None, "", None, "ms",
            f"median {told.p50:.0f}; {told.messages / told.seconds / (SESSIONS - 1):.1f} messages/s each, "
            f"{told.bytes / max(told.messages, 1) / 1000:.1f} kB; {told.lost} lost"),
        Row("  CPU of the desk meanwhile", used[0].desk, None, None, "", None, "% of a core",
            f"the broker {used[0].broker:.1f} %, the clients {100 * told.cpu_seconds / told.seconds:.1f} %"),
    ]  # fmt: skip


def _open(bench: Bench) -> Any:
    """The page with the quotes, showing live prices."""
    page = bench.browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    page.set_default_timeout(60_000)
    page.goto(f"{bench.desk.url}/quotes")
    page.locator(f'.status[data-priced="{LIST}"]').wait_for()
    page.wait_for_function("globalThis.deskLive?.known && deskLive.rows.size > 0")
    return page


def _bare(bench: Bench) -> list[list[float]]:
    """The same way without a desk."""
    with process("tests.benchmarks.push_bare") as server:
        told = server.ask({"every": BARE_EVERY_SECONDS})
        page = bench.browser.new_context().new_page()
        page.evaluate(_BARE, told["url"])
        time.sleep(BARE_SECONDS)
        found: list[list[float]] = page.evaluate("found")
        page.context.close()
    return found


@dataclass(frozen=True, slots=True)
class Percentiles:
    p50: float
    p95: float


def _percentiles(milliseconds: Sequence[float]) -> Percentiles:
    cuts = quantiles(milliseconds, n=20)
    return Percentiles(cuts[9], cuts[18])


# -- what it costs ---------------------------------------------------------------------------------------------------


def _cost(bench: Bench) -> list[Row]:
    page = _open(bench)
    token = page.evaluate("deskLive.push.token")
    page.context.close()
    none: list[Used] = []
    many: list[Used] = []
    heard: list[Heard] = []
    for _ in range(COST_TURNS):
        with _used(bench) as used:
            time.sleep(COST_SECONDS)
        none += used
        with bench.listening(token, CROWD, COST_SECONDS) as told, _used(bench) as used:
            time.sleep(COST_SECONDS - 0.5)
        many += used
        heard += told
    alone, crowded = (median(one.desk for one in used) for used in (none, many))
    cost = crowded - alone
    met, remark = share_met(cost, MOST_COST)
    last: Heard = heard[-1]
    how = f"{last.messages / last.seconds / CROWD:.1f} messages/s each, {LISTS} different lists; {last.lost} lost"
    return [
        Row(f"cost of {CROWD} push clients", cost, None, None, f"<= {MOST_COST:g} %", met, "% of a core",
            f"the desk with them, {crowded:.1f} %, less without any, {alone:.1f} %; {how}; "
            f"median of {COST_TURNS}{remark}"),
        Row(f"  tick to each of the {CROWD}, p95", median(told.p95 for told in heard), None, None, "", None, "ms",
            f"median {median(told.p50 for told in heard):.0f}"),
    ]  # fmt: skip
