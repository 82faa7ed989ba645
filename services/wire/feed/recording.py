"""A recorded session of the feed: frames with their receive times, as bytes that are only ever appended.

    file    := block*
    block   := MAGIC kind:u8 stored:u32 size:u32 check:u32 payload     (little endian)
    kind 1  : a header, JSON: version, day, source, started_ms. Each program run that records appends its own.
    kind 2  : records, each received_ms:i64 length:u32 frame

`payload` is `stored` bytes of zlib that hold `size` bytes; `check` is the CRC-32 of kind, sizes and payload. A block is
written in one piece, so a killed recorder leaves at most one torn block at the end. The next run appends behind it: the
decoder skips what is damaged to the next MAGIC whose block is whole, and counts the bytes. Reading and writing files is
left to others.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final, NamedTuple

import orjson

from services.domain.errors import InvalidRequest, MalformedPayload

VERSION: Final = 1
BLOCK_BYTES: Final = 256 * 1024
"""Frames are packed together up to this size: what a kill loses, unless `flush` is called sooner."""
MAX_FRAME_BYTES: Final = 8 * 1024 * 1024
"""The largest frame of this feed, 5,000 instruments at once, is a quarter of it."""

_MAX_BLOCK_BYTES = 16 * 1024 * 1024  # sizes beyond it are damage, and nothing is allocated for them
_MOST_WAITING = 4 * 1024 * 1024

_MAGIC = b"\xf1DF\x00"
_HEADER, _RECORDS = 1, 2
_FIXED = struct.Struct("<4sBIII")
_CHECKED = struct.Struct("<BII")
_RECORD = struct.Struct("<qI")
_LEVEL = 1
"""Of zlib: feeds shrink to a third at 60 MB/s; higher levels gain little and cost the recorder its keep."""


class Record(NamedTuple):
    """One frame as it came, and when: epoch milliseconds of the receiver."""

    received_ms: int
    frame: bytes


@dataclass(frozen=True, slots=True)
class RecordingHeader:
    """What a stretch of a recording is."""

    day: date
    """The trading day, as the calendar of India has it."""
    source: str
    """Where the prices came from, in words: `Upstox`, `simulated`."""
    started_ms: int
    version: int = VERSION


class RecordingEncoder:
    """Packs frames into blocks. What its methods return is to be appended to the file, in order, each in one write."""

    def __init__(self, header: RecordingHeader, *, block_bytes: int = BLOCK_BYTES) -> None:
        if not 0 < block_bytes <= _MOST_WAITING:
            raise InvalidRequest(f"a block holds between 1 and {_MOST_WAITING:,} bytes")
        self._header = header
        self._block_bytes = block_bytes
        self._waiting = bytearray()

    def start(self) -> bytes:
        """The header block: the first thing to be written, also behind an earlier recording of the same day."""
        header = self._header
        told = {
            "version": header.version,
            "day": header.day.isoformat(),
            "source": header.source,
            "started_ms": header.started_ms,
        }
        return _block(_HEADER, orjson.dumps(told))

    def add(self, received_ms: int, frame: bytes) -> bytes:
        """Take one frame; the block that it completes, or b"" while there is room in it. Raises `InvalidRequest`
        for a frame beyond `MAX_FRAME_BYTES`."""
        if len(frame) > MAX_FRAME_BYTES:
            raise InvalidRequest(f"a frame of {len(frame):,} bytes is none of this feed")
        self._waiting += _RECORD.pack(received_ms, len(frame))
        self._waiting += frame
        return self.flush() if len(self._waiting) >= self._block_bytes else b""

    def flush(self) -> bytes:
        """The frames that wait as a block; b"" if none do. To be called about once a second and at the end."""
        if not self._waiting:
            return b""
        waiting, self._waiting = self._waiting, bytearray()
        return _block(_RECORDS, bytes(waiting))


class RecordingDecoder:
    """Reads a recording piece by piece, of whatever size. Damage is skipped and counted, never fatal."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._header: RecordingHeader | None = None
        self._damaged = 0

    @property
    def header(self) -> RecordingHeader | None:
        """Of the records read last; None before the first."""
        return self._header

    @property
    def damaged_bytes(self) -> int:
        """Skipped so far."""
        return self._damaged

    def feed(self, data: bytes) -> Iterator[Record]:
        """Take the next piece of the file and give the records that it completes, in their order.

        To be used up before the next piece is given. Raises `MalformedPayload` where a header is of a newer version, or
        records come before any header: then it is another file, or one for a newer program.
        """
        self._rest += data
        return self._records(at_end=False)

    def finish(self) -> Iterator[Record]:
        """Whole blocks behind a torn one that claims to be longer than the file. To be called once, at the end; what
        is left then is damage too."""
        yield from self._records(at_end=True)
        self._damaged += len(self._rest)
        self._rest.clear()

    def _records(self, *, at_end: bool) -> Iterator[Record]:
        while (block := self._next_block(at_end=at_end)) is not None:
            kind, payload = block
            if kind == _HEADER:
                self._header = _read_header(payload)
            elif kind == _RECORDS:
                if self._header is None:
                    raise MalformedPayload("a recording begins with a header", field="recording")
                yield from _read_records(payload)

    def _next_block(self, *, at_end: bool) -> tuple[int, bytes] | None:
        """Kind and content of the next whole block, or None where more is needed."""
        while len(self._rest) >= _FIXED.size:
            magic, kind, stored, size, check = _FIXED.unpack_from(self._rest)
            if magic == _MAGIC and stored <= _MAX_BLOCK_BYTES and size <= _MAX_BLOCK_BYTES:
                end = _FIXED.size + stored
                if len(self._rest) >= end:
                    payload = bytes(memoryview(self._rest)[_FIXED.size : end])
                    content = _unpacked(kind, size, check, payload)
                    if content is not None:
                        del self._rest[:end]
                        return kind, content
                elif not at_end:
                    return None
            self._skip()
        return None

    def _skip(self) -> None:
        """To the next place where a block may begin."""
        place = self._rest.find(_MAGIC, 1)
        if place < 0:  # the last bytes may be the beginning of one
            place = len(self._rest) - len(_MAGIC) + 1
        self._damaged += place
        del self._rest[:place]


def _block(kind: int, content: bytes) -> bytes:
    payload = zlib.compress(content, _LEVEL)
    check = zlib.crc32(payload, zlib.crc32(_CHECKED.pack(kind, len(payload), len(content))))
    return _FIXED.pack(_MAGIC, kind, len(payload), len(content), check) + payload


def _unpacked(kind: int, size: int, check: int, payload: bytes) -> bytes | None:
    """The content of a block; None where it is damaged."""
    if zlib.crc32(payload, zlib.crc32(_CHECKED.pack(kind, len(payload), size))) != check:
        return None
    unpacker = zlib.decompressobj()
    try:
        content = unpacker.decompress(payload, size + 1)
    except zlib.error:
        return None
    return content if len(content) == size and unpacker.eof else None


def _read_header(content: bytes) -> RecordingHeader:
    try:
        told = orjson.loads(content)
        version = told["version"]
        if version != VERSION:
            raise MalformedPayload(f"a recording of version {version}; this program reads {VERSION}", field="version")
        return RecordingHeader(date.fromisoformat(told["day"]), told["source"], told["started_ms"], version)
    except (ValueError, KeyError, TypeError) as error:
        raise MalformedPayload("the header of a recording cannot be read", field="header") from error


def _read_records(content: bytes) -> Iterator[Record]:
    place = 0
    while place < len(content):
        try:
            received_ms, length = _RECORD.unpack_from(content, place)
        except struct.error as error:
            raise MalformedPayload("a record without its length", field="record") from error
        place += _RECORD.size
        if place + length > len(content):
            raise MalformedPayload("a record longer than its block", field="record")
        yield Record(received_ms, content[place : place + length])
        place += length
