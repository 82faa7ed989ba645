"""A collaborator built on first use, once, and closed with its owner in reverse order.

By hand, because `functools.cached_property` has no lock from Python 3.12 on and no container library closes what it
built in reverse order of building.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from threading import RLock
from typing import Any, Generic, Self, TypeVar, overload

T = TypeVar("T")


class Parts:
    """Base of a class whose attributes are `part`s. Every part has a lock of its own, so that one which waits for the
    network does not hold up the others; parts ask for each other without cycles, so the locks cannot cross."""

    def __init__(self) -> None:
        self._made: dict[str, Any] = {}  # values of all kinds; each `part` knows its own type
        self._locks: dict[str, RLock] = {}
        self._guard = RLock()
        self._exit = ExitStack()
        self._closed = False

    def _lock_of(self, name: str) -> RLock:
        with self._guard:
            return self._locks.setdefault(name, RLock())

    def built(self, name: str) -> bool:
        """Has the part called `name` been made already?"""
        return name in self._made

    def close(self) -> None:
        """Close every part that was built, the last one first. A second call does nothing."""
        with self._guard:
            if self._closed:
                return
            self._closed = True
        self._exit.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


class part(Generic[T]):  # noqa: N801  # reads as a decorator
    """Decorates a method that builds a collaborator. If the result has `close`, the owner calls it at its own end."""

    def __init__(self, build: Callable[[Any], T]) -> None:
        self._build = build
        self.__doc__ = build.__doc__

    def __set_name__(self, owner: type[Parts], name: str) -> None:
        self._name = name

    @overload
    def __get__(self, owner: None, kind: type[Parts]) -> part[T]: ...
    @overload
    def __get__(self, owner: Parts, kind: type[Parts]) -> T: ...
    def __get__(self, owner: Parts | None, kind: type[Parts]) -> part[T] | T:
        if owner is None:
            return self
        made = owner._made
        if self._name in made:  # the common way, without a lock: entries are only ever added
            found: T = made[self._name]
            return found
        with owner._lock_of(self._name):
            if self._name not in made:
                if owner._closed:
                    raise RuntimeError(f"the runtime is closed; {self._name} was asked for")
                value = self._build(owner)
                with owner._guard:
                    if (close := getattr(value, "close", None)) is not None:
                        owner._exit.callback(close)
                    made[self._name] = value
            built: T = made[self._name]
            return built
