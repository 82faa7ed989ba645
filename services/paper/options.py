"""What a paper broker is started with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from services.paper.relay.upstream import LiveSource

USUAL_CLOCK = "always"
EXCHANGE_CLOCK = "exchange"
LIVE = "live"


@dataclass(frozen=True, slots=True)
class PaperOptions:
    """Options of one broker. Brokers on different folders share nothing."""

    folder: Path
    """Holds its account, its signing secret, its lock and its card."""
    port: int = 0
    """0: any free port, the one of last time if it is free."""
    clock: str = USUAL_CLOCK
    """`always`, `exchange`, or an ISO instant with an optional speed (`2026-11-20T09:15:00+05:30x60`)."""
    seed: int = 7
    instruments: Path | None = None
    """A real instrument master instead of the built-in universe."""
    prices: str = "simulated"
    """`simulated`, `replay:PATH` of candles, `replay:FILE[xSPEED]` of a recorded feed, which brings its clock, or
    `live`: Upstox's own, at the exchange's hours."""
    live: LiveSource | None = None
    """Where live prices come from, and the read-only token for them."""
    candles: Path | None = None
    """A folder of real candles that go before the simulator."""
    plus: bool = False
    """The account has Upstox Plus: thirty levels of depth, five market feeds."""
    faults: bool = False
    """Opens `/_paper/faults` and `/_paper/calendar`."""
    limits: bool = True
    """Enforce the documented rate limits."""
    ping_seconds: float | None = None
    """Ping every feed so often, whatever is streamed, and drop one that has not answered after as long again. `None`:
    every ten seconds where nothing is streamed, and twenty to answer."""
    notifier_url: str = ""
    """Where an approved access-token request is delivered; an http address on this machine."""
