"""Finding the one bad key that makes the broker refuse a whole batch, without losing the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from services.domain.errors import BadInstrumentKey, UpstoxError

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
    """Keys that the broker refused when asked for alone: surely bad."""
    failed: dict[str, UpstoxError] = field(default_factory=dict)
    """Keys of which nothing is known, with the error that stopped the asking."""
    calls: int = 0


def fetch_isolating(
    fetch: Callable[[Sequence[str]], T], keys: Sequence[str], *, most_calls: int = MOST_CALLS
) -> Isolated[T]:
    """Ask for `keys` in one call. While a call fails with `BadInstrumentKey`, take out the key that the broker names
    (and ask for it alone, for it may name the wrong one) or, if it names none of them, ask for the two halves."""
    result: Isolated[T] = Isolated()
    waiting = [tuple(keys)]
    while waiting:
        part = waiting.pop()
        try:
            result.calls += 1
            result.answers.append(fetch(part))
            result.asked += part
        except BadInstrumentKey as error:
            if len(part) == 1:
                result.bad[part[0]] = error
            else:
                waiting += _split(part, error.invalid_value)
            if result.calls >= most_calls:
                _give_up(result, waiting, error)
                break
        except UpstoxError as error:  # not about one key: the other parts would fare no better
            _give_up(result, [part, *waiting], error)
            break
    return result


def _give_up(result: Isolated[T], parts: list[tuple[str, ...]], error: UpstoxError) -> None:
    result.failed.update((key, error) for part in parts for key in part)


def _split(part: tuple[str, ...], named: str | None) -> list[tuple[str, ...]]:
    if named in part:
        return [(named,), tuple(key for key in part if key != named)]
    middle = len(part) // 2
    return [part[:middle], part[middle:]]
