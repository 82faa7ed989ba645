"""What a process has let go of goes back to the system."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from services.heaps import HEAPS, give_back
from tests.support.shared_data import ROOT
from tests.support.week import memory_of

MIB = 1024
"""In KiB, as `memory_of` tells them."""

glibc_only = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another allocator, which has its own ways")


@glibc_only
def test_pages_between_what_is_used_go_back_to_the_system() -> None:
    blocks = [bytes(1000) for _ in range(128 * 1024)]
    kept = blocks[::1024]  # so that the heap cannot just end earlier
    blocks.clear()
    before = memory_of(os.getpid())["rss"]
    give_back()

    assert before - memory_of(os.getpid())["rss"] > 64 * MIB
    assert len(kept) == 128


THREADS = """
import ctypes, sys, threading
from services.heaps import share_heaps
if sys.argv[1] == "shared":
    share_heaps()
begun = threading.Barrier(9)
def work():
    block = bytes(1000)
    begun.wait()
    begun.wait()
threads = [threading.Thread(target=work) for _ in range(8)]
for one in threads:
    one.start()
begun.wait()
libc = ctypes.CDLL(None)
libc.fopen.restype, libc.fclose.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
libc.malloc_info.argtypes = [ctypes.c_int, ctypes.c_void_p]
told = libc.fopen(sys.argv[2].encode(), b"w")
libc.malloc_info(0, told)
libc.fclose(told)
begun.wait()
"""


@glibc_only
def test_threads_share_a_few_heaps(tmp_path: Path) -> None:
    def heaps(how: str) -> int:
        told = tmp_path / how
        subprocess.run([sys.executable, "-c", THREADS, how, str(told)], check=True, cwd=ROOT, timeout=60)
        return told.read_text().count("<heap nr=")

    assert heaps("own") > HEAPS
    assert heaps("shared") <= HEAPS
