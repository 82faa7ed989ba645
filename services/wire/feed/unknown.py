"""Finds members of the feed that the desk's schema does not know: the broker added something (as it did in 2026).

Protobuf skips them silently. Looking for them costs more than decoding, and a new member comes in every frame, so it is
enough to look at one frame of a connection now and then. Depth, greeks and bars that cannot be read are found as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from google.protobuf.message import DecodeError, Message
from google.protobuf.unknown_fields import UnknownFieldSet

from services.domain.errors import MalformedPayload
from services.wire.feed.feed_v3_pb2 import FeedResponse

FEEDS_LOOKED_AT = 8
"""Of one frame; they are of one kind as a rule."""


def unknown_members(frame: bytes) -> frozenset[str]:
    """Where and which number, as `LTPC.6`. Empty as a rule. Raises `MalformedPayload` for what is no frame."""
    try:
        response = FeedResponse.FromString(frame)
    except DecodeError as error:
        raise MalformedPayload(f"a frame of {len(frame)} bytes is not a message of the feed", field="frame") from error
    return frozenset(_below(response))


def _below(message: Message) -> Iterator[str]:
    name = message.DESCRIPTOR.name
    unknown = UnknownFieldSet(message)
    for place in range(len(unknown)):
        yield f"{name}.{unknown[place].field_number}"
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        parts: Iterable[object] = (value,)
        if field.message_type.GetOptions().map_entry:
            parts = islice(value.values(), FEEDS_LOOKED_AT)
        elif field.is_repeated:
            parts = islice(value, FEEDS_LOOKED_AT)
        for part in parts:
            if isinstance(part, Message):
                yield from _below(part)
