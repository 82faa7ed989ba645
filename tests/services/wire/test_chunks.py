from __future__ import annotations

from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.wire.chunks import MAX_QUERY_CHARS, chunk_keys


def test_five_hundred_share_keys_fit_into_one_request() -> None:
    keys = [f"NSE_EQ|INE{number:06d}018" for number in range(1200)]

    assert [len(chunk) for chunk in chunk_keys(keys)] == [500, 500, 200]


def test_no_keys_make_no_request() -> None:
    assert chunk_keys([]) == []


def test_a_chunk_holds_at_least_one_key() -> None:
    with pytest.raises(ValueError, match="at least one"):
        chunk_keys(["a"], 0)


@given(st.lists(st.text(min_size=1, max_size=40), max_size=60), st.integers(1, 20), st.integers(1, 300))
def test_chunks_keep_every_key_in_order_within_both_bounds(keys: list[str], most: int, chars: int) -> None:
    chunks = chunk_keys(keys, most, chars)

    assert [key for chunk in chunks for key in chunk] == keys
    for chunk in chunks:
        assert 1 <= len(chunk) <= most
        assert len(chunk) == 1 or len(quote_plus(",".join(chunk))) <= chars
    assert MAX_QUERY_CHARS < 16_384
