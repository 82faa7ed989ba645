"""A page as a browser has it open, without the browser: its timers are kept, its fragments run again, and it is known
how long each run took, from the question to Streamlit's word that it is over."""

from __future__ import annotations

import math
import time
from collections import Counter

import websocket
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetStates

from tests.benchmarks.frames import Frames

_STREAM = "/_stcore/stream"


class OpenPage(Frames):
    """One session of `page`; `choice` is what its first select box is set to, after the first run. Who cannot send is
    cut off, and learns it by reading."""

    def __init__(self, url: str, page: str, choice: str = "") -> None:
        opened = websocket.WebSocket()
        opened.connect(  # type: ignore[no-untyped-call]  # the library's
            url.replace("http", "ws", 1) + _STREAM, subprotocols=["streamlit"], origin=url, timeout=60
        )
        super().__init__(opened)
        self.runs = 0
        self.took: list[float] = []
        """Milliseconds of each run that was asked for."""
        self.ready = False
        """Is its first run over, and the choice made?"""
        self._page = page
        self._choice = choice
        self._timers: dict[str, tuple[float, float]] = {}
        self._states = WidgetStates()
        self._box = ""
        self._asked: list[float] = []
        self._running: list[float] = []
        self._kinds: Counter[str] = Counter()
        """Messages until it is ready, by kind."""
        self._ask()

    def serve(self, now: float) -> bool:
        """Take what has come. False: it was cut off."""
        if (messages := self.read()) is None:
            return False
        for raw in messages:
            self._heard(ForwardMsg.FromString(raw), now)
        return True

    def ask_what_is_due(self, now: float) -> None:
        """Ask for the fragments whose time has come, as the browser's own timers do: at a steady pace."""
        for fragment, (every, due) in self._timers.items():
            if self.ready and now >= due:
                self._timers[fragment] = (every, max(due + every, now))
                self._ask(fragment)

    def pass_over_missed(self, now: float) -> None:
        """What was due until now is left out; each timer keeps its beat."""
        for fragment, (every, due) in self._timers.items():
            if due < now:
                self._timers[fragment] = (every, due + every * math.ceil((now - due) / every))

    def __str__(self) -> str:
        told = ", ".join(f"{count} {kind}" for kind, count in self._kinds.items())
        return f"{told or 'heard nothing'}; not over: {len(self.waiting)} runs"

    @property
    def due(self) -> float:
        """When something is to be asked next; nothing is before it is ready."""
        if not self.ready:
            return float("inf")
        return min((due for _, due in self._timers.values()), default=float("inf"))

    @property
    def rate(self) -> float:
        """Runs a second that its timers ask for."""
        return sum(1 / every for every, _ in self._timers.values())

    @property
    def waiting(self) -> list[float]:
        """When those runs were asked for that are not over."""
        return [*self._asked, *self._running]

    def _ask(self, fragment: str = "") -> None:
        wish = BackMsg()
        wish.rerun_script.page_name = self._page
        wish.rerun_script.widget_states.CopyFrom(self._states)
        if fragment:
            wish.rerun_script.fragment_id, wish.rerun_script.is_auto_rerun = fragment, True
        else:
            self._timers.clear()  # a run of the whole page tells them anew
        self.send(wish.SerializeToString())
        self._asked.append(time.monotonic())

    def _heard(self, told: ForwardMsg, now: float) -> None:
        kind = told.WhichOneof("type")
        if not self.ready:
            self._kinds[str(kind)] += 1
        if kind == "new_session":  # it runs what was asked for until now
            self._running += self._asked
            self._asked.clear()
        elif kind == "script_finished":
            self.runs += 1
            self.took += [1000 * (now - at) for at in self._running]
            self._running.clear()
            if not self.ready:
                self._ran_first()
        elif kind == "auto_rerun":
            every = told.auto_rerun.interval
            self._timers[told.auto_rerun.fragment_id] = (every, now + every)
        elif kind == "stop_auto_rerun":
            for fragment in told.stop_auto_rerun.fragment_ids:
                self._timers.pop(fragment, None)
        elif kind == "delta" and told.delta.new_element.WhichOneof("type") == "selectbox" and not self._box:
            self._box = told.delta.new_element.selectbox.id

    def _ran_first(self) -> None:
        if self._choice and not self._states.widgets:
            state = self._states.widgets.add()
            state.id, state.string_value = self._box, self._choice
            self._ask()
            return
        self.ready = True
        self.took.clear()
