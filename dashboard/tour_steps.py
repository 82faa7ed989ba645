"""What a newcomer is shown in the first minute, and who has put it away. The audit remembers that: it is one per desk,
and knows persons by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dashboard.navigation import ACCOUNT, CANDLES, ORDERS, PNL, QUOTES
from services.domain.actors import Actor
from services.runtime import Runtime
from services.settings import Mode

TARGET = "tour"
AWAY, AGAIN = "tour put away", "tour asked for again"
RELIANCE = "NSE_EQ|INE002A01018"


@dataclass(frozen=True, slots=True)
class TourStep:
    """One place of the desk: what can be done there, and the way there."""

    title: str
    text: str
    page: Path
    link: Mapping[str, str] = field(default_factory=dict)


def tour_steps(mode: Mode) -> tuple[TourStep, ...]:
    """Five of them."""
    paper = mode is Mode.PAPER
    return (
        TourStep(
            "Watch prices", "A click on a row shows its depth. Search, or the key / on any page, finds any instrument.",
            QUOTES,
        ),
        TourStep(
            "Read a chart", "Every interval, indicators, your own trades in it.",
            CANDLES, {"key": RELIANCE},
        ),
        TourStep(
            "Place an order",
            ("With practice money. " if paper else "With real money. ")
            + "Cost and worst price are told before anything is sent.",
            ORDERS, {"key": RELIANCE},
        ),
        TourStep(
            "See what it came to", "Gross, charges and net of every trade, to the paisa.",
            PNL,
        ),
        TourStep(
            "Go live when you like" if paper else "Check before you trade",
            "The account page lists what is done for real orders, and what is missing.",
            ACCOUNT,
        ),
    )  # fmt: skip


def is_put_away(runtime: Runtime, actor: Actor) -> bool:
    """Has this person put the tour away on this desk? Raises `StorageError` where the ledger cannot tell."""
    mine = [act for act in runtime.audit.about(TARGET) if act.actor.name == actor.name]
    return bool(mine) and mine[0].what == AWAY


def put_away(runtime: Runtime, actor: Actor, *, away: bool) -> None:
    """Remember it."""
    runtime.audit.add(actor, AWAY if away else AGAIN, TARGET)
