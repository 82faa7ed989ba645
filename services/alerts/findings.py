"""What the desk's measures say about each rule. A reader that cannot tell gives `None`: then nothing changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from services.alerts import broker_findings as broker
from services.alerts import machine_findings as machine
from services.alerts import rules as r
from services.alerts.judging import Finding
from services.measures.snapshot import Snapshot

Reader = Callable[[Snapshot, float], Sequence[Finding] | None]
"""Takes the measures and the monotonic instant of the look."""


@dataclass(frozen=True)
class Unknown:
    """Orders of which nobody knows what became of them. `open_cases()`: their number and the order in words; `None`:
    the orders of before the start were not looked up yet."""

    open_cases: Callable[[], Sequence[tuple[str, str]] | None]

    def __call__(self, now: Snapshot, at: float) -> Sequence[Finding] | None:
        cases = self.open_cases()
        if cases is None:
            return None
        return [
            Finding(1.0, f"{text}: no answer came, so the broker may have it. Do not send it again", subject=case[:200])
            for case, text in cases
        ]


@dataclass(frozen=True)
class Unreconciled:
    """Differences that the P&L knows of. `differences()`: what about, and the difference in words; `None`: nothing was
    compared yet."""

    differences: Callable[[], Sequence[tuple[str, str]] | None]

    def __call__(self, now: Snapshot, at: float) -> Sequence[Finding] | None:
        found = self.differences()
        return None if found is None else [Finding(1.0, text, subject=about[:200]) for about, text in found]


@dataclass(frozen=True)
class ChannelsFailing:
    """Channels that refuse. `failures()`: by name how many times in a row, and why; `None`: not known yet."""

    failures: Callable[[], Mapping[str, tuple[int, str]] | None]

    def __call__(self, now: Snapshot, at: float) -> Sequence[Finding] | None:
        failures = self.failures()
        if failures is None:
            return None
        return [
            Finding(float(count), f"Nothing can be sent over {name}: {why}", subject=name)
            for name, (count, why) in failures.items()
        ]


def readers(
    *,
    token_renewed: Callable[[], bool],
    open_cases: Callable[[], Sequence[tuple[str, str]] | None],
    differences: Callable[[], Sequence[tuple[str, str]] | None],
    refused: Callable[[], str | None],
    failures: Callable[[], Mapping[str, tuple[int, str]] | None],
) -> dict[str, Reader]:
    """The reader of each rule, by its kind."""
    return {
        r.ERROR_RATE: broker.error_rate,
        r.BROKER_FAILING: broker.broker_failing,
        r.FEED_SILENT: broker.feed_silent,
        r.TOKEN_ENDING: broker.TokenEnding(token_renewed),
        r.TOKEN_ENDED: broker.token_ended,
        r.WRITER_DROPPING: machine.Dropping(),
        r.WRITER_BEHIND: machine.writer_behind,
        r.BUDGET_LOW: broker.BudgetLow(),
        r.ORDER_UNKNOWN: Unknown(open_cases),
        r.UNRECONCILED: Unreconciled(differences),
        r.DISK_LOW: machine.disk_low,
        r.STORAGE: machine.Storage(refused),
        r.CLOCK: machine.Clock(),
        r.CHANNEL_FAILING: ChannelsFailing(failures),
        r.SHARED_AWAY: machine.shared_away,
    }
