"""An instrument file on its way: gzip taken off, read piece by piece, never whole in memory."""

from __future__ import annotations

import zlib

from services.domain.errors import MalformedPayload, NoAnswer
from services.transport.http import Stream

_GZIP_MAGIC = b"\x1f\x8b"
_PIECE = 64 * 1024


class InstrumentFile:
    """A binary reader over the unpacked file. `etag` belongs into the next request for the same file.

    Gzip is recognised by its first bytes, because some hosts declare it as content encoding (then it is already off)
    and some do not.
    """

    def __init__(self, stream: Stream) -> None:
        self.etag: str | None = stream.headers.get("ETag")
        self.last_modified: str | None = stream.headers.get("Last-Modified")
        self._stream = stream
        self._buffer = bytearray()
        self._begun = False
        self._ended = False
        self._gzip: zlib._Decompress | None = None

    def read(self, size: int = -1) -> bytes:
        """At most `size` unpacked bytes, all of them if negative; empty at the end. Raises `NoAnswer` for a file that
        breaks off, `MalformedPayload` for one that cannot be unpacked."""
        while not self._ended and (size < 0 or len(self._buffer) < size):
            self._take(self._stream.read(_PIECE) if self._begun else self._first_piece())
        count = len(self._buffer) if size < 0 else size
        piece = bytes(self._buffer[:count])
        del self._buffer[:count]
        return piece

    def _first_piece(self) -> bytes:
        """Enough of the file to tell how it is packed."""
        self._begun = True
        first = self._stream.read(_PIECE)
        while first and len(first) < len(_GZIP_MAGIC):
            piece = self._stream.read(_PIECE)
            if not piece:
                break
            first += piece
        if first.startswith(_GZIP_MAGIC):
            self._gzip = zlib.decompressobj(16 + zlib.MAX_WBITS)
        return first

    def _take(self, piece: bytes) -> None:
        if not piece:
            self._ended = True
            if self._gzip is not None and not self._gzip.eof:
                raise NoAnswer("the instrument file breaks off in the middle")
            return
        if self._gzip is None:
            self._buffer += piece
            return
        try:
            self._buffer += self._gzip.decompress(piece)
            while self._gzip.eof and self._gzip.unused_data.startswith(_GZIP_MAGIC):  # a file may be packed in parts
                rest = self._gzip.unused_data
                self._gzip = zlib.decompressobj(16 + zlib.MAX_WBITS)
                self._buffer += self._gzip.decompress(rest)
        except zlib.error as error:
            raise MalformedPayload("the instrument file cannot be unpacked", field="body") from error
