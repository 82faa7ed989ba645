"""What was recorded comes back, and damage costs the damaged blocks only."""

from __future__ import annotations

import random
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.domain.errors import InvalidRequest, MalformedPayload
from services.wire.feed import recording
from services.wire.feed.recording import (
    MAX_FRAME_BYTES,
    Record,
    RecordingDecoder,
    RecordingEncoder,
    RecordingHeader,
)
from tests.support.feed_frames import AT_MS, full_frame

HEADER = RecordingHeader(date(2026, 11, 20), "simulated", AT_MS)
LATER = RecordingHeader(date(2026, 11, 20), "Upstox", AT_MS + 60_000)

records = st.lists(st.builds(Record, st.integers(-(2**63), 2**63 - 1), st.binary(max_size=300)), max_size=12)


def recorded(told: list[Record], header: RecordingHeader = HEADER, *, block_bytes: int = 200) -> bytes:
    encoder = RecordingEncoder(header, block_bytes=block_bytes)
    return encoder.start() + b"".join(encoder.add(*record) for record in told) + encoder.flush()


def read(data: bytes, *, step: int = 1 << 20) -> tuple[list[Record], RecordingDecoder]:
    decoder = RecordingDecoder()
    got = [record for place in range(0, len(data), step) for record in decoder.feed(data[place : place + step])]
    return got + list(decoder.finish()), decoder


def numbered(count: int, *, first: int = 0) -> list[Record]:
    return [Record(AT_MS + number, b"frame %d " % number * 9) for number in range(first, first + count)]


@given(records, st.integers(1, 400), st.integers(1, 64))
def test_what_was_recorded_comes_back_in_pieces_of_any_size(told: list[Record], block: int, step: int) -> None:
    got, decoder = read(recorded(told, block_bytes=block), step=step)

    assert got == told
    assert decoder.header == HEADER
    assert decoder.damaged_bytes == 0


def test_a_block_is_given_out_when_it_is_full_and_when_it_is_asked_for() -> None:
    encoder = RecordingEncoder(HEADER, block_bytes=100)

    first = encoder.add(1, b"x" * 50)
    second = encoder.add(2, b"y" * 50)

    assert first == b""
    assert second != b""
    assert encoder.flush() == b""
    encoder.add(3, b"z")
    assert encoder.flush() != b""


def test_records_are_there_as_soon_as_their_block_is() -> None:
    encoder, decoder = RecordingEncoder(HEADER), RecordingDecoder()
    list(decoder.feed(encoder.start()))
    encoder.add(7, b"frame")
    block = encoder.flush()

    assert list(decoder.feed(block[:-1])) == []
    assert list(decoder.feed(block[-1:])) == [Record(7, b"frame")]


@given(st.data())
def test_a_recording_cut_anywhere_gives_all_blocks_before_the_cut(data: st.DataObject) -> None:
    told = numbered(12)
    whole = recorded(told)
    cut = data.draw(st.integers(0, len(whole)))

    got, _ = read(whole[:cut], step=data.draw(st.integers(1, 300)))

    assert got == told[: len(got)]
    blocks = [place for place in range(cut) if whole.startswith(b"\xf1DF\x00\x02", place)]
    assert len(got) >= 3 * max(0, len(blocks) - 1)  # three of these records fill a block


@given(st.data())
def test_a_recording_that_goes_on_behind_a_torn_tail_loses_that_tail_only(data: st.DataObject) -> None:
    before, after = numbered(8), numbered(5, first=100)
    torn = recorded(before)
    cut = data.draw(st.integers(0, len(torn)))

    got, decoder = read(torn[:cut] + recorded(after, LATER), step=data.draw(st.integers(1, 500)))

    assert got[-5:] == after
    assert got[:-5] == before[: len(got) - 5]
    assert decoder.header == LATER
    if cut == len(torn):
        assert decoder.damaged_bytes == 0
        assert len(got) == 13


@given(st.data())
def test_flipped_bits_cost_the_block_they_are_in(data: st.DataObject) -> None:
    told = numbered(12)
    whole = bytearray(recorded(told))
    header = len(RecordingEncoder(HEADER).start())
    place = data.draw(st.integers(header, len(whole) - 1))
    whole[place] ^= 1 << data.draw(st.integers(0, 7))

    got, decoder = read(bytes(whole))

    assert len(got) == 9
    assert [record for record in told if record in got] == got
    assert decoder.damaged_bytes > 0


@given(st.binary(max_size=600))
def test_random_bytes_behind_a_header_give_no_records_and_no_other_error(noise: bytes) -> None:
    got, decoder = read(RecordingEncoder(HEADER).start() + noise)

    assert got == []
    assert decoder.damaged_bytes == len(noise)


def test_a_frame_that_looks_like_the_beginning_of_a_block_is_a_frame() -> None:
    inner = recorded(numbered(3))
    told = [Record(1, inner), Record(2, b"\xf1DF\x00" * 40)]

    got, _ = read(recorded(told), step=7)

    assert got == told


def test_a_block_that_claims_to_be_endless_is_passed_over() -> None:
    told = numbered(2)
    liar = b"\xf1DF\x00\x02" + b"\xff" * 12

    got, decoder = read(recorded(told) + liar + recorded(told, LATER))

    assert got == told + told
    assert decoder.damaged_bytes == len(liar)


def test_a_header_of_a_newer_version_is_refused_in_words() -> None:
    newer = RecordingEncoder(RecordingHeader(HEADER.day, "Upstox", AT_MS, version=2)).start()

    with pytest.raises(MalformedPayload, match="version 2") as caught:
        list(RecordingDecoder().feed(newer))

    assert caught.value.field == "version"


@pytest.mark.parametrize(
    "content", [b"[]", b"{}", b"no JSON", b'{"version":1,"day":"soon","source":"","started_ms":1}']
)
def test_a_header_that_says_nothing_usable_is_refused(content: bytes) -> None:
    with pytest.raises(MalformedPayload):
        list(RecordingDecoder().feed(recording._block(1, content)))


def test_records_without_a_header_are_refused() -> None:
    encoder = RecordingEncoder(HEADER)
    encoder.add(1, b"frame")

    with pytest.raises(MalformedPayload, match="begins with a header"):
        list(RecordingDecoder().feed(encoder.flush()))


@pytest.mark.parametrize("content", [b"short", b"\x00" * 8 + b"\xff\x00\x00\x00" + b"x"])
def test_a_whole_block_of_nonsense_is_refused(content: bytes) -> None:
    decoder = RecordingDecoder()
    list(decoder.feed(RecordingEncoder(HEADER).start()))

    with pytest.raises(MalformedPayload):
        list(decoder.feed(recording._block(2, content)))


def test_blocks_of_an_unknown_kind_are_passed_over() -> None:
    told = numbered(1)

    got, decoder = read(RecordingEncoder(HEADER).start() + recording._block(9, b"later") + recorded(told))

    assert got == told
    assert decoder.damaged_bytes == 0


def test_what_cannot_be_a_frame_is_refused() -> None:
    encoder = RecordingEncoder(HEADER)

    with pytest.raises(InvalidRequest):
        encoder.add(1, bytes(MAX_FRAME_BYTES + 1))
    with pytest.raises(InvalidRequest):
        RecordingEncoder(HEADER, block_bytes=0)


def test_a_real_stretch_of_the_feed_takes_less_than_half_its_size() -> None:
    chance = random.Random(3)
    told = [Record(AT_MS + number, full_frame(40, seed=chance.randrange(9))) for number in range(40)]

    data = recorded(told, block_bytes=recording.BLOCK_BYTES)

    assert len(data) < sum(len(record.frame) for record in told) / 2
    assert read(data)[0] == told
