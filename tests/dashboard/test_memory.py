"""What a process has let go of goes back to the system."""

from __future__ import annotations

import gc
import os
import platform
import weakref

import pytest

from dashboard.memory import tidy
from tests.support.week import memory_of

MIB = 1024
"""In KiB, as `memory_of` tells them."""


class Link:
    other: Link


def test_what_holds_only_itself_is_let_go() -> None:
    one, two = Link(), Link()
    one.other, two.other = two, one
    gone = weakref.ref(one)
    gc.disable()
    try:
        del one, two
        assert gone() is not None
        tidy()
        assert gone() is None
    finally:
        gc.enable()


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another allocator, which gives back by itself")
def test_pages_between_what_is_used_go_back_to_the_system() -> None:
    blocks = [bytes(1000) for _ in range(128 * 1024)]
    kept = blocks[::1024]  # so that the heap cannot just end earlier
    blocks.clear()
    before = memory_of(os.getpid())["rss"]
    tidy()

    assert before - memory_of(os.getpid())["rss"] > 64 * MIB
    assert len(kept) == 128
