"""What goes wrong with portfolio updates on their way: lost, sent twice, or in another order. Opened by `--faults`.

`POST /_paper/update-faults` takes one of these as JSON; `update_type` may be left out (all of them):

    {"kind": "missing", "times": 2, "update_type": "order"}      the next two never arrive
    {"kind": "duplicate", "times": 2, "update_type": "order"}    each of the next two arrives twice
    {"kind": "out_of_order", "times": 3}                         the next three arrive together, the last one first

`GET` lists what waits; `DELETE` clears it and lets go of what is being held back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from services.domain.errors import InvalidRequest

UPDATE_TYPES = frozenset({"order", "gtt_order", "position", "holding"})
_MOST_TIMES = 1000
_MEMBERS = {"kind", "times", "update_type"}


class UpdateFaultKind(StrEnum):
    """What happens to the updates that a fault meets."""

    MISSING = "missing"
    DUPLICATE = "duplicate"
    OUT_OF_ORDER = "out_of_order"


@dataclass(slots=True)
class UpdateFault:
    """One fault and how many updates it still meets."""

    kind: UpdateFaultKind
    times: int
    update_type: str | None

    def told(self) -> dict[str, object]:
        """As JSON."""
        return {"kind": self.kind.value, "times": self.times, "update_type": self.update_type}


Update = tuple[str, str]
"""Its type and its text."""


class UpdateFaults:
    """The waiting faults; the first that fits meets an update. Not for several threads at once."""

    def __init__(self) -> None:
        self._waiting: list[UpdateFault] = []
        self._held: list[Update] = []

    def add(self, wanted: Mapping[str, object]) -> UpdateFault:
        """Check and keep a fault given as JSON. `InvalidRequest` names what is wrong."""
        unknown = wanted.keys() - _MEMBERS
        if unknown:
            raise InvalidRequest(f"{', '.join(sorted(unknown))}: not a member of a fault")
        kind, update_type, times = wanted.get("kind"), wanted.get("update_type"), wanted.get("times", 1)
        if not isinstance(kind, str) or kind not in list(UpdateFaultKind):
            raise InvalidRequest(f"kind: one of {', '.join(UpdateFaultKind)}")
        if update_type is not None and update_type not in UPDATE_TYPES:
            raise InvalidRequest(f"update_type: one of {', '.join(sorted(UPDATE_TYPES))}")
        least = 2 if kind == UpdateFaultKind.OUT_OF_ORDER else 1
        if not isinstance(times, int) or isinstance(times, bool) or not least <= times <= _MOST_TIMES:
            raise InvalidRequest(f"times: a whole number between {least} and {_MOST_TIMES}")
        fault = UpdateFault(UpdateFaultKind(kind), times, None if update_type is None else str(update_type))
        self._waiting.append(fault)
        return fault

    def told(self) -> list[dict[str, object]]:
        return [fault.told() for fault in self._waiting]

    def meet(self, update: Update) -> list[Update]:
        """What is to be sent now, in this order, in place of `update`."""
        fault = next((f for f in self._waiting if f.update_type in {None, update[0]}), None)
        if fault is None:
            return [update]
        fault.times -= 1
        if not fault.times:
            self._waiting.remove(fault)
        match fault.kind:
            case UpdateFaultKind.MISSING:
                return []
            case UpdateFaultKind.DUPLICATE:
                return [update, update]
            case UpdateFaultKind.OUT_OF_ORDER:
                self._held.append(update)
                return [] if fault.times else self._let_go()

    def clear(self) -> list[Update]:
        """Forget all; what was held back is to be sent now."""
        self._waiting.clear()
        return self._let_go()

    def _let_go(self) -> list[Update]:
        held, self._held = self._held, []
        return held[::-1]
