"""The one runtime of this process."""

from __future__ import annotations

import atexit
from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock

from services.runtime.money import Runtime
from services.settings import load_settings

_current: Runtime | None = None
_making = RLock()


def get_runtime() -> Runtime:
    """The runtime of this process, made from the environment on first use and closed when the program ends."""
    global _current  # the one process-wide object, swapped in tests by `use_runtime`
    with _making:
        if _current is None:
            _current = Runtime(load_settings())
            atexit.register(_current.close)
        return _current


@contextmanager
def use_runtime(runtime: Runtime) -> Iterator[Runtime]:
    """Make `runtime` the process's runtime inside the block. The caller closes it."""
    global _current
    with _making:
        before, _current = _current, runtime
    try:
        yield runtime
    finally:
        with _making:
            _current = before
