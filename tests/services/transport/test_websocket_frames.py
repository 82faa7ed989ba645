"""Messages out of bytes that come in any pieces."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websocket import ABNF, WebSocketException

from services.transport.websocket_frames import MAX_MESSAGE_BYTES, FrameStream

BINARY, TEXT, MORE, PONG = ABNF.OPCODE_BINARY, ABNF.OPCODE_TEXT, ABNF.OPCODE_CONT, ABNF.OPCODE_PONG


def frame(
    payload: bytes, opcode: int = BINARY, *, fin: int = 1, mask: bytes | None = None, wide: bool = False
) -> bytes:
    """One frame as a server writes it; `wide`: its length in eight bytes whatever it is."""
    size, masked = len(payload), 0x80 if mask else 0
    head = bytes((fin << 7 | opcode,))
    if size < 126 and not wide:
        head += bytes((masked | size,))
    elif size < 1 << 16 and not wide:
        head += bytes((masked | 126,)) + size.to_bytes(2, "big")
    else:
        head += bytes((masked | 127,)) + size.to_bytes(8, "big")
    if mask is None:
        return head + payload
    return head + mask + bytes(byte ^ mask[place % 4] for place, byte in enumerate(payload))


def read(pieces: Sequence[bytes]) -> Iterator[bytes]:
    stream = FrameStream(lambda: 0.0)
    for piece in pieces:
        stream.put(piece)
        while (message := stream.next_message()) is not None:
            yield message


_payload = st.one_of(st.binary(max_size=200), st.integers(0, 70_000).map(lambda size: b"\x82" * size))
_mask = st.one_of(st.none(), st.binary(min_size=4, max_size=4))
_message = st.one_of(
    st.builds(
        lambda payload, mask, wide: ([payload], [frame(payload, mask=mask, wide=wide)]), _payload, _mask, st.booleans()
    ),
    st.builds(lambda payload: ([payload], [frame(payload, TEXT)]), _payload),
    st.builds(lambda payload: ([], [frame(payload[:100], PONG)]), _payload),
    st.builds(
        lambda one, pong, two: (
            [one + two],
            [frame(one, fin=0), *([frame(b"", PONG)] if pong else []), frame(two, MORE)],
        ),
        _payload,
        st.booleans(),
        _payload,
    ),
)


@given(st.lists(_message, max_size=6), st.lists(st.integers(0, 100_000), max_size=8))
def test_messages_are_the_same_however_their_bytes_are_cut(
    messages: list[tuple[list[bytes], list[bytes]]], cuts: list[int]
) -> None:
    told = [payload for payloads, _ in messages for payload in payloads]
    wire = b"".join(piece for _, frames in messages for piece in frames)
    places = sorted({0, len(wire), *(cut for cut in cuts if cut < len(wire))})

    assert list(read([wire[begin:end] for begin, end in pairwise(places)])) == told


def test_a_message_in_the_middle_of_another_is_no_websocket() -> None:
    with pytest.raises(WebSocketException):
        list(read([frame(b"one", fin=0) + frame(b"two")]))


def test_a_frame_that_announces_too_much_is_refused_at_once() -> None:
    head = b"\x82\x7f" + (MAX_MESSAGE_BYTES + 1).to_bytes(8, "big")

    with pytest.raises(WebSocketException):
        list(read([head + b"x"]))
