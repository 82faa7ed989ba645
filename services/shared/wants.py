"""What each process of the desk wants of a stream: kept in Redis for as long as the process renews it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, TypeAlias

import msgspec
import orjson

from services.shared.link import RedisLink

KEEP_SECONDS = 20.0
"""Of a process that is gone, its wants stay so long. To be renewed well before."""

Wanted: TypeAlias = Mapping[str, str]
"""Mode by instrument key; empty for a stream without instruments."""

log = logging.getLogger(__name__)


class Wants:
    """The wants of all processes of one stream. Every call asks Redis and raises `RedisAway` where it cannot."""

    def __init__(self, link: RedisLink, *, stream: str, process: str, keep: float = KEEP_SECONDS) -> None:
        self._link = link
        self._stream = stream
        self._process = process
        self._keep_ms = round(keep * 1000)
        self._who = link.key("wanting", stream)
        self._mine = self._key(process)

    def say(self, wanted: Wanted) -> None:
        """This process wants exactly that."""
        by_mode: dict[str, list[str]] = {}
        for key, mode in wanted.items():
            by_mode.setdefault(mode, []).append(key)
        text = orjson.dumps(by_mode)

        def write(client: Any) -> None:
            pipeline = client.pipeline()
            pipeline.set(self._mine, text, px=self._keep_ms)
            pipeline.sadd(self._who, self._process)
            pipeline.execute()

        self._link.run(write)

    def renew(self) -> bool:
        """Keep what was said. False: Redis has forgotten it, and it has to be said again."""
        return bool(self._link.run(lambda client: client.pexpire(self._mine, self._keep_ms)))

    def withdraw(self) -> None:
        """This process wants nothing of the stream any more."""

        def write(client: Any) -> None:
            pipeline = client.pipeline()
            pipeline.delete(self._mine)
            pipeline.srem(self._who, self._process)
            pipeline.execute()

        self._link.run(write)

    def of_others(self) -> dict[str, dict[str, str]]:
        """What the other processes want, by process."""

        def read(client: Any) -> list[tuple[str, bytes | None]]:
            names = sorted(name.decode() for name in client.smembers(self._who))
            return list(zip(names, client.mget([self._key(name) for name in names]), strict=True)) if names else []

        found = self._link.run(read)
        gone = [name for name, text in found if text is None]
        if gone:
            self._link.run(lambda client: client.srem(self._who, *gone))
        read_out = {name: _read(name, text) for name, text in found if text is not None and name != self._process}
        return {name: wanted for name, wanted in read_out.items() if wanted is not None}

    def _key(self, process: str) -> str:
        return self._link.key("wants", self._stream, process)


def _read(process: str, text: bytes) -> dict[str, str] | None:
    try:
        by_mode = msgspec.json.decode(text, type=dict[str, list[str]])
    except msgspec.DecodeError as error:  # of another version of the desk; the others are served all the same
        log.warning("what the process %s wants of a stream cannot be read: %s", process, error)
        return None
    return {key: mode for mode, keys in by_mode.items() for key in keys}
