"""How many people one desk carries: sessions with a page open, beside a feed of 2,000 instruments, on one machine.

Each session is what a browser does with the quotes page: the page's own timers, which ask for two fragments every two
seconds (so 1 Hz), and its way for prices, 50 rows of a list of its own. All but one are protocol clients in one
process, whose cost is told apart; the last is a real Chromium, whose updates are timed to the frame that shows them.
More sessions are added until an update takes too long.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from typing import Any

from dashboard.first_start import INDEX_KEYS
from dashboard.push.fields import PLACE
from services.runtime import Runtime
from services.settings import load_settings
from tests.benchmarks.capacity_clients import OPEN_SECONDS, Served, Wish
from tests.benchmarks.processes import Process, chromium, cpu_seconds, cpu_seconds_below, process, used_by_others
from tests.benchmarks.push import WATCH
from tests.benchmarks.push_broker import Ticking
from tests.benchmarks.table import Row
from tests.support.chromium import find_chromium
from tests.support.desk import Desk

KEYS, RATE, PER_FRAME = 2_000 - len(INDEX_KEYS), 5_000, 20
"""With the indices of every page, 2,000 are subscribed: as many as one connection gives in full."""
LIST = 50
FEW, GOAL, MANY = 20, 50, 75
SECONDS, SECONDS_OF_GOAL = 8.0, 24.0
"""One Chromium asks once a second: a p95 wants more than eight of its runs."""
MOST_MS = 300.0
MOST_OF_OTHERS = 20.0

RUNS = """() => {
  const Usual = WebSocket, runs = globalThis.deskRuns = []
  // The field of the outermost message that tells its kind: the tags are walked, lengths are skipped.
  const kinds = bytes => {
    const found = new Set()
    const number = () => { let value = 0, shift = 0, byte
      do { byte = bytes[at++]; value += (byte & 127) * 2 ** shift; shift += 7 } while (byte & 128)
      return value }
    let at = 0
    while (at < bytes.length) {
      const tag = number(), wire = tag & 7
      found.add(tag >> 3)
      if (wire === 0) number()
      else if (wire === 2) { const size = number(); at += size }
      else at += wire === 1 ? 8 : 4
    }
    return found
  }
  globalThis.WebSocket = class extends Usual {
    constructor(...given) {
      super(...given)
      if (!String(given[0]).includes("/_stcore/stream")) return
      let asked = [], running = []
      this.asks = () => asked.push(performance.now())
      this.addEventListener("message", event => {
        const kind = kinds(new Uint8Array(event.data))
        if (kind.has(NEW_SESSION)) { running.push(...asked); asked = [] }
        if (!kind.has(SCRIPT_FINISHED)) return
        const done = running
        running = []
        requestAnimationFrame(() => requestAnimationFrame(() => {
          const channel = new MessageChannel()
          channel.port1.onmessage = () => { for (const at of done) runs.push(performance.now() - at) }
          channel.port2.postMessage(null)
        }))
      })
    }
    send(data) {
      if (this.asks && kinds(new Uint8Array(data)).has(RERUN_SCRIPT)) this.asks()
      super.send(data)
    }
  }
}"""
"""What the page's own runs take, from its question to two frames after Streamlit's word that it ran."""


def run() -> list[Row]:
    """All rows; a minute and a half. None where there is no Chromium."""
    if find_chromium() is None:
        print("capacity is not measured: there is no Chromium", file=sys.stderr)
        return []
    with ExitStack() as closing:
        broker = closing.enter_context(process("tests.benchmarks.push_broker"))
        told = broker.ask(asdict(Ticking(KEYS, RATE, PER_FRAME)))
        folder = Path(closing.enter_context(TemporaryDirectory()))
        desk, lists = closing.enter_context(_desk(folder / "data", told))
        clients = closing.enter_context(process("tests.benchmarks.capacity_clients"))
        browser = closing.enter_context(chromium())
        return _rows(Bench(desk, lists, broker, clients, browser).steps())


# -- measuring -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Carried:
    """What so many sessions were given. Milliseconds, and percent of a core."""

    sessions: int
    opened: int
    """Of those; a page that did not open in time is late with what it waits for."""
    clients: Served
    painted: list[float]
    """Ticks in Chromium: from the broker's sending to the frame that shows it."""
    page_runs: list[float]
    """Fragments in Chromium."""
    cpu: Mapping[str, float]
    others: float

    @property
    def p95(self) -> float:
        """Of the slowest kind of update."""
        return max(p95(kind) for kind in self.kinds)

    @property
    def carried(self) -> bool:
        return self.p95 <= MOST_MS and self.opened == self.sessions

    @property
    def kinds(self) -> tuple[list[float], ...]:
        return self.clients.took, self.clients.late, self.page_runs, self.painted


@dataclass(frozen=True, slots=True)
class Bench:
    """Everything that runs."""

    desk: Desk
    lists: Mapping[str, list[str]]
    broker: Process
    clients: Process
    browser: Any

    def steps(self) -> list[Carried]:
        """A few sessions, the goal, and more where that was not too much."""
        page = self.browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
        page.set_default_timeout(60_000)
        page.add_init_script(f"({_script()})()")
        page.goto(f"{self.desk.url}/quotes")
        page.wait_for_function("globalThis.deskLive?.known && deskLive.rows.size > 0")
        page.evaluate(WATCH, [PLACE["last_trade_ms"], PLACE["from_feed"]])
        token = page.evaluate("deskLive.push.token")
        found = [self._step(page, token, sessions) for sessions in (FEW, GOAL)]
        if found[-1].carried:
            found.append(self._step(page, token, MANY))
        page.context.close()
        return found

    def _step(self, page: Any, token: str, sessions: int) -> Carried:
        watched = SECONDS_OF_GOAL if sessions == GOAL else SECONDS
        wish = Wish(self.desk.url, token, "quotes", list(self.lists), list(self.lists.values()), sessions - 1, watched)
        opened = int(self.clients.ask(asdict(wish))["open"]) + 1
        page.wait_for_timeout(3_000)
        page.evaluate("() => { deskRuns.length = found.length = 0 }")
        began, before, elsewhere = time.monotonic(), self._cpu(), used_by_others()
        page.wait_for_timeout(1000 * watched)
        seconds, after = time.monotonic() - began, self._cpu()
        others = used_by_others() - elsewhere - (sum(after.values()) - sum(before.values()))
        runs, painted = page.evaluate("[deskRuns, found.map(one => one[1])]")
        served = Served(**self.clients.hear())
        cpu = {name: 100 * (after[name] - before[name]) / seconds for name in after}
        return Carried(sessions, opened, served, painted, runs, cpu, max(0.0, 100 * others / seconds))

    def _cpu(self) -> dict[str, float]:
        named = {"desk": self.desk.pid, "broker": self.broker.pid, "clients": self.clients.pid}
        used = {name: cpu_seconds(pid) for name, pid in named.items()}
        return used | {"Chromium": cpu_seconds_below(os.getpid(), but=named)}


@contextmanager
def _desk(data_dir: Path, told: dict[str, Any]) -> Iterator[tuple[Desk, dict[str, list[str]]]]:
    """A desk beside that broker, with watchlists that hold every instrument of the feed once."""
    keys: list[str] = told["keys"]
    lists = {f"List {first // LIST + 1}": keys[first : first + LIST] for first in range(0, len(keys), LIST)}
    base = dict.fromkeys(("api_base", "order_base", "assets_base"), told["base_url"])
    settings = load_settings(data_dir=data_dir, access_token=told["access_token"], _env_file=None, **base)
    with Runtime(settings) as runtime:
        for name, some in lists.items():
            runtime.watchlists.create(name, some)
    environment = {f"DESK_{name.upper()}": value for name, value in base.items()}
    environment["DESK_ACCESS_TOKEN"] = told["access_token"]
    with Desk(data_dir, environment=environment, timeout=180) as desk:
        yield desk.opened(), lists


def _script() -> str:
    """With the numbers of Streamlit's own messages."""
    from streamlit.proto.BackMsg_pb2 import BackMsg
    from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

    numbers = {
        "NEW_SESSION": ForwardMsg.NEW_SESSION_FIELD_NUMBER,
        "SCRIPT_FINISHED": ForwardMsg.SCRIPT_FINISHED_FIELD_NUMBER,
        "RERUN_SCRIPT": BackMsg.RERUN_SCRIPT_FIELD_NUMBER,
    }
    script = RUNS
    for name, number in numbers.items():
        script = script.replace(name, str(number))
    return script


# -- what is told ----------------------------------------------------------------------------------------------------


def p95(milliseconds: list[float]) -> float:
    """95 of 100, between the least and the most that was seen. Where next to nothing came, whoever waited did so for
    all of the time."""
    return quantiles(milliseconds, n=20, method="inclusive")[18] if len(milliseconds) > 1 else 1000 * SECONDS


def _rows(steps: list[Carried]) -> list[Row]:
    rows = [_row(step) for step in steps]
    goal = next(step for step in steps if step.sessions == GOAL)
    names = ("a fragment, in the protocol clients", "a tick, in the protocol clients",
             "a fragment, in Chromium, to painted", "a tick, in Chromium, to painted")  # fmt: skip
    rows += [
        Row(f"  with {GOAL}: {name}, p95", p95(kind), None, None, "", None, "ms",
            f"median {median(kind):.0f}; {len(kind):,} of them" if len(kind) > 1 else
            f"{len(kind)} came in {SECONDS:g} s: at least that long")
        for name, kind in zip(names, goal.kinds, strict=True)
    ]  # fmt: skip
    fine = [step.sessions for step in steps if step.carried]
    broken = [step.sessions for step in steps if not step.carried]
    until = f"{min(broken)} are too many" if broken else f"{MANY} are not too many; more were not tried"
    rows.append(Row("sessions that one desk carried", max(fine, default=0), None, None, "", None, "", until))
    return rows


def _row(step: Carried) -> Row:
    """All kinds of updates of one step; the goal is that of the slowest."""
    is_goal, noisy = step.sessions == GOAL, step.others > MOST_OF_OTHERS
    met = step.carried
    served = step.clients
    used = ", ".join(f"{name} {share:.0f}" for name, share in step.cpu.items())
    note = (
        f"beside {RATE:,} updates/s of 2,000 instruments; {LIST} rows each; {served.runs / served.seconds:.0f} of "
        f"{served.asked} runs/s, {served.messages / served.seconds:.0f} messages/s; CPU in % of a core, of "
        f"{os.cpu_count()}: {used}, everything else {step.others:.0f}; {served.lost} lost"
    )
    if min(map(len, step.kinds)) < 2:
        note += f"; of one kind next to nothing came in {SECONDS:g} s, which counts as all of them"
    if step.opened < step.sessions:
        note += f"; only {step.opened} pages opened within {OPEN_SECONDS:g} s"
    if not met and noisy:
        note += "; what else ran took from it"
    return Row(f"page updates, p95 of the slowest kind, {step.sessions} sessions at 1 Hz", step.p95, None, None,
               f"<= {MOST_MS:g} ms" if is_goal else "", met if is_goal else None,
               "ms", note)  # fmt: skip
