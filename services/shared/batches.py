"""What the holder of a stream sends to the other processes: frames of the broker, as they came, several at a time.

A batch carries the holder's fencing token, the number of its upstream connection (0: it has none just now), and a
number of its own, so that whoever missed one knows it. Pure format.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from services.domain.errors import MalformedPayload

_HEAD = struct.Struct("<BQIQQI")
_LENGTH = struct.Struct("<I")
_VERSION = 1


@dataclass(frozen=True, slots=True)
class Batch:
    """One message. Without frames it only says that the holder is there."""

    token: int
    connection: int
    """Counts the holder's connections to the broker; 0: none is open, and `frames` may say why, in words."""
    number: int
    """Counts the batches of this process, without a gap."""
    stamp_us: int
    """When the oldest frame came, by Redis' clock; 0: not known."""
    frames: Sequence[bytes] = ()

    def encode(self) -> bytes:
        head = _HEAD.pack(_VERSION, self.token, self.connection, self.number, self.stamp_us, len(self.frames))
        parts = [head]
        for frame in self.frames:
            parts += (_LENGTH.pack(len(frame)), frame)
        return b"".join(parts)


def decode(payload: bytes) -> Batch:
    """Raises `MalformedPayload` for what `encode` did not make."""
    try:
        version, token, connection, number, stamp_us, count = _HEAD.unpack_from(payload)
        if version != _VERSION:
            raise MalformedPayload(f"a batch of version {version}; this desk knows {_VERSION}", field="version")
        frames, place = [], _HEAD.size
        for _ in range(count):
            (length,) = _LENGTH.unpack_from(payload, place)
            place += _LENGTH.size
            frames.append(payload[place : place + length])
            place += length
    except struct.error as error:
        raise MalformedPayload("a batch that is cut off", field="batch") from error
    if place != len(payload):
        raise MalformedPayload("a batch whose lengths do not fit", field="batch")
    return Batch(token, connection, number, stamp_us, frames)
