"""What sessions have left behind is let go now and then, and what is free then goes back to the system.

Python's own collector is put off while the desk runs (see `dashboard.asgi`). What it frees stays with the process, in
pieces between what is still used: a desk that is clicked in all week would grow by tenths without holding anything.
"""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Callable
from functools import cache


def tidy() -> None:
    """One whole round. Other threads go on while the system gets its pages back."""
    gc.collect()
    _giving_back()(0)


@cache
def _giving_back() -> Callable[[int], int]:
    """`malloc_trim` of glibc (bytes to keep at the end; 1: something was given back). Elsewhere nothing is done: other
    allocators give back by themselves."""
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):  # not glibc; TypeError: Windows has no library without a name
        return lambda keep: 0
    trim.argtypes, trim.restype = [ctypes.c_size_t], ctypes.c_int
    found: Callable[[int], int] = trim
    return found
