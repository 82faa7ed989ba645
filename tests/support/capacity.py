"""How much a desk can carry: measured costs, and what follows from them. docs/scale.md tells its figures.

Pure arithmetic. Each cost names the part of `python -m tests.benchmarks` that measured it (two cores, shared with other
programs, so they are rather too high than too low).
"""

from __future__ import annotations

from dataclasses import dataclass

SESSION_HOURS = 6.25
"""09:15 to 15:30."""
BUSY = 0.7
"""A process is called full at this share of its core: above it waits grow without bound."""


@dataclass(frozen=True, slots=True)
class Costs:
    """What was measured."""

    update_us: float = 7.03
    """`feed`: CPU of the client at 50,000 full updates/s."""
    stored_update_us: float = 8.95
    """`feed`: the same with every tick stored."""
    full_bytes: float = 400.0
    """Of an update on the wire (`tests.support.feed_frames`, five levels of depth)."""
    ltpc_bytes: float = 48.0
    tick_bytes: float = 33.05
    """`ticks`: in the log, of the running day."""
    packed_bytes: float = 3.965
    """`ticks`: after the close."""
    listener_percent: float = 0.026
    """`push`: of a core, for one of 200 browsers that are told 50 rows."""
    page_percent: float = 0.931
    """`scale`: of a core, for a page that stays open."""
    most_pages: float = 50
    """`capacity`: pages open beside 5,000 updates a second that got their updates in time; of 75 they came late."""
    page_mib: float = 1.254
    """`scale`."""
    desk_percent: float = 2.2
    """`scale`: the desk itself, without any page."""
    desk_mib: float = 248.0
    commits_an_order: float = 2.0
    """The intent before it is sent, and what the answer said."""
    sqlite_commits: float = 124.0
    """`scale`: in a second, one thread; medians of six runs."""
    postgres_commits: float = 211.0
    postgres_commits_of_four: float = 250.0


@dataclass(frozen=True, slots=True)
class BrokerAllows:
    """For one account, as documented."""

    orders_a_second: int = 10
    calls_in_half_an_hour: int = 2_000


COSTS = Costs()
ALLOWS = BrokerAllows()
LINE_BYTES = 125e6 * BUSY
"""Of a network line of 1 Gbit/s, as far as it should be filled."""


def updates_of_a_process(costs: Costs = COSTS, *, pages: int = 0, stored: bool = False) -> float:
    """Full updates a second that one process takes beside so many open pages; `stored`: and writes their ticks. More
    processes do not raise it: each decodes everything."""
    each = costs.stored_update_us if stored else costs.update_us
    return max(0.0, 1e4 * (100 * BUSY - costs.desk_percent - pages * costs.page_percent)) / each


def memory_of_a_process(pages: int, costs: Costs = COSTS) -> float:
    """MiB of a process in which so many pages are open."""
    return costs.desk_mib + pages * costs.page_mib


def pages_of_a_process(costs: Costs = COSTS, *, updates: float = 0.0) -> int:
    """Pages that may be open in one process beside so many updates a second; no more than were tried."""
    left = 100 * BUSY - costs.desk_percent - updates * costs.update_us / 1e4
    return max(0, min(int(costs.most_pages), int(left / (costs.page_percent + costs.listener_percent))))


def processes_for(pages: int, costs: Costs = COSTS, *, updates: float = 0.0) -> int | None:
    """How many processes carry so many pages, a core each; `None`: no number of them does."""
    each = pages_of_a_process(costs, updates=updates)
    return None if each == 0 else -(-pages // each)


def followers_of_a_line(updates: float, costs: Costs = COSTS, *, prices_alone: bool = False) -> int:
    """Processes beside the holder that Redis' network line can feed; `prices_alone`: without depth."""
    size = costs.ltpc_bytes if prices_alone else costs.full_bytes
    return int(LINE_BYTES / (updates * size)) if updates else 10_000


def orders_of_a_ledger(commits: float, costs: Costs = COSTS) -> float:
    """Orders a second that one ledger takes, however many processes send them: its writers come one by one."""
    return BUSY * commits / costs.commits_an_order


def accounts_of_a_ledger(commits: float, costs: Costs = COSTS) -> int:
    """Accounts that may all send as fast as the broker lets them."""
    return int(orders_of_a_ledger(commits, costs) / ALLOWS.orders_a_second)


def charts_a_minute() -> float:
    """Charts that were never opened before, which all processes of an account may open in a minute, for hours: each
    takes a call for the closed days and one, of another budget, for the running day."""
    return ALLOWS.calls_in_half_an_hour / 30


def gigabytes_a_day(updates: float, costs: Costs = COSTS, *, packed: bool = False) -> float:
    """Ticks of one session on the disk."""
    return updates * SESSION_HOURS * 3600 * (costs.packed_bytes if packed else costs.tick_bytes) / 1e9
