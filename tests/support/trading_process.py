"""A process that trades on one account file until it is killed. Each line that it prints was told after its call.

`python -m tests.support.trading_process FOLDER SEED`
"""

from __future__ import annotations

import random
import sys
from datetime import timedelta
from pathlib import Path

import orjson

from services.paper.trading.order_values import Changes, Wanted
from tests.support.trading import CALL, PLAIN, SHARE, Account

INSTANT = "2026-11-20 10:00:00"


def main(folder: Path, seed: int) -> None:
    luck = random.Random(seed)
    account = Account(folder, INSTANT)
    while True:
        account.clock.instant += timedelta(seconds=1)
        key = luck.choice((SHARE, PLAIN, CALL))
        account.market.set(key, float(luck.randint(95, 105)))
        orders = account.desk.place(
            Wanted(
                key,
                luck.random() < 0.5,
                65 * luck.randint(1, 4),
                luck.choice("ID"),
                *luck.choice((("MARKET", "DAY", 0), ("LIMIT", "DAY", 1_000_000), ("LIMIT", "IOC", 1_010_000))),
                tag=f"t{seed}",
            )
        )
        alive = [order for order in orders if order.alive]
        if alive and luck.random() < 0.3:
            orders.append(account.desk.cancel(alive[0].order_id))
        elif alive and luck.random() < 0.3:
            orders.append(account.desk.modify(alive[0].order_id, Changes(price=1_020_000)))
        told = {order.order_id: [order.status, order.filled] for order in orders}
        sys.stdout.buffer.write(orjson.dumps(told) + b"\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
