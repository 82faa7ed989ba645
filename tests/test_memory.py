from __future__ import annotations

import pytest

from tests.support.memory import PEAKS_ARE_TOLD, highest_mib

MIB = 2**20


@pytest.mark.skipif(not PEAKS_ARE_TOLD, reason="only Linux tells how much memory a piece of work took")
def test_what_a_piece_of_work_takes_is_not_hidden_by_more_that_was_taken_before_it() -> None:
    def take(mib: int) -> int:
        return len(bytearray(b"x" * (mib * MIB)))

    assert take(200) == 200 * MIB

    found, most = highest_mib(lambda: take(40))

    assert found == 40 * MIB
    assert 35 < most < 150
