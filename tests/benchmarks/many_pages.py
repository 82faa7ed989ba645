"""How many updates of pages one, two and four processes of a desk bring to their clients, on one feed.

Whole desks, as a person starts them, behind one broker and one Redis; their clients are spread evenly. All of it, the
broker and the clients too, shares the cores of this machine: where those are used up, more processes bring no more.
"""

from __future__ import annotations

import os
import time
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography.fernet import Fernet

from dashboard.door import LOCAL
from dashboard.push.tokens import PushTokens
from dashboard.sealing_keys import key_for
from services.runtime.sharing import shared_of
from services.settings import Settings, load_settings
from tests.benchmarks.processes import Process, cpu_seconds, process
from tests.benchmarks.push_broker import Ticking
from tests.benchmarks.push_clients import Crowd, Heard
from tests.benchmarks.table import Row
from tests.support.desk import Desk
from tests.support.redis import RedisServer, link_to, settle

PROCESSES = (1, 2, 4)
CLIENTS, LIST, LISTS = 240, 50, 8
SHARES, TICKS_A_SECOND, PER_FRAME = 200, 20, 50
SETTLE_SECONDS, SECONDS = 2.0, 4.0


@dataclass(frozen=True, slots=True)
class Brought:
    """What so many processes brought to their clients."""

    per_second: float
    """Messages to all clients together; each changes what a page shows."""
    p95: float
    cpu: float
    """Of all desks together, percent of a core."""
    clients_cpu: float
    lost: int


def rows() -> list[Row]:
    """One row for each number of processes."""
    with TemporaryDirectory() as folder:
        found = _brought(Path(folder))
    alone = found[1].per_second
    return [
        Row(f"page updates/s with {count} process{'es' if count > 1 else ''}, {CLIENTS} clients", told.per_second,
            alone if count > 1 else None, told.per_second / alone if count > 1 else None, "", None, "/s",
            f"each {LIST} of {SHARES} shares that tick {TICKS_A_SECOND} times a second; tick to client p95 "
            f"{told.p95:.0f} ms; CPU of the desks {told.cpu:.0f} %, of the clients {told.clients_cpu:.0f} %, of "
            f"{os.cpu_count()} cores; {told.lost} lost")
        for count, told in found.items()
    ]  # fmt: skip


def _brought(folder: Path) -> dict[int, Brought]:
    """By number of processes; those of a smaller number go on in a larger one."""
    desks: list[Desk] = []
    clients: list[Process] = []
    found: dict[int, Brought] = {}
    with ExitStack() as stack:
        redis = stack.enter_context(RedisServer(_program()))
        broker = stack.enter_context(process("tests.benchmarks.push_broker"))
        broker.say(asdict(Ticking(SHARES, SHARES * TICKS_A_SECOND, PER_FRAME)))
        told = broker.hear()
        base = dict.fromkeys(("api_base", "order_base", "assets_base"), told["base_url"])
        settings = load_settings(
            data_dir=folder / "none", access_token=told["access_token"], redis_url=redis.url,
            encryption_key=Fernet.generate_key().decode(), _env_file=None, **base,
        )  # fmt: skip
        _settle(redis, settings)
        environment = {f"DESK_{name.upper()}": value for name, value in base.items()}
        environment |= {"DESK_ACCESS_TOKEN": told["access_token"], "DESK_REDIS_URL": redis.url}
        assert settings.encryption_key is not None
        environment |= {"ENCRYPTION_KEY": settings.encryption_key.get_secret_value()}
        token = PushTokens(key_for("push tokens", settings)).issue(LOCAL)  # which every process knows
        for count in PROCESSES:
            for number in range(len(desks), count):
                clients.append(stack.enter_context(process("tests.benchmarks.push_clients")))
                desk = Desk(folder / f"data-{number}", environment=environment, timeout=180)
                desks.append(stack.enter_context(desk))
            for desk in desks:
                desk.opened()
            found[count] = _listened(desks, clients, token, told["keys"])
    return found


def _listened(desks: list[Desk], clients: list[Process], token: str, keys: list[str]) -> Brought:
    for seconds in (SETTLE_SECONDS, SECONDS):  # at first everything is subscribed, and shown once
        used, began = sum(cpu_seconds(desk.pid) for desk in desks), time.monotonic()
        heard = _listen(clients, [_crowd(desk, token, keys, CLIENTS // len(desks), seconds) for desk in desks])
        share = 100 * (sum(cpu_seconds(desk.pid) for desk in desks) - used) / (time.monotonic() - began)
    return Brought(
        per_second=sum(one.messages / one.seconds for one in heard),
        p95=max(one.p95 for one in heard),
        cpu=share,
        clients_cpu=sum(100 * one.cpu_seconds / one.seconds for one in heard),
        lost=sum(one.lost for one in heard),
    )


def _listen(clients: list[Process], crowds: list[Crowd]) -> list[Heard]:
    for client, crowd in zip(clients, crowds, strict=True):
        client.say(asdict(crowd))
    for client, crowd in zip(clients, crowds, strict=True):
        assert client.hear() == {"listening": crowd.clients}
    return [Heard(**client.hear()) for client in clients]


def _crowd(desk: Desk, token: str, keys: list[str], clients: int, seconds: float) -> Crowd:
    shift, around = len(keys) // LISTS, keys * 2
    lists = [around[place * shift : place * shift + LIST] for place in range(LISTS)]
    return Crowd(desk.url, token, lists, clients, seconds)


def _settle(redis: RedisServer, settings: Settings) -> None:
    """A Redis whose lease is to be had at once."""
    shared = shared_of(settings)
    assert shared is not None
    with closing(shared), closing(link_to(redis, prefix=shared.link.prefix)) as link:
        settle(link)


def _program() -> str:
    from tests.support.redis import find_redis

    program = find_redis()
    assert program is not None, "there is no redis-server"
    return program


def main() -> None:
    from tests.benchmarks.table import print_table

    print_table(rows())


if __name__ == "__main__":
    main()
