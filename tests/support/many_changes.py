"""Changes of who holds the feed of a team: its process killed, stopped and woken, Redis lost with all that it knew."""

from __future__ import annotations

import signal
from collections.abc import Callable, Sequence
from typing import Any

from playwright.sync_api import Error as PageError

from tests.support.many import Team
from tests.support.many_tabs import longest_gap, told_of
from tests.support.servers import until

LONGEST_GAP = 10.0
"""Seconds without a price that a browser may see."""
SETTLED_MS = 5_000
"""A change is over when prices come so long after every process was ready again."""


def lose_holder(team: Team, holder: str) -> str:
    """Kill it. Who holds the feed then."""
    team.programs[holder].stop(signal.SIGKILL)
    return until("another process holds the feed", lambda: team.holder([one for one in team.names if one != holder]))


def kill(team: Team, holder: str) -> None:
    lose_holder(team, holder)
    team.start(holder)  # as systemd does


def pause(team: Team, holder: str) -> None:
    team.programs[holder].send(signal.SIGSTOP)
    others = [name for name in team.names if name != holder]
    until("another process holds the feed", lambda: team.holder(others))
    team.programs[holder].send(signal.SIGCONT)


def lose_redis(team: Team, _holder: str) -> None:
    team.programs["redis"].stop(signal.SIGKILL)
    team.start("redis")


CHANGES: dict[str, Callable[[Team, str], None]] = {"killed": kill, "paused": pause, "Redis lost": lose_redis}


def gap_of(change: Callable[[Team, str], None], team: Team, pages: Sequence[Any]) -> float:
    """Make that change and wait until it is over. The longest time in seconds that a page saw no price."""
    for page in pages:
        page.evaluate("window.ticks = window.ticks.slice(-1)")
    change(team, until("somebody holds the feed", team.holder))
    until("somebody holds the feed", team.holder)
    until("every process is ready", team.all_ready)
    for page in pages:
        page.evaluate("window.before = performance.now()")
    for page in pages:
        try:
            page.wait_for_function(f"window.ticks.some(at => at > window.before + {SETTLED_MS})")
        except PageError as error:
            raise AssertionError(f"no price comes: {told_of(page)}; {feeds_of(team)}") from error
    return max(longest_gap(page) for page in pages)


def feeds_of(team: Team) -> dict[str, dict[str, float]]:
    """What each process measures of its feed and of what it tells others, for whoever looks for a fault."""
    wanted = ("desk_feed", "desk_fanout", "desk_lease", "desk_push")
    return {
        name: {measure: value for measure, value in team.figures(name).items() if measure.startswith(wanted)}
        for name in team.names
    }
