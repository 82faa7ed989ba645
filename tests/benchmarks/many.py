"""A desk of several processes on one Redis: what comes to all of them, and what it costs.

`DESK_BENCH_STREAM_SECONDS=60` (usually 10) says how long the streams at 50,000 updates a second last.
"""

from __future__ import annotations

import sys

from tests.benchmarks import many_calls, many_feed, many_pages
from tests.benchmarks.table import Row
from tests.support.redis import RedisServer, find_redis


def run() -> list[Row]:
    """All rows; a minute and a half. None where there is no Redis."""
    program = find_redis()
    if program is None:
        print("many processes are not measured: there is no redis-server", file=sys.stderr)
        return []
    with RedisServer(program) as redis:
        return [*many_feed.rows(redis), *many_calls.rows(redis), *many_pages.rows()]
