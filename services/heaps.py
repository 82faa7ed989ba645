"""What the C library keeps of a process's memory: for a desk, or a script, that runs for days.

glibc gives each thread a heap of its own, up to eight a core, and what is freed stays in pieces between what is still
used. A desk has some thirty threads, of which Python runs one at a time: two heaps serve them as well. Nothing of
`services` does this by itself: the memory of a program is the program's.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache

HEAPS = 2
_M_ARENA_MAX = -8  # malloc.h


def share_heaps() -> None:
    """Let all threads that begin from now on share a few heaps: of use at the beginning of a program."""
    _glibc("mallopt", ctypes.c_int, ctypes.c_int)(_M_ARENA_MAX, HEAPS)


def give_back() -> bool:
    """Give what is free back to the system; was there any? Takes 5 to 20 ms; threads of Python go on meanwhile."""
    return bool(_glibc("malloc_trim", ctypes.c_size_t)(0))


@cache
def _glibc(name: str, *takes: type[ctypes.c_int | ctypes.c_size_t]) -> Callable[..., int]:
    """A function of glibc; elsewhere one that does nothing: other allocators have ways of their own."""
    try:
        found = ctypes.CDLL(None)[name]
    except (AttributeError, OSError, TypeError):  # not glibc; TypeError: Windows has no library without a name
        return lambda *given: 0
    found.argtypes, found.restype = takes, ctypes.c_int
    function: Callable[..., int] = found
    return function
