"""Finding the one bad key that makes the broker refuse a whole batch, without losing the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from services.domain.errors import BadInstrumentKey, TooManyBadKeys, UpstoxError

T = TypeVar("T")
MOST_CALLS = 64
"""A batch with very many bad keys is given up after so many calls: the rate budget is for quotes."""


@dataclass(slots=True)
class Isolated(Generic[T]):
    """What became of a batch. Every key is covered by an answer, or is in `bad`, or is in `failed`."""

    answers: list[T] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    """The keys that `answers` are about."""
    bad: dict[str, UpstoxError] = field(default_factory=dict)
    """Keys that the broker refused."""
    failed: dict[str, UpstoxError] = field(default_factory=dict)
    """Keys of which nothing is known, with the error that stopped the asking."""
    calls: int = 0


def fetch_isolating(
    fetch: Callable[[Sequence[str]], T], keys: Sequence[str], *, most_calls: int = MOST_CALLS
) -> Isolated[T]:
    """Ask for `keys` in one call. While a call fails with `BadInstrumentKey`, take out the key that the broker names,
    or, if it names none of them, ask for the two halves.

    The first key that is named is asked for alone: if the broker then answers, its names are not to be trusted and
    halving goes on. Else every later name counts without a call of its own, so that a watchlist full of expired
    contracts costs one call for each of them and no more.
    """
    result: Isolated[T] = Isolated()
    waiting = [tuple(keys)]
    names_hold: bool | None = None
    while waiting:
        part = waiting.pop()
        if not part:
            continue
        if result.calls >= most_calls:
            _leave(result, [part, *waiting])
            break
        try:
            result.calls += 1
            result.answers.append(fetch(part))
            result.asked += part
        except BadInstrumentKey as error:
            named = error.invalid_value
            if len(part) == 1:
                result.bad[part[0]] = error
            elif named not in part or names_hold is False:
                middle = len(part) // 2
                waiting += [part[:middle], part[middle:]]
            else:
                if names_hold is None:
                    names_hold = _is_bad(fetch, named, result)
                if names_hold:
                    result.bad[named] = error
                waiting.append(tuple(key for key in part if key != named))
        except UpstoxError as error:  # not about one key: the other parts would fare no better
            result.failed.update((key, error) for rest in [part, *waiting] for key in rest)
            break
    return result


def _is_bad(fetch: Callable[[Sequence[str]], T], key: str, result: Isolated[T]) -> bool:
    """Does the broker refuse `key` when it is asked for alone?"""
    result.calls += 1
    try:
        result.answers.append(fetch((key,)))
    except BadInstrumentKey:
        return True
    result.asked.append(key)
    return False


def _leave(result: Isolated[T], parts: list[tuple[str, ...]]) -> None:
    """Stop here. What was found out is kept by the caller, so the next read starts with fewer bad keys."""
    error = TooManyBadKeys(f"{len(result.bad)} unknown keys in one list; the others are asked for at the next read")
    result.failed.update((key, error) for part in parts for key in part)
