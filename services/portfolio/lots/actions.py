"""Corporate actions, as somebody enters them. A book of trades cannot know of them.

Each holds for what was held before the opening of its `day` (the ex-date). Shares keep their day of purchase.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from services.domain.errors import InvalidRequest


@dataclass(frozen=True, slots=True)
class Split:
    """`old` shares become `new`; their cost stays. Often the ISIN changes with it: `into`."""

    instrument: str
    day: date
    new: int
    old: int
    into: str = ""

    def __post_init__(self) -> None:
        _check_ratio(self.new, self.old)


@dataclass(frozen=True, slots=True)
class Bonus:
    """`new` shares come free for each `old` held.

    By default the cost is spread over all of them, as brokers' P&L pages do. `free_lots`: they are lots of their own,
    bought on the ex-date for nothing, as the income tax sees them.
    """

    instrument: str
    day: date
    new: int
    old: int
    free_lots: bool = False

    def __post_init__(self) -> None:
        _check_ratio(self.new, self.old)


@dataclass(frozen=True, slots=True)
class Rename:
    """The same shares under another identity."""

    instrument: str
    day: date
    into: str

    def __post_init__(self) -> None:
        if self.into in {"", self.instrument}:
            raise InvalidRequest("a renamed instrument has another name")


@dataclass(frozen=True, slots=True)
class Demerger:
    """For each `old` shares `new` ones of `into` come, and `cost_percent` of the cost moves to them."""

    instrument: str
    day: date
    into: str
    new: int
    old: int
    cost_percent: Decimal

    def __post_init__(self) -> None:
        _check_ratio(self.new, self.old)
        if self.into in {"", self.instrument}:
            raise InvalidRequest("a demerger makes another instrument")
        if not self.cost_percent.is_finite() or not 0 <= self.cost_percent <= 100:
            raise InvalidRequest("the cost that moves is 0 to 100 percent")


Action = Split | Bonus | Rename | Demerger


def in_order(actions: list[Action]) -> list[Action]:
    """By day; of one day in one fixed order, and each once."""
    return sorted(dict.fromkeys(actions), key=lambda action: (action.day, type(action).__name__, repr(action)))


def _check_ratio(new: int, old: int) -> None:
    if new < 1 or old < 1:
        raise InvalidRequest("a ratio is two whole numbers of at least 1")
