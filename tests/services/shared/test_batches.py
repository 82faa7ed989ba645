"""What goes between the processes of a desk: whole, or noticed."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.domain.errors import MalformedPayload
from services.shared.batches import Batch, decode

BATCHES = st.builds(
    Batch,
    token=st.integers(0, 2**64 - 1),
    connection=st.integers(0, 2**32 - 1),
    number=st.integers(0, 2**64 - 1),
    stamp_us=st.integers(0, 2**64 - 1),
    frames=st.lists(st.binary(max_size=50), max_size=5),
)


@given(BATCHES)
def test_a_batch_is_read_as_it_was_sent(batch: Batch) -> None:
    assert decode(batch.encode()) == batch


@given(BATCHES, st.data())
def test_a_batch_that_is_cut_off_or_too_long_is_none(batch: Batch, data: st.DataObject) -> None:
    whole = batch.encode()
    for wrong in (whole[: data.draw(st.integers(0, len(whole) - 1))], whole + b"\0"):
        with pytest.raises(MalformedPayload):
            decode(wrong)


@given(st.binary(max_size=80))
def test_whatever_else_comes_is_read_or_refused(noise: bytes) -> None:
    with suppress(MalformedPayload):
        decode(noise)
