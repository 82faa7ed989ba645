"""Greeks as the live feed tells them, for the contracts that it is subscribed to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isfinite

from dashboard.option_data import LiveGreeks
from services.running_time import running_ns
from services.runtime import Runtime


def live_greeks(
    runtime: Runtime, keys: Sequence[str], *, monotonic_ns: Callable[[], int] = running_ns
) -> dict[str, LiveGreeks]:
    """What the feed's board holds of `keys`. A contract of which it told none, or only zeros (a dead strike), is
    absent: the broker's chain may know better."""
    held = [key for key in keys if key in runtime.feed.board]
    if not held:
        return {}
    snapshot = runtime.feed.board.snapshot(held)
    speed = float(getattr(runtime.clock, "speed", 1.0))
    now = monotonic_ns()
    told = zip(
        held,
        snapshot.greeks().tolist(),
        snapshot.iv_percent().tolist(),
        snapshot.rows["received_ns"].tolist(),
        strict=True,
    )
    found = {}
    for key, (delta, theta, gamma, vega, _), iv, received_ns in told:
        if isfinite(delta) and (delta or theta or gamma or vega):
            age = max((now - received_ns) / 1e9 * speed, 0.0)
            found[key] = LiveGreeks(iv if isfinite(iv) else None, delta, theta, gamma, vega, age)
    return found
